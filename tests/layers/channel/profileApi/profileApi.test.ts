import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as TestClock from "effect/testing/TestClock"
import * as HttpProfileApi from "../../../../src/layers/channel/HttpProfileApi.ts"
import * as MemoryProfileApi from "../../../../src/layers/channel/MemoryProfileApi.ts"
import { ProfileApi } from "../../../../src/services/channel/ProfileApi.ts"
import type { Proposal } from "../../../../src/services/protocol/ProfileFields.ts"

const proposal: Proposal = {
  name: "Ada",
  description: "counts",
  avatar: "",
  scene_tags: ["02001"],
  custom_tags: ["maths"],
  hourly_rate: 9,
  instance_type: 0
}

const register = Effect.flatMap(ProfileApi, (api) =>
  api.create({ proposal, token: Option.some(Redacted.make("act-token")), attempt: "attempt-1" })
)

type Answer = (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<Response, HttpClientError.HttpClientError>

const world = (answer: Answer, url = "https://claw.example/profiles/create") => {
  const requests: Array<HttpClientRequest.HttpClientRequest> = []
  const client = HttpClient.make((request) => {
    requests.push(request)
    return Effect.map(answer(request), (response) => HttpClientResponse.fromWeb(request, response))
  })
  const layer = HttpProfileApi.layer({ url: new URL(url) }).pipe(
    Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
  )
  return { requests, layer }
}

const text = (status: number, body: string) => () => Effect.succeed(new Response(body, { status }))
const json = (status: number, body: unknown) => text(status, JSON.stringify(body))

const identity = { app_key: "k", app_secret: "hush", claw_id: "c-9" }

describe("a platform that says yes", () => {
  const memory = MemoryProfileApi.layer({ origin: "https://claw.example" })
  for (const [name, layer] of [
    ["HTTP", world(json(200, identity)).layer],
    ["memory", memory]
  ] as const) {
    it.effect(`${name}: what was registered comes with its origin`, () =>
      Effect.gen(function* () {
        const profile = yield* register
        assert.deepInclude(profile, proposal)
        assert.strictEqual(profile.origin, "https://claw.example")
      }).pipe(Effect.provide(layer))
    )
  }

  for (const [shape, body] of [
    ["bare", identity],
    ["wrapped", { code: 0, message: "ok", data: { ...identity, name: null, something_else: 1 } }]
  ] as const) {
    const { layer, requests } = world(json(200, body))
    it.effect(`${shape}: the profile comes with its origin, and the activation token is used`, () =>
      Effect.gen(function* () {
        const profile = yield* register
        assert.strictEqual(profile.claw_id, "c-9")
        assert.strictEqual(profile.name, "Ada")
        assert.deepStrictEqual(profile.scene_tags, ["02001"])
        assert.strictEqual(profile.origin, "https://claw.example")
        assert.deepStrictEqual(profile.extra, {})
        assert.strictEqual(Redacted.value(profile.app_secret), "hush")
        assert.strictEqual(requests[0]?.headers["authorization"], "Bearer act-token")
      }).pipe(Effect.provide(layer))
    )
  }
})

describe("a platform that does not", () => {
  const transport: Answer = (request) =>
    Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }))
  const cases: ReadonlyArray<readonly [name: string, answer: Answer, transient: boolean, words: RegExp]> = [
    ["refuses with its own words", json(403, { code: 40300, message: "invite\nonly" }), false, /\(403\): invite only/],
    ["refuses without a word", text(401, ""), false, /\(401\): it gave no reason/],
    ["refuses inside a 200", json(200, { code: 40000, message: "name taken" }), false, /\(40000\): name taken/],
    ["has an error of its own", json(500, { error: { message: "oops" } }), true, /error \(500\): oops/],
    ["asks for patience", text(429, ""), true, /error \(429\)/],
    ["answers with a page", text(200, "<!doctype html><title>hi</title>"), true, /a web page answered/],
    ["answers with a page behind a gateway error", text(502, "<html>"), true, /error \(502\)/],
    ["answers with garbage", text(200, "{]"), true, /not what a platform sends/],
    ["answers with nothing", text(200, ""), true, /not what a platform sends/],
    ["leaves out the secret", json(200, { app_key: "k", claw_id: "c" }), true, /app_secret is missing/],
    ["points elsewhere", text(302, ""), true, /points elsewhere \(302\)/],
    ["answers with nothing behind an error", text(503, ""), true, /error \(503\)/],
    ["asks for patience inside a 200", json(200, { code: 50300, message: "later" }), true, /later/],
    [
      "wants a token inside a 200",
      json(200, { code: 40111, message: "it was used" }),
      false,
      /activation token.*used\. Start/
    ],
    ["has keys that are none", json(200, { ...identity, app_key: "a\r\nb: c" }), true, /its keys are none/],
    ["does not stop", text(200, "x".repeat(2_000_000)), true, /far too long/],
    ["is not there", transport, true, /nobody answers at https:\/\/claw\.example/]
  ]
  for (const [name, answer, transient, words] of cases) {
    const { layer } = world(answer)
    it.effect(`${name}: a sentence, and never the token`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(register)
        assert.strictEqual(error.transient, transient)
        assert.match(error.message, words)
        assert.notInclude(error.message, "act-token")
      }).pipe(Effect.provide(layer))
    )
  }

  for (const [shape, body, fields] of [
    [
      "by field",
      { code: 40000, message: "two", data: { fields: [{ field: "name", message: "taken\n" }, { field: 7 }] } },
      [{ field: "name", message: "taken" }]
    ],
    [
      "by its param",
      { code: 40000, message: "taken", data: null, param: "name" },
      [{ field: "name", message: "taken" }]
    ],
    ["as others do", { error: { message: "taken", param: "name" } }, [{ field: "name", message: "taken" }]],
    ["without a field", { code: 40000, message: "no", data: null }, []]
  ] as const) {
    it.effect(`says what it does not take, ${shape}`, () =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(register)
        assert.deepStrictEqual(reason._tag === "RegistrationRefused" ? reason.fields : undefined, fields)
      }).pipe(Effect.provide(world(json(400, body)).layer))
    )
  }

  for (const [status, body, token] of [
    [401, { code: 40112, message: "expired" }, true],
    [403, { code: 40300, message: "no" }, false]
  ] as const) {
    it.effect(`says whether it was the token: ${status}`, () =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(register)
        assert.strictEqual(reason._tag === "RegistrationRefused" ? reason.token : undefined, token)
      }).pipe(Effect.provide(world(json(status, body)).layer))
    )
  }

  const silent = world(() => Effect.never)
  it.effect("never answers: ends after fifteen seconds", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.flip(register))
      yield* TestClock.adjust("14 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.match((yield* Fiber.join(fiber)).message, /did not answer in time/)
    }).pipe(Effect.provide(silent.layer))
  )
})

describe("law secret", () => {
  for (const [url, open] of [
    ["http://claw.example/profiles/create", false],
    ["http://127.0.0.1.claw.example/profiles/create", false],
    ["http://127.0.0.1:9/profiles/create", true],
    ["http://[::1]:9/profiles/create", true]
  ] as const) {
    const { layer, requests } = world(json(200, identity), url)
    it.effect(
      `${url}: ${open ? "this machine, so it may be asked" : "in clear to another host: nothing is sent"}`,
      () =>
        Effect.gen(function* () {
          const exit = yield* Effect.exit(register)
          assert.strictEqual(exit._tag === "Success", open)
          assert.strictEqual(requests.length, open ? 1 : 0)
        }).pipe(Effect.provide(layer))
    )
  }
})
