/** What Claworld keeps of a person: their agents with all that these said, given out or deleted with the person. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { toNumber } from "../sqlStore.ts"
import { addressOf, type Numeric, type Row as AgentRow } from "./agentRows.ts"
import { draw } from "./changes.ts"
import { refresh } from "./worldActivity.ts"
import { adminsOf, type Row as WorldRow } from "./worldRows.ts"

const time = (milliseconds: Numeric | null): string | null =>
  milliseconds === null ? null : new Date(toNumber(milliseconds)).toISOString()

interface MembershipRow {
  readonly world_id: string
  readonly display_name: string
  readonly profile: string
  readonly joined_at: Numeric
}

interface TalkRow {
  readonly conversation_id: string
  readonly world_id: string | null
  readonly requester_id: string
  readonly peer_id: string
  readonly status: string
  readonly started_at: Numeric
}

interface TurnRow {
  readonly turn: Numeric
  readonly from_id: string
  readonly text: string
  readonly at: Numeric
}

const talksOf = Effect.fnUntraced(function* (agentId: string) {
  const sql = yield* SqlClient.SqlClient
  const talks = yield* sql<TalkRow>`SELECT conversation_id, world_id, requester_id, peer_id, status, started_at
    FROM conversations WHERE requester_id = ${agentId} OR peer_id = ${agentId} ORDER BY started_at, conversation_id`
  return yield* Effect.forEach(talks, (talk) =>
    Effect.map(
      sql<TurnRow>`SELECT turn, from_id, text, at FROM turns
        WHERE conversation_id = ${talk.conversation_id} ORDER BY turn`,
      (turns) => ({
        world_id: talk.world_id,
        with: talk.requester_id === agentId ? talk.peer_id : talk.requester_id,
        status: talk.status,
        started_at: time(talk.started_at),
        turns: turns.map(({ at, from_id, text, turn }) => ({ turn: toNumber(turn), from: from_id, text, at: time(at) }))
      })
    )
  )
})

const agentData = Effect.fnUntraced(function* (row: AgentRow) {
  const sql = yield* SqlClient.SqlClient
  const id = row.agent_id
  const memberships = yield* sql<MembershipRow>`SELECT m.world_id, w.display_name, m.profile, m.joined_at
    FROM memberships m JOIN worlds w ON w.world_id = m.world_id
    WHERE m.agent_id = ${id} AND m.left_at IS NULL ORDER BY m.joined_at, m.world_id`
  const blocks = yield* sql<{ other_id: string }>`SELECT other_id FROM blocks WHERE agent_id = ${id} ORDER BY other_id`
  const requests = yield* sql<{
    requester_id: string
    target_id: string
    world_id: string | null
    opening_message: string | null
    status: string
    created_at: Numeric
  }>`SELECT requester_id, target_id, world_id, opening_message, status, created_at FROM chat_requests
    WHERE requester_id = ${id} OR target_id = ${id} ORDER BY created_at, chat_request_id`
  const feedback = yield* sql<{ title: string; category: string; details: string; created_at: Numeric }>`
    SELECT title, category, details, created_at FROM world_feedback WHERE agent_id = ${id}
    ORDER BY created_at, feedback_id`
  return {
    agent_id: id,
    address: addressOf(row),
    name: row.display_name,
    discoverable: toNumber(row.discoverable) === 1,
    contactable: toNumber(row.contactable) === 1,
    created_at: time(row.created_at),
    worlds: memberships.map((membership) => ({
      world_id: membership.world_id,
      name: membership.display_name,
      profile: JSON.parse(membership.profile) as unknown,
      joined_at: time(membership.joined_at)
    })),
    blocks: blocks.map(({ other_id }) => other_id),
    requests: requests.map(({ created_at, ...request }) => ({ ...request, created_at: time(created_at) })),
    talks: yield* talksOf(id),
    feedback: feedback.map(({ category, created_at, details, title }) => ({
      category,
      title,
      details: JSON.parse(details) as unknown,
      created_at: time(created_at)
    }))
  }
})

const owned = Effect.fnUntraced(function* (userId: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<AgentRow>`SELECT * FROM world_agents WHERE owner_id = ${userId} ORDER BY created_at, agent_id`
})

/** Without a secret, and without what others keep. */
export const collect = Effect.fnUntraced(function* (userId: string) {
  return yield* Effect.forEach(yield* owned(userId), agentData)
})

/**
 * In the caller's transaction. The agents go with their profiles, requests and talks, which were the person's voice, also
 * for those they talked with; worlds that the person made stay for those who are in them, and belong to nobody.
 */
export const leave = Effect.fnUntraced(function* (userId: string) {
  const sql = yield* SqlClient.SqlClient
  const now = yield* Clock.currentTimeMillis
  yield* sql`UPDATE worlds SET made_by = 'gone' WHERE made_by = ${`user:${userId}`}`
  const agents = yield* owned(userId)
  if (agents.length === 0) return 0
  // Whoever follows the changes is not told of rows that are gone, and asks for each before it is shown.
  yield* draw(sql)
  for (const { agent_id: id } of agents) {
    const worlds = yield* sql<{ world_id: string }>`SELECT world_id FROM memberships WHERE agent_id = ${id}`
    const led = yield* sql<WorldRow>`SELECT * FROM worlds WHERE admins LIKE ${`%"${id}"%`}`
    for (const row of led) {
      const admins = JSON.stringify(adminsOf(row).filter((admin) => admin !== id))
      yield* sql`UPDATE worlds SET admins = ${admins} WHERE world_id = ${row.world_id}`
    }
    yield* sql`UPDATE worlds SET made_by = 'gone' WHERE made_by = ${`agent:${id}`}`
    yield* sql`DELETE FROM world_feedback WHERE agent_id = ${id}`
    // Everything else of it goes along (ON DELETE CASCADE).
    yield* sql`DELETE FROM world_agents WHERE agent_id = ${id}`
    for (const { world_id } of worlds) {
      yield* sql`UPDATE worlds SET member_count = (SELECT count(*) FROM memberships
        WHERE world_id = ${world_id} AND left_at IS NULL) WHERE world_id = ${world_id}`
    }
  }
  yield* refresh(sql, now)
  return agents.length
})
