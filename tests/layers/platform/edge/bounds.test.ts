/** Laws bounded and honest-status: slow readers, dead sockets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EventEmitter from "node:events"
import { WebSocket } from "ws"
import * as SocketPeer from "../../../../src/layers/platform/SocketPeer.ts"
import { agent, ask, call, isMessage, message, openSession, pen, person, register, signIn, start } from "./harness.ts"

/** As much of a socket as a heartbeat touches. */
class Quiet extends EventEmitter.EventEmitter {
  readyState: number = WebSocket.OPEN
  pings = 0
  terminated = false
  ping(): void {
    this.pings++
  }
  terminate(): void {
    this.terminated = true
  }
}

const quiet = (): { readonly probe: Quiet; readonly ws: WebSocket } => {
  const probe = new Quiet()
  // The heartbeat calls ping, terminate and readyState alone.
  return { probe, ws: probe as unknown as WebSocket }
}

describe("heartbeat", () => {
  it.effect("each socket is pinged once per round; three missed pongs end it, one pong begins anew", () =>
    Effect.gen(function* () {
      const pulse = SocketPeer.makePulse(30)
      const round = Effect.repeat(pulse.tick, { times: 29 })
      const dead = quiet()
      const alive = quiet()
      const late = quiet()
      for (const one of [dead, alive, late]) pulse.add(one.ws)
      for (let rounds = 1; rounds <= 3; rounds++) {
        yield* round
        assert.strictEqual(dead.probe.pings, rounds)
        pulse.alive(alive.ws)
      }
      pulse.alive(late.ws)
      assert.isFalse(dead.probe.terminated)
      yield* round
      assert.isTrue(dead.probe.terminated)
      assert.strictEqual(dead.probe.pings, 3)
      assert.deepStrictEqual([alive.probe.terminated, late.probe.terminated], [false, false])
      yield* Effect.repeat(round, { times: 1 })
      assert.isFalse(late.probe.terminated)
    })
  )

  it.effect("sockets are spread over the round: no tick pings them all", () =>
    Effect.gen(function* () {
      const pulse = SocketPeer.makePulse(30)
      const all = Array.from({ length: 90 }, quiet)
      for (const one of all) pulse.add(one.ws)
      let before = 0
      for (let tick = 0; tick < 30; tick++) {
        yield* pulse.tick
        const pings = all.reduce((sum, one) => sum + one.probe.pings, 0)
        assert.strictEqual(pings - before, 3)
        before = pings
      }
      pulse.remove(all[0]?.ws as WebSocket)
      yield* Effect.repeat(pulse.tick, { times: 29 })
      assert.strictEqual(all[0]?.probe.pings, 1)
    })
  )
})

describe("slow readers", () => {
  it.live("a window that reads nothing is closed with 1013, the others get everything", () =>
    Effect.gen(function* () {
      const platform = yield* start({ maxReplyCharacters: 64 * 1024 * 1024 })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const worker = yield* agent(platform, keys, "gateway")
      const slow = yield* person(platform, token)
      const line = yield* person(platform, token)
      slow.ws.pause()
      ask(line, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      // Far more than the system's own buffers and the platform's bound hold together.
      const piece = "x".repeat(200_000)
      for (let index = 0; index < 200; index++) {
        write.delta(piece)
        yield* line.next((frame) => frame["delta"] === piece)
      }
      write.complete(piece.repeat(200).slice(0, 10))
      yield* line.type("response.completed")
      slow.ws.resume()
      assert.strictEqual((yield* slow.end).code, 1013)
      assert.isUndefined(line.ended)
    })
  )
})

describe("a message that makes a frame larger than an agent takes", () => {
  for (const dialect of ["envelope", "gateway", "legacy"] as const) {
    it.live(`ends in words, and takes the agent off the line neither once nor for ever (${dialect})`, () =>
      Effect.gen(function* () {
        const platform = yield* start({ maxFrameBytes: 4_096 })
        const keys = yield* register(platform)
        const { token } = yield* signIn(platform)
        const send = (input: string) =>
          call(platform, "POST", "/v1/responses", { token, body: { model: keys.claw_id, input, background: true } })
        // It waits before the agent comes, which is where it would do the most harm.
        const large = yield* send("\n".repeat(3_900))
        assert.strictEqual(large.body["status"], "queued")
        const worker = yield* agent(platform, keys, dialect)
        yield* send("small")
        assert.strictEqual((yield* message(worker)).text, "small")
        assert.strictEqual(worker.frames.filter(isMessage).length, 1)
        const { body } = yield* call(platform, "GET", `/v1/responses/${large.body["id"]}`, { token })
        assert.strictEqual(body["status"], "failed")
        assert.strictEqual(body["error"]["code"], "INVALID_REQUEST")
        assert.match(body["error"]["message"], /larger than an agent takes/)
        assert.strictEqual(worker.ws.readyState, WebSocket.OPEN)
      })
    )
  }
})

describe("a reply without end", () => {
  it.live("is stopped at the limit: the agent is told, what was said stays, others go on", () =>
    Effect.gen(function* () {
      const platform = yield* start({ maxReplyCharacters: 1_000 })
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const ann = yield* person(platform, token)
      const worker = yield* agent(platform, keys, "gateway")
      ask(ann, sessionId, "m1")
      const write = pen(worker, "gateway", yield* message(worker), "endless")
      write.begin()
      for (let i = 0; i < 12; i++) write.delta("x".repeat(100))
      const failed = yield* ann.type("response.failed")
      assert.strictEqual(failed["response"]["error"]["code"], "CALLBACK_ERROR")
      assert.strictEqual((yield* worker.type("response.cancel"))["message_id"], "m1")
      const said = ann.frames.flatMap((frame) =>
        frame["type"] === "response.output_text.delta" ? [frame["delta"]] : []
      )
      assert.isAtLeast(said.join("").length, 1_000)
      assert.isAtMost(said.join("").length, 1_200)
      ask(ann, sessionId, "m2")
      const next = pen(worker, "gateway", yield* message(worker), "short")
      next.begin()
      next.complete("ok")
      assert.strictEqual((yield* ann.type("response.completed"))["response"]["output_text"], "ok")
    })
  )
})
