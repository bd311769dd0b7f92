/** Making a world and changing one: for its admins. A change of its schema strands nobody who is in. */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Actor, WorldAgents } from "../../../services/platform/Worlds.ts"
import { check, type EntryField, type EntryProfile, type FieldError } from "../../../services/protocol/EntryProfile.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import * as secrets from "../secrets.ts"
import { lockKey, toId, toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import * as refusals from "./refusals.ts"
import { blank, read } from "./worldInput.ts"
import { columnsOf, find, isAdmin, madeBy, type Row, toWorld, type World } from "./worldRows.ts"

type Given = Readonly<Record<string, unknown>>

const perDay = 10
const day = 86_400_000
/** Members that are looked at together. */
const atOnce = 500

const nothingMade = "The world was not made."
const nothingChanged = "The world was not changed."
const badWorld = (what: string, errors: ReadonlyArray<FieldError>) =>
  refusals.invalid("invalid_world_request", what, errors)

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other)

/** Fields whose answers, given before, might not do any more. Labels, descriptions and examples are only words. */
const narrowed = (before: ReadonlyArray<EntryField>, after: ReadonlyArray<EntryField>) => {
  const now = new Map(after.map((field) => [field.fieldId, field]))
  const then = new Map(before.map((field) => [field.fieldId, field]))
  return {
    removed: before.filter(({ fieldId }) => !now.has(fieldId)).map(({ fieldId }) => fieldId),
    changed: after.filter((field) => {
      const old = then.get(field.fieldId)
      if (old === undefined) return field.required
      return old.type !== field.type || (field.required && !old.required) || !isSame(old.constraints, field.constraints)
    })
  }
}

export const make = (
  sql: SqlClient,
  random: SecureRandom.SecureRandom["Service"],
  agents: Pick<WorldAgents["Service"], "actFor">
) => {
  const checkAdmins = Effect.fnUntraced(function* (what: string, ids: ReadonlyArray<string>) {
    if (ids.length > bounds.admins) {
      const message = `A world has at most ${bounds.admins} admins.`
      return yield* badWorld(what, [{ fieldId: "adminAgentIds", code: "too_many", message }])
    }
    if (ids.length === 0) return
    const found = yield* sql`SELECT agent_id FROM world_agents WHERE ${sql.in("agent_id", ids.map(toId))}`
    if (found.length < ids.length) {
      const message = "One of them is no agent of this platform. Name agents by their agentId."
      return yield* badWorld(what, [{ fieldId: "adminAgentIds", code: "unknown_agent", message }])
    }
  })

  /** Of the actor itself, or the agent of theirs that is named. */
  const maker = Effect.fnUntraced(function* (actor: Actor, given: Given) {
    const named = given["agentId"]
    if (named !== undefined && typeof named !== "string") {
      return yield* badWorld(nothingMade, [{ fieldId: "agentId", code: "wrong_type", message: "It must be a text." }])
    }
    const agentId = named ?? (actor._tag === "Agent" ? actor.agentId : undefined)
    return agentId === undefined ? undefined : yield* agents.actFor(actor, agentId)
  })

  const create = Effect.fnUntraced(function* (actor: Actor, given: Given) {
    const agent = yield* maker(actor, given)
    const { errors, world } = read(given, blank)
    if (errors.length > 0) return yield* badWorld(nothingMade, errors)
    const adminAgentIds = [...new Set([...(agent === undefined ? [] : [agent.agentId]), ...world.adminAgentIds])]
    yield* checkAdmins(nothingMade, adminAgentIds)
    const worldId = yield* secrets.drawId(random, "world_")
    const now = yield* Clock.currentTimeMillis
    // All agents of a person together make no more than the person may.
    const ownerId = actor._tag === "Person" ? actor.userId : (agent?.ownerId ?? null)
    const made_by = ownerId === null ? madeBy(actor) : `user:${ownerId}`
    const [row] = yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `worlds of ${made_by}`)
        const [made] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM worlds
          WHERE made_by = ${made_by} AND created_at > ${now - day}`
        if (toNumber(made?.n ?? 0) >= perDay) return yield* refusals.tooManyWorlds(perDay)
        return yield* sql<Row>`INSERT INTO worlds ${sql.insert({
          ...columnsOf({ ...world, adminAgentIds }),
          world_id: worldId,
          made_by,
          hotness: 0,
          member_count: 0,
          created_at: now,
          updated_at: now
        })} RETURNING *`
      })
    )
    return row ?? (yield* Effect.die(new Error("an inserted row is not given back")))
  })

  /** The first field by which somebody who is in would be stranded. */
  const stranded = Effect.fnUntraced(function* (worldId: string, before: World, after: World) {
    const { changed, removed } = narrowed(before.entryProfileSchema.fields, after.entryProfileSchema.fields)
    if (changed.length === 0 && removed.length === 0) return undefined
    let last = ""
    while (true) {
      const rows: ReadonlyArray<{ readonly agent_id: string; readonly profile: string }> = yield* sql<{
        agent_id: string
        profile: string
      }>`SELECT agent_id, profile FROM memberships
        WHERE world_id = ${worldId} AND left_at IS NULL AND agent_id > ${last} ORDER BY agent_id LIMIT ${atOnce}`
      for (const row of rows) {
        const profile: EntryProfile = JSON.parse(row.profile)
        const gone = removed.find((id) => Object.hasOwn(profile, id))
        if (gone !== undefined) return gone
        for (const field of changed) {
          const answer = Object.hasOwn(profile, field.fieldId) ? profile[field.fieldId] : undefined
          const found = check({ fields: [field] }, answer === undefined ? {} : { [field.fieldId]: answer })
          const isKept = isSame(found.profile[field.fieldId], answer)
          if (found.missing.length > 0 || found.errors.length > 0 || !isKept) return field.fieldId
        }
      }
      const end = rows.at(-1)
      if (end === undefined || rows.length < atOnce) return undefined
      last = end.agent_id
    }
  })

  const edit = Effect.fnUntraced(function* (actor: Actor, worldId: string, given: Given) {
    const now = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        // Nobody enters by the old rules while the new ones are written.
        yield* lockKey(sql, `world ${toId(worldId)}`)
        const row = yield* find(sql, worldId)
        if (!(yield* isAdmin(sql, actor, row))) return yield* refusals.notAdmin
        const before = toWorld(row)
        const { errors, world } = read(given, before)
        if (errors.length > 0) return yield* badWorld(nothingChanged, errors)
        if (!isSame(world.adminAgentIds, before.adminAgentIds)) {
          yield* checkAdmins(nothingChanged, world.adminAgentIds)
          if (world.adminAgentIds.length === 0) {
            const message = "A world without an admin could never be changed again. Keep one."
            return yield* badWorld(nothingChanged, [{ fieldId: "adminAgentIds", code: "too_few", message }])
          }
        }
        const at = yield* stranded(row.world_id, before, world)
        if (at !== undefined) {
          const message = `Somebody who is in this world would not fit any more by ${at}: answers that were given have to stay good. Make it wider, or add a field that nobody has to answer.`
          return yield* badWorld(nothingChanged, [{ fieldId: "entryProfileSchema", code: "strands_members", message }])
        }
        const [changed] = yield* sql<Row>`UPDATE worlds SET ${sql.update({ ...columnsOf(world), updated_at: now })}
          WHERE world_id = ${row.world_id} RETURNING *`
        return changed ?? row
      })
    )
  })

  return { create, edit }
}
