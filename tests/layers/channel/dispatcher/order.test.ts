import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Lanes } from "../../../../src/layers/channel/Lanes.ts"
import { budgets, within } from "../../runLoop.ts"
import { assertLaws, codeOf, make, request, settle, text } from "./harness.ts"

const turnsOf = (stage: {
  readonly turns: ReadonlyArray<{ readonly turn: { readonly messageId: string | undefined } }>
}) => stage.turns.map(({ turn }) => turn.messageId)

describe("order and places", () => {
  it.effect("one session's messages are answered one after the other", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen, wire } = yield* make()
      for (const messageId of ["m1", "m2", "m3"]) yield* dispatcher.handle(request({ messageId }))
      yield* settle
      assert.deepStrictEqual(turnsOf(stage), ["m1"])
      for (const messageId of ["m1", "m2", "m3"]) {
        stage.of(messageId).say(text(`to ${messageId}`))
        stage.of(messageId).end()
        yield* settle
      }
      assert.deepStrictEqual(
        seen().map((reply) => [reply.messageId, reply.text, codeOf(reply)]),
        ["m1", "m2", "m3"].map((id) => [id, `to ${id}`, "completed"])
      )
      assert.strictEqual(stage.most, 1)
      assertLaws(wire.frames)
    })
  )

  it.effect("law order: those that come together keep their places, wherever the run loop makes one of them wait", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 60 }, (_, index) => `m${index}`)
      for (const budget of budgets) {
        const { dispatcher } = yield* make({ maxQueued: 100 })
        yield* within(budget)(
          Effect.forEach(ids, (messageId) => dispatcher.handle(request({ messageId })), {
            concurrency: 64,
            discard: true
          })
        )
        const inFlight = yield* dispatcher.inFlight
        assert.deepStrictEqual(
          inFlight.map(({ messageId }) => messageId),
          ids,
          `${budget} operations at once`
        )
      }
    })
  )

  it.effect("messages without a session (legacy) are one session", () =>
    Effect.gen(function* () {
      const { dispatcher, stage } = yield* make()
      yield* dispatcher.handle(request({ dialect: "legacy", sessionId: undefined, messageId: "m1" }))
      yield* dispatcher.handle(request({ dialect: "legacy", sessionId: undefined, messageId: "m2" }))
      yield* settle
      assert.deepStrictEqual(turnsOf(stage), ["m1"])
      assert.strictEqual(stage.of("m1").turn.sessionKey, "instaclaw:acc:default")
    })
  )

  it.effect("C 9: a hung session blocks no other, and the next of its own goes on after a cancel", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, of } = yield* make({ maxConcurrent: 2 })
      yield* dispatcher.handle(request({ messageId: "hung" }))
      yield* dispatcher.handle(request({ messageId: "behind" }))
      for (const id of ["a", "b", "c"]) {
        yield* dispatcher.handle(request({ messageId: id, sessionId: "other" }))
        yield* settle
        stage.of(id).end()
        yield* settle
        assert.strictEqual(codeOf(of(id)), "completed")
      }
      assert.isTrue(yield* dispatcher.cancel({ messageId: "hung", sessionId: "s1" }))
      yield* settle
      assert.strictEqual(codeOf(of("hung")), "CANCELLED")
      assert.strictEqual(turnsOf(stage).at(-1), "behind")
    })
  )

  it.effect("law stop: an order to stop waits behind nothing, and ends what runs and waits in its conversation", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen, of, wire } = yield* make()
      const said = (messageId: string, words: string, sessionId = "s1") =>
        dispatcher.handle(request({ messageId, sessionId, parts: [{ type: "input_text", text: words }] }))
      yield* said("running", "count to a thousand")
      yield* said("waiting", "and then?")
      yield* said("elsewhere", "hello", "s2")
      yield* settle
      stage.of("running").say(text("one"))
      yield* settle
      yield* said("order", "/stop")
      yield* settle
      assert.strictEqual(codeOf(of("running")), "CANCELLED")
      assert.strictEqual(codeOf(of("waiting")), "CANCELLED")
      assert.isTrue(stage.of("running").interrupted)
      assert.deepStrictEqual(turnsOf(stage), ["running", "elsewhere", "order"])
      for (const id of ["order", "elsewhere"]) stage.of(id).end()
      yield* settle
      assert.strictEqual(codeOf(of("order")), "completed")
      assert.strictEqual(codeOf(of("elsewhere")), "completed")
      assert.strictEqual(seen().length, 4)
      assertLaws(wire.frames)
    })
  )

  it.effect("law bounded: past the queue a message is refused in words, and the others are not hurt", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen, wire } = yield* make({ maxConcurrent: 1, maxQueued: 2 })
      for (let i = 0; i < 5; i++) yield* dispatcher.handle(request({ messageId: `m${i}`, sessionId: `s${i}` }))
      yield* settle
      assert.deepStrictEqual(
        seen().map((reply) => [reply.messageId, codeOf(reply)]),
        [
          ["m0", undefined],
          ["m3", "RATE_LIMIT"],
          ["m4", "RATE_LIMIT"]
        ]
      )
      assert.deepInclude(yield* dispatcher.stats, { running: 1, waiting: 2 })
      for (const id of ["m0", "m1", "m2"]) {
        stage.of(id).end()
        yield* settle
      }
      assert.strictEqual(seen().filter((reply) => codeOf(reply) === "completed").length, 3)
      assertLaws(wire.frames)
    })
  )

  it.effect("an agent that answers at once gets through a long queue", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen, wire } = yield* make({ maxConcurrent: 1, maxQueued: 5_000 })
      yield* dispatcher.handle(request({ messageId: "first" }))
      yield* settle
      for (let i = 0; i < 3_000; i++) yield* dispatcher.handle(request({ messageId: `m${i}`, sessionId: `s${i % 7}` }))
      stage.instead = () => Stream.make(text("at once"))
      stage.of("first").end()
      for (let i = 0; i < 20; i++) yield* settle
      assert.strictEqual(seen().filter((reply) => reply.end === "completed").length, 3_001)
      assertLaws(wire.frames)
    })
  )

  const Arrivals = Schema.Array(Schema.Struct({ session: Schema.Literals([0, 1, 2, 3]), ends: Schema.Boolean }))

  it.effect.prop("never more than the limit, one of a session at a time, in order, and all end", [Arrivals], ([all]) =>
    Effect.gen(function* () {
      const { dispatcher, stage, seen, wire } = yield* make({ maxConcurrent: 2, maxQueued: 1_000 })
      const endOne = (index: number) => {
        const open = stage.turns.filter((playing) => !ended.has(playing))
        const playing = open[index % Math.max(1, open.length)]
        if (playing === undefined) return
        ended.add(playing)
        playing.end()
      }
      const ended = new Set<object>()
      for (const [i, { ends, session }] of all.entries()) {
        yield* dispatcher.handle(request({ messageId: `m${i}`, sessionId: `s${session}` }))
        if (ends) endOne(i)
        yield* settle
        const open = stage.turns.filter((playing) => !ended.has(playing)).map(({ turn }) => turn.sessionId)
        assert.strictEqual(new Set(open).size, open.length)
      }
      for (let i = 0; i < all.length; i++) {
        endOne(i)
        yield* settle
      }
      assert.isAtMost(stage.most, 2)
      assert.strictEqual(seen().length, all.length)
      for (const session of ["s0", "s1", "s2", "s3"]) {
        const numbers = stage.turns
          .filter(({ turn }) => turn.sessionId === session)
          .map(({ turn }) => Number(turn.messageId?.slice(1)))
        assert.deepStrictEqual(
          numbers,
          numbers.toSorted((a, b) => a - b)
        )
      }
      assertLaws(wire.frames)
    }).pipe(Effect.scoped)
  )
})

