/** From nothing to an ended talk, over real sockets, with clients that know only the wire (laws turn-order, hands). */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type * as Server from "../../../../src/layers/platform/Server.ts"
import * as postgres from "../../../postgres/postgres.ts"
import { call, type Json, start } from "../edge/harness.ts"
import { accepted, activate, connect, event, reply } from "./relayClient.ts"

const worldId = "dating-demo-world"
const profiles = {
  Ann: { headline: "I ride old bridges", intent: "friends", location: "Shanghai", interests: ["bridges", "tea"] },
  Bob: { headline: "Bridges and tea", intent: "friends", location: "Shanghai", interests: ["bridges", "dogs"] }
}

const whole = (options: Partial<Server.Options>) =>
  Effect.gen(function* () {
    const platform = yield* start(options)
    const ann = yield* activate(platform, "Ann")
    const bob = yield* activate(platform, "Bob")
    const as = (token: string) => (method: string, path: string, body?: unknown) =>
      Effect.map(call(platform, method, path, { token, ...(body === undefined ? {} : { body }) }), (answer) => {
        assert.strictEqual(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
        return answer.body
      })
    const annCalls = as(ann.appToken)
    const bobCalls = as(bob.appToken)

    const listed = yield* annCalls("GET", "/v1/worlds?sort=hot&limit=10&page=1")
    assert.include(
      listed["worlds"].map((world: Json) => world["worldId"]),
      worldId
    )
    const detail = yield* annCalls("GET", `/v1/worlds/${worldId}`)
    assert.isAtLeast(detail["entryProfileSchema"]["fields"].length, 3)

    let annLine = yield* connect(platform, ann)
    const bobLine = yield* connect(platform, bob)
    const schema: ReadonlyArray<Json> = detail["entryProfileSchema"]["fields"]
    const profileOf = (name: "Ann" | "Bob") =>
      Object.fromEntries(
        schema.map(({ constraints, fieldId, type }) => [
          fieldId,
          constraints?.choices?.[0] ??
            (profiles[name] as Json)[fieldId] ??
            (type === "tags" ? ["bridges"] : type === "number" ? 1 : type === "boolean" ? true : "bridges")
        ])
      )
    const missing = yield* annCalls("POST", `/v1/worlds/${worldId}/join`, { agentId: ann.agentId, profile: {} })
    assert.strictEqual(missing["status"], "needs_profile")
    yield* bobCalls("POST", `/v1/worlds/${worldId}/join`, { agentId: bob.agentId, profileSnapshot: profileOf("Bob") })
    const joined = yield* annCalls("POST", `/v1/worlds/${worldId}/join`, {
      agentId: ann.agentId,
      profileSnapshot: profileOf("Ann")
    })
    assert.strictEqual(joined["status"], "joined")
    const [candidate] = joined["candidateFeed"]["candidates"]
    assert.deepInclude(candidate, { targetAgentId: bob.agentId, online: true })

    const asked = yield* annCalls("POST", "/v1/chat-requests", {
      agentId: ann.agentId,
      targetAgentId: candidate["targetAgentId"],
      worldId,
      openingMessage: "Talk about bridges."
    })
    assert.strictEqual(asked["nextAction"], "wait_for_peer_acceptance")
    const inbox = yield* bobCalls("GET", "/v1/chat-requests?direction=inbound&status=pending")
    const id: string = inbox["items"][0]["chatRequestId"]
    const decided = yield* bobCalls("POST", `/v1/chat-requests/${id}/accept`, { agentId: bob.agentId })
    assert.strictEqual(decided["nextAction"], "wait_for_sender_opener_delivery")

    const kickoff = yield* event(annLine, "delivery")
    assert.strictEqual(kickoff["metadata"]["deliveryType"], "kickoff")
    assert.strictEqual(kickoff["payload"]["text"], "Talk about bridges.")
    assert.notInclude(kickoff["payload"]["contextText"], profiles.Bob.headline)
    accepted(annLine, kickoff)
    yield* event(annLine, "delivery.accepted")

    // The relay is cut before the answer: the same delivery comes again, and is answered twice with one effect.
    annLine.ws.terminate()
    annLine = yield* connect(platform, ann)
    const again = yield* event(annLine, "delivery")
    assert.deepStrictEqual(again, kickoff)
    reply(annLine, again, "Do you like bridges?")
    reply(annLine, again, "Do you like bridges?")
    yield* event(annLine, "reply.accepted")
    yield* event(annLine, "reply.accepted")
    const byHttp = yield* annCalls("POST", `/v1/runtime-deliveries/${again["deliveryId"]}/reply`, {
      sessionKey: again["sessionKey"],
      payload: { text: "Do you like bridges?" }
    })
    assert.strictEqual(byHttp["state"], "replied")

    const second = yield* event(bobLine, "delivery")
    assert.strictEqual(second["payload"]["text"], "Do you like bridges?")
    assert.strictEqual(second["sessionKey"], kickoff["sessionKey"])
    reply(bobLine, second, "I do.\n[[request_conversation_end]]")
    const third = yield* event(annLine, "delivery")
    assert.strictEqual(third["payload"]["text"], "I do.")
    yield* annCalls("POST", `/v1/runtime-deliveries/${third["deliveryId"]}/accepted`, {
      sessionKey: third["sessionKey"]
    })
    yield* annCalls("POST", `/v1/runtime-deliveries/${third["deliveryId"]}/reply`, {
      sessionKey: third["sessionKey"],
      payload: { text: "Then goodbye.\n[[request_conversation_end]]" }
    })
    const last = yield* event(bobLine, "delivery")
    assert.deepInclude(last["metadata"], { deliveryType: "notice", allowReply: false })
    assert.strictEqual(last["payload"]["text"], "Then goodbye.")
    accepted(bobLine, last)
    yield* event(bobLine, "delivery.accepted")

    const key = encodeURIComponent(kickoff["conversationKey"])
    const { conversation, turns } = yield* bobCalls("GET", `/v1/conversations/${key}`)
    assert.deepInclude(conversation, { status: "ended", endReason: "hands", turn: 3 })
    assert.deepStrictEqual(
      turns.map((turn: Json) => turn["text"]),
      ["Do you like bridges?", "I do.", "Then goodbye."]
    )
    assert.strictEqual(bobLine.frames.filter((frame) => frame["event"] === "delivery").length, 2)
    const after = yield* annCalls("POST", `/v1/worlds/${worldId}/search`, { agentId: ann.agentId, limit: 5 })
    assert.strictEqual(after["candidateFeed"]["candidates"].length, 1)
  })

describe("Claworld over real sockets", () => {
  it.live("from activation to an ended talk, in memory", () => whole({}))

  it.live.skipIf(postgres.missing !== undefined)("from activation to an ended talk, on Postgres", () =>
    Effect.gen(function* () {
      const data = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "clawfiber-claworld-"))),
        (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
      )
      yield* whole({ data, postgres: { url: Redacted.make(yield* postgres.database) } })
    })
  )
})
