/**
 * Claworld's talks in SQL: what is asked and decided is in talkRequests, one step of a talk in talkSteps, what agents
 * answer in talkAnswers, what is looked at in talkLists; what time and others end is here.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import { Neighbours } from "../../../services/platform/Neighbours.ts"
import { type Outgoing, Talks } from "../../../services/platform/Talks.ts"
import { WorldCatalog } from "../../../services/platform/Worlds.ts"
import { atEdge } from "../sqlStore.ts"
import * as talkAnswers from "./talkAnswers.ts"
import * as talkLists from "./talkLists.ts"
import { type Options, settle } from "./talkOptions.ts"
import * as talkRequests from "./talkRequests.ts"
import * as refusals from "./talkRefusals.ts"
import * as talkRows from "./talkRows.ts"
import * as talkSteps from "./talkSteps.ts"

/** How many talks one round of the sweep ends, each in a transaction of its own. */
const atOnce = 500
/** How many deliveries an agent that comes back gets at first; those after them come as it answers. */
const mostPending = 200

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const worlds = yield* WorldCatalog
  const neighbours = yield* Effect.serviceOption(Neighbours)
  const rules = settle(options)
  const listeners = new Set<(outgoing: Outgoing) => boolean>()

  /** To whoever has the agent's socket here; else other processes are told that something waits for it. */
  const announce = (outgoing: ReadonlyArray<Outgoing>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const elsewhere = new Set<string>()
      for (const one of outgoing) {
        let isHere = false
        for (const listener of listeners) isHere = listener(one) || isHere
        if (!isHere) elsewhere.add(one.agentId)
      }
      return Option.isNone(neighbours) || elsewhere.size === 0
        ? Effect.void
        : Effect.forEach(elsewhere, (agentId) => neighbours.value.tellDelivery(agentId), { discard: true })
    })

  const steps = talkSteps.make(sql, worlds)
  const requests = talkRequests.make(sql, random, worlds, rules, steps, announce)
  const answers = talkAnswers.make(sql, steps, announce)
  const { find, lists } = talkLists.make(sql, steps)
  const { lock, settleEnd, stepLocked } = steps

  const end: Talks["Service"]["end"] = Effect.fn("Talks.end")(function* (actor, key) {
    const { row } = yield* find(actor, key)
    const now = yield* Clock.currentTimeMillis
    const stepped = yield* sql.withTransaction(
      stepLocked(row.conversation_id, () => ({ _tag: "Stopped", reason: "operator" }), now)
    )
    if (stepped === undefined) return yield* refusals.noConversation()
    yield* announce(stepped.outgoing)
    return talkRows.toConversation(stepped.row)
  }, atEdge)

  const stop: Talks["Service"]["stop"] = Effect.fn("Talks.stop")(function* (agentId, what) {
    const now = yield* Clock.currentTimeMillis
    const other = what.reason === "blocked" ? what.otherId : undefined
    const world = what.reason === "left" ? what.worldId : undefined
    const between = (peer: "target_id" | "peer_id") =>
      other === undefined
        ? sql`world_id = ${world} AND (requester_id = ${agentId} OR ${sql(peer)} = ${agentId})`
        : sql`((requester_id = ${agentId} AND ${sql(peer)} = ${other})
            OR (requester_id = ${other} AND ${sql(peer)} = ${agentId}))`
    yield* sql`UPDATE chat_requests SET status = 'rejected' WHERE status = 'pending' AND ${between("target_id")}`
    const rows = yield* sql<{ conversation_id: string }>`SELECT conversation_id FROM conversations
      WHERE ${sql.literal(talkRows.underWay)} AND ${between("peer_id")}`
    for (const { conversation_id } of rows) {
      const stepped = yield* sql.withTransaction(
        stepLocked(conversation_id, () => ({ _tag: "Stopped", reason: what.reason }), now)
      )
      yield* announce(stepped?.outgoing ?? [])
    }
  }, atEdge)

  const pending: Talks["Service"]["pending"] = Effect.fnUntraced(function* (agentId) {
    const rows = yield* sql<talkRows.DeliveryRow & Parameters<typeof talkRows.toDelivery>[1]>`SELECT d.delivery_id,
        d.agent_id, d.type, d.payload, d.created_at, c.conversation_key, c.world_id, c.requester_id, c.peer_id
      FROM deliveries d JOIN conversations c ON c.conversation_id = d.conversation_id
      WHERE d.agent_id = ${agentId} AND d.open = 1 ORDER BY d.created_at, d.delivery_id LIMIT ${mostPending}`
    return rows.map((row) => talkRows.toDelivery(row, row))
  }, atEdge)

  const untaken: Talks["Service"]["untaken"] = Effect.fnUntraced(function* (before) {
    const rows = yield* sql<{ agent_id: string; delivery_id: string }>`SELECT agent_id, delivery_id FROM deliveries
      WHERE open = 1 AND state = 'pending' AND created_at < ${before} ORDER BY created_at LIMIT 1000`
    return rows.map(({ agent_id, delivery_id }) => ({ agentId: agent_id, deliveryId: delivery_id }))
  }, atEdge)

  /** Law kickoff-once: where several see at once that the one who asked is there, the first words are asked for once. */
  const askOpener = Effect.fnUntraced(function* (conversationId: string, now: number) {
    const stepped = yield* sql.withTransaction(
      stepLocked(conversationId, () => ({ _tag: "RequesterCame", at: now }), now)
    )
    yield* announce(stepped?.outgoing ?? [])
  }, atEdge)

  const came: Talks["Service"]["came"] = Effect.fnUntraced(function* (agentId) {
    const rows = yield* sql<{ conversation_id: string }>`SELECT conversation_id FROM conversations
      WHERE requester_id = ${agentId} AND kickoff = 'queued'`
    const now = yield* Clock.currentTimeMillis
    for (const { conversation_id } of rows) yield* askOpener(conversation_id, now)
  }, atEdge)

  const timeOut = Effect.fnUntraced(function* (conversationId: string, now: number) {
    const stepped = yield* sql.withTransaction(
      stepLocked(conversationId, ({ turn }) => ({ _tag: "TimedOut", turn: turn + 1, at: now }), now)
    )
    yield* announce(stepped?.outgoing ?? [])
    return stepped?.talk === undefined ? 0 : 1
  }, atEdge)

  /** Last words that nobody fetched. */
  const giveUp = (conversationId: string, before: number, now: number) =>
    Effect.gen(function* () {
      const row = yield* lock(conversationId)
      if (row === undefined) return
      yield* sql`UPDATE deliveries SET state = 'expired', open = 0
        WHERE conversation_id = ${conversationId} AND open = 1 AND type = 'notice' AND created_at <= ${before}`
      yield* settleEnd(row, now)
    }).pipe(sql.withTransaction, atEdge)

  const sweep: Talks["Service"]["sweep"] = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const expired = yield* atEdge(
      sql`UPDATE chat_requests SET status = 'expired' WHERE status = 'pending' AND expires_at <= ${now}
        RETURNING chat_request_id`
    )
    let moved = expired.length
    const due = yield* atEdge(
      sql<{ conversation_id: string; due_at: talkRows.Numeric }>`SELECT conversation_id, due_at FROM conversations
        WHERE due_at IS NOT NULL AND due_at <= ${now} ORDER BY due_at LIMIT ${atOnce}`
    )
    for (const { conversation_id } of due) moved += yield* timeOut(conversation_id, now)
    // Whose presence had run out for a moment has not come anew.
    const here = yield* atEdge(
      sql<{ conversation_id: string }>`SELECT c.conversation_id FROM conversations c
        JOIN world_agents a ON a.agent_id = c.requester_id
        WHERE c.kickoff = 'queued' AND a.online_until > ${now} LIMIT ${atOnce}`
    )
    for (const { conversation_id } of here) yield* askOpener(conversation_id, now)
    const before = now - rules.lastWords
    const old = yield* atEdge(
      sql<{ conversation_id: string }>`SELECT DISTINCT conversation_id FROM deliveries
        WHERE open = 1 AND type = 'notice' AND created_at <= ${before} LIMIT ${atOnce}`
    )
    for (const { conversation_id } of old) yield* giveUp(conversation_id, before, now)
    return moved + here.length + old.length
  }).pipe(Effect.withSpan("Talks.sweep"))

  const watch: Talks["Service"]["watch"] = (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  return Talks.of({ ...requests, ...lists, ...answers, end, stop, pending, untaken, came, sweep, watch })
})

export const layer = (
  options?: Options
): Layer.Layer<Talks, never, SqlClient.SqlClient | SecureRandom.SecureRandom | WorldCatalog> =>
  Layer.effect(Talks, make(options))
