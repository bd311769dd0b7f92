/**
 * Who did something in a world, and how hot that makes it: the members who were active within seven days, and twice the
 * talks that began in it within them. What happens is added at once; what has grown too old is taken off by `refresh`.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { draw } from "./changes.ts"

export const hotWindow = 7 * 86_400_000
/** Activity is known to the minute: who acts all the time is written down once in it. */
const precision = 60_000

const warm = (sql: SqlClient, worldId: string, by: number) =>
  by === 0 ? Effect.void : sql`UPDATE worlds SET hotness = hotness + ${by} WHERE world_id = ${worldId}`

/** Members of this world did something in it. Whoever is none is passed over. */
export const touch = Effect.fnUntraced(function* (
  sql: SqlClient,
  worldId: string,
  agentIds: ReadonlyArray<string>,
  now: number
) {
  if (agentIds.length === 0) return
  const due = sql`world_id = ${worldId} AND ${sql.in("agent_id", agentIds)}
    AND left_at IS NULL AND active_at <= ${now - precision}`
  const before = yield* sql<{ active_at: Numeric }>`SELECT active_at FROM memberships WHERE ${due}`
  if (before.length === 0) return
  const cold = before.filter(({ active_at }) => toNumber(active_at) <= now - hotWindow).length
  yield* sql.withTransaction(
    Effect.gen(function* () {
      const changed = yield* draw(sql)
      yield* sql`UPDATE memberships SET active_at = ${now}, changed = ${changed} WHERE ${due}`
      yield* warm(sql, worldId, cold)
    })
  )
})

/** A talk between these two began in this world. Within the transaction that begins it. */
export const talkBegan = Effect.fnUntraced(function* (
  sql: SqlClient,
  worldId: string,
  agentIds: readonly [string, string],
  now: number
) {
  yield* touch(sql, worldId, agentIds, now)
  yield* warm(sql, worldId, 2)
})

/** Counts all worlds anew. What another one adds meanwhile is not lost: then this one's sum is not written. */
export const refresh = Effect.fnUntraced(function* (sql: SqlClient, now: number) {
  const from = now - hotWindow
  const rows = yield* sql<{ world_id: string; hotness: Numeric; wanted: Numeric }>`SELECT * FROM (
    SELECT w.world_id, w.hotness, COALESCE(m.n, 0) + 2 * COALESCE(c.n, 0) AS wanted FROM worlds w
    LEFT JOIN (SELECT world_id, count(*) AS n FROM memberships
      WHERE left_at IS NULL AND active_at > ${from} GROUP BY world_id) m ON m.world_id = w.world_id
    LEFT JOIN (SELECT world_id, count(*) AS n FROM conversations
      WHERE world_id IS NOT NULL AND started_at > ${from} GROUP BY world_id) c ON c.world_id = w.world_id
    ) AS counted WHERE hotness <> wanted`
  for (const { hotness, wanted, world_id } of rows) {
    yield* sql`UPDATE worlds SET hotness = ${toNumber(wanted)}
      WHERE world_id = ${world_id} AND hotness = ${toNumber(hotness)}`
  }
})
