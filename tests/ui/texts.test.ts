import { assert, describe, it } from "@effect/vitest"
import { en } from "../../src/ui/i18n/en.ts"
import { zh } from "../../src/ui/i18n/zh.ts"
import { colourOf, initialOf, isLocalPicture } from "../../src/ui/lib/avatar.ts"
import { beginning, bytes, characters, median, seconds } from "../../src/ui/lib/format.ts"
import { blocksOf } from "../../src/ui/places/chat/state/blocks.ts"
import { MAX_FILES, MAX_FILE_BYTES, admit } from "../../src/ui/places/chat/state/drafts.ts"
import { readFrame, readMessage } from "../../src/ui/places/chat/state/wire.ts"

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort()

describe("texts", () => {
  it("are there in both languages, with the same values to fill in", () => {
    assert.deepStrictEqual(Object.keys(zh), Object.keys(en))
    for (const [key, text] of Object.entries(en)) {
      const other = zh[key as keyof typeof en]
      assert.deepStrictEqual(placeholders(other), placeholders(text), key)
      assert.notStrictEqual(other.trim(), "", key)
    }
  })

  it("are translated", () => {
    const same = Object.entries(en).filter(([key, text]) => zh[key as keyof typeof en] === text && /[a-z]/i.test(text))
    assert.deepStrictEqual(same, [])
  })
})

describe("avatars", () => {
  it("show the first letter, character or emoji", () => {
    assert.strictEqual(initialOf("文案助手"), "文")
    assert.strictEqual(initialOf("  résumé"), "R")
    assert.strictEqual(initialOf("👩‍🚀 pilot"), "👩‍🚀")
    assert.strictEqual(initialOf("<img"), "I")
    assert.strictEqual(initialOf("…"), "·")
  })
  it("keep their colour, and take no picture from elsewhere", () => {
    assert.strictEqual(colourOf("claw_1"), colourOf("claw_1"))
    assert.isTrue(isLocalPicture("data:image/png;base64,AAAA"))
    assert.isFalse(isLocalPicture("https://example.com/a.png"))
    assert.isFalse(isLocalPicture("data:text/html,<script>"))
  })
})

describe("figures", () => {
  it("are written as people write them", () => {
    assert.strictEqual(seconds(312, "en-GB"), "0.3")
    assert.strictEqual(seconds(12_400, "en-GB"), "12")
    assert.strictEqual(bytes(20 * 1024 * 1024, "en-GB"), "20 MB")
    assert.strictEqual(median([3, 1, 2]), 2)
    assert.strictEqual(median([4, 1, 2, 3]), 2.5)
    assert.strictEqual(median([]), undefined)
  })
  it("count and cut by characters, not by code units", () => {
    assert.strictEqual(characters("a👩‍🚀文"), 3)
    assert.strictEqual(beginning("👩‍🚀👩‍🚀👩‍🚀", 2), "👩‍🚀👩‍🚀…")
  })
})

describe("a Markdown text", () => {
  it("is cut after its paragraphs, and joined again is the same", () => {
    assert.deepStrictEqual(blocksOf("one\n\ntwo\n\n\nthree"), ["one\n\n", "two\n\n\n", "three"])
    assert.deepStrictEqual(blocksOf(""), [""])
    for (const text of ["a\n\n```\nx\n\ny\n```\n\nz\n", "\n\na\n\n", "- a\n\n- b\n\nc"]) {
      assert.strictEqual(blocksOf(text).join(""), text)
    }
  })
  it("is never cut inside a code fence, a list, a quote or a table", () => {
    assert.deepStrictEqual(blocksOf("a\n\n```js\nx\n\ny\n\nz"), ["a\n\n", "```js\nx\n\ny\n\nz"])
    assert.deepStrictEqual(blocksOf("~~~\n```\n\nx\n~~~\n\nnext"), ["~~~\n```\n\nx\n~~~\n\n", "next"])
    assert.strictEqual(blocksOf("1. one\n\n2. two\n\n   more\n\n> said").length, 1)
    assert.deepStrictEqual(blocksOf("- one\n\n- two\n\nafter"), ["- one\n\n- two\n\n", "after"])
  })
  it("is left whole where a part of it names an address for another", () => {
    assert.strictEqual(blocksOf("see [it]\n\nmore\n\n[it]: https://example.com").length, 1)
  })
  it("keeps its blocks while it grows", () => {
    const text = "# A\n\nb\n\n- c\n- d\n\n```\ne\n\nf\n```\n\ng"
    const whole = blocksOf(text)
    for (let length = 1; length <= text.length; length++) {
      const part = blocksOf(text.slice(0, length))
      assert.deepStrictEqual(part.slice(0, -1), whole.slice(0, part.length - 1))
    }
  })
})

describe("files", () => {
  it("that are too large, empty or too many are refused by name", () => {
    const file = (name: string, size: number) => ({ name, size })
    const { refused, taken } = admit(
      [file("a", 1), file("b", MAX_FILE_BYTES + 1), file("c", 0), file("d", 1)],
      MAX_FILES - 1
    )
    assert.deepStrictEqual(taken, [file("a", 1)])
    assert.deepStrictEqual(refused, [
      { reason: "too-large", name: "b" },
      { reason: "empty", name: "c" },
      { reason: "too-many", name: "d" }
    ])
  })
})

describe("the wire", () => {
  it("is read without trust in its shape", () => {
    for (const strange of [null, 1, "x", [], {}, { type: 5 }, { type: "message.accepted" }, { error: "x" }]) {
      assert.doesNotThrow(() => readFrame(strange, 0))
    }
    assert.strictEqual(readMessage(undefined).parts.length, 0)
  })
  it("names the message that was refused", () => {
    const frame = readFrame(
      {
        error: { type: "limit_reached", code: "limit_reached", param: null, message: "Full." },
        metadata: { session_id: "s", message_id: "m" }
      },
      0
    )
    assert.deepStrictEqual(frame, {
      type: "error",
      failure: { code: "limit_reached", message: "Full." },
      param: undefined,
      sessionId: "s",
      messageId: "m"
    })
  })
  it("takes a whole response that was asked for without a stream", () => {
    const frame = readFrame(
      {
        id: "r",
        object: "response",
        status: "completed",
        output_text: "hi",
        metadata: { session_id: "s", message_id: "m" }
      },
      7
    )
    assert.deepStrictEqual(frame, {
      type: "reply",
      event: { type: "completed", ref: { responseId: "r", sessionId: "s", messageId: "m" }, at: 7, text: "hi" }
    })
  })
})
