/** Entering a world, in one round or several, and leaving it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Matching from "../../../services/platform/Matching.ts"
import type { WorldCatalog } from "../../../services/platform/Worlds.ts"
import type { JoinOutcome } from "../../../services/protocol/ClaworldModels.ts"
import { check, type Checked, type DraftRound, forgotten, merge } from "../../../services/protocol/EntryProfile.ts"
import { bounds, nextActions } from "../../../services/protocol/Worlds.ts"
import { lockKey, toId, toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { type Candidates, deliveryOf } from "./candidateFeed.ts"
import { draw } from "./changes.ts"
import * as refusals from "./refusals.ts"
import { hotWindow } from "./worldActivity.ts"
import { isEnabled, type Row as WorldRow, rulesOf, type Rules } from "./worldRows.ts"

type Round = Parameters<WorldCatalog["Service"]["join"]>[3]

interface Membership {
  readonly profile: string
  readonly active_at: Numeric
  readonly left_at: Numeric | null
}

const drafts = ["profile", "profileDraft", "profileUpdate", "profilePatch", "profileSnapshot"] as const
/** More fields than any world has are no draft. */
const mostKeys = 5 * bounds.fields

const sizeOf = (value: unknown): number =>
  typeof value === "string"
    ? value.length
    : Array.isArray(value)
      ? value.reduce((sum: number, item: unknown) => sum + 1 + (typeof item === "string" ? item.length : 0), 0)
      : 1

/** What is too much to be read at all, whatever it says. */
const checkSize = Effect.fnUntraced(function* (round: DraftRound) {
  for (const name of drafts) {
    const given = round[name]
    if (given === undefined) continue
    const keys = Object.keys(given)
    const large = keys.find((key) => sizeOf(given[key]) > bounds.profile)
    const isLarge =
      large !== undefined || keys.reduce((sum, key) => sum + key.length + sizeOf(given[key]), 0) > bounds.profile * 4
    if (keys.length <= mostKeys && !isLarge) continue
    return yield* refusals.invalid("invalid_profile", "Nothing of it was taken.", [
      {
        fieldId: large === undefined ? name : large.slice(0, bounds.fieldId).toWellFormed(),
        code: "too_large",
        message:
          keys.length > mostKeys
            ? `It has ${keys.length} fields; no world asks so many. Send the fields of get_world_detail.`
            : `It is too large: all answers together may have ${bounds.profile} characters. Shorten it.`
      }
    ])
  }
})

const fieldsPerStep = (wanted: number | undefined) => {
  const { default: usual, maximum, minimum } = bounds.maxFieldsPerStep
  if (wanted === undefined) return Effect.succeed<number>(usual)
  return Number.isInteger(wanted) && wanted >= minimum && wanted <= maximum
    ? Effect.succeed(wanted)
    : Effect.fail(
        refusals.invalid("invalid_request", "Nothing of it was taken.", [
          {
            fieldId: "maxFieldsPerStep",
            code: "out_of_range",
            message: `It must be a whole number from ${minimum} to ${maximum}.`
          }
        ])
      )
}

const labelsOf = (rules: Rules, ids: ReadonlyArray<string>): string =>
  ids.map((id) => rules.entryProfileSchema.fields.find(({ fieldId }) => fieldId === id)?.label ?? id).join(", ")

