/**
 * One step of a talk and all that it leads to, within the transaction that is open: the talk as it is then, the turn
 * that was taken, the deliveries. Whoever steps holds the talk's row (`lock`); the keys of turns and deliveries see to
 * it that nothing is there twice whatever goes wrong (laws turn-order, kickoff-once).
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Conversation from "../../../services/platform/Conversation.ts"
import type { Outgoing } from "../../../services/platform/Talks.ts"
import type { WorldCatalog } from "../../../services/platform/Worlds.ts"
import type { DeliveryType } from "../../../services/protocol/RelayFrame.ts"
import * as statements from "./statements.ts"
import * as talkRows from "./talkRows.ts"
import * as talkWords from "./talkWords.ts"

export interface Stepped {
  readonly row: talkRows.ConversationRow
  /** To be pushed once the transaction is through. */
  readonly outgoing: ReadonlyArray<Outgoing>
  /** Undefined: what happened changed nothing. */
  readonly talk: Conversation.Talk | undefined
}

/** The columns of what a step changes, in the order in which `talkRows.ofTalk` gives them. */
const changed = [
  "status",
  "kickoff",
  "turn",
  "speaker",
  "requester_hand",
  "peer_hand",
  "silences",
  "due_at",
  "end_reason",
  "updated_at"
] as const

/** The statements of every turn. */
const texts = {
  agent: "SELECT agent_id, agent_code, domain, display_name FROM world_agents WHERE agent_id = ?",
  lock: "SELECT * FROM conversations WHERE conversation_id = ?",
  update: `UPDATE conversations SET ${changed.map((column) => `${column} = ?`).join(", ")} WHERE conversation_id = ?`,
  turn: statements.insertText("turns", ["conversation_id", "turn", "from_id", "text", "raised_hand", "silence", "at"]),
  delivery: statements.insertText("deliveries", [
    "delivery_id",
    "agent_id",
    "conversation_id",
    "type",
    "turn",
    "payload",
    "state",
    "open",
    "created_at"
  ])
} as const

/**
 * Of the talk's own, so that the same delivery can never be there under two ids. Whoever guesses one has nothing of it:
 * each is answered by its agent alone.
 */
const idOf = (row: talkRows.ConversationRow, side: Conversation.Side, type: DeliveryType, turn: number): string =>
  `${row.conversation_id.replace("conv_", "dlv_")}_${turn}${type.slice(0, 1)}${side.slice(0, 1)}`

