/** What the nine tools of Claworld do and say, as any host calls them: through a toolbox, over a service of the test. */
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpWorldApi from "../../../src/layers/worlds/HttpWorldApi.ts"
import * as WorldHandlers from "../../../src/layers/worlds/WorldHandlers.ts"
import { toolNames } from "../../../src/services/protocol/WorldTools.ts"

const token = "cwt_canary_5f1c"

interface Call {
  readonly method: string
  readonly path: string
  readonly body: unknown
  readonly headers: Headers
}

type Answer = { readonly status?: number; readonly body: unknown } | "cut"

const agent = {
  agentId: "agt_1",
  agentCode: "ada",
  domain: "claworld.local",
  address: "ada@claworld.local",
  displayName: "Ada",
  discoverable: true,
  contactable: false,
  online: true,
  ownerId: null,
  createdAt: 1
}

/** The tools of two accounts, of which the second has no identity yet. */
const start = Effect.fnUntraced(function* (answer: (call: Call) => Answer, retries = 0) {
  const calls: Array<Call> = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const bytes = init?.body
    const text = bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : typeof bytes === "string" ? bytes : ""
    const call: Call = {
      method: init?.method ?? "GET",
      path: `${url.pathname}${url.search}`,
      body: text === "" ? undefined : JSON.parse(text),
      headers: new Headers(init?.headers)
    }
    calls.push(call)
    const said = answer(call)
    if (said === "cut") throw new TypeError("fetch failed")
    return new Response(typeof said.body === "string" ? said.body : JSON.stringify(said.body), {
      status: said.status ?? 200
    })
  }
  const api = yield* HttpWorldApi.make({
    serverUrl: new URL("http://127.0.0.1:9/base"),
    appToken: Redacted.make(token),
    clientVersion: "1",
    retries
  }).pipe(Effect.provide(FetchHttpClient.layer))
  const withFetch = <A, E>(effect: Effect.Effect<A, E>) => Effect.provideService(effect, FetchHttpClient.Fetch, fetch)
  const box = yield* WorldHandlers.make({
    version: "1.2.3",
    defaultAccount: Effect.undefined,
    accounts: Effect.succeed([
      {
        accountId: "main",
        bound: Effect.succeedSome({
          api,
          source: "verified_app_token" as const,
          agentId: "agt_1",
          agentCode: "ada",
          address: "ada@claworld.local",
          displayName: "Ada"
        }),
        unbound: Effect.succeed({ isPending: false, reason: "" })
      },
      {
        accountId: "second",
        bound: Effect.succeed(Option.none()),
        unbound: Effect.succeed({ isPending: false, reason: "No identity yet." })
      }
    ])
  }).pipe(Effect.provide(SecureRandom.layerWebCrypto))
  return {
    calls,
    tools: box.tools,
    call: (name: string, input: unknown) =>
      Effect.map(withFetch(box.call(name, input)), (result) => ({
        isError: result.isError,
        value: result.value as Record<string, unknown>
      }))
  }
})

const refusal = (status: number, code: string, more: object = {}) => ({
  status,
  body: { error: code, message: `Because of ${code}.`, ...more }
})

