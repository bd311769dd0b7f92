/** Claworld's doors over HTTP: who may, what is refused, and how that is said. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { call, rawCall, signIn, start } from "../edge/harness.ts"
import { activate, connect, event, reply, talking } from "./relayClient.ts"

describe("Claworld's doors", () => {
  it.live("an agent by its token in any of three headers, a person for agents of theirs, nobody else", () =>
    Effect.gen(function* () {
      const platform = yield* start({ behindProxy: 1 })
      const { token } = yield* signIn(platform, "Ann")
      const { token: other } = yield* signIn(platform, "Eve")
      const agent = yield* activate(platform, "Ann's", token)
      const wild = yield* activate(platform, "Nobody's")
      assert.match(agent.address, /^[a-z0-9._-]+@/)
      for (const headers of [
        { authorization: `Bearer ${agent.appToken}` },
        { "x-claworld-app-token": agent.appToken },
        { "x-api-key": agent.appToken }
      ]) {
        const { body, status } = yield* call(platform, "GET", "/v1/agents", { headers })
        assert.strictEqual(status, 200)
        assert.deepInclude(body["agents"][0], { agentId: agent.agentId, online: false, contactable: true })
        assert.notInclude(JSON.stringify(body), agent.appToken)
      }
      const away = { "x-forwarded-for": "203.0.113.7" }
      const own = yield* call(platform, "GET", "/v1/agents", { token, headers: away })
      assert.strictEqual(own.body["agents"].length, 1)
      for (const headers of [{}, { authorization: "Bearer cwa_none" }, { authorization: "Bearer x.y.z" }]) {
        const { body, status } = yield* call(platform, "GET", "/v1/worlds", { headers })
        assert.strictEqual(status, 401)
        assert.deepInclude(body, { error: "unauthorized", nextTool: "claworld_pair_agent" })
      }
      const edit = (as: string, agentId: string) =>
        call(platform, "PATCH", `/v1/agents/${agentId}`, { token: as, headers: away, body: { contactable: false } })
      assert.deepInclude((yield* edit(token, agent.agentId)).body, { contactable: false })
      for (const [as, agentId] of [
        [other, agent.agentId],
        [wild.appToken, agent.agentId],
        [token, wild.agentId]
      ] as const) {
        const { body, status } = yield* edit(as, agentId)
        assert.strictEqual(status, 403)
        assert.strictEqual(body["error"], "not_your_agent")
      }
    })
  )

  it.live("an agent that nobody owns is whoever's is signed in on the platform's machine; a key does not count", () =>
    Effect.gen(function* () {
      const platform = yield* start({ behindProxy: 1 })
      const { token } = yield* signIn(platform, "Ann")
      const { token: other } = yield* signIn(platform, "Eve")
      const mine = yield* activate(platform, "Ann's", token)
      const wild = yield* activate(platform, "Nobody's")
      const key = (yield* call(platform, "POST", "/api/keys", { token, body: { name: "program" } })).body["data"]
      const seen = (as: string, headers = {}) =>
        Effect.map(call(platform, "GET", "/v1/agents", { token: as, headers }), ({ body }) =>
          body["agents"].map((agent: { agentId: string }) => agent.agentId)
        )
      assert.deepStrictEqual(yield* seen(token), [mine.agentId, wild.agentId])
      assert.deepStrictEqual(yield* seen(other), [wild.agentId])
      assert.deepStrictEqual(yield* seen(token, { "x-forwarded-for": "203.0.113.7" }), [mine.agentId])
      assert.deepStrictEqual(yield* seen(key["key"]), [mine.agentId])
      const profile = { headline: "Somebody", intent: "To talk", location: "Here" }
      const joined = yield* call(platform, "POST", "/v1/worlds/dating-demo-world/join", {
        token: other,
        body: { agentId: wild.agentId, profileSnapshot: profile }
      })
      assert.strictEqual(joined.body["status"], "joined")
      const made = yield* call(platform, "POST", "/v1/worlds", {
        token: other,
        body: {
          agentId: wild.agentId,
          displayName: "New",
          summary: "New.",
          entryProfileSchema: { fields: [{ fieldId: "a", label: "A", type: "text" }] }
        }
      })
      const worldId = made.body["worldId"]
      const shut = yield* call(platform, "PATCH", `/v1/worlds/${worldId}`, { token, body: { isEnabled: false } })
      assert.strictEqual(shut.status, 200)
      const worlds = yield* call(platform, "GET", `/v1/agents/${wild.agentId}/worlds`, { token })
      const [entered, run] = worlds.body["items"]
      assert.deepInclude(entered, { worldId: "dating-demo-world", isAdmin: false, isEnabled: true, profile })
      assert.deepInclude(run, { worldId, isAdmin: true, isEnabled: false, joinedAt: null })
      const foreign = yield* call(platform, "GET", `/v1/agents/${mine.agentId}/worlds`, { token: other })
      assert.strictEqual(foreign.status, 403)
      yield* call(platform, "PUT", `/v1/agents/${wild.agentId}/blocked/${mine.agentId}`, { token })
      const blocked = yield* call(platform, "GET", `/v1/agents/${wild.agentId}/blocked`, { token })
      assert.deepInclude(blocked.body["items"][0], { agentId: mine.agentId, displayName: "Ann's" })
      assert.strictEqual(
        (yield* call(platform, "GET", `/v1/agents/${mine.agentId}/blocked`, { token: other })).status,
        403
      )
    })
  )

  it.live("activation is open on this machine, and elsewhere for people alone", () =>
    Effect.gen(function* () {
      const platform = yield* start({ behindProxy: 1 })
      const { token } = yield* signIn(platform)
      const away = { "x-forwarded-for": "203.0.113.7" }
      const from = (headers: Record<string, string>, body: object = { displayName: "Far" }) =>
        call(platform, "POST", "/v1/onboarding/activate", { headers, body })
      const closed = yield* from(away)
      assert.strictEqual(closed.status, 403)
      assert.deepInclude(closed.body, { error: "sign_in_needed", requiredAction: "sign_in" })
      const agent = yield* from({ ...away, authorization: `Bearer ${token}` }, { displayName: "Far", agentCode: "far" })
      assert.strictEqual(agent.status, 200)
      assert.strictEqual(agent.body["agentCode"], "far")
      const bad = yield* from({ ...away, authorization: "Bearer ck_wrong" })
      assert.deepInclude(bad.body, { error: "unauthorized" })
      const taken = yield* from({}, { displayName: "Too", agentCode: "far" })
      assert.strictEqual(taken.status, 409)
      assert.strictEqual(taken.body["error"], "agent_code_taken")
      const name = yield* from({}, { displayName: "" })
      assert.strictEqual(name.body["fieldErrors"][0]["fieldId"], "displayName")
      let last = closed
      for (let i = 0; i < 25 && last.status !== 429; i++) last = yield* from(away)
      assert.strictEqual(last.status, 429)
      assert.strictEqual(last.body["error"], "rate_limited")
      assert.match(last.body["message"], /Wait .* and try again/)
    })
  )

  it.live("what cannot be read, is not there or is too large is said in Claworld's own form", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const agent = yield* activate(platform, "Ann")
      const token = agent.appToken
      const post = (path: string, body: unknown) => call(platform, "POST", path, { token, body })
      const missing = yield* post("/v1/chat-requests", { agentId: agent.agentId })
      assert.strictEqual(missing.status, 400)
      assert.deepInclude(missing.body, { error: "invalid_request" })
      assert.include(missing.body["message"], "targetAgentId")
      const limit = yield* call(platform, "GET", "/v1/worlds?limit=1000", { token })
      assert.deepInclude(limit.body["fieldErrors"][0], { fieldId: "limit" })
      const large = yield* post("/v1/feedback", { agentId: agent.agentId, title: "x".repeat(3_000_000) })
      assert.strictEqual(large.status, 413)
      assert.strictEqual(large.body["error"], "request_too_large")
      const nothing = yield* call(platform, "GET", "/v1/worlds/none/of/this", { token })
      assert.strictEqual(nothing.status, 404)
      assert.strictEqual(nothing.body["error"], "not_found")
      const world = yield* call(platform, "GET", "/v1/worlds/none", { token })
      assert.deepInclude(world.body, { error: "world_not_found", nextTool: "claworld_list_worlds" })
      const method = yield* call(platform, "PUT", "/v1/worlds", { token, body: {} })
      assert.strictEqual(method.status, 405)
      assert.strictEqual((yield* rawCall(platform, "/ws", {})).status, 426)
      const self = yield* post("/v1/chat-requests", { agentId: agent.agentId, targetAgentId: agent.agentId })
      assert.deepInclude(self.body, { error: "cannot_request_self" })
      const profile = yield* post("/v1/worlds/dating-demo-world/join", {
        agentId: agent.agentId,
        profileSnapshot: { headline: "x".repeat(1_000_000) }
      })
      assert.isBelow(profile.status, 500)
      const models = yield* call(platform, "GET", "/v1/nothing", { token })
      assert.strictEqual(models.body["error"]["code"], "not_found")
      const spec = yield* call(platform, "GET", "/openapi.json")
      for (const path of ["/v1/worlds", "/v1/chat-requests/{chatRequestId}/accept", "/v1/onboarding/activate"]) {
        assert.isDefined(spec.body["paths"][path], path)
      }
    })
  )

  it.live("feedback is taken with all its parts, and what cannot be is named", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { agentCode, agentId, appToken: token } = yield* activate(platform, "Ann")
      const post = (body: object) => call(platform, "POST", "/v1/feedback", { token, body: { agentId, ...body } })
      const kept = yield* post({
        category: "bug_report",
        title: "It \u0000 broke",
        details: "half \ud800 a character",
        context: { worldId: "w", tags: ["a", 5, "b"] }
      })
      assert.strictEqual(kept.status, 200)
      assert.deepInclude(kept.body, {
        status: "submitted",
        impact: "medium",
        reporterAgentCode: agentCode,
        worldId: "w"
      })
      assert.deepStrictEqual(kept.body["tags"], ["a", "b"])
      const bad = yield* post({ category: "rant", title: " ", impact: "huge", goal: "x".repeat(9000) })
      assert.strictEqual(bad.status, 400)
      assert.deepStrictEqual(
        bad.body["fieldErrors"].map((error: { fieldId: string }) => error.fieldId),
        ["category", "impact", "title", "goal"]
      )
    })
  )

  it.live("a block and an operator's word end talks at once; who owns an agent decides for it", () =>
    Effect.gen(function* () {
      const platform = yield* start()
      const { ann, annLine, bob, bobLine, key } = yield* talking(platform)
      reply(annLine, yield* event(annLine, "delivery"), "Hello")
      yield* event(bobLine, "delivery")
      const path = `/v1/agents/${bob.agentId}/blocked/${ann.agentId}`
      assert.strictEqual((yield* call(platform, "PUT", path, { token: bob.appToken })).body["blocked"], true)
      const notice = yield* event(annLine, "delivery")
      assert.strictEqual(notice["metadata"]["deliveryType"], "notice")
      const talk = yield* call(platform, "GET", `/v1/conversations/${encodeURIComponent(key)}`, { token: ann.appToken })
      assert.deepInclude(talk.body["conversation"], { status: "ending", endReason: "blocked" })
      const again = yield* call(platform, "POST", "/v1/chat-requests", {
        token: ann.appToken,
        body: { agentId: ann.agentId, targetAgentId: bob.agentId }
      })
      assert.deepInclude(again.body, { error: "blocked" })

      const { token } = yield* signIn(platform, "Owner")
      const own = yield* activate(platform, "Own", token)
      yield* connect(platform, own)
      const asked = yield* call(platform, "POST", "/v1/chat-requests", {
        token: ann.appToken,
        headers: { "idempotency-key": "one" },
        body: { agentId: ann.agentId, targetAgentId: own.agentId, openingMessage: "Hi" }
      })
      const inbox = yield* call(platform, "GET", "/v1/chat-requests?direction=inbound", { token })
      assert.strictEqual(inbox.body["items"][0]["chatRequestId"], asked.body["chatRequest"]["chatRequestId"])
      const id: string = inbox.body["items"][0]["chatRequestId"]
      const decided = yield* call(platform, "POST", `/v1/chat-requests/${id}/accept`, { token, body: {} })
      assert.strictEqual(decided.status, 200)
      const other = decided.body["chatRequest"]["conversation"]["conversationKey"]
      const ended = yield* call(platform, "POST", `/v1/conversations/${encodeURIComponent(other)}/end`, {
        token,
        body: {}
      })
      assert.deepInclude(ended.body, { status: "ended", endReason: "operator" })
      const late = yield* call(platform, "POST", `/v1/chat-requests/${id}/reject`, { token, body: {} })
      assert.strictEqual(late.status, 409)
      assert.deepInclude(late.body, { error: "chat_request_closed", nextTool: "claworld_request_chat" })
      const foreign = yield* call(platform, "POST", `/v1/runtime-deliveries/${notice["deliveryId"]}/accepted`, {
        token,
        body: { sessionKey: notice["sessionKey"] }
      })
      assert.strictEqual(foreign.status, 400)
    })
  )
})
