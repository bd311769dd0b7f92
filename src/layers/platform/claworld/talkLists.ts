/** Talks as those who have them look at them: requests, conversations, what was said. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import type { Talks } from "../../../services/platform/Talks.ts"
import type { Actor } from "../../../services/platform/Worlds.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import { atEdge, toId } from "../sqlStore.ts"
import * as refusals from "./talkRefusals.ts"
import * as talkRows from "./talkRows.ts"
import type { Steps } from "./talkSteps.ts"

type Lists = Pick<Talks["Service"], "requests" | "conversations" | "transcript">

const pageOf = (limit: number): number => Math.min(Math.max(1, Math.trunc(limit)), bounds.page.maximum)

export const make = (sql: SqlClient, { agents }: Pick<Steps, "agents">) => {
  const nothing = sql.literal("")

  const acting = Effect.fnUntraced(function* (actor: Actor, agentId: string) {
    const agent = (yield* agents([toId(agentId)])).get(toId(agentId))
    return agent !== undefined && talkRows.mayActFor(actor, agent) ? agent : yield* refusals.notYourAgent()
  })

  const conversationsIn = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    if (ids.length === 0) return new Map<string, talkRows.ConversationRow>()
    const rows = yield* sql<talkRows.ConversationRow>`SELECT * FROM conversations
      WHERE ${sql.in("conversation_id", ids)}`
    return new Map(rows.map((row) => [row.conversation_id, row]))
  })

  const requests: Lists["requests"] = Effect.fn("Talks.requests")(function* (actor, agentId, options) {
    const agent = yield* acting(actor, agentId)
    const limit = pageOf(options.limit)
    const now = yield* Clock.currentTimeMillis
    const { before, direction, status } = options
    const wanted: Fragment =
      status === undefined
        ? nothing
        : status === "pending"
          ? sql`AND status = 'pending' AND expires_at > ${now}`
          : status === "expired"
            ? sql`AND (status = 'expired' OR (status = 'pending' AND expires_at <= ${now}))`
            : sql`AND status = ${status}`
    const place: Fragment =
      before === undefined
        ? nothing
        : sql`AND (created_at, chat_request_id) < (SELECT created_at, chat_request_id FROM chat_requests
            WHERE chat_request_id = ${toId(before)})`
    // Two walks along an index each, and not one along neither.
    const half = (column: "requester_id" | "target_id") => sql`SELECT * FROM (SELECT * FROM chat_requests
      WHERE ${sql(column)} = ${agent.agent_id} ${wanted} ${place}
      ORDER BY created_at DESC, chat_request_id DESC LIMIT ${limit + 1}) AS of_${sql.literal(column)}`
    const both =
      direction === "inbound"
        ? half("target_id")
        : direction === "outbound"
          ? half("requester_id")
          : sql`${half("requester_id")} UNION ALL ${half("target_id")}`
    const rows = yield* sql<talkRows.RequestRow>`${both}
      ORDER BY created_at DESC, chat_request_id DESC LIMIT ${limit + 1}`
    const page = rows.slice(0, limit)
    const others = yield* agents(page.flatMap((row) => [row.requester_id, row.target_id]))
    const talks = yield* conversationsIn(page.flatMap(({ conversation_id: id }) => (id === null ? [] : [id])))
    const items = page.map((row) => {
      const other = row.requester_id === agent.agent_id ? row.target_id : row.requester_id
      const talk = row.conversation_id === null ? undefined : talks.get(row.conversation_id)
      return talkRows.toChatRequest(row, agent.agent_id, others.get(other), talk, now)
    })
    return { items, next: rows.length > limit ? items.at(-1)?.chatRequestId : undefined }
  }, atEdge)

  const conversations: Lists["conversations"] = Effect.fn("Talks.conversations")(function* (actor, agentId, options) {
    const agent = yield* acting(actor, agentId)
    const limit = pageOf(options.limit)
    const place: Fragment =
      options.before === undefined
        ? nothing
        : sql`AND (started_at, conversation_id) < (SELECT started_at, conversation_id FROM conversations
            WHERE chat_request_id = ${toId(options.before)})`
    const half = (column: "requester_id" | "peer_id") => sql`SELECT * FROM (SELECT * FROM conversations
      WHERE ${sql(column)} = ${agent.agent_id} ${place}
      ORDER BY started_at DESC, conversation_id DESC LIMIT ${limit + 1}) AS of_${sql.literal(column)}`
    const rows = yield* sql<talkRows.ConversationRow>`${half("requester_id")} UNION ALL ${half("peer_id")}
      ORDER BY started_at DESC, conversation_id DESC LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map(talkRows.toConversation)
    return { items, next: rows.length > limit ? items.at(-1)?.chatRequestId : undefined }
  }, atEdge)

  /** A talk by its key (the newest) or by the request it came of, with the one of the two whose side the actor sees. */
  const find = Effect.fnUntraced(function* (actor: Actor, key: string) {
    const wanted = toId(key)
    const rows = yield* sql<talkRows.ConversationRow>`SELECT * FROM conversations
      WHERE ${
        key.startsWith("pair:")
          ? sql`conversation_key = ${wanted}`
          : sql`conversation_id = (SELECT conversation_id
        FROM chat_requests WHERE chat_request_id = ${wanted})`
      }
      ORDER BY started_at DESC, conversation_id DESC LIMIT 1`
    const row = rows[0]
    if (row === undefined) return yield* refusals.noConversation()
    const both = yield* agents([row.requester_id, row.peer_id])
    const viewer = [row.requester_id, row.peer_id].find((id) => {
      const agent = both.get(id)
      return agent !== undefined && talkRows.mayActFor(actor, agent)
    })
    if (viewer === undefined) return yield* refusals.noConversation()
    const other = viewer === row.requester_id ? row.peer_id : row.requester_id
    return { row, viewer, other, otherRow: both.get(other) }
  })

  const transcript: Lists["transcript"] = Effect.fn("Talks.transcript")(function* (actor, key, after = 0) {
    const { other, otherRow, row } = yield* find(actor, key)
    const now = yield* Clock.currentTimeMillis
    const from = Math.min(Math.max(0, Math.trunc(after)), bounds.maxTurns.maximum)
    const turns = yield* sql<talkRows.TurnRow>`SELECT * FROM turns
      WHERE conversation_id = ${row.conversation_id} AND turn > ${from} ORDER BY turn LIMIT ${bounds.maxTurns.maximum}`
    return {
      conversation: talkRows.toConversation(row),
      counterparty: talkRows.toCounterparty(other, otherRow, now),
      turns: turns.map(talkRows.toTurn)
    }
  }, atEdge)

  return { find, lists: { requests, conversations, transcript } satisfies Lists }
}
