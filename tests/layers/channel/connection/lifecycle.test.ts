import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Duration from "effect/Duration"
import * as Scope from "effect/Scope"
import * as Layer from "effect/Layer"
import * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { greeting } from "../../../../src/layers/channel/SimDriver.ts"
import * as Backoff from "../../../../src/layers/channel/Backoff.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { awaitPhase, awaitState, connected, send, settle, sim, state, takeInbound } from "./harness.ts"

const { SimPeer } = SimConnection

const table = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]

describe("backoff", () => {
  it.effect("doubles from 1 s to 30 s and stays there, step by step", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      for (const [index, delay] of table.entries()) {
        const link = yield* peer.nextDial
        yield* link.fail("nobody listens")
        const waiting = yield* awaitState((state) => state.attempt === index + 1)
        assert.strictEqual(waiting.phase, "reconnecting")
        assert.strictEqual(waiting.retryAt! - (yield* Effect.clockWith((clock) => clock.currentTimeMillis)), delay)
        yield* TestClock.adjust(delay - 1)
        assert.strictEqual(peer.links.length, index + 1, "not a millisecond earlier")
        yield* TestClock.adjust(1)
        assert.strictEqual(peer.links.length, index + 2)
      }
    }).pipe(sim())
  )

  it.effect("adds a random part from 0 to 1 s, which a seed decides", () =>
    Effect.gen(function* () {
      const delays = Effect.gen(function* () {
        const policy = Backoff.schedule({ backoffBase: 1000, backoffCap: 30_000, backoffJitter: 1000 })
        const found: Array<number> = []
        for (let run = 0; run < 50; run++) {
          const step = yield* Schedule.toStep(policy)
          for (const base of table) {
            const [, delay] = yield* Effect.orDie(step(0, undefined))
            found.push(Duration.toMillis(delay) - base)
          }
        }
        return found
      })
      const first = yield* delays.pipe(Random.withSeed("one"))
      assert.deepStrictEqual(yield* delays.pipe(Random.withSeed("one")), first)
      assert.notDeepEqual(yield* delays.pipe(Random.withSeed("two")), first)
      assert.isTrue(first.every((jitter) => jitter >= 0 && jitter < 1000))
      assert.isAbove(new Set(first).size, 100, "it is spread, not constant")
    })
  )

  it.effect("goes on where it was after a link that was not stable", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      yield* Effect.andThen(peer.nextDial, (link) => link.fail("down"))
      yield* awaitState((state) => state.attempt === 1)
      yield* TestClock.adjust(1000)
      const link = yield* connected
      yield* TestClock.adjust(29_999)
      yield* link.drop
      const waiting = yield* awaitState((state) => state.retryAt !== undefined)
      assert.strictEqual(waiting.attempt, 2)
      assert.strictEqual(waiting.retryAt, 1000 + 29_999 + 2000)
    }).pipe(sim())
  )

  it.effect("begins anew after a link that was stable for 30 s", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      for (const delay of [1000, 2000]) {
        yield* Effect.andThen(peer.nextDial, (link) => link.fail("down"))
        yield* awaitState((state) => state.retryAt !== undefined)
        yield* TestClock.adjust(delay)
      }
      const link = yield* connected
      assert.strictEqual((yield* state).attempt, 2)
      yield* TestClock.adjust(30_000)
      assert.strictEqual((yield* state).attempt, 0)
      yield* link.drop
      const waiting = yield* awaitState((state) => state.retryAt !== undefined)
      assert.strictEqual(waiting.attempt, 1)
      assert.strictEqual(waiting.retryAt, 3000 + 30_000 + 1000)
    }).pipe(sim())
  )
})