const needsProfile = (
  worldId: string,
  rules: Rules,
  { errors, missing, profile }: Checked,
  lost: ReadonlyArray<string>,
  perStep: number
): JoinOutcome => {
  const wanted = new Set([...missing.map(({ fieldId }) => fieldId), ...errors.map(({ fieldId }) => fieldId), ...lost])
  const nextFields = rules.entryProfileSchema.fields.filter(({ fieldId }) => wanted.has(fieldId)).slice(0, perStep)
  const parts: Array<string> = []
  if (lost.length > 0) {
    parts.push(
      `An earlier round had answered ${labelsOf(rules, lost)} (${lost.join(", ")}), and this one did not send it back, so it is lost. Send the last profileDraft again, with the new answers in profileUpdate; or send all of it as profileSnapshot if it is meant to be left out.`
    )
  }
  if (errors.length > 0)
    parts.push(
      errors
        .slice(0, 3)
        .map(({ fieldId, message }) => `${fieldId}: ${message}`)
        .join(" ")
    )
  if (missing.length > 0)
    parts.push(
      `Still needed: ${labelsOf(
        rules,
        missing.map(({ fieldId }) => fieldId)
      )}.`
    )
  parts.push("Ask for nextFields; then call join_world with this profileDraft and the new answers in profileUpdate.")
  return {
    status: "needs_profile",
    worldId,
    profileDraft: profile,
    missingFields: missing,
    nextFields,
    fieldErrors: errors,
    forgottenFields: lost,
    message: parts.join(" "),
    nextAction: nextActions.collectFields,
    nextTool: "claworld_join_world"
  }
}

