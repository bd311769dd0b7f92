import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Partials } from "../../../../src/layers/channel/openclaw/Partials.ts"

const words = (text: string) => text.replace(/\s+/gu, " ").trim()

describe("law stream: what a host shows comes out once", () => {
  it("cumulative snapshots become deltas, and the final that repeats them adds nothing", () => {
    const partials = new Partials()
    assert.deepStrictEqual(
      ["He", "Hello", "Hello there"].map((text) => partials.partial(text)),
      ["He", "llo", " there"]
    )
    assert.strictEqual(partials.deliver("Hello there"), "")
    assert.strictEqual(partials.deliver(" Hello there\n"), "")
  })

  it("a snapshot that begins again after a tool call loses nothing and doubles nothing", () => {
    const partials = new Partials()
    const out = [
      partials.partial("I look"),
      partials.partial("I look it up."),
      (partials.start(), partials.partial("It")),
      partials.partial("It is 4."),
      partials.deliver("I look it up."),
      partials.deliver("It is 4.")
    ].join("")
    assert.strictEqual(out, "I look it up.\n\nIt is 4.")
  })

  it("begins again without being told", () => {
    const partials = new Partials()
    const out = [partials.partial("One moment"), partials.partial("The"), partials.partial("The answer")].join("")
    assert.strictEqual(out, "One moment\n\nThe answer")
  })

  it("goes back a little and goes on", () => {
    const partials = new Partials()
    const out = [partials.partial("abc de"), partials.partial("abc"), partials.partial("abc def")].join("")
    assert.strictEqual(out, "abc def")
  })

  it("blocks without a final, finals without partials, both", () => {
    const blocks = new Partials()
    assert.strictEqual([blocks.deliver("First."), blocks.deliver("Second.")].join(""), "First.\n\nSecond.")
    assert.strictEqual(blocks.deliver("First.\n\nSecond."), "")
    const longer = new Partials()
    longer.partial("The begin")
    assert.strictEqual(longer.deliver("The beginning and the end"), "ning and the end")
    const rewrapped = new Partials()
    rewrapped.partial("a  b")
    assert.strictEqual(rewrapped.deliver("a b c"), " c")
    const whole = new Partials()
    whole.partial("One.")
    whole.start()
    assert.strictEqual(whole.deliver("One. Two."), "\n\nTwo.")
    assert.strictEqual(whole.deliver("One. Two."), "")
  })

  it("a short message that stands in an older one is a message all the same", () => {
    const partials = new Partials()
    partials.partial("The answer is 4.")
    partials.start()
    assert.strictEqual(partials.deliver("4."), "\n\n4.")
  })

  it.prop(
    "any messages, cut anywhere, repeated at the end: the joined pieces are the messages",
    [
      Schema.Array(
        Schema.Array(Schema.String.check(Schema.isPattern(/^[a-z ]{1,8}$/))).check(Schema.isMaxLength(6))
      ).check(Schema.isMaxLength(4))
    ],
    ([messages]) => {
      const partials = new Partials()
      let out = ""
      const said: Array<string> = []
      for (const [index, pieces] of messages.entries()) {
        // Each message has a word of its own: two that are alike are one to a host as well.
        const whole = [`m${index} `, ...pieces]
        partials.start()
        let text = ""
        for (const piece of whole) out += partials.partial((text += piece))
        said.push(text)
      }
      for (const text of said) out += partials.deliver(text)
      assert.strictEqual(words(out), words(said.join(" ")))
    }
  )
})