export const make = (sql: SqlClient, worlds: Pick<WorldCatalog["Service"], "find">) => {
  const agents = Effect.fnUntraced(function* (ids: ReadonlyArray<string>) {
    const wanted = [...new Set(ids)]
    if (wanted.length === 0) return new Map<string, talkRows.AgentRow>()
    const rows = yield* sql<talkRows.AgentRow>`SELECT agent_id, agent_code, domain, display_name, owner_id, contactable,
      online_until FROM world_agents WHERE ${sql.in("agent_id", wanted)}`
    return new Map(rows.map((row) => [row.agent_id, row]))
  })

  const run = statements.make(sql)

  /** Nobody else steps this talk until the transaction ends. SQLite has one writer at a time. */
  const locking = sql.onDialectOrElse({ pg: () => `${texts.lock} FOR UPDATE`, orElse: () => texts.lock })

  const lock = (conversationId: string) =>
    Effect.map(run<talkRows.ConversationRow>(locking, [conversationId]), ([row]) => row)

  const about = Effect.fnUntraced(function* (
    row: talkRows.ConversationRow,
    talk: Conversation.Talk,
    side: Conversation.Side,
    isFirst: boolean
  ) {
    const otherId = talkRows.agentOn(row, Conversation.otherSide(side))
    const [agent] = yield* run<Pick<talkRows.AgentRow, "agent_code" | "domain" | "display_name">>(texts.agent, [
      otherId
    ])
    const [member] =
      !isFirst || row.world_id === null
        ? []
        : yield* sql<{ profile: string }>`SELECT profile FROM memberships
            WHERE world_id = ${row.world_id} AND agent_id = ${otherId} AND left_at IS NULL`
    const profile: unknown = member === undefined || member.profile === "" ? {} : JSON.parse(member.profile)
    const world =
      !isFirst || row.world_id === null
        ? undefined
        : yield* Effect.orElseSucceed(worlds.find(row.world_id), () => undefined)
    const other: talkWords.Other = {
      agentId: otherId,
      address: agent === undefined ? "" : talkRows.addressOf(agent),
      displayName: agent?.display_name ?? "",
      profile
    }
    return { talk, side, other, worldId: row.world_id, world } satisfies talkWords.About
  })

  const deliver = Effect.fnUntraced(function* (
    row: talkRows.ConversationRow,
    side: Conversation.Side,
    type: DeliveryType,
    turn: number,
    payload: talkWords.Payload,
    now: number
  ) {
    const delivery = {
      delivery_id: idOf(row, side, type, turn),
      agent_id: talkRows.agentOn(row, side),
      conversation_id: row.conversation_id,
      type,
      turn,
      payload: JSON.stringify(payload),
      state: "pending",
      open: 1,
      created_at: now
    }
    yield* run(texts.delivery, Object.values(delivery))
    return { agentId: delivery.agent_id, delivery: talkRows.toDelivery(delivery, row) } satisfies Outgoing
  })

  /** Puts down what the outcomes of a step ask for. `brief`: of the request, for first words. */
  const carryOut = Effect.fnUntraced(function* (
    row: talkRows.ConversationRow,
    { outcomes, talk }: Conversation.Step,
    happening: Conversation.Happening | undefined,
    now: number
  ) {
    const outgoing: Array<Outgoing> = []
    for (const outcome of outcomes) {
      switch (outcome._tag) {
        case "AskOpener": {
          const [request] = yield* sql<{ opening_message: string | null }>`SELECT opening_message FROM chat_requests
            WHERE chat_request_id = ${row.chat_request_id}`
          const told = yield* about(row, talk, "requester", true)
          const words = talkWords.kickoff(told, request?.opening_message ?? "")
          outgoing.push(yield* deliver(row, "requester", "kickoff", 1, words, now))
          break
        }
        case "PassOn": {
          const told = yield* about(row, talk, outcome.to, outcome.turn === 2)
          const words = talkWords.turn(told, outcome.turn, outcome.text, happening?._tag === "KeptSilent")
          outgoing.push(yield* deliver(row, outcome.to, "turn", outcome.turn, words, now))
          break
        }
        case "Notify": {
          const told = yield* about(row, talk, outcome.to, false)
          const words = talkWords.notice(told, outcome.reason, outcome.text)
          outgoing.push(yield* deliver(row, outcome.to, "notice", talk.turn + 1, words, now))
        }
      }
    }
    return outgoing
  })

  /** Applies what happened to a talk whose row is held. */
  const apply = Effect.fnUntraced(function* (
    row: talkRows.ConversationRow,
    happening: Conversation.Happening,
    now: number
  ) {
    const before = talkRows.toTalk(row)
    const stepped = Conversation.step(before, happening)
    const { talk } = stepped
    if (talk === before) return { row, outgoing: [], talk: undefined } satisfies Stepped
    const columns = talkRows.ofTalk(talk)
    const after: talkRows.ConversationRow = { ...row, ...columns, updated_at: now }
    yield* run(texts.update, [
      ...changed.map((column) => (column === "updated_at" ? now : columns[column])),
      row.conversation_id
    ])
    if (talk.turn > before.turn && (happening._tag === "Said" || happening._tag === "KeptSilent")) {
      yield* run(texts.turn, [
        row.conversation_id,
        talk.turn,
        talkRows.agentOn(row, happening.by),
        happening._tag === "Said" ? happening.text : "",
        happening._tag === "Said" && happening.raisedHand ? 1 : 0,
        happening._tag === "KeptSilent" ? happening.reason : null,
        now
      ])
    }
    if (Conversation.isOver(talk) && !Conversation.isOver(before)) {
      // What was still to be answered is waited for no more.
      yield* sql`UPDATE deliveries SET state = 'expired', open = 0
        WHERE conversation_id = ${row.conversation_id} AND open = 1`
    }
    const outgoing = yield* carryOut(after, stepped, happening, now)
    return { row: after, outgoing, talk } satisfies Stepped
  })

  /** Nobody waits for last words any more: then the talk has ended. */
  const settleEnd = Effect.fnUntraced(function* (row: talkRows.ConversationRow, now: number) {
    if (row.status !== "ending") return
    const waiting = yield* sql`SELECT delivery_id FROM deliveries
      WHERE conversation_id = ${row.conversation_id} AND open = 1 LIMIT 1`
    if (waiting.length === 0) yield* apply(row, { _tag: "LastWordsTaken" }, now)
  })

  /** Locks a talk and applies to it what `happens` says of it as it then is. */
  const stepLocked = Effect.fnUntraced(function* (
    conversationId: string,
    happens: (talk: Conversation.Talk) => Conversation.Happening,
    now: number
  ) {
    const row = yield* lock(conversationId)
    return row === undefined ? undefined : yield* apply(row, happens(talkRows.toTalk(row)), now)
  })

  return { run, agents, apply, carryOut, lock, settleEnd, stepLocked }
}

export type Steps = ReturnType<typeof make>
