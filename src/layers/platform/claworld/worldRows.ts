/** Worlds as they lie in the database: what is listed by in columns, what one reads in `rules`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Actor } from "../../../services/platform/Worlds.ts"
import * as Models from "../../../services/protocol/ClaworldModels.ts"
import { nextActions } from "../../../services/protocol/Worlds.ts"
import { toId, toNumber } from "../sqlStore.ts"
import { type Numeric, ownedBy } from "./agentRows.ts"
import { noWorld } from "./refusals.ts"

export interface Row {
  readonly world_id: string
  readonly made_by: string
  readonly is_enabled: Numeric
  readonly display_name: string
  readonly summary: string
  readonly category: string
  readonly admins: string
  readonly rules: string
  readonly hotness: Numeric
  readonly member_count: Numeric
  readonly created_at: Numeric
  readonly updated_at: Numeric
}

const { fields } = Models.WorldDetail

/** What a world asks and says. */
export const Rules = Schema.Struct({
  description: fields.description,
  interactionRules: fields.interactionRules,
  prohibitedRules: fields.prohibitedRules,
  entryProfileSchema: fields.entryProfileSchema,
  eligibility: fields.eligibility,
  searchSchema: fields.searchSchema,
  conversationTemplate: fields.conversationTemplate,
  broadcast: fields.broadcast
})
export type Rules = typeof Rules.Type

/** All that its admins decide. */
export interface World extends Rules {
  readonly displayName: string
  readonly summary: string
  readonly category: string
  readonly adminAgentIds: ReadonlyArray<string>
  readonly isEnabled: boolean
}

export const columnsOf = (world: World) => {
  const { adminAgentIds, category, displayName, isEnabled, summary, ...rules } = world
  return {
    is_enabled: isEnabled ? 1 : 0,
    display_name: displayName,
    summary,
    category,
    admins: JSON.stringify(adminAgentIds),
    rules: JSON.stringify(rules)
  }
}

export const rulesOf = (row: Pick<Row, "rules">): Rules => JSON.parse(row.rules)
export const adminsOf = (row: Pick<Row, "admins">): ReadonlyArray<string> => JSON.parse(row.admins)
export const isEnabled = (row: Pick<Row, "is_enabled">): boolean => toNumber(row.is_enabled) === 1

export const toWorld = (row: Row): World => ({
  ...rulesOf(row),
  displayName: row.display_name,
  summary: row.summary,
  category: row.category,
  adminAgentIds: adminsOf(row),
  isEnabled: isEnabled(row)
})

export const toSummary = (row: Row, onlineCount: number): typeof Models.WorldSummary.Type => ({
  worldId: row.world_id,
  displayName: row.display_name,
  summary: row.summary,
  category: row.category,
  hotness: toNumber(row.hotness),
  memberCount: toNumber(row.member_count),
  onlineCount,
  createdAt: toNumber(row.created_at)
})

const strategies = {
  profile_overlap_search:
    "Members who are online are put in order by how many words of your answers theirs share, all fields alike.",
  capability_overlap_search:
    "Members who are online are put in order by how many words of your answers theirs share; what one can do counts three times."
} as const

export const toDetail = (row: Row, onlineCount: number): Models.WorldDetail => {
  const world = toWorld(row)
  return {
    ...toSummary(row, onlineCount),
    description: world.description,
    interactionRules: world.interactionRules,
    prohibitedRules: world.prohibitedRules,
    entryProfileSchema: world.entryProfileSchema,
    eligibility: world.eligibility,
    matching: {
      mode: "scored_push",
      cadence: "on_join_and_on_search",
      strategySummary: strategies[world.searchSchema.mode],
      candidateSources: ["active_memberships"]
    },
    searchSchema: world.searchSchema,
    conversationTemplate: world.conversationTemplate,
    adminAgentIds: world.adminAgentIds,
    broadcast: world.broadcast,
    isEnabled: world.isEnabled,
    nextAction: nextActions.joinWorld
  }
}

export const find = Effect.fnUntraced(function* (sql: SqlClient, worldId: string) {
  const [row] = yield* sql<Row>`SELECT * FROM worlds WHERE world_id = ${toId(worldId)}`
  return row ?? (yield* noWorld)
})

export const madeBy = (actor: Actor): string =>
  actor._tag === "Agent" ? `agent:${actor.agentId}` : `user:${actor.userId}`

/** Agents that admit a person as their owner decide for that person's worlds too; the operator for all. */
export const isAdmin = Effect.fnUntraced(function* (sql: SqlClient, actor: Actor, row: Row) {
  const admins = adminsOf(row)
  if (actor._tag === "Agent") return admins.includes(actor.agentId)
  if (actor.isOperator || row.made_by === madeBy(actor)) return true
  if (admins.length === 0) return false
  const owned = yield* sql`SELECT agent_id FROM world_agents
    WHERE ${sql.in("agent_id", admins)} AND ${ownedBy(sql, actor, "owner_id")} LIMIT 1`
  return owned.length > 0
})
