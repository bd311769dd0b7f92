/** The supervisor keeps other protocols alive too: here one with an auth frame first and heartbeats that are frames. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type LinkProtocol, instaclawRoleOf } from "../../../../src/layers/channel/LinkProtocol.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { awaitPhase, awaitState, send, settle, sim, state, takeInbound } from "./harness.ts"

const { SimPeer } = SimConnection

const auth = JSON.stringify({ type: "auth", agentId: "a", credential: { type: "agent_token", token: "t" } })
const ok = JSON.stringify({ event: "auth.ok" })
const beat = JSON.stringify({ type: "heartbeat" })
const beatAnswer = JSON.stringify({ event: "heartbeat.ok" })

const relay: LinkProtocol = {
  request: Effect.succeed({ url: "ws://sim/ws", headers: {}, hello: [auth] }),
  roleOf: (frame, greeted) => {
    const { event, data } = JSON.parse(frame) as { event: string; data?: { code: string } }
    if (event === "heartbeat.ok") return "pong"
    if (!greeted && event === "auth.ok") return "greeting"
    return event === "error" && data?.code === "unauthorized" ? "refusal" : "data"
  },
  beat: (socket) => socket.send([beat]),
  pongGreets: false,
  ungreeted: "fail"
}

const options = { protocol: relay, heartbeatInterval: 15_000, timeoutThreshold: 30_000 }

describe("a protocol with an auth frame and heartbeat frames", () => {
  it.effect("authenticates first, writes only after auth.ok, and beats with frames", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* send("early")
      yield* link.accept()
      yield* settle
      assert.deepStrictEqual(link.received, [auth])
      yield* link.push(ok)
      yield* awaitPhase("connected")
      yield* settle
      assert.deepStrictEqual(link.received, [auth, "early"])
      yield* TestClock.adjust(15_000)
      assert.deepStrictEqual(link.received, [auth, "early", beat])
      assert.strictEqual(link.pings(), 0)
      yield* link.push(beatAnswer)
      assert.strictEqual((yield* state).lastPongAt, 15_000)
      assert.deepStrictEqual(yield* takeInbound(1), [ok], "an answer to a heartbeat is not for the reader")
      yield* TestClock.adjust(60_000)
      assert.strictEqual((yield* awaitState((state) => state.retryAt !== undefined)).phase, "reconnecting")
    }).pipe(sim(options))
  )

  it.effect("a refusal in a frame blocks", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.accept()
      yield* link.push(JSON.stringify({ event: "error", data: { code: "unauthorized", reason: "no such token" } }))
      const blocked = yield* awaitPhase("blocked")
      assert.strictEqual(blocked.lastFailure?.reason._tag, "CredentialsRefused")
      yield* settle
      assert.strictEqual(link.phase(), "ended")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(peer.links.length, 1)
    }).pipe(sim(options))
  )

  it.effect("no greeting in time fails the attempt", () =>
    Effect.gen(function* () {
      const peer = yield* SimPeer
      const link = yield* peer.nextDial
      yield* link.accept()
      yield* TestClock.adjust(2000)
      yield* awaitState((state) => state.attempt === 1)
      yield* settle
      assert.strictEqual(link.phase(), "ended")
    }).pipe(sim(options))
  )
})

describe("frames of InstaClaw that the supervisor looks at", () => {
  const bound = JSON.stringify({ type: "session.auto_bound", sessions: ["s"] })
  const notice = JSON.stringify({ type: "SYSTEM", headers: { topic: "disconnect" } })
  it.each([
    [bound, false, "greeting"],
    [bound, true, "data"],
    [notice, true, "renew"],
    [notice, false, "renew"],
    [JSON.stringify({ type: "SYSTEM", headers: { topic: "ping" }, note: "disconnect" }), true, "data"],
    [JSON.stringify({ data: notice }), true, "data"],
    [JSON.stringify({ type: "response.cancel", text: '"SYSTEM" "disconnect"' }), true, "data"],
    ['"SYSTEM","disconnect"', true, "data"],
    ['{"type":"SYSTEM","headers":{"topic":"disconnect"', true, "data"],
    ['["session.auto_bound"]', false, "data"],
    [`${notice.slice(0, -1)},"pad":"${"x".repeat(70_000)}"}`, true, "data"],
    ["", false, "data"]
  ] as const)("%s (greeted: %s) is %s", (frame, greeted, role) => {
    assert.strictEqual(instaclawRoleOf(frame, greeted), role)
  })
})
