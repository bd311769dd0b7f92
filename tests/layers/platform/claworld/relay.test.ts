/** The relay's socket against what breaks, hurries or lies. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as postgres from "../../../postgres/postgres.ts"
import { call, dial, type Json, type Line, type Platform, signIn, start } from "../edge/harness.ts"
import { accepted, activate, answer, authOf, connect, event, reply, talking } from "./relayClient.ts"

const opened = (platform: Platform) =>
  Effect.gen(function* () {
    const line = yield* dial(platform, {}, "/ws")
    yield* Effect.promise(() => new Promise((resolve) => line.ws.once("open", resolve)))
    return line
  })

const refusedBy = (line: Line) =>
  Effect.gen(function* () {
    const error = yield* event(line, "error")
    assert.strictEqual(error["code"], "unauthorized")
    assert.strictEqual((yield* line.end).code, 1008)
    return error["reason"] as string
  })

const onlineOf = (platform: Platform, token: string) =>
  Effect.map(call(platform, "GET", "/v1/agents", { token }), ({ body }) => body["agents"][0]["online"] as boolean)

const until = (isSo: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.flatMap(isSo, (done) => (done ? Effect.void : Effect.delay(until(isSo), "20 millis")))

describe("the relay's socket", () => {
  it.live("says who may come in: a good token in the first frame, in time, in the language of today", () =>
    Effect.gen(function* () {
      const platform = yield* start({ relay: { auth: 300 } })
      const ann = yield* activate(platform, "Ann")
      const bob = yield* activate(platform, "Bob")
      const wrong: ReadonlyArray<unknown> = [
        "not json",
        { type: "heartbeat" },
        { type: "reply", deliveryId: "d", sessionKey: "s", payload: { text: "x" } },
        { ...authOf(ann), credential: { type: "agent_token", token: "cwa_wrong" } },
        { ...authOf(ann), agentId: bob.agentId },
        { ...authOf(ann), bridgeProtocol: "claworld.delivery_reply.v9" }
      ]
      for (const frame of wrong) {
        const line = yield* opened(platform)
        line.send(frame)
        const reason = yield* refusedBy(line)
        assert.notInclude(reason, ann.appToken)
      }
      const silent = yield* opened(platform)
      assert.include(yield* refusedBy(silent), "Say who you are first")
      const line = yield* connect(platform, ann)
      line.send({ type: "heartbeat" })
      yield* event(line, "heartbeat.ok")
    })
  )

  it.live("a newer connection takes the place of the older one (4001), which says nothing about it", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* activate(platform, "Ann")
      assert.isFalse(yield* onlineOf(platform, ann.appToken))
      const older = yield* connect(platform, ann)
      const newer = yield* connect(platform, ann)
      assert.strictEqual((yield* older.end).code, 4001)
      newer.send({ type: "heartbeat" })
      yield* event(newer, "heartbeat.ok")
      assert.isTrue(yield* onlineOf(platform, ann.appToken))
      newer.ws.close()
      yield* until(Effect.map(onlineOf(platform, ann.appToken), (online) => !online))
    })
  )

  it.live("frames that are broken or hostile are answered in words, and too many end the socket", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* activate(platform, "Ann")
      const line = yield* connect(platform, ann)
      const frames: ReadonlyArray<unknown> = [
        "{",
        "[]",
        "null",
        { type: "shout" },
        { type: "accepted" },
        { type: "reply", deliveryId: "", sessionKey: "s", payload: { text: "x" } },
        { type: "reply", deliveryId: "d", sessionKey: "s", payload: { text: 5 } },
        { type: "kept_silent", deliveryId: "d", sessionKey: "s", payload: { reason: "because" } },
        authOf(ann),
        `{"type":"reply","deliveryId":"d","sessionKey":"s","payload":${"[".repeat(5000)}${"]".repeat(5000)}}`
      ]
      for (const frame of frames) {
        line.send(frame)
        assert.strictEqual((yield* event(line, "error"))["code"], "malformed_frame", JSON.stringify(frame).slice(0, 80))
      }
      line.ws.send(Buffer.from([1, 2, 3]), { binary: true })
      assert.strictEqual((yield* event(line, "error"))["code"], "malformed_frame")
      for (const deliveryId of ["dlv_none", "\u0000", "x".repeat(5000)]) {
        line.send({ type: "accepted", deliveryId, sessionKey: "s" })
        assert.deepInclude(yield* event(line, "error"), { code: "delivery_not_found", deliveryId })
      }
      for (let i = 0; i < 60; i++) line.send("{")
      assert.strictEqual((yield* line.end).code, 1002)
    })
  )

  it.live("an agent that comes back is given what waits, once answered never again", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { ann, annLine, bob, bobLine } = yield* talking(platform)
      const kickoff = yield* event(annLine, "delivery")
      bobLine.ws.terminate()
      reply(annLine, kickoff, "Hello")
      yield* event(annLine, "reply.accepted")
      const back = yield* connect(platform, bob)
      const turn = yield* event(back, "delivery")
      assert.strictEqual(turn["payload"]["text"], "Hello")
      reply(back, turn, "Hi")
      assert.strictEqual((yield* event(back, "reply.accepted"))["deliveryId"], turn["deliveryId"])
      yield* event(annLine, "delivery")
      back.ws.terminate()
      const third = yield* connect(platform, bob)
      third.send({ type: "heartbeat" })
      yield* event(third, "heartbeat.ok")
      reply(third, turn, "Hi again")
      yield* event(third, "reply.accepted")
      assert.isFalse(third.frames.some((frame) => frame["event"] === "delivery"))
      third.send({ ...turn, type: "kept_silent", payload: { reason: "no_reply_token" } })
      assert.deepInclude(yield* event(third, "error"), { code: "delivery_closed", deliveryId: turn["deliveryId"] })
      assert.notStrictEqual(ann.agentId, bob.agentId)
    })
  )

  it.live("an agent talks with several at once, more than are pushed to it at a time", () =>
    Effect.gen(function* () {
      const platform = yield* start({ talks: { requestsPerHour: 1000 } })
      const hub = yield* activate(platform, "Hub")
      const others = 90
      const hubLine = yield* connect(platform, hub)
      let done = 0
      const finished = Promise.withResolvers<void>()
      for (let i = 0; i < others; i++) {
        const other = yield* activate(platform, `Other ${i}`)
        const line = yield* connect(platform, other)
        answer(line, () => "[[request_conversation_end]]\nBye")
        line.ws.on("message", (data) => {
          const frame: Json = JSON.parse(String(data))
          if (frame["event"] === "reply.accepted" && ++done === others) finished.resolve()
        })
        const { body } = yield* call(platform, "POST", "/v1/chat-requests", {
          token: hub.appToken,
          body: {
            agentId: hub.agentId,
            targetAgentId: other.agentId,
            openingMessage: `Talk ${i}`,
            episodePolicy: { raiseHandPolicy: { mode: "either_raise_hand" } }
          }
        })
        yield* call(platform, "POST", `/v1/chat-requests/${body["chatRequest"]["chatRequestId"]}/accept`, {
          token: other.appToken,
          body: {}
        })
      }
      // Until now nobody answered for the hub: 64 are with it, the others wait.
      yield* until(Effect.sync(() => hubLine.frames.filter((frame) => frame["event"] === "delivery").length === 64))
      for (const frame of hubLine.frames) if (frame["event"] === "delivery") reply(hubLine, frame["data"], "Hello")
      answer(hubLine, () => "Hello")
      yield* Effect.promise(() => finished.promise)
      const list = yield* call(platform, "GET", "/v1/conversations?limit=100", { token: hub.appToken })
      assert.strictEqual(list.body["items"].length, others)
      for (const talk of list.body["items"]) assert.deepInclude(talk, { turn: 2, endReason: "hands" })
    })
  )

  it.live("a renewed token ends what is open with the old one", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { token } = yield* signIn(platform)
      const ann = yield* activate(platform, "Ann", token)
      const line = yield* connect(platform, ann)
      const own = yield* call(platform, "POST", `/v1/agents/${ann.agentId}/token`, { token: ann.appToken })
      assert.strictEqual(own.status, 403)
      const renewed = yield* call(platform, "POST", `/v1/agents/${ann.agentId}/token`, { token })
      assert.strictEqual(renewed.status, 200)
      yield* refusedBy(line)
      assert.strictEqual((yield* call(platform, "GET", "/v1/agents", { token: ann.appToken })).status, 401)
      yield* connect(platform, { ...ann, appToken: renewed.body["appToken"] })
    })
  )

  it.live.skipIf(postgres.missing !== undefined)(
    "two processes over one Postgres: each delivery at the agent's own, the older of two goes (4002)",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const url = Redacted.make(yield* postgres.database)
        const options = { data: yield* fs.makeTempDirectoryScoped(), postgres: { url, maxConnections: 3 } }
        const one = yield* start({ ...options, relay: { lease: 900, silence: 900_000 } })
        const two = yield* start({ ...options, relay: { lease: 900, silence: 900_000 } })
        const ann = yield* activate(one, "Ann")
        const bob = yield* activate(one, "Bob")
        const annLine = yield* connect(one, ann)
        const bobLine = yield* connect(two, bob)
        const { body } = yield* call(one, "POST", "/v1/chat-requests", {
          token: ann.appToken,
          body: { agentId: ann.agentId, targetAgentId: bob.agentId, openingMessage: "Hi" }
        })
        const accept = `/v1/chat-requests/${body["chatRequest"]["chatRequestId"]}/accept`
        yield* Effect.all(
          [
            call(one, "POST", accept, { token: bob.appToken, body: {} }),
            call(two, "POST", accept, { token: bob.appToken, body: {} })
          ],
          { concurrency: 2 }
        )
        const kickoff = yield* event(annLine, "delivery")
        reply(annLine, kickoff, "Hello over there")
        const turn = yield* event(bobLine, "delivery")
        assert.strictEqual(turn["payload"]["text"], "Hello over there")
        accepted(bobLine, turn)
        reply(bobLine, turn, "Hello back")
        assert.strictEqual((yield* event(annLine, "delivery"))["payload"]["text"], "Hello back")
        const newer = yield* connect(two, ann)
        assert.strictEqual((yield* annLine.end).code, 4002)
        assert.strictEqual((yield* event(newer, "delivery"))["payload"]["text"], "Hello back")
      }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
