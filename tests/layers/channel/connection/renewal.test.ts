import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { greeting } from "../../../../src/layers/channel/SimDriver.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { awaitPhase, awaitState, connected, passBackoff, send, settle, sim, state, takeInbound } from "./harness.ts"

const { SimPeer } = SimConnection

const notice = JSON.stringify({ type: "SYSTEM", headers: { topic: "disconnect" }, data: "{}" })

/** Serving, and its successor dialed but not yet greeted. */
const renewing = Effect.gen(function* () {
  const peer = yield* SimPeer
  const connection = yield* Connection
  const old = yield* connected
  yield* connection.renew
  const next = yield* peer.nextDial
  return { peer, connection, old, next }
})

describe("make before break", () => {
  it.effect("the old socket writes until the new one is greeted, then only the new one", () =>
    Effect.gen(function* () {
      const { old, next } = yield* renewing
      yield* send("1")
      yield* next.pongs(false)
      yield* next.accept()
      yield* settle
      yield* send("2")
      yield* settle
      assert.deepStrictEqual([old.received, next.received], [["1", "2"], []])
      assert.strictEqual((yield* state).phase, "connected")
      yield* next.push(greeting)
      yield* awaitState((state) => state.generation === 2)
      yield* send("3")
      yield* settle
      assert.deepStrictEqual([old.received, next.received], [["1", "2"], ["3"]])
      assert.isUndefined(old.endedByAgent(), "it may still receive")
    }).pipe(sim())
  )

  it.effect("what still comes on the old socket is received, and after 10 s it is closed", () =>
    Effect.gen(function* () {
      const { old, next } = yield* renewing
      yield* next.accept(greeting)
      yield* awaitState((state) => state.generation === 2)
      yield* old.push("late")
      assert.deepStrictEqual(yield* takeInbound(3), [greeting, greeting, "late"])
      yield* TestClock.adjust(9999)
      assert.isUndefined(old.endedByAgent())
      yield* TestClock.adjust(1)
      assert.strictEqual(old.endedByAgent(), 1000)
      assert.strictEqual(old.phase(), "ended")
      assert.strictEqual((yield* state).phase, "connected")
    }).pipe(sim())
  )

  it.effect("a draining socket has no heartbeat: it is not pinged, and its silence makes nothing suspect", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const connection = yield* Connection
      const old = yield* connected
      yield* old.halfOpen
      yield* TestClock.adjust(55_000)
      yield* connection.renew
      yield* connected
      const pings = old.pings()
      yield* TestClock.adjust(9000)
      assert.strictEqual((yield* state).phase, "connected")
      assert.strictEqual(old.pings(), pings)
      assert.strictEqual(peer.links.length, 2)
      // Or the close at the end would wait two seconds of a time that no longer passes.
      yield* old.drop
    }).pipe(sim())
  )

  it.effect("a draining socket that ends, even as replaced, changes nothing", () =>
    Effect.gen(function* () {
      const { old, next, peer } = yield* renewing
      yield* next.accept(greeting)
      const before = yield* awaitState((state) => state.generation === 2)
      yield* old.close(4001)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* state).phase, "connected")
      assert.strictEqual((yield* state).connectedAt, before.connectedAt)
      assert.strictEqual(peer.links.length, 2)
    }).pipe(sim())
  )

  it.effect("the disconnect notice renews, once however often it comes, and goes on to the reader", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const old = yield* connected
      yield* Effect.andThen(old.push(notice), old.push(notice))
      const next = yield* peer.nextDial
      yield* old.push(notice)
      yield* next.accept(greeting)
      yield* awaitState((state) => state.generation === 2)
      yield* settle
      assert.strictEqual(peer.links.length, 2)
      assert.deepStrictEqual(yield* takeInbound(5), [greeting, notice, notice, notice, greeting])
    }).pipe(sim())
  )

  it.effect("a message that speaks of SYSTEM and disconnect is not a notice", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* connected
      yield* link.push(JSON.stringify({ type: "MESSAGE", headers: { topic: "disconnect" }, note: "SYSTEM" }))
      yield* link.push('"SYSTEM" "disconnect"')
      yield* settle
      assert.strictEqual(peer.links.length, 1)
    }).pipe(sim())
  )

  it.effect("the old socket replaced by its own successor before the greeting is no reason to block", () =>
    Effect.gen(function* () {
      const { old, next, peer } = yield* renewing
      yield* next.accept()
      yield* next.pongs(false)
      yield* old.close(4001)
      assert.strictEqual((yield* state).phase, "reconnecting")
      yield* next.push(greeting)
      yield* awaitPhase("connected")
      assert.strictEqual((yield* state).generation, 2)
      assert.strictEqual(peer.links.length, 2)
    }).pipe(sim())
  )

  it.effect("replaced by a successor that opened and then died is no reason to block either", () =>
    Effect.gen(function* () {
      const { old, next } = yield* renewing
      yield* next.pongs(false)
      yield* next.accept()
      yield* next.drop
      yield* settle
      yield* old.close(4001)
      yield* passBackoff
      const third = yield* connected
      assert.strictEqual(third.number, 3)
      yield* third.close(4001)
      yield* awaitPhase("blocked")
    }).pipe(sim())
  )

  it.effect("a renewal that fails leaves the old socket serving and is tried again after the backoff", () =>
    Effect.gen(function* () {
      const { old, next, peer } = yield* renewing
      yield* next.fail("overloaded")
      yield* awaitState((state) => state.lastFailure !== undefined)
      assert.strictEqual((yield* state).phase, "connected")
      yield* send("still here")
      yield* settle
      assert.deepStrictEqual(old.received, ["still here"])
      yield* TestClock.adjust(1000)
      const again = yield* peer.nextDial
      yield* again.accept(greeting)
      yield* awaitState((state) => state.generation === again.number)
    }).pipe(sim())
  )

  it.effect("renew during the backoff dials at once", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const connection = yield* Connection
      yield* Effect.andThen(peer.nextDial, (link) => link.fail("down"))
      yield* awaitState((state) => state.retryAt !== undefined)
      yield* connection.renew
      yield* connected
      assert.strictEqual(yield* Effect.clockWith((clock) => clock.currentTimeMillis), 0)
    }).pipe(sim())
  )
})

