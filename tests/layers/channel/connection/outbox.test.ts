import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { byteLength, Outbox } from "../../../../src/layers/channel/Outbox.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { awaitPhase, awaitState, connected, send, settle, sim, state, takeInbound } from "./harness.ts"

const { SimPeer } = SimConnection
const frame = (name: string | number, bytes = 100) => `${name}`.padEnd(bytes, ".")

describe("outbox", () => {
  it.effect("frames sent before there is a socket go out in order once it is greeted", () =>
    Effect.gen(function* () {
      yield* send("1", "2")
      yield* send("3")
      assert.strictEqual((yield* state).outboxBytes, 3)
      const link = yield* connected
      yield* settle
      assert.deepStrictEqual(link.received, ["1", "2", "3"])
      assert.strictEqual((yield* state).outboxBytes, 0)
    }).pipe(sim())
  )

  it.effect(
    "a reply under way finds the next socket: nothing kept is lost, doubled or reordered (replies lost on reconnect)",
    () =>
      Effect.gen(function* () {
        const first = yield* connected
        yield* send("1")
        yield* settle
        yield* first.reading(false)
        yield* send(frame("2", 200))
        yield* send(frame("3", 200), frame("4", 200))
        yield* settle
        yield* first.drop
        yield* awaitState((state) => state.retryAt !== undefined)
        yield* send("5")
        yield* TestClock.adjust(1000)
        const second = yield* connected
        yield* settle
        // 2 was handed to the socket that died; what was still here came in order, once.
        assert.deepStrictEqual(first.received, ["1"])
        assert.deepStrictEqual(second.received, [frame("3", 200), frame("4", 200), "5"])
      }).pipe(sim({ socketBytes: 200 }))
  )

  it.effect("a socket that takes nothing gets no more than its bound; the rest waits and goes on when it drains", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* link.reading(false)
      const frames = Array.from({ length: 100 }, (_, i) => frame(i))
      for (const one of frames) yield* send(one)
      yield* settle
      assert.strictEqual((yield* state).outboxBytes, 100 * 100 - 1000)
      yield* link.reading(true)
      yield* settle
      assert.deepStrictEqual(link.received, frames)
    }).pipe(sim({ socketBytes: 1000 }))
  )

  it.effect("senders wait while the outbox is full and go on in the order they came", () =>
    Effect.gen(function* () {
      const senders: Array<Fiber.Fiber<void, unknown>> = []
      for (let i = 0; i < 5; i++) senders.push(yield* Effect.forkChild(send(frame(i, 400), frame(`${i}b`, 400))))
      yield* settle
      assert.deepStrictEqual(
        senders.map((fiber) => fiber.pollUnsafe() !== undefined),
        [true, false, false, false, false]
      )
      assert.isAtMost((yield* state).outboxBytes, 1000)
      const link = yield* connected
      yield* Fiber.joinAll(senders)
      yield* settle
      const expected = Array.from({ length: 5 }, (_, i) => [frame(i, 400), frame(`${i}b`, 400)]).flat()
      assert.deepStrictEqual(link.received, expected)
    }).pipe(sim({ outboxBytes: 1000, maxFrameBytes: 500 }))
  )

  it.effect("a sender that is interrupted in line leaves it, and those behind it go on", () =>
    Effect.gen(function* () {
      yield* send(frame("1", 900))
      const impatient = yield* Effect.forkChild(send(frame("2", 500)))
      yield* settle
      const patient = yield* Effect.forkChild(send(frame("3", 50)))
      yield* settle
      assert.isUndefined(patient.pollUnsafe(), "nobody overtakes")
      yield* Fiber.interrupt(impatient)
      yield* Fiber.join(patient)
      const link = yield* connected
      yield* settle
      assert.deepStrictEqual(link.received, [frame("1", 900), frame("3", 50)])
    }).pipe(sim({ outboxBytes: 1000, maxFrameBytes: 1000 }))
  )

  it.effect("a batch larger than the whole outbox goes through piece by piece", () =>
    Effect.gen(function* () {
      const frames = Array.from({ length: 50 }, (_, i) => frame(i))
      const sender = yield* Effect.forkChild(send(...frames))
      yield* settle
      assert.strictEqual((yield* state).outboxBytes, 1000)
      const link = yield* connected
      yield* Fiber.join(sender)
      yield* settle
      assert.deepStrictEqual(link.received, frames)
    }).pipe(sim({ outboxBytes: 1000, maxFrameBytes: 1000 }))
  )

  it.effect("a frame that is too large fails its own send in words, and nothing of it goes out", () =>
    Effect.gen(function* () {
      const link = yield* connected
      const error = yield* Effect.flip(send("a", "界".repeat(400)))
      assert.deepInclude(error.reason, { _tag: "FrameTooLarge", bytes: 1200, limit: 1000 })
      yield* send("b")
      yield* settle
      assert.deepStrictEqual(link.received, ["b"])
    }).pipe(sim({ maxFrameBytes: 1000 }))
  )

  it.effect("senders in line are told when the connection is blocked, and what was accepted waits for a person", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const connection = yield* Connection
      yield* send(frame("1", 900))
      const waiting = yield* Effect.forkChild(Effect.flip(send(frame("2", 900))))
      yield* settle
      yield* Effect.andThen(peer.nextDial, (link) => link.refuse(401))
      assert.strictEqual((yield* Fiber.join(waiting)).reason._tag, "CredentialsRefused")
      yield* awaitPhase("blocked")
      yield* connection.unblock
      const link = yield* connected
      yield* settle
      assert.deepStrictEqual(link.received, [frame("1", 900)])
    }).pipe(sim({ outboxBytes: 1000, maxFrameBytes: 1000 }))
  )

  it.effect("the first frame after a pause goes at once, what follows in the same turn goes in one write", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* settle
      yield* send("first")
      assert.deepStrictEqual(link.received, ["first"], "already gone, without waiting for the turn's end")
      for (let i = 0; i < 10; i++) yield* send(`${i}`)
      yield* settle
      assert.deepStrictEqual(link.writes, [1, 10])
      yield* send("after a pause")
      assert.deepStrictEqual(link.writes, [1, 10, 1])
    }).pipe(sim())
  )

  it.effect("a socket opened while reading is paused still hears its greeting", () =>
    Effect.gen(function* () {
      const first = yield* connected
      yield* first.push(frame("1", 2000))
      assert.isTrue(first.paused())
      yield* first.drop
      yield* TestClock.adjust(1000)
      const second = yield* connected
      assert.isTrue(second.paused(), "and is paused in its turn")
      yield* takeInbound(3)
      assert.isFalse(second.paused())
    }).pipe(sim({ inboundCharacters: 1000 }))
  )

  it.effect("a slow consumer holds back the peer: reading pauses at the bound and resumes when it is empty", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* link.push(frame("1", 600))
      assert.isFalse(link.paused())
      yield* link.push(frame("2", 600))
      assert.isTrue(link.paused())
      yield* takeInbound(3)
      assert.isFalse(link.paused())
    }).pipe(sim({ inboundCharacters: 1000 }))
  )
})

