import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Heartbeat from "../../../../src/layers/channel/Heartbeat.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { awaitPhase, awaitState, connected, passBackoff, settle, sim, state } from "./harness.ts"

const { SimPeer } = SimConnection

describe("heartbeat", () => {
  it.effect("pings every 30 s, and pongs keep it connected for days", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* TestClock.adjust(29_999)
      assert.strictEqual(link.pings(), 1, "the one sent at open")
      yield* TestClock.adjust(1)
      assert.strictEqual(link.pings(), 2)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual(link.pings(), 2 + 240)
      const now = yield* state
      assert.strictEqual(now.phase, "connected")
      assert.strictEqual(now.generation, 1)
      assert.strictEqual(now.lastPongAt, 30_000 + 2 * 3_600_000)
    }).pipe(sim())
  )

  it.effect(
    "a link that is alive for TCP and answers nothing is suspect at 60 s and dead at the third missed pong",
    () =>
      Effect.gen(function* () {
        const peer = yield* SimPeer
        const link = yield* connected
        yield* link.halfOpen
        yield* TestClock.adjust(59_999)
        assert.strictEqual((yield* state).phase, "connected")
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* state).phase, "suspect")
        yield* TestClock.adjust(59_999)
        assert.strictEqual((yield* state).phase, "suspect")
        assert.strictEqual(peer.links.length, 1)
        yield* TestClock.adjust(1)
        const lost = yield* awaitState((state) => state.retryAt !== undefined)
        assert.deepInclude(lost.lastFailure?.reason, { _tag: "HeartbeatLost", missed: 3 })
        assert.strictEqual(link.endedByAgent(), "terminated")
        yield* TestClock.adjust(1000)
        yield* connected
      }).pipe(sim())
  )

  it.effect("a message is no pong: it does not make a suspect link connected (status from pings and pongs only)", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* link.pongs(false)
      yield* TestClock.adjust(60_000)
      assert.strictEqual((yield* state).phase, "suspect")
      yield* link.push("a message")
      yield* settle
      assert.strictEqual((yield* state).phase, "suspect")
      yield* link.pong
      yield* awaitPhase("connected")
    }).pipe(sim())
  )

  it.effect("messages without pongs end the link all the same", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* link.pongs(false)
      for (let second = 0; second < 120; second++) {
        yield* link.push("a message")
        yield* TestClock.adjust(1000)
      }
      const lost = yield* awaitState((state) => state.retryAt !== undefined)
      assert.strictEqual(lost.lastFailure?.reason._tag, "HeartbeatLost")
    }).pipe(sim())
  )

  it.effect("a suspect link is probed at once, and one pong makes it connected again", () =>
    Effect.gen(function* () {
      const link = yield* connected
      yield* link.pongs(false)
      yield* TestClock.adjust(44_999)
      const before = link.pings()
      yield* link.pongs(true)
      yield* TestClock.adjust(1)
      const suspect = yield* awaitState((state) => state.phase === "connected" && state.lastPongAt === 45_000)
      assert.strictEqual(link.pings(), before + 1)
      assert.strictEqual(suspect.generation, 1)
    }).pipe(sim({ timeoutThreshold: 45_000 }))
  )

  it.effect("two missed pongs and then one: the count begins anew", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* connected
      for (let round = 0; round < 5; round++) {
        yield* link.pongs(false)
        yield* TestClock.adjust(90_000)
        yield* link.pong
        yield* awaitPhase("connected")
      }
      assert.strictEqual(peer.links.length, 1)
    }).pipe(sim())
  )

  it.effect("no timer is left by a hundred reconnects (timers leaked by each reconnect)", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      for (let round = 0; round < 100; round++) {
        const link = yield* connected
        yield* link.drop
        yield* passBackoff
      }
      const last = yield* connected
      const before = peer.links.map((link) => link.pings())
      yield* TestClock.adjust("10 minutes")
      const after = peer.links.map((link) => link.pings())
      assert.deepStrictEqual(after.slice(0, -1), before.slice(0, -1), "dead sockets are not pinged")
      assert.strictEqual(last.pings(), 1 + 20, "the living one is pinged once per interval")
    }).pipe(sim())
  )
})

