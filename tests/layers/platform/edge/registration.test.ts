import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  agent,
  call,
  dial,
  isMessage,
  type Json,
  openSession,
  type Platform,
  register,
  signIn,
  start
} from "./harness.ts"

const activate = (platform: Platform, token: string): Effect.Effect<Json> =>
  Effect.map(call(platform, "POST", "/api/activations", { token }), ({ body }) => body["data"])

const create = (
  platform: Platform,
  options: { readonly token?: string; readonly attempt?: string; readonly body?: unknown; readonly away?: boolean } = {}
) =>
  call(platform, "POST", "/profiles/create", {
    body: options.body === undefined ? { name: "Ada" } : options.body,
    ...(options.token === undefined ? {} : { token: options.token }),
    headers: {
      ...(options.attempt === undefined ? {} : { "idempotency-key": options.attempt }),
      ...(options.away === true ? { "x-forwarded-for": "198.51.100.1" } : {})
    }
  })

const mine = (platform: Platform, token: string): Effect.Effect<ReadonlyArray<Json>> =>
  Effect.map(call(platform, "GET", "/api/my/agents", { token }), ({ body }) => body["data"]["items"])

const keysOf = (data: Json) => ({ "x-app-key": data["app_key"], "x-app-secret": data["app_secret"] })

describe("activation", () => {
  it.live("a person's token registers one agent as theirs, from anywhere", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const activation = yield* activate(platform, ann.token)
      assert.match(activation["session_token"], /^cact_/)
      assert.strictEqual(activation["expires_in"], 900)
      const made = yield* create(platform, { token: activation["session_token"], away: true })
      assert.strictEqual(made.status, 200)
      assert.strictEqual(made.body["data"]["state"], "approved")
      const own = yield* mine(platform, ann.token)
      assert.deepStrictEqual(
        own.map(({ claw_id, state }) => [claw_id, state]),
        [[made.body["data"]["claw_id"], "approved"]]
      )
      const listed = yield* call(platform, "GET", "/api/activations", { token: ann.token })
      assert.strictEqual(listed.body["data"]["items"][0]["claw_id"], made.body["data"]["claw_id"])
      assert.notInclude(JSON.stringify(listed.body), activation["session_token"])
      const bob = yield* signIn(platform, "Bob")
      assert.deepStrictEqual(yield* mine(platform, bob.token), [])
    })
  )

  it.live("used, too old, withdrawn, made up: 401 in words, each with its code, and nothing is registered", () =>
    Effect.gen(function* () {
      const platform = yield* start({ activations: { lifetime: "200 millis" } })
      const ann = yield* signIn(platform)
      const bob = yield* signIn(platform, "Bob")
      const used = yield* activate(platform, ann.token)
      assert.strictEqual((yield* create(platform, { token: used["session_token"] })).status, 200)
      const withdrawn = yield* activate(platform, ann.token)
      const path = `/api/activations/${withdrawn["activation_id"]}`
      assert.strictEqual((yield* call(platform, "DELETE", path, { token: bob.token })).status, 404)
      assert.strictEqual((yield* call(platform, "DELETE", path, { token: ann.token })).status, 200)
      const old = yield* activate(platform, ann.token)
      yield* Effect.sleep("250 millis")
      for (const [token, code] of [
        [used["session_token"], 40111],
        [withdrawn["session_token"], 40110],
        [old["session_token"], 40112],
        ["cact_of-another-platform", 40110],
        ["nonsense", 40110],
        ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyXzEifQ.", 40100],
        ["ck_nobodys", 40100]
      ] as const) {
        const { body, status } = yield* create(platform, { token })
        assert.deepStrictEqual([status, body["code"], body["data"]], [401, code, null])
        assert.include(body["message"], ". ")
        assert.notInclude(body["message"], token)
      }
      assert.lengthOf(yield* mine(platform, ann.token), 1)
      const all = yield* call(platform, "GET", "/api/agents", { token: ann.token })
      assert.lengthOf(all.body["data"]["items"], 1)
    })
  )

  it.live("of two at once with one token exactly one is registered", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const { session_token } = yield* activate(platform, ann.token)
      const answers = yield* Effect.forEach(
        ["Ada", "Bea", "Cid", "Dan"],
        (name) => create(platform, { token: session_token, body: { name } }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(answers.map(({ status }) => status).sort(), [200, 401, 401, 401])
      assert.lengthOf(yield* mine(platform, ann.token), 1)
    })
  )

  it.live("a long-lived key starts none: what comes of it would outlive the key", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { token } = yield* signIn(platform)
      const { key } = (yield* call(platform, "POST", "/api/keys", { token, body: { name: "k" } })).body["data"]
      assert.strictEqual((yield* call(platform, "POST", "/api/activations", { token: key })).status, 403)
    })
  )
})

