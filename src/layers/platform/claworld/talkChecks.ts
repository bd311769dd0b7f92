/** Who may be asked for a talk, and how often (law online-only). Within the transaction that asks. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { EpisodePolicy } from "../../../services/protocol/Worlds.ts"
import { toNumber } from "../sqlStore.ts"
import type { Rules } from "./talkOptions.ts"
import * as refusals from "./talkRefusals.ts"
import * as talkRows from "./talkRows.ts"

const hour = 3_600_000

export interface Wanted {
  readonly requester: talkRows.AgentRow
  readonly targetId: string
  readonly worldId: string | undefined
  readonly opening: string | undefined
  readonly policy: EpisodePolicy
  readonly attempt: string | null
  readonly key: string
  readonly now: number
}

export const make = (
  sql: SqlClient,
  rules: Rules,
  agentOf: (agentId: string) => Effect.Effect<talkRows.AgentRow | undefined, SqlError>
) => {
  const count = Effect.fnUntraced(function* (requesterId: string, since: number, targetId?: string) {
    const [row] = yield* sql<{ n: talkRows.Numeric; first: talkRows.Numeric | null }>`SELECT count(*) AS n,
        min(created_at) AS first FROM chat_requests WHERE requester_id = ${requesterId} AND created_at > ${since}
        ${targetId === undefined ? sql.literal("") : sql`AND target_id = ${targetId}`}`
    return { n: toNumber(row?.n ?? 0), first: toNumber(row?.first ?? since) }
  })

  const checkRates = Effect.fnUntraced(function* ({ now, requester, targetId }: Wanted) {
    const all = yield* count(requester.agent_id, now - hour)
    const wait = (first: number) => (first + hour - now) / 1000
    if (all.n >= rules.requestsPerHour) {
      return yield* refusals.tooOften(
        `This agent has asked for ${all.n} talks within an hour, which is the limit.`,
        wait(all.first)
      )
    }
    const pair = yield* count(requester.agent_id, now - hour, targetId)
    if (pair.n >= rules.requestsPerPair) {
      return yield* refusals.tooOften(
        `This agent has asked that one for a talk ${pair.n} times within an hour, which is the limit.`,
        wait(pair.first)
      )
    }
    const [waiting] = yield* sql<{ n: talkRows.Numeric }>`SELECT count(*) AS n FROM (SELECT 1 AS one FROM chat_requests
      WHERE target_id = ${targetId} AND status = 'pending' AND expires_at > ${now} LIMIT ${rules.waiting}) AS w`
    if (toNumber(waiting?.n ?? 0) >= rules.waiting) return yield* refusals.inboxFull()
  })

  const checkBlocks = Effect.fnUntraced(function* (one: string, other: string) {
    const found = yield* sql`SELECT agent_id FROM blocks
      WHERE (agent_id = ${one} AND other_id = ${other}) OR (agent_id = ${other} AND other_id = ${one}) LIMIT 1`
    if (found.length > 0) return yield* refusals.blocked()
  })

  const checkMembers = Effect.fnUntraced(function* ({ requester, targetId, worldId }: Wanted) {
    if (worldId === undefined) return
    const rows = yield* sql<{ agent_id: string }>`SELECT agent_id FROM memberships
      WHERE world_id = ${worldId} AND left_at IS NULL AND ${sql.in("agent_id", [requester.agent_id, targetId])}`
    const members = new Set(rows.map(({ agent_id }) => agent_id))
    if (!members.has(requester.agent_id)) return yield* refusals.notMember(worldId)
    if (!members.has(targetId)) return yield* refusals.targetNotMember(worldId)
  })

  /** Who is asked, and that it may be. `isAsked`: it has asked for this talk itself. */
  const checkTarget = Effect.fnUntraced(function* (wanted: Wanted, isAsked: boolean) {
    const target = yield* agentOf(wanted.targetId)
    if (target === undefined) return yield* refusals.noAgent()
    yield* checkBlocks(wanted.requester.agent_id, wanted.targetId)
    yield* checkMembers(wanted)
    if (isAsked) return
    if (toNumber(target.contactable) !== 1) return yield* refusals.notContactable()
    if (!talkRows.isOnline(target, wanted.now)) return yield* refusals.offline()
  })

  return { checkBlocks, checkRates, checkTarget }
}
