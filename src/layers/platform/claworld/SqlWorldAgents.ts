/** Agents of Claworld in SQL: who they are, whose, whom they block; presence and feedback are files of their own. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { type Actor, WorldAgents } from "../../../services/platform/Worlds.ts"
import * as secrets from "../secrets.ts"
import { atEdge, lockKey, toId, toNumber } from "../sqlStore.ts"
import {
  actsFor,
  addressOf,
  codeFrom,
  displayName,
  type Numeric,
  ownedBy,
  readCode,
  type Row,
  toAgent
} from "./agentRows.ts"
import { draw } from "./changes.ts"
import * as refusals from "./refusals.ts"
import * as worldFeedback from "./worldFeedback.ts"
import * as worldPresence from "./worldPresence.ts"

export interface Options {
  /** Behind the @ of the addresses of agents that are made from now on. `claworld.local` by default. */
  readonly domain?: string | undefined
}

const prefix = "cwa_"
const maxBlocks = 1_000
/** Agents that a person may make within a day. */
const perDay = 100
const day = 86_400_000
const attempts = 5

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const domain = options.domain ?? "claworld.local"

  const one = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
    const [row] = rows
    return row === undefined ? yield* refusals.noAgent : toAgent(row, yield* Clock.currentTimeMillis)
  })

  const activate: WorldAgents["Service"]["activate"] = Effect.fn("WorldAgents.activate")(function* (input) {
    const name = yield* displayName(input.displayName)
    const wanted = input.agentCode === undefined ? undefined : yield* readCode(input.agentCode, domain)
    const token = yield* secrets.draw(random, prefix)
    const agentId = yield* secrets.drawId(random, "agt_")
    const now = yield* Clock.currentTimeMillis
    const ownerId = input.ownerId

    const insert = Effect.fnUntraced(function* (agentCode: string) {
      const [row] = yield* sql<Row>`INSERT INTO world_agents ${sql.insert({
        agent_id: agentId,
        agent_code: agentCode,
        domain,
        display_name: name,
        owner_id: ownerId ?? null,
        token_hash: secrets.hash(token),
        discoverable: 1,
        contactable: 1,
        epoch: 0,
        online_until: 0,
        changed: yield* draw(sql),
        created_at: now
      })} ON CONFLICT (agent_code, domain) DO NOTHING RETURNING *`
      return row
    })

    const row = yield* sql.withTransaction(
      Effect.gen(function* () {
        if (ownerId !== undefined) {
          yield* lockKey(sql, `world agents ${ownerId}`)
          const [made] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM world_agents
            WHERE owner_id = ${toId(ownerId)} AND created_at > ${now - day}`
          if (toNumber(made?.n ?? 0) >= perDay) return yield* refusals.tooManyAgents
        }
        if (wanted !== undefined) return (yield* insert(wanted)) ?? (yield* refusals.codeTaken)
        const base = codeFrom(name)
        for (let attempt = 0; attempt < attempts; attempt++) {
          const ending = attempt === 0 ? "" : `-${(yield* secrets.drawId(random, "")).slice(0, 6)}`
          const row = yield* insert(base + ending)
          if (row !== undefined) return row
        }
        return yield* refusals.codeTaken
      })
    )
    return { appToken: Redacted.make(token), agentId, agentCode: row.agent_code, address: addressOf(row) }
  }, atEdge)

  const authenticate: WorldAgents["Service"]["authenticate"] = Effect.fn("WorldAgents.authenticate")(function* (token) {
    const [row] = yield* sql<Row>`SELECT * FROM world_agents
      WHERE token_hash = ${secrets.hash(Redacted.value(token))}`
    return row === undefined ? yield* refusals.unknownToken : toAgent(row, yield* Clock.currentTimeMillis)
  }, atEdge)

  const find: WorldAgents["Service"]["find"] = Effect.fn("WorldAgents.find")(function* (agentId) {
    return yield* one(yield* sql<Row>`SELECT * FROM world_agents WHERE agent_id = ${toId(agentId)}`)
  }, atEdge)

  const owned: WorldAgents["Service"]["owned"] = Effect.fn("WorldAgents.owned")(function* (person) {
    const whose = ownedBy(sql, person, "owner_id")
    const rows = yield* sql<Row>`SELECT * FROM world_agents WHERE ${whose}
      ORDER BY display_name, agent_id LIMIT 1000`
    const now = yield* Clock.currentTimeMillis
    return rows.map((row) => toAgent(row, now))
  }, atEdge)

  const actFor: WorldAgents["Service"]["actFor"] = Effect.fn("WorldAgents.actFor")(function* (actor, agentId) {
    if (actor._tag === "Agent" && actor.agentId !== agentId) return yield* refusals.notYourAgent
    const agent = yield* find(agentId)
    return actor._tag === "Agent" || actsFor(actor, agent.ownerId) ? agent : yield* refusals.notYourAgent
  })

  const renew: WorldAgents["Service"]["renew"] = Effect.fn("WorldAgents.renew")(function* (actor, agentId) {
    const agent = yield* actFor(actor, agentId)
    const token = yield* secrets.draw(random, prefix)
    // The next epoch: a connection with the old token that another process has is told to go.
    yield* sql`UPDATE world_agents SET token_hash = ${secrets.hash(token)}, epoch = epoch + 1
      WHERE agent_id = ${agent.agentId}`
    return {
      appToken: Redacted.make(token),
      agentId: agent.agentId,
      agentCode: agent.agentCode,
      address: agent.address
    }
  }, atEdge)

  const edit: WorldAgents["Service"]["edit"] = Effect.fn("WorldAgents.edit")(function* (actor, agentId, changes) {
    const agent = yield* actFor(actor, agentId)
    const columns = {
      ...(changes.displayName === undefined ? {} : { display_name: yield* displayName(changes.displayName) }),
      ...(changes.discoverable === undefined ? {} : { discoverable: changes.discoverable ? 1 : 0 }),
      ...(changes.contactable === undefined ? {} : { contactable: changes.contactable ? 1 : 0 })
    }
    const rows = yield* sql.withTransaction(
      Effect.gen(function* () {
        const changed = yield* draw(sql)
        return yield* sql<Row>`UPDATE world_agents SET ${sql.update({ ...columns, changed })}
          WHERE agent_id = ${agent.agentId} RETURNING *`
      })
    )
    return yield* one(rows)
  }, atEdge)

  const pair = Effect.fnUntraced(function* (actor: Actor, agentId: string, otherId: string) {
    const agent = yield* actFor(actor, agentId)
    if (agentId === otherId) return yield* refusals.blocksSelf
    return { agent, other: yield* find(otherId) }
  })

  const block: WorldAgents["Service"]["block"] = Effect.fn("WorldAgents.block")(function* (actor, agentId, otherId) {
    const { agent, other } = yield* pair(actor, agentId, otherId)
    const now = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `blocks ${agent.agentId}`)
        const [row] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM blocks WHERE agent_id = ${agent.agentId}`
        if (toNumber(row?.n ?? 0) >= maxBlocks) return yield* refusals.tooManyBlocks
        yield* sql`INSERT INTO blocks ${sql.insert({
          agent_id: agent.agentId,
          other_id: other.agentId,
          created_at: now
        })} ON CONFLICT (agent_id, other_id) DO NOTHING`
      })
    )
  }, atEdge)

  const unblock: WorldAgents["Service"]["unblock"] = Effect.fn("WorldAgents.unblock")(function* (
    actor,
    agentId,
    otherId
  ) {
    const { agent, other } = yield* pair(actor, agentId, otherId)
    yield* sql`DELETE FROM blocks WHERE agent_id = ${agent.agentId} AND other_id = ${other.agentId}`
  }, atEdge)

  const blocked: WorldAgents["Service"]["blocked"] = Effect.fn("WorldAgents.blocked")(function* (actor, agentId) {
    const agent = yield* actFor(actor, agentId)
    const rows = yield* sql<Row & { blocked_at: Numeric }>`SELECT a.*, b.created_at AS blocked_at
      FROM blocks b JOIN world_agents a ON a.agent_id = b.other_id
      WHERE b.agent_id = ${agent.agentId} ORDER BY b.created_at DESC, b.other_id LIMIT ${maxBlocks}`
    return rows.map((row) => ({
      agentId: row.agent_id,
      displayName: row.display_name,
      address: addressOf(row),
      blockedAt: toNumber(row.blocked_at)
    }))
  }, atEdge)

  return WorldAgents.of({
    activate,
    authenticate,
    renew,
    find,
    owned,
    actFor,
    edit,
    block,
    unblock,
    blocked,
    ...worldPresence.make(sql),
    ...worldFeedback.make(sql, random)
  })
})

export const layer = (
  options?: Options
): Layer.Layer<WorldAgents, never, SqlClient.SqlClient | SecureRandom.SecureRandom> =>
  Layer.effect(WorldAgents, make(options))
