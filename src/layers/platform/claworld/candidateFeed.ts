/** Candidates of an agent in a world: those whom the index finds, fetched as they are now and told with the reason. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Matching from "../../../services/platform/Matching.ts"
import type { Candidate, CandidateFeed } from "../../../services/protocol/ClaworldModels.ts"
import { check, type EntryProfile, type EntrySchema } from "../../../services/protocol/EntryProfile.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import * as names from "../names.ts"
import { toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import * as candidateIndex from "./candidateIndex.ts"
import * as refusals from "./refusals.ts"
import { adminsOf, type Row as WorldRow, rulesOf } from "./worldRows.ts"

interface Row {
  readonly agent_id: string
  readonly display_name: string
  readonly profile: string
  readonly terms: string
  readonly matching: Numeric
  readonly active_at: Numeric
}

const headlineLength = 120
const summaryLength = 400
/** How many are looked at together where some turned out to be gone. */
const roomForMore = 200

const inWords = (answer: EntryProfile[string]): string =>
  typeof answer === "object"
    ? answer.join(", ")
    : typeof answer === "boolean"
      ? answer
        ? "yes"
        : "no"
      : String(answer)

/** `headline` where the world asks for one, else the first answer in words. */
export const headlineOf = (schema: EntrySchema, profile: EntryProfile): string => {
  const headline = Object.hasOwn(profile, "headline") ? profile["headline"] : undefined
  const first = schema.fields
    .map(({ fieldId }) => (Object.hasOwn(profile, fieldId) ? profile[fieldId] : undefined))
    .find((answer) => typeof answer === "string")
  return names.cut(inWords(headline ?? first ?? "").replaceAll(/\s+/g, " "), headlineLength)
}

const summaryOf = (schema: EntrySchema, profile: EntryProfile): string => {
  const parts = schema.fields.flatMap(({ fieldId, label }) => {
    const answer = Object.hasOwn(profile, fieldId) ? profile[fieldId] : undefined
    return answer === undefined ? [] : [`${label}: ${inWords(answer).replaceAll(/\s+/g, " ")}`]
  })
  return names.cut(parts.join("; "), summaryLength)
}