describe("outbox as data", () => {
  const steps = Schema.Array(
    Schema.Union([
      Schema.Struct({ send: Schema.Array(Schema.String) }),
      Schema.Struct({ take: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 60 })) })
    ])
  )

  it.effect.prop("any sends and takes: first in first out, never above the bound, nothing lost", [steps], ([program]) =>
    Effect.sync(() => {
      const outbox = new Outbox(40)
      const sent: Array<string> = []
      const taken: Array<string> = []
      for (const step of program) {
        if ("send" in step) {
          const frames = step.send.map((text) => Array.from(text).slice(0, 8).join(""))
          sent.push(...frames)
          const bytes = frames.reduce((sum, frame) => sum + byteLength(frame), 0)
          if (!outbox.offer(frames, bytes)) outbox.wait(frames, () => undefined)
        } else {
          const some = outbox.take(step.take)
          const bytes = some.reduce((sum, frame) => sum + byteLength(frame), 0)
          assert.isTrue(bytes <= step.take || some.length === 1, "no more than asked for, or one frame")
          taken.push(...some)
          outbox.admit()
        }
        assert.isAtMost(outbox.bytes, 40)
      }
      for (let rounds = 0; !outbox.isEmpty && rounds < 10_000; rounds++) {
        taken.push(...outbox.take(7))
        outbox.admit()
      }
      assert.strictEqual(outbox.waiting, 0)
      assert.strictEqual(outbox.bytes, 0)
      assert.deepStrictEqual(taken, sent)
    })
  )
})
