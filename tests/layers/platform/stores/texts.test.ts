import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { sanitizeFilename } from "../../../../src/layers/platform/filenames.ts"
import * as mediaTypes from "../../../../src/layers/platform/mediaTypes.ts"
import { cut } from "../../../../src/layers/platform/names.ts"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const text = (value: string) => new TextEncoder().encode(value)

describe("filenames", () => {
  const table: ReadonlyArray<readonly [given: string, kept: string]> = [
    ["a.txt", "a.txt"],
    ["../../etc/passwd", "passwd"],
    ["C:\\Users\\me\\report.pdf", "report.pdf"],
    ["..", "file"],
    ["", "file"],
    [".htaccess", "htaccess"],
    ["a\u0000b\r\nc.txt", "abc.txt"],
    ["cod\u202Etxt.exe", "codtxt.exe"],
    ['a"; filename="b.html', "a; filename=b.html"],
    ["  two   words .txt ", "two words .txt"],
    ["汇报😀.md", "汇报😀.md"],
    ["x\uD83D.txt", "x\uFFFD.txt"],
    [`${"x".repeat(300)}.tar`, `${"x".repeat(116)}.tar`]
  ]
  for (const [given, kept] of table) {
    it(`${JSON.stringify(given.slice(0, 30))} is saved as ${JSON.stringify(kept.slice(0, 30))}`, () => {
      assert.strictEqual(sanitizeFilename(given), kept)
    })
  }

  it.prop("are names in a folder, whatever was given", [Schema.String], ([given]) => {
    const name = sanitizeFilename(given)
    assert.isTrue(name.length > 0 && name.length <= 120 && name.isWellFormed())
    assert.notMatch(name, /[/\\\p{Cc}]/u)
    assert.isFalse(name.startsWith("."))
    assert.strictEqual(sanitizeFilename(name), name)
  })
})

describe("media types", () => {
  const png = bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0)
  const zip = bytes(0x50, 0x4b, 3, 4, 0)
  const word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
  const table: ReadonlyArray<readonly [what: string, declared: string, head: Uint8Array, kept: string]> = [
    ["a picture", "image/png", png, "image/png"],
    ["a picture by another name", "text/html", png, "image/png"],
    ["no picture", "image/png", text("<script>"), mediaTypes.unknown],
    ["a page", "text/html", text("<p>"), mediaTypes.unknown],
    ["a drawing that runs scripts", "image/svg+xml", text("<svg>"), mediaTypes.unknown],
    ["a script", "application/javascript", text("x"), mediaTypes.unknown],
    ["a text", "Text/Plain; charset=utf-8", text("hé"), "text/plain"],
    ["a text cut within a character", "text/plain", text("é").subarray(0, 1), "text/plain"],
    ["bytes said to be text", "text/plain", bytes(0xff, 0xfe, 0x41), mediaTypes.unknown],
    ["bytes with NUL said to be text", "text/csv", bytes(0x41, 0), mediaTypes.unknown],
    ["a package", "application/octet-stream", zip, "application/zip"],
    ["a document in a package", word, zip, word],
    ["something of its own kind", "application/x-thing", text("x"), "application/x-thing"],
    ["no type at all", "", text("x"), mediaTypes.unknown],
    ["a header smuggled in", "a/b\r\nx: y", text("x"), mediaTypes.unknown]
  ]
  for (const [what, declared, head, kept] of table) {
    it(`${what} is kept as ${kept}`, () => {
      assert.strictEqual(mediaTypes.settle(declared, head), kept)
    })
  }

  it.prop("show in place only what the bytes bear out", [Schema.String, Schema.Uint8Array], ([declared, head]) => {
    const kept = mediaTypes.settle(declared, head)
    assert.isFalse(mediaTypes.isInline(kept) && kept.startsWith("image/") && mediaTypes.settle("", head) !== kept)
  })
})

describe("cutting", () => {
  it.prop("keeps whole letters from the front", [Schema.String], ([given]) => {
    const short = cut(given, 10)
    assert.isTrue(given.startsWith(short) && short.length <= 10)
    assert.isTrue(given.length > 10 || short === given)
    if (given.isWellFormed()) assert.isTrue(short.isWellFormed())
  })
})