describe("repeating a registration", () => {
  const attempt = "0b7f6c1e-5a4d-4f0e-9a53-1d7c3a1e8b11"

  it.live("the same key with the same token is the same agent, with a secret that works", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const { session_token } = yield* activate(platform, ann.token)
      const first = yield* create(platform, { token: session_token, attempt })
      const second = yield* create(platform, { token: session_token, attempt })
      assert.strictEqual(second.status, 200)
      assert.strictEqual(second.body["data"]["claw_id"], first.body["data"]["claw_id"])
      assert.strictEqual(second.body["data"]["app_key"], first.body["data"]["app_key"])
      yield* agent(platform, second.body["data"])
      const late = yield* create(platform, { token: session_token, attempt })
      assert.deepStrictEqual([late.status, late.body["code"]], [409, 40900])
      assert.include(late.body["message"], "No second agent was made")
      assert.lengthOf(yield* mine(platform, ann.token), 1)
    })
  )

  it.live("on this machine it is so without a token; another token, or another key, is another agent", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const ids = new Set<string>()
      const note = (answer: { readonly body: Json }) => void ids.add(answer.body["data"]["claw_id"])
      note(yield* create(platform, { attempt }))
      note(yield* create(platform, { attempt }))
      assert.strictEqual(ids.size, 1)
      const { session_token } = yield* activate(platform, ann.token)
      note(yield* create(platform, { attempt, token: session_token }))
      note(yield* create(platform, { attempt, token: ann.token }))
      note(yield* create(platform, { attempt: `${attempt}-2` }))
      assert.strictEqual(ids.size, 4)
    })
  )

  it.live("a key that could be guessed is refused, and an absurd one too", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      for (const key of ["1", "fifteen-letters", "x".repeat(201), "with a space in it"]) {
        const { body, status } = yield* create(platform, { attempt: key })
        assert.deepStrictEqual([status, body["param"]], [400, "idempotency-key"])
      }
    })
  )
})

describe("fields", () => {
  it.live("all that cannot be taken is told at once, by field, and the token is still good", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const { session_token } = yield* activate(platform, ann.token)
      const absurd = {
        name: { not: "text" },
        description: "x".repeat(2_001),
        avatar: "javascript:alert(1)",
        scene_tags: ["text", 7],
        custom_tags: Array.from({ length: 21 }, (_, i) => `t${i}`),
        hourly_rate: -1,
        instance_type: 0.5,
        dialect: "latin"
      }
      const { body, status } = yield* create(platform, { token: session_token, body: absurd })
      assert.deepStrictEqual([status, body["code"], body["param"]], [400, 40000, "name"])
      const fields: ReadonlyArray<Json> = body["data"]["fields"]
      assert.deepStrictEqual(new Set(fields.map(({ field }) => field)), new Set(Object.keys(absurd)))
      for (const { message } of fields) assert.match(message, /\.$/)
      assert.strictEqual((yield* create(platform, { token: session_token })).status, 200)
      for (const odd of [[], "text", 7, null]) {
        const answer = yield* create(platform, { body: odd })
        assert.strictEqual(answer.status, 400, JSON.stringify(odd))
        assert.include(answer.body["message"], " ")
      }
    })
  )

  it.live("an owner edits what the agent says of itself; what is named wrong changes nothing", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const bob = yield* signIn(platform, "Bob")
      const { claw_id } = (yield* create(platform, { token: ann.token, body: { name: "Ada", custom_tags: ["sums"] } }))
        .body["data"]
      const path = `/api/agents/${claw_id}`
      const edited = yield* call(platform, "PATCH", path, {
        token: ann.token,
        body: { name: "Bea", scene_tags: ["07001"], hourly_rate: "2.5", dialect: "gateway" }
      })
      assert.deepInclude(edited.body["data"], {
        name: "Bea",
        scene_tags: ["07001"],
        custom_tags: ["sums"],
        hourly_rate: 2.5,
        dialect: "gateway"
      })
      const bad = yield* call(platform, "PATCH", path, { token: ann.token, body: { name: "", hourly_rate: "much" } })
      assert.deepStrictEqual(
        bad.body["data"]["fields"].map(({ field }: Json) => field),
        ["name", "hourly_rate"]
      )
      assert.strictEqual((yield* mine(platform, ann.token))[0]?.["name"], "Bea")
      for (const [method, where] of [
        ["PATCH", path],
        ["POST", `${path}/deactivate`],
        ["POST", `${path}/activate`]
      ] as const) {
        const foreign = yield* call(platform, method, where, { token: bob.token, body: { name: "Mine" } })
        assert.strictEqual(foreign.status, 403, where)
        const nothing = yield* call(platform, method, where.replace(claw_id, "claw_x"), {
          token: ann.token,
          body: { name: "Mine" }
        })
        assert.strictEqual(nothing.status, 404, where)
      }
    })
  )

  it.live("what a profile may hold is in the description of the API, with the bounds that are kept", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { paths } = (yield* call(platform, "GET", "/openapi.json")).body
      const create = paths["/profiles/create"]["post"]
      const schema = create["requestBody"]["content"]["application/json"]["schema"]
      assert.deepStrictEqual(schema["required"], ["name"])
      assert.strictEqual(schema["properties"]["name"]["maxLength"], 64)
      assert.strictEqual(schema["properties"]["custom_tags"]["maxItems"], 20)
      assert.deepStrictEqual(create["parameters"], [
        { name: "idempotency-key", in: "header", required: false, schema: { type: "string" } }
      ])
      for (const status of ["400", "401", "403", "409", "429"]) assert.property(create["responses"], status)
      for (const [path, method] of [
        ["/api/my/agents", "get"],
        ["/api/agents/{claw_id}", "patch"],
        ["/api/agents/{claw_id}/deactivate", "post"],
        ["/api/activations", "post"],
        ["/api/activations/{activation_id}", "delete"]
      ] as const) {
        assert.deepStrictEqual(paths[path][method]["security"], [{ bearer: [] }], path)
      }
      assert.deepStrictEqual(paths["/api/scene-tags"]["get"]["security"] ?? [], [])
    })
  )

  it.live("scene tags have names in both languages, open to all", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { body } = yield* call(platform, "GET", "/api/scene-tags")
      const tags = new Map(body["data"]["items"].map((tag: Json) => [tag["code"], tag["names"]["zh"]]))
      assert.strictEqual(tags.get("02001"), "文档处理")
      assert.isTrue(tags.has("04003") && tags.has("07001"))
    })
  )
})

