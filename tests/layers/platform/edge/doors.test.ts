import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Authorization, InstaClawApi } from "../../../../src/services/protocol/InstaClawApi.ts"
import {
  agent,
  ask,
  call,
  dial,
  isMessage,
  type Json,
  openSession,
  person,
  rawCall,
  register,
  signIn,
  start
} from "./harness.ts"

describe("calls", () => {
  it.live("registers an agent with either kind of instance_type and shows the secret once", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      for (const instance_type of [0, "0", "plugin"]) {
        const { body, status } = yield* call(platform, "POST", "/profiles/create", {
          body: {
            name: "Ada",
            description: "helps",
            avatar: "",
            scene_tags: ["02001"],
            custom_tags: ["x"],
            hourly_rate: 12.5,
            instance_type
          }
        })
        assert.strictEqual(status, 200)
        assert.strictEqual(body["code"], 0)
        assert.deepInclude(body["data"], { name: "Ada", hourly_rate: 12.5, instance_type: 0, scene_tags: ["02001"] })
        assert.match(body["data"]["app_secret"], /^[\w-]{40,}$/)
      }
      const { token } = yield* signIn(platform)
      const agents = yield* call(platform, "GET", "/api/agents?limit=2", { token })
      assert.lengthOf(agents.body["data"]["items"], 2)
      assert.isString(agents.body["data"]["next"])
      const rest = yield* call(platform, "GET", `/api/agents?after=${agents.body["data"]["next"]}`, { token })
      assert.lengthOf(rest.body["data"]["items"], 1)
      assert.notInclude(JSON.stringify(agents.body), "app_key")
    })
  )

  it.live("sessions: made, listed bare, renamed, removed; other windows are told", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const { token, user_id } = yield* signIn(platform)
      const line = yield* person(platform, token)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      yield* line.next((frame) => frame["type"] === "session.changed" && frame["session_id"] === sessionId)
      const list = yield* call(platform, "POST", "/api/session/list", { token })
      assert.isArray(list.body)
      assert.deepInclude(list.body[0], { session_id: sessionId, user_id, assistant_id: keys.claw_id })
      yield* call(platform, "PATCH", `/api/session/${sessionId}`, { token, body: { title: "Plans" } })
      assert.strictEqual((yield* line.type("session.changed"))["title"], "Plans")
      ask(line, sessionId, "m1")
      yield* line.type("message.accepted")
      const removed = yield* call(platform, "DELETE", `/api/session/${sessionId}`, { token })
      assert.strictEqual(removed.status, 200)
      yield* line.type("session.removed")
      const gone = yield* call(platform, "GET", `/api/session/${sessionId}/messages`, { token })
      assert.strictEqual(gone.status, 404)
    })
  )

  it.live("history comes newest first, by cursor, and says what is under way", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const line = yield* person(platform, token)
      for (const id of ["a", "b", "c"]) {
        ask(line, sessionId, id)
        yield* line.next((frame) => frame["type"] === "message.accepted" && frame["message_id"] === id)
      }
      const first = yield* call(platform, "GET", `/api/session/${sessionId}/messages?limit=2`, { token })
      assert.deepStrictEqual(
        first.body["data"]["items"].map((item: { message_id: string }) => item.message_id),
        ["c", "b"]
      )
      const next = yield* call(
        platform,
        "GET",
        `/api/session/${sessionId}/messages?limit=2&before=${first.body["data"]["next"]}`,
        { token }
      )
      assert.deepStrictEqual(
        next.body["data"]["items"].map((item: { message_id: string; status: string }) => [
          item.message_id,
          item.status
        ]),
        [["a", "waiting"]]
      )
      assert.isNull(next.body["data"]["next"])
    })
  )

  it.live("keys: shown once, work for /v1, are revoked", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { token } = yield* signIn(platform)
      const made = yield* call(platform, "POST", "/api/keys", { token, body: { name: "laptop" } })
      const { key, key_id } = made.body["data"]
      assert.strictEqual((yield* call(platform, "GET", "/v1/models", { token: key })).status, 200)
      const list = yield* call(platform, "GET", "/api/keys", { token })
      assert.notInclude(JSON.stringify(list.body), key)
      assert.strictEqual((yield* call(platform, "DELETE", `/api/keys/${key_id}`, { token })).status, 200)
      assert.strictEqual((yield* call(platform, "GET", "/v1/models", { token: key })).status, 401)
    })
  )

  it.live("bad parameters are answered with 400, a sentence and the name of the field", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { token } = yield* signIn(platform)
      for (const [method, path, body, param] of [
        ["GET", "/api/agents?limit=abc", undefined, "limit"],
        ["GET", "/api/agents?limit=0", undefined, "limit"],
        ["GET", "/api/session/x/messages?before=1.5", undefined, "before"],
        ["POST", "/api/session/create", {}, "claw_id"],
        ["POST", "/api/session/create", { claw_id: 7 }, "claw_id"],
        ["POST", "/api/sign-in", { name: "" }, "name"],
        ["POST", "/api/keys", { name: ["x"] }, "name"],
        ["POST", "/profiles/create", { name: "A", scene_tags: "02001" }, "scene_tags"],
        ["POST", "/profiles/create", { description: "no name" }, "name"]
      ] as const) {
        const { body: said, status } = yield* call(platform, method, path, {
          token,
          ...(body === undefined ? {} : { body })
        })
        assert.strictEqual(status, 400, path)
        assert.strictEqual(said["code"], 40000)
        assert.strictEqual(said["param"], param)
        if (path === "/profiles/create") assert.strictEqual(said["data"]["fields"][0]["field"], param)
        else assert.isNull(said["data"])
        assert.include(said["message"], " ")
      }
    })
  )

  it.live("what is not there, not allowed or not readable is answered as data, in words", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      for (const [path, status] of [
        ["/api/nothing", 404],
        ["/bots/nothing", 404],
        ["/api/agents", 401],
        ["/files/file_x", 401],
        ["/ws/chat", 426]
      ] as const) {
        const said = yield* call(platform, "GET", path)
        assert.strictEqual(said.status, status, path)
        assert.isString(said.body["message"], path)
        assert.strictEqual(said.headers.get("x-content-type-options"), "nosniff")
      }
      const v1 = yield* call(platform, "GET", "/v1/nothing")
      assert.strictEqual(v1.body["error"]["type"], "invalid_request_error")
      const huge = yield* call(platform, "POST", "/api/sign-in", { body: { name: "x".repeat(3_000_000) } })
      assert.oneOf(huge.status, [400, 413])
      assert.isString(huge.body["message"])
      const put = yield* call(platform, "PUT", "/api/sign-in", { body: {} })
      assert.strictEqual(put.status, 405)
      assert.isString(put.body["message"])
    })
  )

  it.live("the definition makes a typed client that speaks to the server", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const client = yield* HttpApiClient.make(InstaClawApi, { baseUrl: platform.url }).pipe(
        Effect.provide(
          Layer.merge(
            FetchHttpClient.layer,
            HttpApiMiddleware.layerClient(Authorization, ({ next, request }) =>
              next(HttpClientRequest.bearerToken(request, token))
            )
          )
        )
      )
      const made = yield* client.chat.createSession({ payload: { claw_id: keys.claw_id } })
      const list = yield* client.chat.listSessions()
      assert.strictEqual(list[0]?.session_id, made.data.session_id)
      const refused = yield* Effect.flip(client.chat.createSession({ payload: { claw_id: "nobody" } }))
      assert.strictEqual("code" in refused ? refused.code : undefined, 40400)
    })
  )
})

