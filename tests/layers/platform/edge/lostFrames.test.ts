/** Law stream where frames died with a socket, or a reply is told a second time: found by the simulation. */
import { assert, describe, it } from "@effect/vitest"
import * as LiveReply from "../../../../src/layers/platform/LiveReply.ts"
import type { Exchange } from "../../../../src/services/platform/Sessions.ts"
import type { ReplyUpdate } from "../../../../src/services/protocol/Dialect.ts"

const exchange: Exchange = {
  messageId: "m1",
  sessionId: "s1",
  clawId: "claw_1",
  userId: "user_1",
  ordinal: 1,
  responseId: "resp_1",
  previousResponseId: undefined,
  parts: [{ type: "input_text", text: "hi" }],
  stream: true,
  metadata: {},
  status: "delivered",
  replyText: "",
  failure: undefined,
  createdAt: 0,
  endedAt: undefined
}

const ref = {}
const opened = (sequence: number): ReplyUpdate => ({ _tag: "Opened", ref, sequence })
const delta = (sequence: number, text: string): ReplyUpdate => ({ _tag: "Delta", ref, sequence, delta: text })
const textDone = (sequence: number, text: string): ReplyUpdate => ({ _tag: "TextDone", ref, sequence, text })
const completed = (sequence: number, text?: string): ReplyUpdate => ({ _tag: "Completed", ref, sequence, text })

const play = (updates: ReadonlyArray<ReplyUpdate>) => {
  const reply = LiveReply.make(exchange)
  let ending: LiveReply.Ending | undefined
  for (const update of updates) ending = LiveReply.take(reply, update) ?? ending
  const told = reply.pending.join("")
  return { ending, told }
}

describe("law stream: lost frames", () => {
  it("nothing is told after a hole until the whole text makes up for it", () => {
    const { ending, told } = play([opened(0), delta(4, "a"), delta(6, "c"), textDone(7, "abc"), completed(10, "abc")])
    assert.strictEqual(told, "abc")
    assert.deepStrictEqual(ending, { text: "abc", failure: undefined, usage: undefined })
  })

  it("a dialect that never says the whole text: what readers have stays, and the reply fails in words", () => {
    const { ending, told } = play([opened(1), delta(4, "a"), delta(6, "c"), completed(10)])
    assert.strictEqual(told, "a")
    assert.strictEqual(ending?.text, "a")
    assert.strictEqual(ending?.failure?.code, "INTERRUPTED")
  })

  it("the last deltas lost, and nobody says the text: not taken for whole", () => {
    const { ending } = play([opened(1), delta(4, "a"), completed(9)])
    assert.strictEqual(ending?.failure?.code, "INTERRUPTED")
  })

  it("a repeat, cut into other deltas, is not mixed with what came before", () => {
    const first = [opened(0), delta(4, "a"), delta(5, "b"), delta(6, "c")]
    const { ending, told } = play([...first, opened(0), delta(4, "abcd"), delta(5, "ef"), completed(9, "abcdef")])
    assert.strictEqual(told, "abcdef")
    assert.strictEqual(ending?.text, "abcdef")
    assert.isUndefined(ending?.failure)
  })

  it("a reply that failed and says less than readers have takes nothing back", () => {
    const failure = { code: "CALLBACK_ERROR", message: "too long" } as const
    const { ending, told } = play([opened(0), delta(4, "ab"), { _tag: "Failed", ref, sequence: 8, text: "", failure }])
    assert.strictEqual(told, "ab")
    assert.deepStrictEqual(ending, { text: "ab", failure, usage: undefined })
  })

  it("a finished part without text does not hide the deltas before it that come again", () => {
    const reply = LiveReply.make(exchange)
    LiveReply.take(reply, opened(1))
    const part: ReplyUpdate = { _tag: "Progress", ref, sequence: 7, type: "response.content_part.done" }
    assert.deepStrictEqual(LiveReply.missingBefore(reply, part), { from: 4, to: 5 })
  })

  it("an empty text at the end is missing, not another one: what came in deltas is the text", () => {
    const { ending, told } = play([opened(0), delta(4, "a"), delta(5, "b"), textDone(6, ""), completed(9, "")])
    assert.strictEqual(told, "ab")
    assert.deepStrictEqual(ending, { text: "ab", failure: undefined, usage: undefined })
  })

  it("an empty text at the end makes up for no delta: one that was lost is not taken for whole", () => {
    const { ending } = play([opened(0), delta(4, "a"), textDone(6, ""), completed(9, "")])
    assert.strictEqual(ending?.failure?.code, "INTERRUPTED")
  })

  it("an agent that can resume is asked for the deltas that an empty text does not bring", () => {
    const reply = LiveReply.make(exchange)
    for (const update of [opened(0), delta(4, "a"), textDone(7, "")]) LiveReply.take(reply, update, true)
    assert.deepStrictEqual(LiveReply.missingBefore(reply, completed(10, "")), { from: 5, to: 6 })
    for (const update of [delta(5, "b"), delta(6, "c"), textDone(7, "")]) LiveReply.take(reply, update, true)
    assert.isUndefined(LiveReply.missingBefore(reply, completed(10, "")))
    assert.strictEqual(LiveReply.take(reply, completed(10, ""), true)?.text, "abc")
  })

  it("a reply without a word completes without one", () => {
    const { ending } = play([opened(0), textDone(4, ""), completed(7, "")])
    assert.deepStrictEqual(ending, { text: "", failure: undefined, usage: undefined })
  })
})