describe("Lanes", () => {
  it("keeps the order within a session", () => {
    const lanes = new Lanes<string>()
    assert.isTrue(lanes.offer("a", "a1"))
    for (const job of ["a2", "a3"]) assert.isFalse(lanes.offer("a", job))
    assert.isTrue(lanes.offer("b", "b1"))
    assert.deepStrictEqual([lanes.done("a"), lanes.done("a"), lanes.done("a")], ["a2", "a3", undefined])
    assert.deepStrictEqual([lanes.has("a"), lanes.has("b"), lanes.size], [false, true, 1])
  })

  it("one that gives up its place leaves no trace", () => {
    const lanes = new Lanes<string>()
    lanes.offer("a", "a1")
    lanes.offer("a", "a2")
    assert.isTrue(lanes.remove("a", "a2"))
    assert.isFalse(lanes.remove("a", "a2"))
    assert.isFalse(lanes.remove("a", "a1"))
    assert.strictEqual(lanes.done("a"), undefined)
    assert.isTrue(lanes.offer("a", "a3"))
  })
})

describe("cancel", () => {
  it.effect("a running reply ends as CANCELLED with what it said, and its agent is stopped", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      stage.of("m1").say(text("so far"))
      yield* settle
      yield* dispatcher.handle({ _tag: "Cancel", responseId: undefined, messageId: "m1", sessionId: "s1" })
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "CANCELLED")
      assert.strictEqual(of("m1").text, "so far")
      assert.isTrue(stage.of("m1").interrupted)
      assert.isFalse(yield* dispatcher.cancel({ messageId: "m1" }))
      assertLaws(wire.frames)
    })
  )

  it.effect("a waiting reply ends as CANCELLED without a run", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      yield* dispatcher.handle(request({ messageId: "m1" }))
      yield* dispatcher.handle(request({ messageId: "m2" }))
      assert.isTrue(yield* dispatcher.cancel({ messageId: "m2", sessionId: "s1" }))
      yield* settle
      stage.of("m1").end()
      yield* settle
      assert.strictEqual(codeOf(of("m2")), "CANCELLED")
      assert.deepStrictEqual(turnsOf(stage), ["m1"])
      assert.deepStrictEqual(yield* dispatcher.inFlight, [])
      assertLaws(wire.frames)
    })
  )

  it.effect("by response id; nothing happens for one that is unknown, of another session, or unnamed", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, of } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      const { responseId } = stage.of("m1").turn
      assert.isFalse(yield* dispatcher.cancel({ responseId: "resp_unknown" }))
      assert.isFalse(yield* dispatcher.cancel({ responseId, sessionId: "another" }))
      assert.isFalse(yield* dispatcher.cancel({}))
      assert.isUndefined(of("m1").end)
      assert.isTrue(yield* dispatcher.cancel({ responseId, sessionId: "s1" }))
      assert.isFalse(yield* dispatcher.cancel({ responseId }), "decided already")
      yield* settle
      assert.strictEqual(codeOf(of("m1")), "CANCELLED")
    })
  )

  it.effect("C 9: an agent that ignores it delays neither the answer nor, past five seconds, the next message", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      stage.instead = (turn) =>
        turn.messageId === "deaf"
          ? Stream.fromEffect(Effect.uninterruptible(Effect.as(Effect.sleep("1 minute"), text("too late"))))
          : Stream.make(text("next"))
      yield* dispatcher.handle(request({ messageId: "deaf" }))
      yield* dispatcher.handle(request({ messageId: "next" }))
      yield* settle
      yield* dispatcher.cancel({ messageId: "deaf" })
      yield* settle
      assert.strictEqual(codeOf(of("deaf")), "CANCELLED")
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined((yield* dispatcher.inFlight)[0]?.startedAt)
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.strictEqual(codeOf(of("next")), "completed")
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.notInclude(wire.frames.join(""), "too late")
      assert.strictEqual((yield* dispatcher.stats).firstDelta.count, 1, "what came after the end counts nowhere")
      assertLaws(wire.frames)
    })
  )

  it.effect("an agent may take and stop messages from within its own turn", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      const ran: Array<string | undefined> = []
      stage.instead = (turn) => {
        ran.push(turn.messageId)
        return Stream.fromEffect(
          dispatcher
            .handle(request({ messageId: "inner", sessionId: "s2" }))
            .pipe(Effect.andThen(dispatcher.cancel({ messageId: "inner" })), Effect.as(text("done")))
        )
      }
      yield* dispatcher.handle(request())
      yield* settle
      assert.deepStrictEqual(ran, ["m1"])
      assert.deepStrictEqual([codeOf(of("m1")), codeOf(of("inner"))], ["completed", "CANCELLED"])
      assert.deepInclude(yield* dispatcher.stats, { running: 0, waiting: 0 })
      assertLaws(wire.frames)
    })
  )

  it.effect("while the outbox is full nothing is lost: what was handed over goes out before the end", () =>
    Effect.gen(function* () {
      const { dispatcher, stage, wire, of } = yield* make()
      yield* dispatcher.handle(request())
      yield* settle
      yield* wire.room.close
      yield* dispatcher.handle(request({ messageId: "m2" }))
      stage.of("m1").say(text("handed over"))
      yield* settle
      yield* dispatcher.cancel({ messageId: "m1" })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(turnsOf(stage), ["m1"], "its place is not free before its end is said")
      assert.strictEqual(of("m1").text, "")
      yield* wire.room.open
      yield* settle
      stage.of("m2").end()
      yield* settle
      assert.strictEqual(of("m1").text, "handed over")
      assert.strictEqual(wire.mostSending, 1, "a reply never sends twice at once, so no order has to be hoped for")
      assert.strictEqual(codeOf(of("m1")), "CANCELLED")
      assertLaws(wire.frames)
    })
  )
})