describe("a busy event loop", () => {
  const options = { heartbeatInterval: 30_000, timeoutThreshold: 60_000, missedLimit: 3, stableAfter: 30_000 }

  /** A clock whose timers come as late as `lateness` says, one entry for each; then on time. */
  const lateClock = (lateness: Array<number>) => {
    let now = 0
    const sleeps: Array<number> = []
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      monotonicTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      sleep: (duration) =>
        Effect.sync(() => {
          sleeps.push(Duration.toMillis(duration))
          now += Duration.toMillis(duration) + (lateness.shift() ?? 0)
        })
    }
    return { clock, now: () => now }
  }
  const pulse = (): Heartbeat.Pulse => ({ heardAt: 0, answered: true, missed: 0, suspect: true, paused: false })
  const idle = { suspected: () => undefined, stable: () => undefined }

  it.effect("a late timer counts no missed pong, it only asks again", () =>
    Effect.gen(function* () {
      const { clock, now } = lateClock([0, 90_000, 45_000, 5000, 2000])
      let beats = 0
      const run = Heartbeat.run(
        pulse(),
        { ...options, stableAfter: 1e9 },
        {
          ...idle,
          beat: () => {
            beats += 1
          },
          defer: (task) => task()
        }
      )
      const missed = yield* Effect.provideService(run, Clock.Clock, clock)
      // One tick on time that sends the first ping, four late ones, then three that count; the third ends it.
      assert.strictEqual(missed, 3)
      assert.strictEqual(beats, 1 + 4 + 2)
      assert.strictEqual(now(), 8 * 30_000 + 142_000)
    })
  )

  it.effect("law drain: a threshold that the rounding of milliseconds misses by a hair does not spin", () =>
    Effect.gen(function* () {
      // As the clock gives them: whole nanoseconds. Their difference in milliseconds comes out below the threshold.
      const threshold = options.timeoutThreshold
      const millis = (nanos: bigint) => Number(nanos) / 1e6
      const after = (nanos: bigint) => nanos + BigInt(threshold) * 1_000_000n
      let heard = 207_260_800_001n
      const isDue = () => millis(after(heard)) >= millis(heard) + threshold
      while (!isDue() || millis(after(heard)) - millis(heard) >= threshold) heard += 137n
      const { clock } = lateClock([])
      const heart = { ...pulse(), heardAt: millis(heard), suspect: false }
      let turns = 0
      let suspectedIn = 0
      const run = Heartbeat.run(
        heart,
        { ...options, heartbeatInterval: 1e9, stableAfter: 1e9 },
        {
          stable: () => undefined,
          suspected: () => {
            suspectedIn = turns
          },
          beat: () => undefined,
          defer: (task) => {
            if (++turns < 100) task()
          }
        }
      )
      const still = { ...clock, monotonicTimeNanosUnsafe: () => after(heard) }
      yield* Effect.forkChild(Effect.provideService(run, Clock.Clock, still))
      yield* settle
      assert.strictEqual(suspectedIn, 1)
    })
  )

  it.effect("a pong that lies unread in the kernel is read before it is missed", () =>
    Effect.gen(function* () {
      const { clock } = lateClock([])
      const heart = pulse()
      let turns = 0
      const run = Heartbeat.run(
        heart,
        { ...options, stableAfter: 1e9 },
        {
          ...idle,
          beat: () => undefined,
          // Each turn of the loop brings the pong that came while it was busy; after ten the peer is silent.
          defer: (task) => {
            turns += 1
            if (turns <= 10) {
              heart.answered = true
              heart.missed = 0
            }
            task()
          }
        }
      )
      assert.strictEqual(yield* Effect.provideService(run, Clock.Clock, clock), 3)
      assert.strictEqual(turns, 13)
    })
  )

  it.effect("while reading is paused by ourselves no pong is missed", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* connected
      yield* link.push("x".repeat(1000))
      yield* link.push("y".repeat(1000))
      assert.isTrue(link.paused())
      yield* link.pongs(false)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(peer.links.length, 1)
    }).pipe(sim({ inboundCharacters: 1500 }))
  )
})
