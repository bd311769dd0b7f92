/** A platform that fails in every way a seed can think of, then behaves. What must hold at every moment, and in the end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { greeting } from "../../../../src/layers/channel/SimDriver.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { quiet, settle } from "./harness.ts"

const notice = JSON.stringify({ type: "SYSTEM", headers: { topic: "disconnect" } })
const frames = 400
const outboxBytes = 2000
/** Milliseconds: the last fault is begun before this, and all must be well so long after it. */
const calmAfter = 300_000
const calm = 300_000

const fate = (link: SimConnection.SimLink, opened: Set<number>) =>
  Effect.gen(function* () {
    const first = yield* Random.nextIntBetween(0, 9)
    yield* Effect.sleep(yield* Random.nextIntBetween(0, 3000))
    if (first === 0) return yield* link.refuse(503)
    if (first === 1) return yield* link.fail("down")
    if (first === 2) return
    if (first === 3) yield* link.pongs(false)
    opened.add(link.number)
    yield* link.accept(first === 3 ? undefined : greeting)
    yield* Effect.sleep(yield* Random.nextIntBetween(0, 60_000))
    switch (yield* Random.nextIntBetween(0, 6)) {
      case 0:
        return yield* link.drop
      case 1:
        return yield* link.close(1012)
      case 2:
        return yield* link.halfOpen
      case 3:
        return yield* link.reading(false)
      case 4:
        return yield* link.push(notice)
      default:
        yield* link.push(notice)
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 4000))
        // A platform says replaced when a newer socket has opened, whatever became of that one since.
        return yield* opened.values().some((number) => number > link.number) ? link.close(4001) : link.drop
    }
  })

const world = Effect.gen(function* () {
  const peer = yield* SimConnection.SimPeer
  const connection = yield* Connection
  const arrived: Array<number> = []
  const broken: Array<string> = []
  const opened = new Set<number>()

  yield* Effect.forkChild(
    Effect.forever(Effect.tap(peer.receive, (frame) => Effect.sync(() => arrived.push(Number(frame)))))
  )
  yield* Effect.forkChild(
    Effect.forever(
      Effect.gen(function* () {
        const link = yield* peer.nextDial
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        yield* Effect.forkChild(now < calmAfter ? fate(link, opened) : link.accept(greeting))
        if (peer.links.filter((link) => link.phase() !== "ended").length > 4) broken.push("sockets pile up")
      })
    )
  )
  yield* SubscriptionRef.changes(connection.state).pipe(
    Stream.runForEach((state) =>
      Effect.sync(() => {
        if (state.outboxBytes > outboxBytes) broken.push("outbox above its bound")
        if (state.phase === "blocked") broken.push("blocked though no fate blocks")
      })
    ),
    Effect.forkChild
  )
  const sender = yield* Effect.forkChild(
    Effect.gen(function* () {
      for (let i = 0; i < frames; i++) {
        yield* connection.send([`${i}`.padStart(40, "0")])
        if (i % 5 === 0) yield* Effect.sleep(yield* Random.nextIntBetween(0, 7000))
      }
    })
  )
  for (let now = 0; now < calmAfter + calm; now += 1000) yield* TestClock.adjust(1000)
  if (sender.pollUnsafe() === undefined) broken.push("a sender still waits")
  // What a dying socket had been given may be lost; what is sent now, with all faults over, may not.
  yield* connection.send([`${frames}`])
  yield* settle
  const state = yield* SubscriptionRef.get(connection.state)
  return { arrived, broken, state, links: peer.links }
})

/** One history: time of its own, chance from the seed, and a close that has the time it needs. */
const run = (seed: number) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const layer = SimConnection.layer({ outboxBytes, maxFrameBytes: 100, socketBytes: 500 })
    const context = yield* Layer.buildWithScope(layer, scope)
    const result = yield* Effect.provideContext(world, context)
    const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
    yield* TestClock.adjust(5000)
    yield* Fiber.join(closing)
    return result
  }).pipe(Random.withSeed(`${seed}`), Effect.provide(TestClock.layer()))

describe("any course of failures", () => {
  it.effect("keeps order, doubles nothing, stays bounded and drains when the faults stop, for forty seeds", () =>
    Effect.gen(function* () {
      const histories = new Set<string>()
      for (let seed = 1; seed <= 40; seed++) {
        const { arrived, broken, links, state } = yield* run(seed)
        const name = `seed ${seed}`
        assert.deepStrictEqual(broken, [], name)
        assert.isTrue(
          arrived.every((frame, i) => i === 0 || frame > arrived[i - 1]!),
          `${name}: law one-socket, in order and once`
        )
        assert.strictEqual(arrived.at(-1), frames, `${name}: law drain`)
        assert.strictEqual(state.outboxBytes, 0, name)
        assert.strictEqual(state.phase, "connected", name)
        assert.isTrue(
          links.every((link) => link.phase() === "ended"),
          `${name}: law stop, no socket is left`
        )
        histories.add(links.map((link) => link.received.length).join())
      }
      assert.isAbove(histories.size, 30, "the seeds tell different stories")
    }).pipe(quiet)
  )
})
