/** The archive of a deliverable, as other programs read it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { promisify } from "node:util"
import * as deliveryArchive from "../../../../src/layers/channel/deliveryArchive.ts"

const run = promisify(execFile)

/** Every entry with its bytes' hash, by Python's own reader, which checks the checksums. */
const readByPython = `
import hashlib, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
print(json.dumps({i.filename: hashlib.sha256(archive.read(i)).hexdigest() for i in archive.infolist()}))
print(archive.read("metadata.json").decode())
`

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex")

const build = (body: (fs: FileSystem.FileSystem, folder: string) => Effect.Effect<void, unknown>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* body(fs, yield* fs.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

const input = (folder: string, files: ReadonlyArray<deliveryArchive.OutputFile>): deliveryArchive.Input => ({
  taskId: "t/1",
  title: "Count 数",
  completedAt: Date.UTC(2026, 3, 9, 12, 30, 10),
  result: "42 words.",
  files,
  path: `${folder}/${deliveryArchive.nameOf("t/1", "x7")}`
})

describe("the archive of a deliverable", () => {
  it.live("is read by Python and unzip: small and large, in folders, in any script", () =>
    build((fs, folder) =>
      Effect.gen(function* () {
        const large = new Uint8Array(3_000_000).map((_, at) => (at * 7919) % 253)
        yield* fs.writeFile(`${folder}/large.bin`, large)
        yield* fs.writeFileString(`${folder}/结果.txt`, "words ".repeat(10_000))
        yield* fs.writeFileString(`${folder}/empty`, "")
        const given = input(folder, [
          { path: `${folder}/large.bin`, name: "large.bin" },
          { path: `${folder}/结果.txt`, name: "folder/结果.txt" },
          { path: `${folder}/empty`, name: "empty" }
        ])
        const { files, size } = yield* deliveryArchive.make(fs, given)
        assert.strictEqual(given.path.slice(folder.length), "/delivery_t_1_x7.zip")
        assert.strictEqual(Number((yield* fs.stat(given.path)).size), size)
        assert.isBelow(size, 3_000_000 + 5_000)
        const { stdout } = yield* Effect.promise(() => run("python3", ["-c", readByPython, given.path]))
        const [names = "", ...metadata] = stdout.split("\n")
        const found = JSON.parse(names)
        assert.deepStrictEqual(Object.keys(found), [
          "output/empty",
          "output/folder/结果.txt",
          "output/large.bin",
          "result.txt",
          "metadata.json"
        ])
        assert.strictEqual(found["output/large.bin"], sha256(large))
        assert.strictEqual(found["result.txt"], sha256("42 words.\n"))
        assert.deepStrictEqual(JSON.parse(metadata.join("\n")), {
          task_id: "t/1",
          title: "Count 数",
          completed_at: "2026-04-09T12:30:10.000Z",
          artifacts: files
        })
        for (const file of files) assert.strictEqual(file.sha256, found[file.name])
        yield* Effect.promise(() => run("unzip", ["-tq", given.path]))
      })
    )
  )

  it.live("refuses names that lead out of it, names twice, links, and leaves nothing behind", () =>
    build((fs, folder) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${folder}/a`, "a")
        yield* fs.symlink(`${folder}/a`, `${folder}/link`)
        const a = `${folder}/a`
        for (const files of [
          [{ path: a, name: "../a" }],
          [{ path: a, name: "/a" }],
          [{ path: a, name: "x\\a" }],
          [
            { path: a, name: "a" },
            { path: a, name: "a" }
          ],
          [{ path: `${folder}/link`, name: "a" }],
          [{ path: `${folder}/absent`, name: "a" }]
        ]) {
          const error = yield* Effect.flip(deliveryArchive.make(fs, input(folder, files)))
          assert.strictEqual(error._tag, "FileUnusable")
        }
        assert.deepStrictEqual((yield* fs.readDirectory(folder)).toSorted(), ["a", "link"])
      })
    )
  )
})