describe("one socket", () => {
  it.effect("a stale generation writes nothing and changes nothing, whatever it still says", () =>
    Effect.gen(function* () {
      const old = yield* connected
      yield* old.drop
      yield* awaitState((state) => state.retryAt !== undefined)
      yield* send("kept")
      yield* TestClock.adjust(1000)
      const next = yield* connected
      const before = yield* state
      old.lateEvents.opened()
      old.lateEvents.frame("ghost")
      old.lateEvents.frame(notice)
      old.lateEvents.pong()
      old.lateEvents.drained()
      old.lateEvents.ended({ _tag: "Closed", code: 4001 })
      yield* settle
      assert.deepStrictEqual(old.received, [])
      assert.deepStrictEqual(next.received, ["kept"])
      assert.deepStrictEqual(yield* state, before)
      yield* next.push("real")
      assert.deepStrictEqual(yield* takeInbound(3), [greeting, greeting, "real"])
    }).pipe(sim())
  )

  it.effect(
    "never more than one socket is open through drops, failures and renewals (two sockets of one account)",
    () =>
      Effect.gen(function* () {
        const peer = yield* SimPeer
        const connection = yield* Connection
        const serving = () => peer.links.filter((link) => link.phase() !== "ended").length
        for (let round = 0; round < 30; round++) {
          const link = yield* peer.nextDial
          if (round % 3 === 0) {
            yield* link.refuse(503)
          } else {
            yield* link.accept(greeting)
            yield* awaitState((state) => state.phase === "connected" && state.generation === link.number)
            yield* link.drop
          }
          yield* awaitState((state) => state.retryAt !== undefined)
          assert.strictEqual(serving(), 0)
          if (round % 4 === 0) yield* Effect.andThen(connection.renew, settle)
          else yield* passBackoff
          assert.strictEqual(serving(), 1)
        }
      }).pipe(sim())
  )
})
