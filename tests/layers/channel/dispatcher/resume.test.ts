/** What goes over the wire of an agent when its link breaks: with a platform that can resume, and with one that cannot. */
import { assert, describe, it } from "@effect/vitest"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Account from "../../../../src/layers/channel/Account.ts"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { AgentRuntime, type ReplyPart } from "../../../../src/services/channel/AgentRuntime.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"
import { encodeResponseAck } from "../../../../src/services/protocol/Control.ts"
import { encodeAutoBound, encodeRequest } from "../../../../src/services/protocol/PlatformFrame.ts"
import { options } from "./harness.ts"

type Frame = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- frames as a platform reads them

const greeting = (features: ReadonlyArray<string>) =>
  encodeAutoBound({ sessions: [], senderId: "a", features, epoch: 1 })
const plain = encodeAutoBound({ sessions: [], senderId: "a" })

const message = encodeRequest({
  dialect: "gateway",
  messageId: "m1",
  sessionId: "s1",
  parts: [{ type: "input_text", text: "hello" }],
  skippedParts: 0,
  stream: true,
  model: undefined,
  previousResponseId: undefined,
  metadata: {}
})

const stage = Effect.gen(function* () {
  const parts = yield* Queue.unbounded<ReplyPart, Cause.Done>()
  const context = yield* Layer.build(
    Layer.fresh(
      Account.layer({ ...options, grace: 0 }).pipe(
        Layer.provide(
          Layer.succeed(AgentRuntime, { description: "a test", model: "test", reply: () => Stream.fromQueue(parts) })
        ),
        Layer.provideMerge(MemoryJournal.layer()),
        Layer.provide(SecureRandom.layerWebCrypto),
        Layer.provideMerge(SimConnection.layer())
      )
    )
  )
  const peer = Context.get(context, SimConnection.SimPeer)
  return {
    peer,
    connection: Context.get(context, Connection),
    journal: Context.get(context, Journal),
    /** Opens the next socket. */
    link: (first: string) =>
      Effect.gen(function* () {
        const link = yield* peer.nextDial
        yield* link.accept(first)
        yield* settle
        return link
      }),
    say: (text: string) =>
      Effect.gen(function* () {
        yield* Queue.offer(parts, { _tag: "Text", text })
        yield* settle
        yield* TestClock.adjust("20 millis")
        yield* settle
      }),
    end: Effect.andThen(
      Queue.end(parts),
      Effect.suspend(() => settle)
    )
  }
})

const settle = Effect.repeat(Effect.yieldNow, { times: 200 })
const backOff = Effect.andThen(TestClock.adjust("5 seconds"), settle)
const read = (frames: ReadonlyArray<string>): ReadonlyArray<Frame> => frames.map((frame) => JSON.parse(frame))
const deltas = (frames: ReadonlyArray<string>) =>
  read(frames).flatMap((frame) => (frame["type"] === "response.output_text.delta" ? [frame["delta"]] : []))
const typed = (frames: ReadonlyArray<string>, type: string) => read(frames).filter((frame) => frame["type"] === type)

describe("a platform that cannot resume", () => {
  it.effect("what could not be sent goes as one delta, nothing goes twice, the end arrives", () =>
    Effect.gen(function* () {
      const { link, say, end } = yield* stage
      const first = yield* link(plain)
      yield* first.push(message)
      yield* settle
      yield* say("said while there was a link. ")
      yield* first.drop
      yield* settle
      for (let index = 0; index < 40; index++) yield* say(`Said to nobody, ${index}. `)
      yield* backOff
      const second = yield* link(plain)
      const late = Array.from({ length: 40 }, (_, index) => `Said to nobody, ${index}. `).join("")
      assert.deepStrictEqual(deltas(first.received), ["said while there was a link. "])
      assert.deepStrictEqual(deltas(second.received), [late])
      yield* say("And on.")
      yield* end
      assert.deepStrictEqual(deltas(second.received), [late, "And on."])
      assert.strictEqual(typed(second.received, "response.output_text.done")[0]?.["text"].endsWith("And on."), true)
      assert.strictEqual(typed([...first.received, ...second.received], "response.completed").length, 1)
      assert.strictEqual(typed([...first.received, ...second.received], "response.created").length, 1)
      assert.strictEqual(typed(second.received, "response.resume").length, 0)
    })
  )

  it.effect("a reply that ends while there is no link says its rest and its end when there is one", () =>
    Effect.gen(function* () {
      const { link, say, end } = yield* stage
      const first = yield* link(plain)
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      yield* first.drop
      yield* settle
      yield* say("Two. ")
      yield* say("Three.")
      yield* end
      yield* backOff
      const second = yield* link(plain)
      assert.deepStrictEqual(deltas(second.received), ["Two. Three."])
      assert.strictEqual(typed(second.received, "response.output_text.done")[0]?.["text"], "One. Two. Three.")
      assert.strictEqual(typed(second.received, "response.completed").length, 1)
    })
  )

  it.effect("law one-terminal: an end that had to wait for a person is said once the person has helped", () =>
    Effect.gen(function* () {
      const { connection, peer, link, say, end } = yield* stage
      const first = yield* link(plain)
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      yield* first.drop
      yield* backOff
      yield* (yield* peer.nextDial).refuse(401)
      yield* settle
      yield* say("Two.")
      yield* end
      yield* connection.unblock
      const second = yield* link(plain)
      assert.deepStrictEqual(deltas(second.received), ["Two."])
      assert.strictEqual(typed(second.received, "response.completed").length, 1)
    })
  )
})

