import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import type { Journal } from "../../../../src/services/channel/Journal.ts"
import type { Inbound } from "../../../../src/services/protocol/Inbound.ts"
import {
  encodeAutoBound,
  encodeCancel,
  encodeDisconnect,
  encodeRequest
} from "../../../../src/services/protocol/PlatformFrame.ts"
import { assertLaws, codeOf, make, request, settle, text } from "./harness.ts"

const frameOf = (inbound: Inbound): string => {
  if (inbound._tag !== "Request") throw new Error("a request is meant")
  return encodeRequest(inbound.request)
}

const malformed = (given: Partial<Extract<Inbound, { _tag: "Malformed" }>>): Inbound => ({
  _tag: "Malformed",
  reason: "bad-field",
  message: "input must be a list.",
  dialect: "envelope",
  messageId: undefined,
  sessionId: undefined,
  param: undefined,
  ...given
})

/** Closes within grace and patience, and leaves no reply without an end. */
const closesInTime = Effect.fnUntraced(function* (close: Effect.Effect<void>, journal: Journal["Service"]) {
  const closing = yield* Effect.forkChild(close)
  yield* TestClock.adjust("6 seconds")
  yield* settle
  assert.isDefined(closing.pollUnsafe(), "closed")
  assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
})

describe("what cannot be understood", () => {
  for (const dialect of ["envelope", "gateway", "legacy"] as const) {
    it.effect(`is INVALID_REQUEST in the dialect ${dialect}, where it names its message`, () =>
      Effect.gen(function* () {
        const { dispatcher, wire, of } = yield* make()
        yield* dispatcher.handle(malformed({ dialect, messageId: "m1", sessionId: "s1" }))
        assert.deepStrictEqual(of("m1").end, { code: "INVALID_REQUEST", message: "input must be a list." })
        assertLaws(wire.frames)
      })
    )
  }

  it.effect("is the gateway's error frame for a gateway request without a session", () =>
    Effect.gen(function* () {
      const { wire } = yield* make({ serve: true })
      wire.arrive(JSON.stringify({ input: [{ type: "message", role: "user", content: "hi" }], metadata: {} }))
      yield* settle
      assert.strictEqual(wire.frames.length, 1)
      const { error } = JSON.parse(wire.frames[0] ?? "")
      assert.deepInclude(error, {
        type: "invalid_request",
        code: "missing_required_parameter",
        param: "metadata.session_id"
      })
    })
  )

  it.effect("is left alone where it is noise, and a message without readable parts is refused", () =>
    Effect.gen(function* () {
      const { dispatcher, wire, of, stage } = yield* make()
      yield* dispatcher.handle(malformed({ reason: "not-json", dialect: "gateway" }))
      yield* dispatcher.handle(malformed({ reason: "data-not-json" }))
      assert.deepStrictEqual(wire.frames, [])
      yield* dispatcher.handle(request({ parts: [], skippedParts: 2 }))
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "INVALID_REQUEST")
      assert.strictEqual(stage.turns.length, 0)
      assert.strictEqual((yield* dispatcher.stats).refused, 3)
    })
  )

  it.effect.prop("no text that arrives stops the account", [Schema.Array(Schema.String)], ([noise]) =>
    Effect.gen(function* () {
      const { wire, stage } = yield* make({ serve: true })
      wire.arrive(...noise, ...noise.map((text) => JSON.stringify({ type: "MESSAGE", headers: {}, data: text })))
      wire.arrive(frameOf(request({ messageId: "still-served" })))
      for (let i = 0; i < 5; i++) yield* settle
      stage.of("still-served").end()
      yield* settle
    }).pipe(Effect.scoped)
  )
})

describe("control frames", () => {
  it.effect(
    "a notice of disconnection is the connection's; errors, echoes and unknown ones are answered with nothing",
    () =>
      Effect.gen(function* () {
        const { dispatcher, wire } = yield* make({ serve: true })
        wire.arrive(encodeDisconnect("deploy"))
        yield* settle
        assert.strictEqual(wire.renewed, 0, "law bounded: asked for late, it would dial past the backoff")
        yield* dispatcher.handle({ _tag: "Echo" })
        yield* dispatcher.handle({ _tag: "PeerError", code: "x", message: "y", param: undefined })
        yield* dispatcher.handle({ _tag: "Control", type: "session.news", frame: {} })
        yield* dispatcher.handle({ _tag: "Control", type: "response.ack", frame: { response_id: 5 } })
        assert.deepStrictEqual(wire.frames, [])
      })
  )

  it.effect("a message is acknowledged where the greeting names the feature, also when it is repeated", () =>
    Effect.gen(function* () {
      const { wire } = yield* make({ serve: true })
      const acks = () => wire.frames.filter((frame) => frame.includes("session.ack"))
      wire.arrive(frameOf(request({ messageId: "m0" })))
      yield* settle
      assert.deepStrictEqual(acks(), [])
      wire.arrive(
        encodeAutoBound({ sessions: [], senderId: undefined, features: ["ack"] }),
        frameOf(request()),
        frameOf(request())
      )
      yield* settle
      assert.deepStrictEqual(
        acks().map((frame) => JSON.parse(frame)),
        [1, 2].map(() => ({ type: "session.ack", message_id: "m1", session_id: "s1" }))
      )
    })
  )
})