describe("dial and greeting", () => {
  it.effect("gives up a dial that has no answer within 10 s", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* TestClock.adjust(9999)
      assert.strictEqual((yield* state).phase, "connecting")
      yield* TestClock.adjust(1)
      const waiting = yield* awaitState((state) => state.attempt === 1)
      assert.include(waiting.lastFailure?.message, "10 s")
      assert.strictEqual(link.phase(), "ended")
    }).pipe(sim())
  )

  it.effect("session.auto_bound greets, and goes on to the reader", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.pongs(false)
      yield* link.accept()
      yield* send("early")
      yield* settle
      assert.strictEqual((yield* state).phase, "connecting")
      assert.deepStrictEqual(link.received, [], "nothing is written before the greeting")
      yield* link.push(greeting)
      yield* awaitPhase("connected")
      yield* settle
      assert.deepStrictEqual(link.received, ["early"])
      assert.deepStrictEqual(yield* takeInbound(1), [greeting])
    }).pipe(sim())
  )

  it.effect("the pong of the first ping greets where a platform sends nothing", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.accept()
      const now = yield* awaitPhase("connected")
      assert.strictEqual(link.pings(), 1)
      assert.isDefined(now.lastPongAt)
    }).pipe(sim())
  )

  it.effect("words about session.auto_bound inside a message do not greet", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.pongs(false)
      yield* link.accept(JSON.stringify({ type: "MESSAGE", note: { type: "session.auto_bound" } }))
      yield* settle
      assert.strictEqual((yield* state).phase, "connecting")
    }).pipe(sim())
  )

  it.effect("without any greeting it writes after 2 s, but is not called connected before a pong", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.pongs(false)
      yield* link.accept()
      yield* send("hello")
      yield* TestClock.adjust(1999)
      assert.deepStrictEqual(link.received, [])
      yield* TestClock.adjust(1)
      yield* awaitPhase("suspect")
      yield* settle
      assert.deepStrictEqual(link.received, ["hello"])
      yield* link.pong
      yield* awaitPhase("connected")
    }).pipe(sim())
  )
})

describe("close codes at work", () => {
  for (const code of [1000, 1001, 1006, 1009, 1011, 1012, 1013, 4002, 4999]) {
    it.effect(`${code} connects again`, () =>
      Effect.gen(function* () {
        const link = yield* connected
        yield* link.close(code)
        const lost = yield* awaitState((state) => state.retryAt !== undefined)
        assert.strictEqual(lost.phase, "reconnecting")
        assert.deepInclude(lost.lastFailure?.reason, { _tag: "Unreachable", code })
        yield* TestClock.adjust(1000)
        const next = yield* connected
        assert.strictEqual(next.number, 2)
      }).pipe(sim())
    )
  }

  const blocks: ReadonlyArray<readonly [string, (link: SimConnection.SimLink) => Effect.Effect<void>, string]> = [
    ["upgrade 401", (link) => link.refuse(401), "CredentialsRefused"],
    ["upgrade 403", (link) => link.refuse(403), "CredentialsRefused"],
    ["close 1008", (link) => Effect.andThen(link.accept(greeting), link.close(1008)), "CredentialsRefused"],
    ["close 4001", (link) => Effect.andThen(link.accept(greeting), link.close(4001)), "Replaced"]
  ]
  for (const [name, end, tag] of blocks) {
    it.effect(`${name} blocks until a person helps: no attempt, no send, no timer`, () =>
      Effect.gen(function* () {
        const peer = yield* SimPeer
        const connection = yield* Connection
        yield* Effect.andThen(peer.nextDial, end)
        const now = yield* awaitPhase("blocked")
        assert.strictEqual(now.lastFailure?.reason._tag, tag)
        assert.isUndefined(now.retryAt)
        yield* TestClock.adjust("2 days")
        assert.strictEqual(peer.links.length, 1)
        const refused = yield* Effect.flip(send("frame"))
        assert.strictEqual(refused.reason._tag, tag)
        yield* connection.unblock
        yield* connected
        yield* send("frame")
        assert.strictEqual(yield* peer.receive, "frame")
      }).pipe(sim())
    )
  }

  it.effect("unblock while nothing is blocked does not shorten a later block", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const connection = yield* Connection
      const link = yield* connected
      yield* connection.unblock
      yield* link.close(4001)
      yield* awaitPhase("blocked")
      yield* settle
      assert.strictEqual((yield* state).phase, "blocked")
      assert.strictEqual(peer.links.length, 1)
    }).pipe(sim())
  )
})

