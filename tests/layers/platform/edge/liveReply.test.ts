/** Law stream on the platform's side: whatever an agent sends, readers get numbers 0, 1, 2 ... and one whole text. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AgentDesk from "../../../../src/layers/platform/AgentDesk.ts"
import * as LiveReply from "../../../../src/layers/platform/LiveReply.ts"
import type { Exchange } from "../../../../src/services/platform/Sessions.ts"
import type { ReplyUpdate } from "../../../../src/services/protocol/Dialect.ts"
import { events } from "../../../../src/services/protocol/ReplyLog.ts"

const exchange = (messageId: string, sessionId = "s1"): Exchange => ({
  messageId,
  sessionId,
  clawId: "claw_1",
  userId: "user_1",
  ordinal: 1,
  responseId: `resp_${sessionId}_${messageId}`,
  previousResponseId: undefined,
  parts: [{ type: "input_text", text: "hi" }],
  stream: true,
  metadata: {},
  status: "delivered",
  replyText: "",
  failure: undefined,
  createdAt: 0,
  endedAt: undefined
})

const Script = Schema.Array(
  Schema.Union([
    Schema.Struct({ kind: Schema.Literal("delta"), text: Schema.String }),
    Schema.Struct({ kind: Schema.Literals(["opened", "progress", "flush"]) })
  ])
)

describe("LiveReply", () => {
  it.effect.prop(
    "numbers go up by one, deltas joined are the text, one terminal",
    { script: Script, fails: Schema.Boolean, extra: Schema.String },
    ({ extra, fails, script }) =>
      Effect.sync(() => {
        const reply = LiveReply.make(exchange("m1"))
        const ref = {}
        const said = script.flatMap((one) => (one.kind === "delta" ? [one.text] : [])).join("")
        LiveReply.open(reply)
        for (const one of script) {
          if (one.kind === "flush") LiveReply.takePending(reply)
          else if (one.kind === "delta") LiveReply.take(reply, { _tag: "Delta", ref, delta: one.text })
          else LiveReply.take(reply, { _tag: "Opened", ref })
        }
        // The last word holds text that no delta brought.
        const last: ReplyUpdate = fails
          ? { _tag: "Failed", ref, text: said + extra, failure: { code: "SDK_ERROR", message: "no" } }
          : { _tag: "Completed", ref, text: said + extra }
        const ending = LiveReply.take(reply, last)
        LiveReply.takePending(reply)
        assert.isDefined(ending)
        if (ending === undefined) return
        const steps = [...reply.steps, LiveReply.close(reply.sequence, ending, 1_000)]
        const all = steps.flatMap((step) => events(reply.route.head, step))
        assert.deepStrictEqual(
          all.map((event) => event.sequence_number),
          all.map((_, index) => index)
        )
        const joined = all
          .flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []))
          .join("")
        assert.strictEqual(joined, said + extra)
        const done = all.find((event) => event.type === "response.output_text.done")
        assert.strictEqual(done?.type === "response.output_text.done" ? done.text : undefined, joined)
        assert.strictEqual(all.at(-1)?.type, fails ? "response.failed" : "response.completed")
      })
  )

  it.effect("what an agent sends again after a reconnect is left out by its number", () =>
    Effect.sync(() => {
      const reply = LiveReply.make(exchange("m1"))
      const delta = (sequence: number, text: string) =>
        LiveReply.take(reply, { _tag: "Delta", ref: {}, sequence, delta: text })
      delta(4, "a")
      delta(5, "b")
      delta(4, "a")
      delta(5, "b")
      delta(6, "c")
      assert.strictEqual(reply.text, "abc")
    })
  )

  it.effect("an agent that says another text at the end has the last word", () =>
    Effect.sync(() => {
      const reply = LiveReply.make(exchange("m1"))
      LiveReply.take(reply, { _tag: "Delta", ref: {}, delta: "draft" })
      const ending = LiveReply.take(reply, { _tag: "Completed", ref: {}, text: "final" })
      assert.strictEqual(ending?.text, "final")
    })
  )
})

describe("AgentDesk", () => {
  const desk = () => {
    const one = AgentDesk.make("claw_1")
    const replies = [exchange("m1"), exchange("m2"), exchange("m1", "s2")].map((one) => LiveReply.make(one))
    for (const reply of replies) AgentDesk.add(one, reply)
    return { one, replies }
  }

  it.effect("finds by message and session, and from then on by the agent's own id", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      assert.strictEqual(AgentDesk.find(one, { messageId: "m1", sessionId: "s2", responseId: "r" }), replies[2])
      assert.strictEqual(AgentDesk.find(one, { responseId: "r" }), replies[2])
      assert.strictEqual(AgentDesk.find(one, { messageId: "m1", sessionId: "s1" }), replies[0])
    })
  )

  it.effect("a second run of the same message is not the one that counts", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      assert.strictEqual(AgentDesk.find(one, { messageId: "m2", responseId: "first" }), replies[1])
      assert.strictEqual(AgentDesk.find(one, { messageId: "m2", responseId: "second" }), "unknown")
    })
  )

  it.effect("by session alone: the oldest that nobody claimed", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      assert.strictEqual(AgentDesk.find(one, { sessionId: "s1", responseId: "a" }), replies[0])
      assert.strictEqual(AgentDesk.find(one, { sessionId: "s1", responseId: "b" }), replies[1])
      assert.strictEqual(AgentDesk.find(one, { sessionId: "s1", responseId: "c" }), "unknown")
      assert.strictEqual(AgentDesk.find(one, {}), "unknown")
    })
  )

  it.effect("an agent with message ids of its own answers the oldest message of the session", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      assert.strictEqual(AgentDesk.find(one, { messageId: "out-1", sessionId: "s1" }), replies[0])
      assert.strictEqual(AgentDesk.find(one, { messageId: "out-2", sessionId: "s1" }), replies[0])
    })
  )

  it.effect("words about a message that went back into the mailbox are not taken for another one's", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      const [first] = replies
      if (first !== undefined) AgentDesk.putBack(one, first)
      assert.strictEqual(AgentDesk.find(one, { messageId: "m1", sessionId: "s1" }), "unknown")
      assert.strictEqual(AgentDesk.find(one, { messageId: "m1", sessionId: "s1", responseId: "late" }), "unknown")
      assert.strictEqual(AgentDesk.find(one, { messageId: "m2", sessionId: "s1", responseId: "its own" }), replies[1])
      if (first !== undefined) AgentDesk.add(one, first)
      assert.strictEqual(AgentDesk.find(one, { messageId: "m1", sessionId: "s1" }), first)
    })
  )

  it.effect("a frame of a reply that ended is told from a foreign one", () =>
    Effect.sync(() => {
      const { one, replies } = desk()
      const found = AgentDesk.find(one, { messageId: "m2", responseId: "r" })
      assert.strictEqual(found, replies[1])
      if (replies[1] !== undefined) AgentDesk.finish(one, replies[1])
      assert.strictEqual(AgentDesk.find(one, { responseId: "r" }), "ended")
      assert.strictEqual(AgentDesk.find(one, { messageId: "m2", sessionId: "s1" }), "ended")
      assert.strictEqual(AgentDesk.find(one, { messageId: "m9", sessionId: "s9" }), "unknown")
    })
  )
})