describe("Account", () => {
  it.effect("serves what arrives, in order, with its cancels", () =>
    Effect.gen(function* () {
      const { wire, stage, of } = yield* make({ serve: true })
      wire.arrive(
        frameOf(request({ dialect: "gateway", messageId: "m1" })),
        frameOf(request({ dialect: "gateway", messageId: "m2", sessionId: "s2" })),
        encodeCancel({ responseId: undefined, messageId: "m2", sessionId: "s2" })
      )
      yield* settle
      stage.of("m1").say(text("hi"))
      stage.of("m1").end()
      yield* settle
      assert.deepStrictEqual([codeOf(of("m1")), codeOf(of("m2"))], ["completed", "CANCELLED"])
      assertLaws(wire.frames)
    })
  )

  it.effect("C 5, C 11: begins by ending in words what an earlier process left unfinished", () =>
    Effect.gen(function* () {
      const journal = yield* MemoryJournal.make()
      yield* journal.accept(
        { accountId: "acc", sessionId: "s1", messageId: "m1" },
        { responseId: "resp_old", itemId: "msg_old", dialect: "envelope" }
      )
      const { wire, of, stage } = yield* make({ serve: true, journal })
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "INTERRUPTED")
      assert.strictEqual(stage.turns.length, 0)
      assertLaws(wire.frames)
    })
  )

  it.effect("law stop: a stop within the grace period lets replies end", () =>
    Effect.gen(function* () {
      const { wire, stage, of, close } = yield* make({ serve: true, grace: "10 seconds" })
      wire.arrive(frameOf(request()))
      yield* settle
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(of("m1").end)
      wire.arrive(frameOf(request({ messageId: "late" })))
      stage.of("m1").say(text("just in time"))
      stage.of("m1").end()
      yield* settle
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(closing)))
      assert.strictEqual(codeOf(of("m1")), "completed")
      assert.strictEqual(stage.turns.length, 1)
      assertLaws(wire.frames)
    })
  )

  it.effect(
    "law stop: past the grace period the rest ends as INTERRUPTED, those that wait included, and none begins",
    () =>
      Effect.gen(function* () {
        const { wire, stage, seen, close, journal } = yield* make({
          serve: true,
          grace: "10 seconds",
          maxConcurrent: 1
        })
        wire.arrive(frameOf(request({ messageId: "m1" })), frameOf(request({ messageId: "m2", sessionId: "s2" })))
        yield* settle
        const closing = yield* Effect.forkChild(close)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.await(closing)
        assert.deepStrictEqual(
          seen()
            .map((reply) => [reply.messageId, codeOf(reply)])
            .toSorted(),
          [
            ["m1", "INTERRUPTED"],
            ["m2", "INTERRUPTED"]
          ]
        )
        assert.strictEqual(stage.turns.length, 1)
        assert.isTrue(stage.of("m1").interrupted)
        assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
        assertLaws(wire.frames)
      })
  )

  it.effect("law stop: neither a full outbox nor an agent that does not stop holds it up", () =>
    Effect.gen(function* () {
      const { wire, stage, close, journal, dispatcher } = yield* make({ grace: 0 })
      stage.instead = () => Stream.fromEffect(Effect.uninterruptible(Effect.as(Effect.sleep("1 day"), text("x"))))
      yield* dispatcher.handle(request({ messageId: "deaf" }))
      yield* wire.room.close
      yield* dispatcher.handle(request({ messageId: "m2", sessionId: "s2" }))
      yield* settle
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("6 seconds")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(closing)))
      // Also of the one whose words still stand in line.
      assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
      assert.strictEqual(
        (yield* journal.recent("acc", 5)).find((entry) => entry.key.messageId === "deaf")?.outcome?._tag,
        "Failed"
      )
      yield* wire.room.open
      yield* TestClock.adjust("1 day")
    })
  )

  it.effect("law stop: an end that stands in line is waited for once", () =>
    Effect.gen(function* () {
      const { wire, close, journal } = yield* make({ serve: true, grace: 0 })
      yield* wire.room.close
      wire.arrive(frameOf(request({ messageId: "m1" })))
      yield* settle
      assert.strictEqual(wire.sending, 1)
      yield* closesInTime(close, journal)
    })
  )

  it.effect("law stop: nor does a refusal that waits for the outbox", () =>
    Effect.gen(function* () {
      const { wire, close, journal } = yield* make({ serve: true, maxConcurrent: 1, maxQueued: 0 })
      wire.arrive(frameOf(request({ messageId: "m1" })))
      yield* settle
      yield* wire.room.close
      wire.arrive(frameOf(request({ messageId: "m2", sessionId: "s2" })))
      yield* settle
      assert.strictEqual(wire.sending, 1)
      yield* closesInTime(close, journal)
    })
  )

  it.effect("what arrives while draining is told to come again", () =>
    Effect.gen(function* () {
      const { dispatcher, of, stage } = yield* make()
      yield* dispatcher.drain
      yield* dispatcher.handle(request())
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "INTERRUPTED")
      assert.strictEqual(stage.turns.length, 0)
    })
  )

  it.effect("ends when the connection is closed", () =>
    Effect.gen(function* () {
      const { wire, dispatcher } = yield* make({ serve: true })
      wire.arrive(frameOf(request()))
      wire.close()
      yield* settle
      assert.deepStrictEqual(yield* dispatcher.inFlight, [])
    })
  )
})
