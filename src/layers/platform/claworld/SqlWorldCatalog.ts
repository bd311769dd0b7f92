/**
 * Claworld's worlds in SQL: making and changing them is in worldMakers, entering in worldEntry, who is shown to whom in
 * candidateFeed and worldMembers.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { WorldAgents, WorldCatalog, WorldRefusal } from "../../../services/platform/Worlds.ts"
import { atEdge, toId, toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import * as candidateFeed from "./candidateFeed.ts"
import { defaultWorlds } from "./defaultWorlds.ts"
import * as refusals from "./refusals.ts"
import { touch } from "./worldActivity.ts"
import * as worldEntry from "./worldEntry.ts"
import * as worldFigures from "./worldFigures.ts"
import * as worldMakers from "./worldMakers.ts"
import * as worldMembers from "./worldMembers.ts"
import { columnsOf, find as findRow, isAdmin, isEnabled, type Row, toDetail, toSummary } from "./worldRows.ts"

/** An entry is checked by the rules as they were a moment ago: so often again where they keep changing. */
const attempts = 5
const restless = new WorldRefusal({
  kind: "conflict",
  code: "world_changes",
  detail: "This world is being changed just now, so nobody can enter. Read its detail again, then join.",
  nextTool: "claworld_get_world_detail"
})

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const agents = yield* WorldAgents
  const feeds = candidateFeed.make(sql)
  const figures = worldFigures.make(sql)
  const makers = worldMakers.make(sql, random, agents)
  const entry = worldEntry.make(sql, feeds)

  const detail = Effect.fnUntraced(function* (row: Row) {
    const online = yield* figures.onlineOf([row])
    return toDetail(row, online.get(row.world_id) ?? 0)
  })

  const create: WorldCatalog["Service"]["create"] = Effect.fn("WorldCatalog.create")(function* (actor, input) {
    return yield* detail(yield* makers.create(actor, input))
  }, atEdge)

  const edit: WorldCatalog["Service"]["edit"] = Effect.fn("WorldCatalog.edit")(function* (actor, worldId, changes) {
    return yield* detail(yield* makers.edit(actor, worldId, changes))
  }, atEdge)

  const find: WorldCatalog["Service"]["find"] = Effect.fn("WorldCatalog.find")(function* (worldId) {
    return yield* detail(yield* findRow(sql, worldId))
  }, atEdge)

  const byId = sql.onDialectOrElse({
    pg: () => sql.literal(`world_id COLLATE "C"`),
    orElse: () => sql.literal("world_id")
  })

  const list: WorldCatalog["Service"]["list"] = Effect.fn("WorldCatalog.list")(function* (options) {
    const { limit, offset, page } = worldMembers.pageOf(options)
    if (options.sort === "hot") yield* figures.cool()
    const order = options.sort === "hot" ? sql`hotness DESC, created_at DESC, ${byId}` : sql`created_at DESC, ${byId}`
    const [total] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM worlds WHERE is_enabled = 1`
    const rows = yield* sql<Row>`SELECT * FROM worlds WHERE is_enabled = 1
      ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`
    const online = yield* figures.onlineOf(rows)
    return {
      items: rows.map((row) => toSummary(row, online.get(row.world_id) ?? 0)),
      page,
      pageSize: limit,
      totalCount: toNumber(total?.n ?? 0)
    }
  }, atEdge)

  const join: WorldCatalog["Service"]["join"] = Effect.fn("WorldCatalog.join")(function* (
    actor,
    worldId,
    agentId,
    round
  ) {
    const agent = yield* agents.actFor(actor, agentId)
    for (let attempt = 0; attempt < attempts; attempt++) {
      const outcome = yield* entry.round(yield* findRow(sql, worldId), agent, round)
      if (outcome !== undefined) return outcome
    }
    return yield* restless
  }, atEdge)

  const leave: WorldCatalog["Service"]["leave"] = Effect.fn("WorldCatalog.leave")(function* (actor, worldId, agentId) {
    const row = yield* findRow(sql, worldId)
    const isOwn = yield* agents.actFor(actor, agentId).pipe(
      Effect.as(true),
      Effect.catchTag("WorldRefusal", () => Effect.succeed(false))
    )
    if (!isOwn && !(yield* isAdmin(sql, actor, row))) return yield* refusals.notYourAgent
    yield* entry.leave(row.world_id, agentId)
  }, atEdge)

  const members: WorldCatalog["Service"]["members"] = Effect.fn("WorldCatalog.members")(function* (
    actor,
    worldId,
    options
  ) {
    return yield* worldMembers.make(sql).members(actor, yield* findRow(sql, worldId), options)
  }, atEdge)

  const ofAgent: WorldCatalog["Service"]["ofAgent"] = Effect.fn("WorldCatalog.ofAgent")(function* (actor, agentId) {
    return yield* worldMembers.make(sql).ofAgent((yield* agents.actFor(actor, agentId)).agentId)
  }, atEdge)

  const candidates: WorldCatalog["Service"]["candidates"] = Effect.fn("WorldCatalog.candidates")(function* (
    actor,
    worldId,
    agentId,
    options
  ) {
    const agent = yield* agents.actFor(actor, agentId)
    const row = yield* findRow(sql, worldId)
    if (!isEnabled(row)) return yield* refusals.shut
    const feed = yield* feeds.feed(row, agent.agentId, options)
    yield* touch(sql, row.world_id, [agent.agentId], feed.generatedAt)
    return feed
  }, atEdge)

  const seed: WorldCatalog["Service"]["seed"] = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [worldId, world] of defaultWorlds) {
      yield* sql`INSERT INTO worlds ${sql.insert({
        ...columnsOf(world),
        world_id: toId(worldId),
        made_by: "platform",
        hotness: 0,
        member_count: 0,
        created_at: now,
        updated_at: now
      })} ON CONFLICT (world_id) DO NOTHING`
    }
  }).pipe(atEdge, Effect.withSpan("WorldCatalog.seed"))

  return WorldCatalog.of({ create, edit, find, list, join, leave, members, ofAgent, candidates, seed })
})

export const layer: Layer.Layer<WorldCatalog, never, SqlClient.SqlClient | SecureRandom.SecureRandom | WorldAgents> =
  Layer.effect(WorldCatalog, make)