describe("the tools of Claworld", () => {
  it.effect("there are nine, closed at every depth, texts at least one long", () =>
    Effect.gen(function* () {
      const { tools } = yield* start(() => "cut")
      assert.deepStrictEqual(
        tools.map(({ name }) => name),
        [...toolNames]
      )
      for (const { name, parameters } of tools) {
        assert.strictEqual(parameters["additionalProperties"], false, name)
        const { accountId } = parameters["properties"] as Record<string, Record<string, unknown>>
        assert.strictEqual(accountId?.["type"], "string", name)
        assert.strictEqual(JSON.stringify(accountId).includes('"minLength":1'), true, name)
      }
    })
  )

  it.effect("pair: what the service says now, and what was known last where it does not answer", () =>
    Effect.gen(function* () {
      const there = yield* start(() => ({ body: { agents: [agent] } }))
      const paired = yield* there.call("claworld_pair_agent", { accountId: "main" })
      assert.strictEqual(paired.value["status"], "paired")
      assert.deepInclude(paired.value["relay"], {
        resolved: true,
        online: true,
        contactable: false,
        domain: "claworld.local"
      })
      assert.strictEqual(there.calls[0]?.headers.get("authorization"), `Bearer ${token}`)
      assert.strictEqual(there.calls[0]?.path, "/base/v1/agents")

      const gone = yield* start(() => "cut")
      const known = yield* gone.call("claworld_pair_agent", { accountId: "main" })
      assert.strictEqual(known.value["bindingSource"], "binding_cache")
      assert.deepInclude(known.value["relay"], { resolved: false, online: false, agentId: "agt_1" })

      const refused = yield* start(() => refusal(401, "unauthorized"))
      const unbound = yield* refused.call("claworld_pair_agent", { accountId: "main" })
      assert.strictEqual(unbound.value["status"], "unbound")
      const second = yield* refused.call("claworld_pair_agent", { accountId: "second" })
      assert.deepInclude(second.value, { status: "unbound", reason: "No identity yet.", relay: null })
    })
  )

  it.effect("an account that is not named, not known or not in Claworld is told so, with the names there are", () =>
    Effect.gen(function* () {
      const { call, calls } = yield* start(() => "cut")
      const unnamed = yield* call("claworld_list_worlds", {})
      assert.deepInclude(unnamed.value, { code: "missing_default_account", category: "config", status: "error" })
      assert.include(unnamed.value["message"], "main, second")
      const unknown = yield* call("claworld_list_worlds", { accountId: "third" })
      assert.deepInclude(unknown.value, { code: "account_unknown", category: "config" })
      const without = yield* call("claworld_list_worlds", { accountId: "second" })
      assert.deepInclude(without.value, { code: "no_identity", category: "bootstrap", nextTool: "claworld_pair_agent" })
      assert.lengthOf(calls, 0)
    })
  )

  it.effect("joining passes the round on as it came, and needs_profile is no error", () =>
    Effect.gen(function* () {
      const needs = {
        status: "needs_profile",
        worldId: "w",
        profileDraft: { headline: "Hi" },
        missingFields: [{ fieldId: "intent", label: "Intent", description: "" }],
        nextFields: [],
        fieldErrors: [],
        forgottenFields: ["location"],
        message: "More.",
        nextAction: "ask_for_missing_fields",
        nextTool: "claworld_join_world"
      }
      const { call, calls } = yield* start(() => ({ body: needs }))
      const input = {
        accountId: "main",
        worldId: "w/../x",
        profileDraft: { headline: "Hi", nothing: null },
        profileUpdate: { intent: "" },
        maxFieldsPerStep: 2
      }
      const { isError, value } = yield* call("claworld_join_world", input)
      assert.isFalse(isError)
      assert.deepInclude(value, { status: "needs_profile", accountId: "main", forgottenFields: ["location"] })
      assert.strictEqual(calls[0]?.path, "/base/v1/worlds/w%2F%2E%2E%2Fx/join")
      const { accountId: _, worldId: __, ...round } = input
      assert.deepStrictEqual(calls[0]?.body, { agentId: "agt_1", ...round })
    })
  )

  for (const [status, code, category] of [
    [401, "unauthorized", "auth"],
    [403, "agent_not_contactable", "policy"],
    [404, "agent_not_found", "input"],
    [409, "target_offline", "conflict"],
    [429, "rate_limited", "input"],
    [503, "store_failed", "runtime"]
  ] as const) {
    it.effect(`a refusal with ${status} is a result of category ${category}, with the service's own words`, () =>
      Effect.gen(function* () {
        const { call } = yield* start(() =>
          refusal(status, code, { fieldErrors: [{ fieldId: "x", code: "y", message: "z" }] })
        )
        const { isError, value } = yield* call("claworld_request_chat", { accountId: "main", targetAgentId: "agt_2" })
        assert.isTrue(isError)
        assert.deepInclude(value, {
          status: "error",
          tool: "claworld_request_chat",
          error: "claworld_tool_failed",
          code,
          category,
          httpStatus: status,
          backendCode: code,
          message: `Because of ${code}.`
        })
        assert.strictEqual(value["recoverable"], status !== 401 && status !== 403)
        assert.deepStrictEqual(value["fieldErrors"], [{ fieldId: "x", code: "y", message: "z" }])
      })
    )
  }

  for (const [name, answer] of [
    ["nobody answers", "cut"],
    ["the answer is no JSON", { body: "<html>" }],
    ["the answer is another one", { body: { worlds: "many" } }]
  ] as const) {
    it.effect(`where ${name} the tool fails as transport, and the token is nowhere in it (law secret)`, () =>
      Effect.gen(function* () {
        const { call } = yield* start(() => answer)
        const { value } = yield* call("claworld_list_worlds", { accountId: "main" })
        assert.deepInclude(value, { code: "relay_fetch_failed", category: "transport", recoverable: true })
        assert.notInclude(JSON.stringify(value), token)
      })
    )
  }

  it.live("a request for a talk that got no answer is made again under its key; feedback and worlds are not", () =>
    Effect.gen(function* () {
      let cuts = 1
      const { call, calls } = yield* start(({ path }) => {
        if (path.endsWith("/chat-requests") && cuts-- > 0) return "cut"
        return path.endsWith("/chat-requests") ? refusal(409, "target_offline") : "cut"
      }, 2)
      yield* call("claworld_request_chat", { accountId: "main", targetAgentId: "agt_2" })
      assert.lengthOf(calls, 2)
      assert.strictEqual(calls[0]?.headers.get("idempotency-key"), calls[1]?.headers.get("idempotency-key"))
      assert.isNotNull(calls[0]?.headers.get("idempotency-key") ?? null)
      yield* call("claworld_submit_feedback", { accountId: "main", category: "bug_report", title: "Slow" })
      assert.lengthOf(
        calls.filter(({ path }) => path.endsWith("/feedback")),
        1
      )
    })
  )

  for (const [name, input] of [
    ["nothing", undefined],
    ["a text", "main"],
    ["a list", []],
    ["an empty account", { accountId: "", targetAgentId: "agt_2" }],
    ["a number for an id", { accountId: "main", targetAgentId: 7 }],
    ["a field that is none", { accountId: "main", targetAgentId: "agt_2", rawMessage: "hi" }],
    ["a prototype", JSON.parse('{"accountId":"main","targetAgentId":"agt_2","__proto__":{"worldId":"w"}}')],
    ["too many turns", { accountId: "main", targetAgentId: "agt_2", episodePolicy: { maxTurns: 1000 } }]
  ] as const) {
    it.effect(`bad input: ${name}`, () =>
      Effect.gen(function* () {
        const { call, calls } = yield* start(() => "cut")
        const { isError, value } = yield* call("claworld_request_chat", input)
        assert.isTrue(isError)
        assert.deepInclude(value, { code: "tool_input_invalid", category: "input", nextTool: "claworld_request_chat" })
        assert.lengthOf(calls, 0)
      })
    )
  }

  it.effect("a name that is none of the nine is answered with the nine, and feedback", () =>
    Effect.gen(function* () {
      const { call } = yield* start(() => "cut")
      const { value } = yield* call("claworld_resolve_agent", {})
      assert.deepInclude(value, { code: "tool_unknown", nextTool: "claworld_submit_feedback" })
      for (const name of toolNames) assert.include(value["message"], name)
    })
  )
})
