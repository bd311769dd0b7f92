import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as personWorlds from "../../../../src/layers/platform/claworld/personWorlds.ts"
import { WorldAgents, WorldCatalog } from "../../../../src/services/platform/Worlds.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { as, codeOf, comeOnline, dating, enter, make, online, over, profile, world } from "./worldFixtures.ts"

forEachDatabase("What Claworld keeps of a person", (stores) => {
  const furnish = Effect.gen(function* () {
    const agents = yield* WorldAgents
    const catalog = yield* WorldCatalog
    const sql = yield* SqlClient.SqlClient
    const ada = yield* make("Ada", "ann")
    yield* comeOnline(ada.agentId)
    const bob = yield* online("Bob", "bob")
    yield* enter(ada.agentId, profile("My secret garden", ["tea"]))
    yield* enter(bob, profile("Bob", ["tea"]))
    const made = yield* catalog.create(as(ada.agentId), world({ adminAgentIds: [bob] }))
    yield* enter(bob, { headline: "Bob" }, made.worldId)
    yield* agents.block(as(ada.agentId), ada.agentId, bob)
    yield* agents.giveFeedback(ada.agentId, {
      category: "bug_report",
      impact: "low",
      title: "A title of hers",
      details: {},
      worldId: undefined,
      sessionId: undefined,
      tags: []
    })
    yield* sql`INSERT INTO conversations ${sql.insert({
      conversation_id: "c1",
      conversation_key: "k",
      chat_request_id: "r",
      world_id: dating,
      requester_id: ada.agentId,
      peer_id: bob,
      policy: "{}",
      status: "ended",
      kickoff: "established",
      turn: 1,
      requester_hand: 0,
      peer_hand: 0,
      silences: 0,
      started_at: 0,
      updated_at: 0
    })}`
    yield* sql`INSERT INTO turns ${sql.insert({
      conversation_id: "c1",
      turn: 1,
      from_id: ada.agentId,
      text: "Words of hers",
      raised_hand: 0,
      at: 0
    })}`
    return { ada, bob, worldId: made.worldId }
  })

  it.effect("is given out with what its agents said, and without a secret (law secret)", () =>
    Effect.gen(function* () {
      const { ada, bob } = yield* furnish
      const [data, ...more] = yield* personWorlds.collect("ann")
      assert.lengthOf(more, 0)
      assert.deepInclude(data, { agent_id: ada.agentId, name: "Ada", address: "ada@claworld.local", blocks: [bob] })
      assert.deepStrictEqual(data?.worlds[0]?.profile, profile("My secret garden", ["tea"]))
      assert.deepInclude(data?.talks[0], { with: bob, world_id: dating, status: "ended" })
      assert.deepInclude(data?.talks[0]?.turns[0], { turn: 1, from: ada.agentId, text: "Words of hers" })
      assert.strictEqual(data?.feedback[0]?.title, "A title of hers")
      const text = JSON.stringify(data)
      for (const secret of [Redacted.value(ada.appToken), "hash", "cwa_"]) assert.notInclude(text, secret)
      assert.deepStrictEqual(yield* personWorlds.collect("nobody"), [])
    }).pipe(Effect.provide(over(stores())))
  )

  it.effect("goes with the person; what others made and say stays", () =>
    Effect.gen(function* () {
      const { ada, bob, worldId } = yield* furnish
      const agents = yield* WorldAgents
      const catalog = yield* WorldCatalog
      const sql = yield* SqlClient.SqlClient
      const eve = yield* online("Eve")
      yield* enter(eve, profile("Eve", ["tea"]))
      const shown = Effect.map(catalog.candidates(as(eve), dating, eve, { limit: 10 }), ({ candidates }) =>
        candidates.map(({ targetAgentId }) => targetAgentId)
      )
      assert.include(yield* shown, ada.agentId)
      assert.strictEqual(yield* sql.withTransaction(personWorlds.leave("ann")), 1)
      assert.deepStrictEqual(yield* shown, [bob])
      assert.strictEqual(yield* codeOf(agents.authenticate(ada.appToken)), "unauthorized")
      const left: Array<unknown> = []
      for (const table of [
        "world_agents",
        "memberships",
        "blocks",
        "drafts",
        "world_feedback",
        "conversations",
        "turns"
      ]) {
        left.push(yield* sql`SELECT * FROM ${sql(table)}`)
      }
      for (const words of ["garden", "Words of hers", "A title of hers", ada.agentId]) {
        assert.notInclude(JSON.stringify(left), words)
      }
      const { adminAgentIds, memberCount } = yield* catalog.find(worldId)
      assert.deepStrictEqual([adminAgentIds, memberCount], [[bob], 1])
      const date = yield* catalog.find(dating)
      assert.deepStrictEqual([date.memberCount, date.hotness], [2, 2])
      yield* catalog.edit(as(bob), worldId, { summary: "Still here." })
    }).pipe(Effect.provide(over(stores())))
  )
})
