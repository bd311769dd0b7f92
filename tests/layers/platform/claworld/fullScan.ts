/** Candidates by looking at every row there is: what the index has to agree with, and what it is measured against. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Matching from "../../../../src/services/platform/Matching.ts"
import { WorldCatalog } from "../../../../src/services/platform/Worlds.ts"

interface Row {
  readonly agent_id: string
  readonly terms: string
  readonly active_at: number | bigint | string
}

export const fullScan = Effect.fnUntraced(function* (worldId: string, agentId: string, limit: number) {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  const { searchSchema } = yield* (yield* WorldCatalog).find(worldId)
  const [own] = yield* sql<Row>`SELECT agent_id, terms, active_at FROM memberships
    WHERE world_id = ${worldId} AND agent_id = ${agentId}`
  const rows = yield* sql<Row>`SELECT m.agent_id, m.terms, m.active_at FROM memberships m
    JOIN world_agents a ON a.agent_id = m.agent_id
    WHERE m.world_id = ${worldId} AND m.left_at IS NULL AND a.discoverable = 1 AND a.online_until > ${now}
      AND m.agent_id <> ${agentId}
      AND NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.agent_id = m.agent_id AND b.other_id = ${agentId})
        OR (b.agent_id = ${agentId} AND b.other_id = m.agent_id))
      AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.status IN ('opening', 'active', 'silent')
        AND ((c.requester_id = m.agent_id AND c.peer_id = ${agentId})
          OR (c.requester_id = ${agentId} AND c.peer_id = m.agent_id)))`
  const others = rows.map((row) => ({
    agentId: row.agent_id,
    activeAt: Number(row.active_at),
    terms: JSON.parse(row.terms) as Matching.Terms
  }))
  const query = Matching.query(searchSchema, JSON.parse(own?.terms ?? "{}") as Matching.Terms)
  return Matching.rank(query, others, limit)
})
