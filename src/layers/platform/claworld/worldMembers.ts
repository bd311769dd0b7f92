/** Who is in a world, for those who are in it themselves. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Actor, Paged } from "../../../services/platform/Worlds.ts"
import type { Member, Membership } from "../../../services/protocol/ClaworldModels.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import { toId, toNumber } from "../sqlStore.ts"
import { type Numeric, ownedBy } from "./agentRows.ts"
import { headlineOf } from "./candidateFeed.ts"
import * as refusals from "./refusals.ts"
import { adminsOf, isAdmin, isEnabled, type Row as WorldRow, rulesOf } from "./worldRows.ts"

interface Row {
  readonly agent_id: string
  readonly display_name: string
  readonly online_until: Numeric
  readonly profile: string
  readonly joined_at: Numeric
  readonly active_at: Numeric
}

/** Whole pages only, of a size that a reader can take. */
export const pageOf = (options: { readonly page: number; readonly limit: number }) => {
  const whole = (value: number, usual: number) => (Number.isFinite(value) ? Math.max(1, Math.trunc(value)) : usual)
  const limit = Math.min(whole(options.limit, bounds.page.default), bounds.page.maximum)
  const page = Math.min(whole(options.page, 1), 1_000_000)
  return { page, limit, offset: (page - 1) * limit }
}

export const make = (sql: SqlClient) => {
  /** The actor's agents that are in this world. */
  const own = Effect.fnUntraced(function* (actor: Actor, worldId: string) {
    const whose = actor._tag === "Agent" ? sql`a.agent_id = ${toId(actor.agentId)}` : ownedBy(sql, actor, "a.owner_id")
    const rows = yield* sql<{ agent_id: string }>`SELECT a.agent_id FROM world_agents a
      JOIN memberships m ON m.agent_id = a.agent_id AND m.world_id = ${worldId}
      WHERE ${whose} AND m.left_at IS NULL LIMIT 200`
    return rows.map(({ agent_id }) => agent_id)
  })

  const members = Effect.fnUntraced(function* (
    actor: Actor,
    world: WorldRow,
    options: { readonly page: number; readonly limit: number }
  ) {
    const worldId = world.world_id
    const sees = yield* isAdmin(sql, actor, world)
    const theirs = sees ? [] : yield* own(actor, worldId)
    if (!sees && theirs.length === 0) return yield* refusals.notMember
    const visible = sees
      ? sql`1 = 1`
      : sql`(${sql.in("m.agent_id", theirs)} OR (a.discoverable = 1 AND NOT EXISTS (SELECT 1 FROM blocks b
          WHERE (b.agent_id = m.agent_id AND ${sql.in("b.other_id", theirs)})
            OR (b.other_id = m.agent_id AND ${sql.in("b.agent_id", theirs)}))))`
    const from = sql`FROM memberships m JOIN world_agents a ON a.agent_id = m.agent_id
      WHERE m.world_id = ${worldId} AND m.left_at IS NULL AND ${visible}`
    const { limit, offset, page } = pageOf(options)
    const now = yield* Clock.currentTimeMillis
    const [total] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n ${from}`
    const rows = yield* sql<Row>`SELECT m.agent_id, a.display_name, a.online_until, m.profile, m.joined_at, m.active_at
      ${from} ORDER BY CASE WHEN a.online_until > ${now} THEN 0 ELSE 1 END, m.joined_at, m.agent_id LIMIT ${limit} OFFSET ${offset}`
    const admins = adminsOf(world)
    const schema = rulesOf(world).entryProfileSchema
    const items = rows.map((row): typeof Member.Type => ({
      agentId: row.agent_id,
      displayName: row.display_name,
      worldRole: admins.includes(row.agent_id) ? "admin" : "member",
      online: toNumber(row.online_until) > now,
      headline: headlineOf(schema, JSON.parse(row.profile)),
      joinedAt: toNumber(row.joined_at),
      activeAt: toNumber(row.active_at)
    }))
    return { items, page, pageSize: limit, totalCount: toNumber(total?.n ?? 0) } satisfies Paged<typeof Member.Type>
  })

  /** The agent is one that the caller may act for. */
  const ofAgent = Effect.fnUntraced(function* (agentId: string) {
    const most = 200
    const entered = yield* sql<WorldRow & { profile: string; joined_at: Numeric }>`SELECT w.*, m.profile, m.joined_at
      FROM memberships m JOIN worlds w ON w.world_id = m.world_id
      WHERE m.agent_id = ${agentId} AND m.left_at IS NULL ORDER BY m.joined_at DESC, w.world_id LIMIT ${most}`
    const run = yield* sql<WorldRow>`SELECT * FROM worlds WHERE admins LIKE ${`%"${agentId}"%`}
      ORDER BY created_at DESC, world_id LIMIT ${most}`
    const known = new Set(entered.map(({ world_id }) => world_id))
    const of = (row: WorldRow) => ({
      worldId: row.world_id,
      displayName: row.display_name,
      isEnabled: isEnabled(row),
      isAdmin: adminsOf(row).includes(agentId)
    })
    return [
      ...entered.map((row) => ({ ...of(row), joinedAt: toNumber(row.joined_at), profile: JSON.parse(row.profile) })),
      ...run.filter(({ world_id }) => !known.has(world_id)).map((row) => ({ ...of(row), joinedAt: null, profile: {} }))
    ] satisfies ReadonlyArray<typeof Membership.Type>
  })

  return { members, ofAgent }
}