describe("abort and close", () => {
  /** A connection in a scope of its own, so that the test decides when it closes. */
  const opened = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(SimConnection.layer({ backoffJitter: 0 }), scope)
    return { scope, context, connection: Context.get(context, Connection), peer: Context.get(context, SimPeer) }
  })

  it.effect("abort during a dial leaves nothing behind, and no second socket comes (two sockets of one account)", () =>
    Effect.gen(function* () {
      const { scope, peer } = yield* opened
      const link = yield* peer.nextDial
      yield* Scope.close(scope, Exit.void)
      yield* settle
      assert.strictEqual(link.endedByAgent(), "terminated")
      assert.strictEqual(link.phase(), "ended")
      yield* TestClock.adjust("1 day")
      assert.strictEqual(peer.links.length, 1)
    })
  )

  it.effect("abort during the backoff does not connect again later (two sockets of one account)", () =>
    Effect.gen(function* () {
      const { scope, peer, context } = yield* opened
      yield* Effect.andThen(peer.nextDial, (link) => link.fail("down"))
      yield* awaitState((state) => state.retryAt !== undefined).pipe(Effect.provideContext(context))
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust("1 day")
      assert.strictEqual(peer.links.length, 1)
    })
  )

  it.effect("close says 1000, ends the inbound stream and refuses what comes after", () =>
    Effect.gen(function* () {
      const { scope, peer, context, connection } = yield* opened
      const link = yield* connected.pipe(Effect.provideContext(context))
      yield* connection.send(["last words"])
      const reader = yield* Effect.forkChild(Stream.runCollect(connection.inbound))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(link.endedByAgent(), 1000)
      assert.deepStrictEqual(link.received, ["last words"])
      assert.deepStrictEqual(yield* Fiber.join(reader), [greeting])
      const refused = yield* Effect.flip(connection.send(["too late"]))
      assert.strictEqual(refused.reason._tag, "Closed")
      assert.strictEqual((yield* state.pipe(Effect.provideContext(context))).phase, "disconnected")
      const pings = link.pings()
      yield* TestClock.adjust("1 day")
      assert.strictEqual(link.pings(), pings, "no timer is left")
      assert.strictEqual(peer.links.length, 1)
    })
  )

  it.effect("an interrupted program still closes with 1000 and waits for the answer", () =>
    Effect.gen(function* () {
      const { scope, context } = yield* opened
      const link = yield* connected.pipe(Effect.provideContext(context))
      const program = yield* Effect.forkChild(
        Effect.onExit(Effect.never, () => Scope.close(scope, Exit.void)),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(program)
      assert.strictEqual(link.endedByAgent(), 1000)
      assert.strictEqual(link.phase(), "ended")
    })
  )

  it.effect("a closing handshake that nobody answers is cut off after 2 s", () =>
    Effect.gen(function* () {
      const { scope, context } = yield* opened
      const link = yield* connected.pipe(Effect.provideContext(context))
      yield* link.answersClose(false)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* TestClock.adjust(1999)
      assert.strictEqual(link.endedByAgent(), 1000)
      yield* TestClock.adjust(1)
      yield* Fiber.join(closing)
      assert.strictEqual(link.endedByAgent(), "terminated")
    })
  )

  it.effect("frames in the outbox go out before the close where the socket takes them", () =>
    Effect.gen(function* () {
      const { scope, context, connection } = yield* opened
      const link = yield* connected.pipe(Effect.provideContext(context))
      yield* link.reading(false)
      const frames = Array.from({ length: 40 }, (_, i) => `${i}`.padEnd(50_000, "."))
      yield* connection.send(frames)
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      assert.isUndefined(link.endedByAgent())
      yield* link.reading(true)
      yield* Fiber.join(closing)
      assert.deepStrictEqual(link.received, frames)
      assert.strictEqual(link.endedByAgent(), 1000)
    })
  )
})
