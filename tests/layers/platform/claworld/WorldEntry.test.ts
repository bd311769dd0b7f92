import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { WorldAgents, WorldCatalog } from "../../../../src/services/platform/Worlds.ts"
import type { JoinOutcome } from "../../../../src/services/protocol/ClaworldModels.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { as, codeOf, dating, enter, failure, make, online, over, person, profile, world } from "./worldFixtures.ts"

type Round = Parameters<WorldCatalog["Service"]["join"]>[3]

const round = (agentId: string, given: Round, worldId = dating) =>
  Effect.flatMap(WorldCatalog, (catalog) => catalog.join(as(agentId), worldId, agentId, given))

const needs = (outcome: JoinOutcome) =>
  outcome.status === "needs_profile" ? outcome : assert.fail(`needs_profile was expected, and not ${outcome.status}`)
const isIn = (outcome: JoinOutcome) =>
  outcome.status === "joined" ? outcome : assert.fail(`joined was expected, and not ${JSON.stringify(outcome)}`)

const members = (worldId = dating) =>
  Effect.flatMap(WorldCatalog, (catalog) => Effect.map(catalog.find(worldId), ({ memberCount }) => memberCount))

forEachDatabase("Entering a world", (stores) => {
  const layer = over(stores())

  it.effect("answers are collected round by round, and the last one enters", () =>
    Effect.gen(function* () {
      const agentId = yield* online("Ada")
      const first = needs(yield* round(agentId, { profile: { headline: "Builder who likes climbing" } }))
      assert.deepInclude(first, {
        profileDraft: { headline: "Builder who likes climbing" },
        nextTool: "claworld_join_world",
        nextAction: "ask_for_missing_fields",
        forgottenFields: [],
        fieldErrors: []
      })
      assert.deepStrictEqual(
        first.missingFields.map(({ fieldId }) => fieldId),
        ["intent", "location"]
      )
      assert.deepStrictEqual(
        first.nextFields.map(({ fieldId }) => fieldId),
        ["intent"]
      )
      assert.include(first.message, "Still needed: Looking for")
      const wide = needs(yield* round(agentId, { profileDraft: first.profileDraft, maxFieldsPerStep: 5 }))
      assert.lengthOf(wide.nextFields, 2)
      const last = isIn(
        yield* round(agentId, {
          profileDraft: first.profileDraft,
          profileUpdate: { intent: "Hiking", location: "Shanghai" }
        })
      )
      assert.deepStrictEqual(last.profile, {
        headline: "Builder who likes climbing",
        intent: "Hiking",
        location: "Shanghai"
      })
      assert.deepInclude(last, { membershipStatus: "active", nextAction: "review_candidate_feed", agentId })
      assert.deepInclude(last.candidateFeed, { status: "empty", candidates: [] })
      assert.deepInclude(last.requestChatAction, { tool: "claworld_request_chat", worldId: dating })
      assert.strictEqual(yield* members(), 1)
      const again = isIn(yield* round(agentId, {}))
      assert.deepStrictEqual(again.profile, last.profile, "who is in is told so")
      assert.strictEqual(yield* members(), 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("a draft that forgot the earlier round is told so, field by field, until it is whole again", () =>
    Effect.gen(function* () {
      const agentId = yield* online("Ada")
      yield* round(agentId, { profile: { headline: "Hello", interests: ["jazz"] } })
      const forgot = needs(yield* round(agentId, { profileUpdate: { intent: "Talk" } }))
      assert.deepStrictEqual(forgot.forgottenFields, ["headline", "interests"])
      assert.include(forgot.message, "(headline, interests)")
      assert.include(forgot.message, "profileDraft")
      const optional = needs(
        yield* round(agentId, { profileDraft: { headline: "Hello", intent: "Talk", location: "Berlin" } })
      )
      assert.deepStrictEqual(optional.forgottenFields, ["interests"], "nothing is lost in silence")
      assert.deepStrictEqual(optional.missingFields, [])
      assert.deepStrictEqual(
        optional.nextFields.map(({ fieldId }) => fieldId),
        ["interests"]
      )
      const snapshot = { headline: "Hello", intent: "Talk", location: "Berlin" }
      assert.deepStrictEqual(isIn(yield* round(agentId, { profileSnapshot: snapshot })).profile, snapshot)
      const patch = needs(yield* round(agentId, { profilePatch: { location: "Rome" } }))
      assert.deepStrictEqual(patch.forgottenFields, ["headline", "intent"], "of who is in, by its profile")
      const moved = yield* round(agentId, { profile: snapshot, profilePatch: { location: "Rome" } })
      assert.strictEqual(isIn(moved).profile["location"], "Rome")
    }).pipe(Effect.provide(layer))
  )

  it.effect("a whole draft that is only collected is ready to join, and joins by its own payload", () =>
    Effect.gen(function* () {
      const agentId = yield* online("Ada")
      const ready = yield* round(agentId, { profile: profile("Hello"), collectOnly: true })
      if (ready.status !== "ready_to_join") return assert.fail(ready.status)
      assert.deepInclude(ready, { nextAction: "call_join_world", joinTool: "claworld_join_world" })
      assert.strictEqual(yield* members(), 0)
      const { profileSnapshot, worldId } = ready.joinPayload
      isIn(yield* round(agentId, { profileSnapshot }, worldId))
      assert.strictEqual(yield* members(), 1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("answers that cannot be used are named and asked for again, and nothing of them is kept", () =>
    Effect.gen(function* () {
      const agentId = yield* online("Ada")
      const { worldId } = yield* (yield* WorldCatalog).create(as(agentId), world())
      const given = JSON.parse(
        '{"headline": "a\\nb", "age": 17, "mood": "odd", "likes": [1], "__proto__": {"x": 1}, "constructor": "c"}'
      )
      const bad = needs(yield* round(agentId, { profile: given, maxFieldsPerStep: 5 }, worldId))
      assert.deepStrictEqual(
        bad.fieldErrors.map(({ code, fieldId }) => [fieldId, code]),
        [
          ["headline", "wrong_type"],
          ["age", "out_of_range"],
          ["mood", "unknown_choice"],
          ["likes", "wrong_type"],
          ["__proto__", "unknown_field"],
          ["constructor", "unknown_field"]
        ]
      )
      assert.deepStrictEqual(bad.profileDraft, {})
      assert.lengthOf(bad.nextFields, 4)
      assert.include(bad.message, "Headline must be one line")
      const kept = isIn(
        yield* round(agentId, { profile: { headline: "ok", age: 30, mood: "calm", likes: "tea，chess, tea" } }, worldId)
      )
      assert.deepStrictEqual(kept.profile, { headline: "ok", age: 30, mood: "calm", likes: ["tea", "chess"] })
    }).pipe(Effect.provide(layer))
  )

  it.effect("what is too much is refused before it is read, in a sentence", () =>
    Effect.gen(function* () {
      const agentId = yield* online("Ada")
      const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]))
      for (const [given, fieldId] of [
        [{ profile: { headline: "x".repeat(1_048_576) } }, "headline"],
        [{ profileUpdate: { interests: Array(100_000).fill("jazz") } }, "interests"],
        [{ profileDraft: many }, "profileDraft"],
        [{ profileSnapshot: { ["x".repeat(1_048_576)]: 1 } }, "profileSnapshot"]
      ] as const) {
        const refused = yield* failure(round(agentId, given))
        assert.deepInclude(refused, { kind: "invalid", code: "invalid_profile" })
        assert.deepInclude(refused.fieldErrors?.[0], { fieldId, code: "too_large" })
        assert.isBelow(refused.message.length, 400)
      }
      for (const maxFieldsPerStep of [0, 6, 1.5, Number.NaN]) {
        const refused = yield* failure(round(agentId, { maxFieldsPerStep }))
        assert.deepInclude(refused.fieldErrors?.[0], { fieldId: "maxFieldsPerStep" })
      }
      const unknown = needs(yield* round(agentId, { profile: Object.fromEntries(Object.entries(many).slice(0, 90)) }))
      assert.isAtMost(unknown.fieldErrors.length, 20)
    }).pipe(Effect.provide(layer))
  )

  it.effect("who may not enter is told why", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const [ada, bob] = [yield* make("Ada", "ann"), yield* make("Nobody's")]
      const { worldId } = yield* catalog.create(as(ada.agentId), world({ eligibility: { requires: "owned" } }))
      assert.strictEqual(yield* codeOf(enter(bob.agentId, { headline: "h" }, worldId)), "not_eligible")
      isIn(yield* enter(ada.agentId, { headline: "h" }, worldId))
      assert.strictEqual(yield* codeOf(round(ada.agentId, {}, "no-world")), "world_not_found")
      assert.strictEqual(yield* codeOf(round("agt_none", {})), "agent_not_found")
      const foreign = catalog.join(as(bob.agentId), dating, ada.agentId, {})
      assert.strictEqual(yield* codeOf(foreign), "not_your_agent")
      isIn(yield* catalog.join(person("ann"), dating, ada.agentId, { profile: profile("By its owner") }))
    }).pipe(Effect.provide(layer))
  )

  it.effect("fifty that enter at once, some of them twice, are fifty members", () =>
    Effect.gen(function* () {
      const agents = yield* Effect.forEach(Array.from({ length: 50 }), (_, i) => online(`Agent ${i}`))
      const all = [...agents, ...agents.slice(0, 25)]
      yield* Effect.forEach(all, (agentId) => enter(agentId, profile("At once", ["jazz"])), {
        concurrency: "unbounded"
      })
      assert.strictEqual(yield* members(), 50)
      const sql = yield* SqlClient.SqlClient
      assert.lengthOf(yield* sql`SELECT agent_id FROM memberships WHERE left_at IS NULL`, 50)
      const { hotness, onlineCount } = yield* (yield* WorldCatalog).find(dating)
      assert.deepStrictEqual([hotness, onlineCount], [50, 50])
      const catalog = yield* WorldCatalog
      yield* Effect.forEach(
        [...agents.slice(0, 20), ...agents.slice(0, 20)],
        (agentId) => catalog.leave(as(agentId), dating, agentId),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(yield* members(), 30)
    }).pipe(Effect.provide(layer))
  )

  it.effect("who leaves takes the profile along, and comes back as new", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const sql = yield* SqlClient.SqlClient
      const agentId = yield* online("Ada")
      yield* enter(agentId, profile("My secret garden"))
      yield* catalog.leave(as(agentId), dating, agentId)
      yield* catalog.leave(as(agentId), dating, agentId)
      assert.notInclude(JSON.stringify(yield* sql`SELECT * FROM memberships`), "garden")
      assert.strictEqual(yield* codeOf(catalog.candidates(as(agentId), dating, agentId, { limit: 1 })), "not_a_member")
      needs(yield* round(agentId, {}))
      isIn(yield* enter(agentId, profile("Another")))
      assert.strictEqual(yield* members(), 1)
      yield* (yield* WorldAgents).edit(as(agentId), agentId, { discoverable: false })
    }).pipe(Effect.provide(layer))
  )

  it.effect("nobody enters by rules that were changed meanwhile", () =>
    Effect.gen(function* () {
      const catalog = yield* WorldCatalog
      const admin = yield* make("Ada")
      const { worldId } = yield* catalog.create(as(admin.agentId), world())
      const field = { fieldId: "headline", label: "Headline", required: true, constraints: { minLength: 20 } }
      const agents = yield* Effect.forEach(Array.from({ length: 10 }), (_, i) => make(`Agent ${i}`))
      const short = { headline: "short" }
      yield* Effect.all(
        [
          ...agents.map(({ agentId }) => Effect.ignore(enter(agentId, short, worldId))),
          Effect.ignore(catalog.edit(as(admin.agentId), worldId, { entryProfileSchema: { fields: [field] } }))
        ],
        { concurrency: "unbounded" }
      )
      const { entryProfileSchema, memberCount } = yield* catalog.find(worldId)
      // Either the first ones were in before, and then the change was refused; or none of them is in.
      const isChanged = entryProfileSchema.fields.length === 1
      assert.strictEqual(memberCount, isChanged ? 0 : 10)
    }).pipe(Effect.provide(layer))
  )
})