export const make = (sql: SqlClient) => {
  const index = candidateIndex.make(sql)

  /** Oneself, those who are blocked either way, and those with whom a talk is open. */
  const leftOut = Effect.fnUntraced(function* (agentId: string) {
    const open = sql`status IN ('opening', 'active', 'silent')`
    const rows = yield* sql<{ id: string }>`SELECT other_id AS id FROM blocks WHERE agent_id = ${agentId}
      UNION SELECT agent_id AS id FROM blocks WHERE other_id = ${agentId}
      UNION SELECT peer_id AS id FROM conversations WHERE requester_id = ${agentId} AND ${open}
      UNION SELECT requester_id AS id FROM conversations WHERE peer_id = ${agentId} AND ${open}`
    return new Set([agentId, ...rows.map(({ id }) => id)])
  })

  /** What somebody looks for in words of their own, by the fields that the world searches by. */
  const inputTerms = Effect.fnUntraced(function* (world: WorldRow, input: Readonly<Record<string, unknown>>) {
    const { entryProfileSchema, searchSchema } = rulesOf(world)
    const fields = entryProfileSchema.fields.filter(({ fieldId }) => searchSchema.inputFieldIds.includes(fieldId))
    // What is looked for need not be a whole answer.
    const schema = {
      fields: fields.map((field) => ({
        ...field,
        required: false,
        constraints: { ...field.constraints, minLength: undefined, minimum: undefined, maximum: undefined }
      }))
    }
    const { errors, profile } = check(schema, input)
    if (errors.length > 0) return yield* refusals.invalid("invalid_request", "Nothing was looked for.", errors)
    return Matching.termsOf(schema, profile)
  })

  const ownTerms = Effect.fnUntraced(function* (world: WorldRow, agentId: string) {
    const [row] = yield* sql<Row>`SELECT * FROM memberships
      WHERE world_id = ${world.world_id} AND agent_id = ${agentId} AND left_at IS NULL`
    return row === undefined ? yield* refusals.notMember : read(row, rulesOf(world).entryProfileSchema)
  })

  const read = (row: Pick<Row, "matching" | "profile" | "terms">, schema: EntrySchema): Matching.Terms =>
    candidateIndex.termsOf(
      { terms: row.terms, profile: toNumber(row.matching) === Matching.version ? "" : row.profile },
      schema
    )

  /** As they are at this moment: whoever is not to be found any more is not among them. */
  const fetch = Effect.fnUntraced(function* (worldId: string, agentIds: ReadonlyArray<string>, now: number) {
    if (agentIds.length === 0) return []
    return yield* sql<Row>`SELECT a.agent_id, a.display_name, m.profile, m.terms, m.matching, m.active_at
      FROM world_agents a JOIN memberships m ON m.agent_id = a.agent_id AND m.world_id = ${worldId}
      WHERE ${sql.in("a.agent_id", agentIds)} AND a.online_until > ${now} AND a.discoverable = 1 AND m.left_at IS NULL`
  })

  /** The agent is a member of the world, which is open. */
  const feed = Effect.fnUntraced(function* (
    world: WorldRow,
    agentId: string,
    options: { readonly limit: number; readonly input?: Readonly<Record<string, unknown>> | undefined }
  ) {
    const { entryProfileSchema: schema, searchSchema } = rulesOf(world)
    const own = yield* ownTerms(world, agentId)
    const terms = options.input === undefined ? own : yield* inputTerms(world, options.input)
    const query = Matching.query(searchSchema, terms)
    const wanted = Number.isFinite(options.limit) ? Math.trunc(options.limit) : bounds.candidates.default
    const limit = Math.min(Math.max(1, wanted), bounds.candidates.maximum)
    const without = yield* leftOut(agentId)
    const worldId = world.world_id
    const now = yield* Clock.currentTimeMillis

    const found: Array<{ readonly row: Row; readonly standing: Matching.Standing; readonly match: Matching.Match }> = []
    const admins = adminsOf(world)
    // Whose time has run out is met here, and makes room for the next ones.
    for (let atOnce = limit; ; atOnce = roomForMore) {
      const { seen, standings } = yield* index.best(worldId, schema, query, atOnce, without)
      const ids = standings.map(({ agentId }) => agentId)
      const rows = new Map((yield* fetch(worldId, ids, now)).map((row) => [row.agent_id, row]))
      found.length = 0
      for (const row of rows.values()) {
        const match = Matching.match(query, read(row, schema))
        const standing = { agentId: row.agent_id, score: match.score, activeAt: toNumber(row.active_at) }
        found.push({ row, match, standing })
      }
      const missing = ids.filter((id) => !rows.has(id))
      yield* index.gone(worldId, missing, seen)
      if (missing.length === 0 || found.length >= limit) break
    }
    found.sort((one, other) => Matching.compare(one.standing, other.standing))
    const candidates = found.slice(0, limit).map(({ match, row }, at): Candidate => {
      const profile: EntryProfile = JSON.parse(row.profile)
      return {
        candidateId: `${worldId}:${row.agent_id}`,
        targetAgentId: row.agent_id,
        displayName: row.display_name,
        worldRole: admins.includes(row.agent_id) ? "admin" : "member",
        headline: headlineOf(schema, profile),
        online: true,
        rank: at + 1,
        score: match.score,
        reasonSummary: Matching.reason(schema, match),
        matchedFieldIds: match.matched.map(({ fieldId }) => fieldId),
        profileSummary: summaryOf(schema, profile)
      }
    })
    return {
      worldId,
      mode: "scored_push",
      status: candidates.length === 0 ? "empty" : "ready",
      candidates,
      generatedAt: now
    } satisfies typeof CandidateFeed.Type
  })

  return { feed }
}

export type Candidates = ReturnType<typeof make>

/** The short form of a feed, as it is pushed. */
export const deliveryOf = ({ candidates, status, worldId }: typeof CandidateFeed.Type) => ({
  worldId,
  status,
  candidateSummaries: candidates.map(({ displayName, online, reasonSummary, score, targetAgentId }) => ({
    targetAgentId,
    displayName,
    online,
    score,
    reasonSummary
  }))
})