describe("a platform that can resume", () => {
  it.effect("is asked how far it has the reply, and gets what follows, each once", () =>
    Effect.gen(function* () {
      const { link, say, end } = yield* stage
      const first = yield* link(greeting(["ack", "resume"]))
      yield* first.push(message)
      yield* settle
      assert.deepStrictEqual(typed(first.received, "session.ack").length, 1)
      yield* say("One. ")
      yield* say("Two. ")
      yield* first.drop
      yield* settle
      yield* say("Three. ")
      yield* backOff
      const second = yield* link(greeting(["ack", "resume"]))
      const asked = typed(second.received, "response.resume")
      assert.deepStrictEqual(
        asked.map((frame) => [frame["message_id"], frame["session_id"], frame["from"]]),
        [["m1", "s1", 0]]
      )
      const responseId = asked[0]?.["response_id"]
      yield* say("Four. ")
      assert.deepStrictEqual(deltas(second.received), [])
      // It has the first delta and lost the second.
      yield* second.push(encodeResponseAck({ responseId, sequence: 4, status: "open" }))
      yield* settle
      assert.deepStrictEqual(deltas(second.received), ["Two. ", "Three. Four. "])
      yield* end
      assert.strictEqual(typed(second.received, "response.completed").length, 1)
      // The terminal was not confirmed: after another break it is offered again, and dropped once it is known.
      yield* second.drop
      yield* backOff
      const third = yield* link(greeting(["ack", "resume"]))
      assert.strictEqual(typed(third.received, "response.resume").length, 1)
      yield* third.push(encodeResponseAck({ responseId, sequence: 6, status: "open" }))
      yield* settle
      assert.strictEqual(typed(third.received, "response.completed").length, 1)
      yield* third.push(encodeResponseAck({ responseId, sequence: 10, status: "ended" }))
      yield* third.drop
      yield* backOff
      const fourth = yield* link(greeting(["ack", "resume"]))
      assert.strictEqual(fourth.received.length, 0)
    })
  )

  it.effect("law one-terminal: a reply that has ended there stops here, and only the journal hears of its end", () =>
    Effect.gen(function* () {
      const { journal, link, say } = yield* stage
      const first = yield* link(greeting(["resume"]))
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      yield* first.drop
      yield* backOff
      const second = yield* link(greeting(["resume"]))
      const responseId = typed(second.received, "response.resume")[0]?.["response_id"]
      yield* second.push(encodeResponseAck({ responseId, sequence: -1, status: "ended" }))
      yield* settle
      yield* say("Two. ")
      assert.strictEqual(second.received.length, 1, "the question, and nothing after its answer")
      const outcome = (yield* journal.find(responseId))?.outcome
      assert.deepStrictEqual(outcome?._tag === "Failed" && [outcome.text, outcome.failure.code], ["One. ", "CANCELLED"])
      yield* second.drop
      yield* backOff
      const third = yield* link(greeting(["resume"]))
      assert.strictEqual(third.received.length, 0, "it is forgotten")
      // It has lost what it had said.
      yield* third.push(message)
      yield* settle
      assert.deepStrictEqual(deltas(third.received), ["One. "])
      assert.strictEqual(typed(third.received, "response.failed").length, 1)
    })
  )

  it.effect("law stream: of a reply that has ended there no end goes out without the words before it", () =>
    Effect.gen(function* () {
      const { connection, peer, link, say } = yield* stage
      const first = yield* link(greeting(["resume"]))
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      yield* first.drop
      yield* backOff
      const second = yield* link(greeting(["resume"]))
      const responseId = typed(second.received, "response.resume")[0]?.["response_id"]
      yield* say("Two. ")
      yield* second.drop
      yield* backOff
      yield* (yield* peer.nextDial).refuse(401)
      yield* settle
      // The question had no answer, so it goes on, and its words are refused.
      yield* TestClock.adjust("11 seconds")
      yield* settle
      yield* connection.unblock
      const third = yield* link(greeting(["resume"]))
      assert.strictEqual(typed(third.received, "response.resume").length, 1)
      yield* third.push(encodeResponseAck({ responseId, sequence: -1, status: "ended" }))
      yield* settle
      const said = deltas([...first.received, ...second.received, ...third.received]).join("")
      for (const done of typed(third.received, "response.output_text.done")) assert.strictEqual(done["text"], said)
      assert.strictEqual(third.received.length, 1)
    })
  )

  it.effect(
    "law stream: a message that comes again before its end is confirmed is said on, with the same numbers",
    () =>
      Effect.gen(function* () {
        const { link, say, end } = yield* stage
        const first = yield* link(greeting(["ack", "resume"]))
        yield* first.push(message)
        yield* settle
        yield* say("One. ")
        yield* say("Two. ")
        yield* end
        yield* first.drop
        yield* backOff
        const second = yield* link(greeting(["ack", "resume"]))
        // Out of its mailbox: it had stored nothing of the reply.
        yield* second.push(message)
        yield* settle
        assert.deepStrictEqual(deltas(second.received), [], "not out of the journal, which has other deltas")
        const [, again] = typed(second.received, "response.resume")
        const responseId = again?.["response_id"]
        // The first question came before the message was on the agent's desk.
        yield* second.push(encodeResponseAck({ responseId, sequence: -1, status: "unknown" }))
        yield* settle
        assert.deepStrictEqual(deltas(second.received), [])
        yield* second.push(encodeResponseAck({ responseId, sequence: 4, status: "open" }))
        yield* settle
        assert.deepStrictEqual(deltas(second.received), ["Two. "])
        assert.strictEqual(typed(second.received, "response.completed").length, 1)
      })
  )

  it.effect("law drain: a repeat out of the journal that a link took along is offered again on the next one", () =>
    Effect.gen(function* () {
      const { link, say, end } = yield* stage
      const first = yield* link(greeting(["ack", "resume"]))
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      yield* end
      const responseId = typed(first.received, "response.created")[0]?.["response"]["id"]
      yield* first.push(encodeResponseAck({ responseId, sequence: 8, status: "ended" }))
      // It has lost what it had confirmed.
      yield* first.push(message)
      yield* settle
      assert.deepStrictEqual(deltas(first.received), ["One. ", "One. "])
      yield* first.drop
      yield* backOff
      const second = yield* link(greeting(["ack", "resume"]))
      assert.strictEqual(typed(second.received, "response.resume").length, 1)
      yield* second.push(encodeResponseAck({ responseId, sequence: -1, status: "open" }))
      yield* settle
      assert.deepStrictEqual(deltas(second.received), ["One. "])
      assert.strictEqual(typed(second.received, "response.completed").length, 1)
    })
  )

  it.effect("one that agreed and never answers gets what it has not confirmed", () =>
    Effect.gen(function* () {
      const { link, say } = yield* stage
      const first = yield* link(greeting(["resume"]))
      yield* first.push(message)
      yield* settle
      yield* say("One. ")
      const responseId = typed(first.received, "response.created")[0]?.["response"]["id"]
      yield* first.push(encodeResponseAck({ responseId, sequence: 4 }))
      yield* settle
      yield* say("Two. ")
      yield* first.drop
      yield* backOff
      const second = yield* link(greeting(["resume"]))
      yield* TestClock.adjust("11 seconds")
      yield* settle
      assert.deepStrictEqual(deltas(second.received), ["Two. "])
    })
  )
})
