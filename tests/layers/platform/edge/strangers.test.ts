/** Laws secret, confined and one-socket from outside: wrong keys, foreign sessions, broken frames, foreign pages. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import {
  agent,
  ask,
  call,
  dial,
  isMessage,
  message,
  openSession,
  pen,
  person,
  rawCall,
  register,
  serve,
  signIn,
  start
} from "./harness.ts"

const setUp = Effect.gen(function* () {
  const platform = yield* start()
  const keys = yield* register(platform, "Echo")
  const { token } = yield* signIn(platform)
  const sessionId = yield* openSession(platform, token, keys.claw_id)
  return { platform, keys, token, sessionId }
})

describe("who may come in", () => {
  it.live("a wrong secret, a foreign key and no credentials are refused at the upgrade, in words", () =>
    Effect.gen(function* () {
      const { keys, platform } = yield* setUp
      for (const headers of [
        { "x-app-key": keys.app_key, "x-app-secret": "wrong" },
        { "x-app-key": "ak_nobody", "x-app-secret": keys.app_secret },
        { "x-app-key": keys.app_key },
        { authorization: "Bearer nonsense" },
        {}
      ] as ReadonlyArray<Record<string, string>>) {
        const { body, status } = yield* (yield* dial(platform, headers)).refusal
        assert.strictEqual(status, 401)
        assert.strictEqual(body["code"], 40100)
        assert.isAbove(String(body["message"]).length, 20)
        assert.notInclude(JSON.stringify(body), keys.app_secret)
      }
    })
  )

  it.live("a dialect nobody knows is refused with its name list", () =>
    Effect.gen(function* () {
      const { keys, platform } = yield* setUp
      const line = yield* dial(platform, {
        "x-app-key": keys.app_key,
        "x-app-secret": keys.app_secret,
        "x-claw-dialect": "klingon"
      })
      const { body, status } = yield* line.refusal
      assert.strictEqual(status, 400)
      assert.include(body["message"], "envelope")
    })
  )

  it.live("a page of another address opens no socket (cross-site hijacking)", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${platform.port + 1}`]) {
        const line = yield* dial(platform, { authorization: `Bearer ${token}`, origin })
        assert.strictEqual((yield* line.refusal).status, 403)
      }
      const own = yield* dial(platform, { authorization: `Bearer ${token}`, origin: platform.url })
      yield* own.type("session.auto_bound")
    })
  )

  it.live("a foreign host name is answered nowhere (DNS rebinding): pages, calls, sockets", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      for (const host of [
        "evil.example",
        `evil.example:${platform.port}`,
        "127.0.0.1.evil.example",
        "localhost.evil"
      ]) {
        for (const path of ["/", "/healthz", "/api/agents", "/v1/models", "/docs"]) {
          const { status, text } = yield* rawCall(platform, path, { host })
          assert.strictEqual(status, 421, `${host}${path}`)
          assert.include(text, "host name")
        }
        const line = yield* dial(platform, { authorization: `Bearer ${token}`, host })
        assert.strictEqual((yield* line.refusal).status, 421)
      }
      assert.strictEqual((yield* rawCall(platform, "/healthz", { host: `localhost:${platform.port}` })).status, 200)
      assert.strictEqual((yield* rawCall(platform, "/healthz", { host: `[::1]:${platform.port}` })).status, 200)
    })
  )

  it.live("a call with a foreign origin does nothing", () =>
    Effect.gen(function* () {
      const { platform } = yield* setUp
      const { status } = yield* call(platform, "POST", "/api/sign-in", {
        body: { name: "Mallory" },
        headers: { origin: "https://evil.example" }
      })
      assert.strictEqual(status, 403)
    })
  )

  it.live("what came through a proxy signs nobody in by name, unless that was opened", () =>
    Effect.gen(function* () {
      const { platform } = yield* setUp
      const headers = { "x-forwarded-for": "203.0.113.9" }
      const signing = yield* call(platform, "POST", "/api/sign-in", { body: { name: "Mallory" }, headers })
      assert.strictEqual(signing.status, 403)
      assert.include(signing.body["message"], "--open-sign-in")
      const registering = yield* call(platform, "POST", "/profiles/create", { body: { name: "Bot" }, headers })
      assert.strictEqual(registering.status, 403)
      const { token } = yield* signIn(platform)
      const own = yield* call(platform, "POST", "/profiles/create", { body: { name: "Bot" }, headers, token })
      assert.strictEqual(own.status, 200)
      const open = yield* start({ openSignIn: true })
      assert.strictEqual((yield* call(open, "POST", "/api/sign-in", { body: { name: "Eve" }, headers })).status, 200)
    })
  )
})

describe("ownership", () => {
  it.live("an agent writes into no session and no reply of another agent's", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const rogue = yield* register(platform, "Rogue")
      const worker = yield* agent(platform, keys, "gateway")
      const other = yield* agent(platform, rogue, "gateway")
      assert.deepStrictEqual(other.greeting["sessions"], [])
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1")
      const { response_id } = yield* line.type("message.accepted")
      const got = yield* message(worker)
      pen(worker, "gateway", got, "mine").begin()
      yield* line.type("response.created")
      // By message and session, by the platform's id, by the other agent's own id, and by session alone.
      pen(other, "gateway", got, "forged").complete("forged")
      assert.strictEqual((yield* other.error())["error"]["code"], "unknown_reply")
      for (const id of [response_id, "mine"]) {
        other.send({ type: "response.output_text.delta", response_id: id, delta: "forged" })
        assert.strictEqual((yield* other.error())["error"]["code"], "unknown_reply")
      }
      pen(other, "envelope", { messageId: "m1", sessionId, text: "" }, "x").complete("forged")
      yield* other.error()
      other.send({ type: "session.bind", session_id: sessionId })
      assert.strictEqual((yield* other.error())["error"]["code"], "session_not_found")
      pen(worker, "gateway", got, "mine").complete("the truth")
      yield* line.type("response.completed")
      assert.notInclude(JSON.stringify(line.frames), "forged")
    })
  )

  it.live("a person reaches into nobody else's session, reply or file", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const bob = yield* signIn(platform, "Bob")
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      const spy = yield* person(platform, bob.token)
      ask(line, sessionId, "m1", "a secret")
      const { response_id } = yield* line.type("message.accepted")
      const write = pen(worker, "gateway", yield* message(worker), "mine")
      write.begin()
      yield* line.type("response.created")
      ask(spy, sessionId, "m2")
      assert.strictEqual((yield* spy.error())["error"]["param"], "metadata.session_id")
      for (const frame of [
        { type: "response.cancel", response_id },
        { type: "response.cancel", message_id: "m1", metadata: { session_id: sessionId } },
        { type: "response.resume", response_id },
        { type: "session.bind", session_id: sessionId }
      ]) {
        spy.send(frame)
        yield* spy.error()
      }
      for (const [method, path, body] of [
        ["GET", `/api/session/${sessionId}/messages`, undefined],
        ["PATCH", `/api/session/${sessionId}`, { title: "mine now" }],
        ["DELETE", `/api/session/${sessionId}`, undefined],
        ["GET", `/v1/responses/${response_id}`, undefined],
        ["POST", `/v1/responses/${response_id}/cancel`, {}]
      ] as const) {
        const { status } = yield* call(platform, method, path, {
          token: bob.token,
          ...(body === undefined ? {} : { body })
        })
        assert.strictEqual(status, 404, path)
      }
      write.complete("still here")
      assert.strictEqual((yield* line.type("response.completed"))["response"]["output_text"], "still here")
      assert.notInclude(JSON.stringify(spy.frames), "a secret")
      assert.notInclude(JSON.stringify(spy.frames), "still here")
    })
  )
})

describe("broken frames", () => {
  const strange: ReadonlyArray<string> = [
    "",
    "{",
    "null",
    "[]",
    "42",
    '"text"',
    "{}",
    '{"type":"MESSAGE"}',
    '{"type":"MESSAGE","headers":{},"data":"{"}',
    '{"type":"MESSAGE","headers":null,"data":{"type":5}}',
    '{"type":"response.output_text.delta"}',
    '{"type":"response.output_text.delta","response_id":{"a":1},"delta":["x"]}',
    '{"type":"response.completed","response":{"output":"x"}}',
    '{"object":"response","status":7}',
    '{"input":[]}',
    '{"input":[{"type":"message"}],"metadata":{"session_id":[]}}',
    '{"input":"x","metadata":{"session_id":"nobody\'s"}}',
    '{"type":"session.bind"}',
    '{"type":"session.bind","session_id":{}}',
    '{"type":"response.cancel","response_id":"\\u0000"}',
    '{"type":"response.resume","response_id":"none","starting_after":-1}',
    `{"type":"__proto__","__proto__":{"type":"response.completed"}}`,
    `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
    `{"error":{"code":"x"}}`,
    JSON.stringify({ input: "x".repeat(500_000), metadata: { session_id: "s" } })
  ]

  it.live("neither side breaks the platform or anyone else's conversation", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const rogue = yield* register(platform, "Rogue")
      const bob = yield* signIn(platform, "Bob")
      serve(yield* agent(platform, keys, "envelope"), "envelope", (got) => [got.text])
      const bad = yield* agent(platform, rogue, "gateway")
      const mad = yield* person(platform, bob.token)
      for (const frame of strange) {
        bad.send(frame)
        mad.send(frame)
      }
      bad.ws.send(Buffer.from([0xff, 0xfe]))
      mad.ws.send(Buffer.from([0x00]))
      const line = yield* person(platform, token)
      ask(line, sessionId, "m1", "still fine")
      assert.strictEqual((yield* line.type("response.completed"))["response"]["output_text"], "still fine")
      // Both were told, and both are still connected.
      yield* mad.next((frame) => frame["error"]?.["code"] === "binary_frame")
      yield* bad.next((frame) => frame["error"]?.["code"] === "binary_frame")
      for (const one of mad.frames.filter((frame) => frame["error"] !== undefined)) {
        assert.isAbove(String(one["error"]["message"]).length, 10)
        assert.notMatch(JSON.stringify(one), /node_modules|\.ts:|at Object/)
      }
      assert.isUndefined(mad.ended)
      assert.isUndefined(bad.ended)
    })
  )

  it.live("three thousand frames bent by chance break nothing", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const worker = yield* agent(platform, keys, "envelope")
      const line = yield* person(platform, token)
      ask(line, sessionId, "m0")
      const got = yield* message(worker)
      const bot = { topic: "/v1.0/im/bot/messages", "message-id": got.messageId, "session-id": sessionId }
      const metadata = { session_id: sessionId, message_id: "m0" }
      const good = [
        { type: "MESSAGE", headers: bot, data: JSON.stringify({ type: "response.output_text.delta", delta: "x" }) },
        { type: "MESSAGE", headers: bot, data: { type: "response.in_progress", sequence_number: 3 } },
        { type: "response.created", response: { id: "r", object: "response", status: "in_progress", metadata } },
        { type: "response.output_text.delta", response_id: "r", delta: { text: "y" } },
        { id: "r", object: "response", status: "incomplete", output: [{ content: [{ text: "z" }] }], metadata },
        { input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }], metadata },
        { type: "response.cancel", message_id: "none", metadata },
        { type: "response.resume", response_id: "r", starting_after: 3 },
        { type: "session.bind", session_id: sessionId }
      ].map((frame) => JSON.stringify(frame))
      const junk = ["{", "}", "[", "]", '"', ",", ":", "null", "1e999", "-1", "[]", "{}", '"\\u0000"', "true", "\\", ""]
      for (let index = 0; index < 3_000; index++) {
        let frame = good[index % good.length] ?? ""
        const cuts = yield* Random.nextIntBetween(1, 4)
        for (let cut = 0; cut < cuts; cut++) {
          const at = yield* Random.nextIntBetween(0, frame.length + 1)
          const length = yield* Random.nextIntBetween(0, 12)
          const piece = junk[yield* Random.nextIntBetween(0, junk.length)] ?? ""
          frame = frame.slice(0, at) + piece + frame.slice(at + length)
        }
        worker.send(frame)
        line.send(frame)
      }
      const { token: other } = yield* signIn(platform, "Bob")
      const calm = yield* person(platform, other)
      const session = yield* openSession(platform, other, keys.claw_id)
      ask(calm, session, "after")
      const last = yield* worker.next((frame) => isMessage(frame) && frame["headers"]["message-id"] === "after")
      assert.strictEqual(last["headers"]["session-id"], session)
      assert.isUndefined(worker.ended)
      assert.isUndefined(line.ended)
      assert.strictEqual((yield* call(platform, "GET", "/readyz")).status, 200)
    }).pipe(Random.withSeed("bent"))
  )

  it.live("the gateway's error frame names what is missing", () =>
    Effect.gen(function* () {
      const { platform, token } = yield* setUp
      const line = yield* person(platform, token)
      line.send({
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
        metadata: {}
      })
      const { error } = yield* line.error()
      assert.strictEqual(error.type, "invalid_request")
      assert.strictEqual(error.code, "missing_required_parameter")
      assert.strictEqual(error.param, "metadata.session_id")
      line.send({ input: [], metadata: { session_id: "s" } })
      assert.strictEqual((yield* line.error())["error"]["param"], "input")
    })
  )

  it.live("a frame past one MiB ends its socket with 1009, and only that one", () =>
    Effect.gen(function* () {
      const { keys, platform, sessionId, token } = yield* setUp
      const line = yield* person(platform, token)
      const worker = yield* agent(platform, keys, "gateway")
      worker.send(`{"type":"${"x".repeat(1024 * 1024)}"}`)
      assert.strictEqual((yield* worker.end).code, 1009)
      const back = yield* agent(platform, keys, "gateway")
      ask(line, sessionId, "m1")
      assert.strictEqual((yield* back.next(isMessage))["metadata"]["message_id"], "m1")
    })
  )

  it.live("frames that a peer may not send (unmasked, broken UTF-8) end that socket alone", () =>
    Effect.gen(function* () {
      const { keys, platform, token } = yield* setUp
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      // A text frame whose bytes are no UTF-8, written below the library.
      const socket = (worker.ws as unknown as { readonly _socket: { write: (bytes: Buffer) => void } })._socket
      socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]))
      assert.strictEqual((yield* worker.end).code, 1007)
      const went = yield* line.next((frame) => frame["type"] === "presence.changed" && frame["online"] === false)
      assert.strictEqual(went["claw_id"], keys.claw_id)
    })
  )
})