describe("files", () => {
  const upload = (
    url: string,
    token: string,
    filename: string,
    type: string,
    bytes: string | Uint8Array<ArrayBuffer>,
    field = "file"
  ) =>
    Effect.promise(async () => {
      const form = new FormData()
      form.append(field, new Blob([bytes], { type }), filename)
      const response = await fetch(`${url}/api/files`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: form
      })
      return { status: response.status, body: (await response.json()) as Json }
    })

  it.live("a file of a message is read by its person and its agent, by nobody else", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const rogue = yield* register(platform, "Rogue")
      const { token } = yield* signIn(platform)
      const bob = yield* signIn(platform, "Bob")
      const sessionId = yield* openSession(platform, token, keys.claw_id)
      const { body, status } = yield* upload(platform.url, token, 'Größe "1".txt', "text/plain", "content")
      assert.strictEqual(status, 200)
      const { file_id, url } = body["data"]
      const agentKeys = { "x-app-key": keys.app_key, "x-app-secret": keys.app_secret }
      // Not yet part of a session: the agent may not read it.
      assert.strictEqual((yield* call(platform, "GET", url, { headers: agentKeys })).status, 404)
      const worker = yield* agent(platform, keys, "gateway")
      const line = yield* person(platform, token)
      line.send({
        input: [{ type: "message", role: "user", content: [{ type: "input_file", file_id, filename: "a.txt" }] }],
        metadata: { session_id: sessionId, message_id: "m1" }
      })
      const part = (yield* worker.next(isMessage))["input"][0]["content"][0]
      assert.strictEqual(part["file_url"], `${platform.url}${url}`)
      const read = yield* call(platform, "GET", url, { headers: agentKeys })
      assert.strictEqual(read.body["text"], "content")
      assert.strictEqual(read.headers.get("x-content-type-options"), "nosniff")
      assert.match(read.headers.get("content-security-policy") ?? "", /^sandbox/)
      assert.match(read.headers.get("content-disposition") ?? "", /filename\*=UTF-8''Gr%C3%B6/)
      assert.strictEqual((yield* call(platform, "GET", url, { token })).status, 200)
      assert.strictEqual((yield* call(platform, "GET", url)).status, 401)
      assert.strictEqual((yield* call(platform, "GET", url, { token: bob.token })).status, 404)
      const foreign = { "x-app-key": rogue.app_key, "x-app-secret": rogue.app_secret }
      assert.strictEqual((yield* call(platform, "GET", url, { headers: foreign })).status, 404)
      // Bob cannot make it part of a session of his own either.
      const bobs = yield* openSession(platform, bob.token, rogue.claw_id)
      const thief = yield* person(platform, bob.token)
      thief.send({
        input: [{ type: "message", role: "user", content: [{ type: "input_file", file_id }] }],
        metadata: { session_id: bobs, message_id: "m1" }
      })
      assert.strictEqual((yield* thief.error())["error"]["type"], "not_found")
    })
  )

  it.live("a page that somebody uploads is never opened as a page", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { token } = yield* signIn(platform)
      const { body } = yield* upload(platform.url, token, "x.html", "text/html", "<script>alert(1)</script>")
      const { headers } = yield* call(platform, "GET", body["data"].url, { token })
      assert.notMatch(headers.get("content-type") ?? "", /html/)
      assert.match(headers.get("content-disposition") ?? "", /^attachment/)
    })
  )

  it.live("too large, no file, no form: refused in words", () =>
    Effect.gen(function* () {
      const platform = yield* start({ files: { maxSize: 1000 } })
      const { token } = yield* signIn(platform)
      const large = yield* upload(platform.url, token, "l.bin", "application/octet-stream", new Uint8Array(100_000))
      assert.strictEqual(large.status, 413)
      assert.isString(large.body["message"])
      const none = yield* upload(platform.url, token, "a.txt", "text/plain", "x", "other")
      assert.strictEqual(none.status, 400)
      assert.strictEqual(none.body["param"], "file")
      const json = yield* call(platform, "POST", "/api/files", { token, body: {} })
      assert.oneOf(json.status, [400, 415])
      assert.isString(json.body["message"])
    })
  )
})