describe("standing", () => {
  it.live("an agent that is switched off loses its line, is refused with 40102, and comes back", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const ann = yield* signIn(platform)
      const { data } = (yield* create(platform, { token: ann.token })).body as { readonly data: Json }
      const keys = keysOf(data)
      const line = yield* agent(platform, data as never, "gateway")
      const path = `/api/agents/${data["claw_id"]}`
      const off = yield* call(platform, "POST", `${path}/deactivate`, { token: ann.token })
      assert.deepInclude(off.body["data"], { state: "inactive", inactive_by: "owner" })
      assert.strictEqual((yield* line.end).code, 4003)
      const refused = yield* (yield* dial(platform, keys)).refusal
      assert.deepStrictEqual([refused.status, refused.body["code"]], [403, 40102])
      assert.include(refused.body["message"], "switched off")
      // No other door of an agent is open to it either.
      const rotation = yield* call(platform, "POST", "/profiles/rotate", { headers: keys, body: {} })
      assert.deepStrictEqual([rotation.status, rotation.body["code"]], [403, 40102])
      const file = yield* call(platform, "GET", "/files/file_x", { headers: keys })
      assert.deepStrictEqual([file.status, file.body["code"]], [403, 40102])
      // What is said to it meanwhile waits.
      const sessionId = yield* openSession(platform, ann.token, data["claw_id"])
      const person = yield* dial(platform, { authorization: `Bearer ${ann.token}` })
      yield* person.type("session.auto_bound")
      person.send({
        input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "later" }] }],
        metadata: { session_id: sessionId, message_id: "m1" }
      })
      yield* person.type("message.accepted")
      yield* call(platform, "POST", `${path}/activate`, { token: ann.token })
      const back = yield* agent(platform, data as never, "gateway")
      assert.strictEqual((yield* back.next(isMessage))["metadata"]["message_id"], "m1")
    })
  )

  it.live("where approval is needed, an agent waits unseen, and is refused with 40103", () =>
    Effect.gen(function* () {
      const platform = yield* start({ approval: "needed" })
      const ann = yield* signIn(platform)
      const bob = yield* signIn(platform, "Bob")
      const made = yield* create(platform, { token: ann.token })
      assert.strictEqual(made.body["data"]["state"], "pending")
      assert.include(made.body["message"], "waits until")
      const refused = yield* (yield* dial(platform, keysOf(made.body["data"]))).refusal
      assert.deepStrictEqual([refused.status, refused.body["code"]], [403, 40103])
      const { claw_id } = made.body["data"]
      assert.strictEqual((yield* mine(platform, ann.token))[0]?.["state"], "pending")
      for (const { token } of [ann, bob]) {
        assert.deepStrictEqual((yield* call(platform, "GET", "/api/agents", { token })).body["data"]["items"], [])
        assert.deepStrictEqual((yield* call(platform, "GET", "/v1/models", { token })).body["data"], [])
        const session = yield* call(platform, "POST", "/api/session/create", { token, body: { claw_id } })
        assert.strictEqual(session.status, 404)
      }
      assert.strictEqual((yield* call(platform, "GET", `/api/agents/${claw_id}`, { token: bob.token })).status, 404)
      // Off and on again is no way past the operator.
      yield* call(platform, "POST", `/api/agents/${claw_id}/deactivate`, { token: ann.token })
      const on = yield* call(platform, "POST", `/api/agents/${claw_id}/activate`, { token: ann.token })
      assert.strictEqual(on.body["data"]["state"], "pending")
      const nobodys = yield* register(platform, "Nobody's")
      assert.strictEqual((yield* (yield* dial(platform, keysOf({ ...nobodys }))).refusal).status, 403)
    })
  )
})