export const make = (sql: SqlClient, candidates: Candidates) => {
  const remembered = Effect.fnUntraced(function* (worldId: string, agentId: string) {
    const [row] = yield* sql<{ fields: string }>`SELECT fields FROM drafts
      WHERE world_id = ${worldId} AND agent_id = ${agentId}`
    const fields: ReadonlyArray<string> = row === undefined ? [] : JSON.parse(row.fields)
    return fields
  })

  const remember = Effect.fnUntraced(function* (worldId: string, agentId: string, fields: ReadonlyArray<string>) {
    const updated_at = yield* Clock.currentTimeMillis
    yield* sql`INSERT INTO drafts ${sql.insert({
      world_id: worldId,
      agent_id: agentId,
      fields: JSON.stringify(fields),
      updated_at
    })} ON CONFLICT (world_id, agent_id) DO UPDATE SET fields = excluded.fields, updated_at = excluded.updated_at`
  })

  const membership = Effect.fnUntraced(function* (worldId: string, agentId: string) {
    const [row] = yield* sql<Membership>`SELECT profile, active_at, left_at FROM memberships
      WHERE world_id = ${worldId} AND agent_id = ${agentId}`
    return row
  })

  const count = (worldId: string, members: number, hotness: number) =>
    sql`UPDATE worlds SET member_count = member_count + ${members}, hotness = hotness + ${hotness}
      WHERE world_id = ${worldId}`

  /** False: the world has changed since this was checked, so it is to be checked again. */
  const enter = Effect.fnUntraced(function* (world: WorldRow, agentId: string, profile: Checked["profile"]) {
    const now = yield* Clock.currentTimeMillis
    const worldId = world.world_id
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const changed = yield* draw(sql)
        yield* lockKey(sql, `world ${worldId}`)
        const same = yield* sql`SELECT 1 AS found FROM worlds
          WHERE world_id = ${worldId} AND rules = ${world.rules} AND is_enabled = 1`
        if (same.length === 0) return false
        const before = yield* membership(worldId, agentId)
        const isNew = before === undefined || before.left_at !== null
        const wasHot = before !== undefined && !isNew && toNumber(before.active_at) > now - hotWindow
        const columns = {
          profile: JSON.stringify(profile),
          terms: JSON.stringify(Matching.termsOf(rulesOf(world).entryProfileSchema, profile)),
          matching: Matching.version,
          active_at: now,
          changed
        }
        if (before === undefined) {
          yield* sql`INSERT INTO memberships ${sql.insert({ ...columns, world_id: worldId, agent_id: agentId, joined_at: now })}`
        } else {
          yield* sql`UPDATE memberships SET ${sql.update({ ...columns, left_at: null, ...(isNew ? { joined_at: now } : {}) })}
            WHERE world_id = ${worldId} AND agent_id = ${agentId}`
        }
        yield* sql`DELETE FROM drafts WHERE world_id = ${worldId} AND agent_id = ${agentId}`
        yield* count(worldId, isNew ? 1 : 0, wasHot ? 0 : 1)
        return true
      })
    )
  })

  const joined = Effect.fnUntraced(function* (world: WorldRow, agentId: string, profile: Checked["profile"]) {
    const candidateFeed = yield* candidates.feed(world, agentId, { limit: bounds.candidates.default })
    return {
      status: "joined",
      membershipStatus: "active",
      worldId: world.world_id,
      agentId,
      profile,
      candidateFeed,
      candidateDelivery: deliveryOf(candidateFeed),
      requestChatAction: {
        tool: "claworld_request_chat",
        worldId: world.world_id,
        targetAgentIdFrom: "candidateFeed.candidates[*].targetAgentId"
      },
      nextAction: nextActions.reviewCandidates
    } satisfies JoinOutcome
  })

  /** The actor may act for the agent. Undefined: the world has changed meanwhile. */
  const round = Effect.fnUntraced(function* (
    world: WorldRow,
    agent: { readonly agentId: string; readonly ownerId: string | null },
    given: Round
  ) {
    const rules = rulesOf(world)
    const { agentId } = agent
    const worldId = world.world_id
    if (!isEnabled(world)) return yield* refusals.shut
    if (rules.eligibility.requires === "owned" && agent.ownerId === null) return yield* refusals.needsOwner
    yield* checkSize(given)
    const perStep = yield* fieldsPerStep(given.maxFieldsPerStep)
    const member = yield* membership(worldId, agentId)
    const present =
      member === undefined || member.left_at !== null ? undefined : (JSON.parse(member.profile) as Checked["profile"])
    // Who is in already and says nothing new is told so.
    if (present !== undefined && given.collectOnly !== true && drafts.every((name) => given[name] === undefined)) {
      return yield* joined(world, agentId, present)
    }
    const draft = merge(given)
    const checked = check(rules.entryProfileSchema, draft)
    const asked = new Set(rules.entryProfileSchema.fields.map(({ fieldId }) => fieldId))
    const earlier = [...new Set([...Object.keys(present ?? {}), ...(yield* remembered(worldId, agentId))])].filter(
      (id) => asked.has(id)
    )
    const isWhole = given.profileSnapshot !== undefined
    const lost = isWhole ? [] : forgotten(earlier, draft)
    const isComplete = checked.missing.length === 0 && checked.errors.length === 0 && lost.length === 0
    if (!isComplete || given.collectOnly === true) {
      yield* remember(worldId, agentId, [...new Set([...(isWhole ? [] : earlier), ...Object.keys(checked.profile)])])
    }
    if (!isComplete) return needsProfile(worldId, rules, checked, lost, perStep)
    if (given.collectOnly === true) {
      return {
        status: "ready_to_join",
        worldId,
        profileDraft: checked.profile,
        joinPayload: { worldId, profileSnapshot: checked.profile },
        nextAction: "call_join_world",
        joinTool: "claworld_join_world"
      } satisfies JoinOutcome
    }
    return (yield* enter(world, agentId, checked.profile)) ? yield* joined(world, agentId, checked.profile) : undefined
  })

  /** The profile goes at once; whoever was never in is told so. */
  const leave = Effect.fnUntraced(function* (worldId: string, agentId: string) {
    const id = toId(agentId)
    const now = yield* Clock.currentTimeMillis
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const changed = yield* draw(sql)
        yield* lockKey(sql, `world ${worldId}`)
        const before = yield* membership(worldId, id)
        if (before === undefined) return yield* refusals.notMember
        yield* sql`DELETE FROM drafts WHERE world_id = ${worldId} AND agent_id = ${id}`
        if (before.left_at !== null) return
        yield* sql`UPDATE memberships SET ${sql.update({ left_at: now, profile: "{}", terms: "{}", changed })}
          WHERE world_id = ${worldId} AND agent_id = ${id}`
        yield* count(worldId, -1, toNumber(before.active_at) > now - hotWindow ? -1 : 0)
      })
    )
  })

  return { round, leave }
}
