/** `/v1/responses` over a WebSocket, by OpenAI's own client and by hand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import OpenAI from "openai"
import { ResponsesWS } from "openai/resources/responses/ws"
import { ResponsesWebSocketSession } from "openai/lib/responses/responses-websocket-session"
import { check } from "../../../../src/services/protocol/StreamLaws.ts"
import type { ResponseEvent } from "../../../../src/services/protocol/ResponseEvent.ts"
import {
  agent,
  call,
  dial,
  type Json,
  type Line,
  message,
  pen,
  type Platform,
  register,
  serve,
  signIn,
  start
} from "./harness.ts"

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform, "Ada")
  const { token } = yield* signIn(platform)
  return { platform, keys, token, model: keys.claw_id }
})

const line = (platform: Platform, token: string) =>
  Effect.tap(dial(platform, { authorization: `Bearer ${token}` }, "/v1/responses"), ({ ws }) =>
    Effect.promise(() => once(ws, "open"))
  )

const isEnd = (frame: Json): boolean =>
  frame["type"] === "response.completed" || frame["type"] === "response.failed" || frame["type"] === "error"

const create = (to: Line, model: string, input: string, more: object = {}): void =>
  to.send({ type: "response.create", model, input, ...more })

describe("/v1/responses over a WebSocket", () => {
  it.live("OpenAI's own client: responses one after the other on one socket, lanes beside each other", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const { body } = yield* call(platform, "POST", "/api/keys", { token, body: { name: "test" } })
      serve(yield* agent(platform, keys, "gateway"), "gateway", (got) => ["echo: ", got.text])
      const client = new OpenAI({ apiKey: body["data"]["key"], baseURL: `${platform.url}/v1`, maxRetries: 0 })
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => new ResponsesWS(client)),
        (open) => Effect.sync(() => open.close())
      )
      yield* Effect.promise(async () => {
        for await (const event of socket.stream()) if (event.type === "open") break
      })
      const session = new ResponsesWebSocketSession(socket, {
        maxLanes: 4,
        maxBufferedEvents: 1_000,
        maxBufferedBytes: 1_000_000
      })
      const first = session.lane()
      const second = session.lane("side")
      first.create({ model, input: "one" })
      const one = yield* Effect.promise(() => first.finalResponse())
      assert.strictEqual(one.output_text, "echo: one")
      first.create({ model, input: "two", previous_response_id: one.id })
      second.create({ model, input: "three" })
      const [two, three] = yield* Effect.promise(() => Promise.all([first.finalResponse(), second.finalResponse()]))
      assert.deepStrictEqual([two.output_text, three.output_text], ["echo: two", "echo: three"])
      assert.strictEqual(two.previous_response_id, one.id)
    })
  )

  it.live("the events are the canonical stream, each a frame with its lane", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["a", "b", "c"])
      const client = yield* line(platform, token)
      create(client, model, "hi", { stream_id: "x.1", stream: true })
      yield* client.next(isEnd)
      assert.deepStrictEqual(
        client.frames.map((frame) => frame["stream_id"]),
        client.frames.map(() => "x.1")
      )
      assert.deepStrictEqual(check(client.frames as Array<ResponseEvent>), [])
    })
  )

  it.live("requests of one lane are answered in order, the next only when the one before has ended", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const client = yield* line(platform, token)
      create(client, model, "first")
      create(client, model, "second")
      create(client, model, "aside", { stream_id: "other" })
      const got = [yield* message(worker), yield* message(worker)]
      assert.deepStrictEqual(got.map(({ text }) => text).sort(), ["aside", "first"])
      const head = got.find(({ text }) => text === "first")
      if (head === undefined) throw new Error("the first did not come")
      const write = pen(worker, "gateway", head, "r1")
      write.begin()
      write.complete("done")
      yield* client.type("response.completed")
      assert.strictEqual((yield* message(worker)).text, "second")
    })
  )

  it.live("cancel: the answer that is under way ends as CANCELLED, the socket goes on", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const client = yield* line(platform, token)
      create(client, model, "long")
      const write = pen(worker, "gateway", yield* message(worker), "r1")
      write.begin()
      write.delta("half")
      const created = yield* client.type("response.created")
      yield* client.type("response.output_text.delta")
      client.send({ type: "response.cancel", response_id: created["response"]["id"] })
      const failed = yield* client.type("response.failed")
      assert.strictEqual(failed["response"]["error"]["code"], "CANCELLED")
      assert.strictEqual(failed["response"]["output"][0]["content"][0]["text"], "half")
      client.send({ type: "response.cancel" })
      assert.strictEqual((yield* client.type("error"))["error"]["code"], "response_not_found")
      create(client, model, "again")
      assert.strictEqual((yield* message(worker)).text, "again")
    })
  )

  it.live("a client that hangs up cancels what is under way and what waits", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const client = yield* line(platform, token)
      create(client, model, "first")
      create(client, model, "second")
      const write = pen(worker, "gateway", yield* message(worker), "r1")
      write.begin()
      write.delta("half")
      yield* client.type("response.output_text.delta")
      client.ws.terminate()
      assert.strictEqual((yield* worker.type("response.cancel"))["response_id"], "r1")
      const next = yield* line(platform, token)
      create(next, model, "third")
      assert.strictEqual((yield* message(worker)).text, "third")
    })
  )

  it.live("refusals are error frames with a status, and the socket stays", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const client = yield* line(platform, token)
      const refused = (frame: unknown) =>
        Effect.map(
          Effect.suspend(() => {
            client.send(frame)
            return client.next()
          }),
          ({ error, status, stream_id, type }) => [type, status, error.code, error.param, stream_id]
        )
      const begin = { type: "response.create", input: "hi" }
      assert.deepStrictEqual(yield* refused("nonsense"), ["error", 400, "invalid_json", null, undefined])
      assert.deepStrictEqual(yield* refused([1]), ["error", 400, "invalid_json", null, undefined])
      assert.deepStrictEqual(yield* refused({ type: "other" }), ["error", 400, "unknown_type", "type", undefined])
      assert.deepStrictEqual(yield* refused({ ...begin, model: "claw_none", stream_id: "a" }), [
        "error",
        404,
        "model_not_found",
        "model",
        "a"
      ])
      assert.deepStrictEqual(yield* refused({ ...begin, stream_id: "a b" }), [
        "error",
        400,
        "invalid_parameter",
        "stream_id",
        undefined
      ])
      assert.deepStrictEqual(yield* refused(begin), ["error", 400, null, "model", undefined])
      assert.deepStrictEqual(yield* refused({ ...begin, model, background: true }), [
        "error",
        400,
        "unsupported_parameter",
        "background",
        undefined
      ])
      // Nobody is on the line.
      assert.deepStrictEqual(yield* refused({ ...begin, model }), ["error", 503, "agent_away", null, undefined])
      client.ws.send(Buffer.from("{}"), { binary: true })
      assert.strictEqual((yield* client.next())["error"]["code"], "invalid_frame")
      for (const id of ["resp_x", { toString: {} }]) {
        client.send({ type: "response.steer", previous_response_id: id, input: "more" })
        assert.strictEqual((yield* client.type("response.steer.failed"))["error"]["code"], "steering_not_supported")
      }
      serve(yield* agent(platform, keys, "gateway"), "gateway", () => ["fine"])
      create(client, model, "hi")
      assert.strictEqual((yield* client.next(isEnd))["type"], "response.completed")
    })
  )

  it.live("law bounded: past the limit of waiting requests the next one is refused in words", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      yield* agent(platform, keys, "gateway")
      const client = yield* line(platform, token)
      for (let n = 0; n < 33; n++) create(client, model, `n${n}`)
      const refused = yield* client.type("error")
      assert.deepStrictEqual([refused["status"], refused["error"]["code"]], [429, "limit_reached"])
    })
  )

  it.live("without a key, with a wrong one, from another page: no socket", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const bare = yield* dial(platform, {}, "/v1/responses")
      assert.strictEqual((yield* bare.refusal).status, 401)
      const wrong = yield* dial(platform, { authorization: "Bearer wrong" }, "/v1/responses")
      assert.strictEqual((yield* wrong.refusal).status, 401)
      const foreign = yield* dial(
        platform,
        { authorization: `Bearer ${token}`, origin: "http://evil.example" },
        "/v1/responses"
      )
      assert.strictEqual((yield* foreign.refusal).status, 403)
      assert.strictEqual((yield* call(platform, "GET", "/v1/responses", { token })).status, 426)
    })
  )

  it.live("law stop: what is under way ends as INTERRUPTED, then the socket closes with 1001", () =>
    Effect.gen(function* () {
      const { keys, model, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const client = yield* line(platform, token)
      create(client, model, "long")
      const write = pen(worker, "gateway", yield* message(worker), "r1")
      write.begin()
      write.delta("half")
      yield* client.type("response.output_text.delta")
      yield* Effect.forkChild(platform.stop)
      assert.strictEqual((yield* client.type("response.failed"))["response"]["error"]["code"], "INTERRUPTED")
      assert.strictEqual((yield* client.end).code, 1001)
    })
  )
})
