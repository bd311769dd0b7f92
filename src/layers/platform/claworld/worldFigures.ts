/** How many members are online, and how hot worlds are, without counting large ones again and again. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { hotWindow, refresh } from "./worldActivity.ts"
import type { Row } from "./worldRows.ts"

/** Of worlds with more members the number of those online may be some seconds old. */
const large = 2_000
const goodFor = 5_000
/** What has grown too old for hotness is taken off so often at most. */
const betweenRefreshes = Math.min(60_000, hotWindow)
const kept = 1_000

export const make = (sql: SqlClient) => {
  const known = new Map<string, { readonly online: number; readonly at: number }>()
  let refreshedAt: number | undefined

  const onlineOf = Effect.fnUntraced(function* (worlds: ReadonlyArray<Row>) {
    const now = yield* Clock.currentTimeMillis
    const online = new Map<string, number>()
    const asked: Array<string> = []
    for (const { member_count, world_id } of worlds) {
      const before = toNumber(member_count) > large ? known.get(world_id) : undefined
      if (before !== undefined && now - before.at < goodFor) online.set(world_id, before.online)
      else asked.push(world_id)
    }
    if (asked.length === 0) return online
    const rows = yield* sql<{ world_id: string; n: Numeric }>`SELECT m.world_id, count(*) AS n
      FROM memberships m JOIN world_agents a ON a.agent_id = m.agent_id
      WHERE ${sql.in("m.world_id", asked)} AND m.left_at IS NULL AND a.online_until > ${now} GROUP BY m.world_id`
    for (const { n, world_id } of rows) online.set(world_id, toNumber(n))
    if (known.size > kept) known.clear()
    for (const { member_count, world_id } of worlds) {
      if (toNumber(member_count) > large && asked.includes(world_id)) {
        known.set(world_id, { online: online.get(world_id) ?? 0, at: now })
      }
    }
    return online
  })

  const cool = Effect.fnUntraced(function* () {
    const now = yield* Clock.currentTimeMillis
    if (refreshedAt !== undefined && now - refreshedAt < betweenRefreshes) return
    refreshedAt = now
    yield* refresh(sql, now)
  })

  return { onlineOf, cool }
}