describe("operations", () => {
  it.live("health, readiness, counters, description", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      yield* agent(platform, keys)
      assert.strictEqual((yield* call(platform, "GET", "/healthz")).status, 200)
      assert.strictEqual((yield* call(platform, "GET", "/readyz")).status, 200)
      const metrics = yield* call(platform, "GET", "/metrics")
      assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain/)
      assert.include(metrics.body["text"], "clawfiber_agents_online 1\n")
      assert.include((yield* call(platform, "GET", "/openapi.json")).body["paths"], {})
      const docs = yield* call(platform, "GET", "/docs")
      assert.include(docs.body["text"], "/api/session/create")
      // Works offline and under the strictest policy: no script, nothing of another host.
      assert.notMatch(docs.body["text"], /<script|https?:\/\//)
    })
  )

  it.live("the page is served with a strict policy; its own addresses lead to it; files are found by name", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(`${root}/index.html`, "<title>the page</title>")
      yield* fs.makeDirectory(`${root}/assets`)
      yield* fs.writeFileString(`${root}/assets/a.js`, "1")
      const platform = yield* start({ uiRoot: root })
      for (const path of ["/", "/chat/sess_1"]) {
        const page = yield* call(platform, "GET", path, { headers: { accept: "text/html" } })
        assert.strictEqual(page.body["text"], "<title>the page</title>")
        const policy = page.headers.get("content-security-policy") ?? ""
        assert.include(policy, "script-src 'self';")
        assert.include(policy, "frame-ancestors 'none'")
        assert.strictEqual(page.headers.get("cache-control"), "no-cache")
      }
      const asset = yield* call(platform, "GET", "/assets/a.js")
      assert.include(asset.headers.get("cache-control") ?? "", "immutable")
      assert.strictEqual((yield* rawCall(platform, "/../../etc/passwd", {})).status === 200, false)
      assert.strictEqual((yield* rawCall(platform, "/%2e%2e/%2e%2e/etc/passwd", {})).status === 200, false)
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("without a built page a sentence says so", () =>
    Effect.gen(function* () {
      const platform = yield* start({ uiRoot: "/nowhere" })
      const page = yield* call(platform, "GET", "/")
      assert.strictEqual(page.status, 200)
      assert.include(page.body["text"], "npm run build:ui")
    })
  )

  it.live("a port in use is a typed error with a sentence that names it", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const error = yield* Effect.flip(start({ port: platform.port }))
      assert.strictEqual(error._tag, "CannotListen")
      assert.include(error.message, String(platform.port))
      assert.include(error.message, "--port")
    })
  )

  it.live("law stop: sockets end with 1001, new ones find nobody", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const keys = yield* register(platform)
      const { token } = yield* signIn(platform)
      const worker = yield* agent(platform, keys)
      const line = yield* person(platform, token)
      yield* platform.stop
      assert.strictEqual((yield* worker.end).code, 1001)
      assert.strictEqual((yield* line.end).code, 1001)
      const late = yield* dial(platform, { authorization: `Bearer ${token}` })
      assert.strictEqual((yield* late.end).code, 1006)
    })
  )
})
