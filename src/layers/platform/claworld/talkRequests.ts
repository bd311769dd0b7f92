/** Requests for a talk: asked, decided, and what comes of it at once (laws one-conversation, online-only). */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import * as Conversation from "../../../services/platform/Conversation.ts"
import type { Decided, Outgoing, Talks } from "../../../services/platform/Talks.ts"
import type { Actor, WorldCatalog } from "../../../services/platform/Worlds.ts"
import type { NewChatRequest } from "../../../services/protocol/ClaworldModels.ts"
import { afterKickoff, conversationKey, nextActions } from "../../../services/protocol/Worlds.ts"
import * as secrets from "../secrets.ts"
import { atEdge, lockKey, toId, toNumber } from "../sqlStore.ts"
import * as talkChecks from "./talkChecks.ts"
import type { Rules } from "./talkOptions.ts"
import * as talkPolicy from "./talkPolicy.ts"
import * as refusals from "./talkRefusals.ts"
import * as talkRows from "./talkRows.ts"
import type { Steps } from "./talkSteps.ts"
import * as talkWords from "./talkWords.ts"
import * as worldActivity from "./worldActivity.ts"

type Requests = Pick<Talks["Service"], "request" | "accept" | "reject">

type Wanted = talkChecks.Wanted

interface Made {
  readonly request: talkRows.RequestRow
  readonly conversation: talkRows.ConversationRow | undefined
  readonly outgoing: ReadonlyArray<Outgoing>
}

export const make = (
  sql: SqlClient,
  random: SecureRandom.SecureRandom["Service"],
  worlds: Pick<WorldCatalog["Service"], "find">,
  rules: Rules,
  { agents, carryOut, lock }: Steps,
  announce: (outgoing: ReadonlyArray<Outgoing>) => Effect.Effect<void>
): Requests => {
  const agentOf = (agentId: string) => Effect.map(agents([agentId]), (found) => found.get(agentId))
  const { checkBlocks, checkRates, checkTarget } = talkChecks.make(sql, rules, agentOf)

  const acting = Effect.fnUntraced(function* (actor: Actor, agentId: string) {
    const agent = yield* agentOf(toId(agentId))
    return agent !== undefined && talkRows.mayActFor(actor, agent) ? agent : yield* refusals.notYourAgent()
  })

  const insert = Effect.fnUntraced(function* (
    { attempt, key, now, opening, policy, requester, targetId, worldId }: Wanted,
    status: "pending" | "accepted",
    conversationId: string | null
  ) {
    const row = {
      chat_request_id: yield* secrets.drawId(random, "chat_"),
      conversation_key: key,
      requester_id: requester.agent_id,
      target_id: targetId,
      world_id: worldId ?? null,
      opening_message: opening ?? null,
      policy: JSON.stringify(policy),
      status,
      conversation_id: conversationId,
      attempt,
      created_at: now,
      expires_at: now + rules.expiry
    }
    yield* sql`INSERT INTO chat_requests ${sql.insert(row)}`
    const made: talkRows.RequestRow = row
    return made
  })

  /** A talk begins; within the transaction that holds its key. */
  const begin = Effect.fnUntraced(function* (request: talkRows.RequestRow, now: number) {
    const conversationId = yield* secrets.drawId(random, "conv_")
    const requester = yield* agentOf(request.requester_id)
    const step = Conversation.open(JSON.parse(request.policy), {
      hasOpening: request.opening_message !== null,
      requesterIsOnline: requester !== undefined && talkRows.isOnline(requester, now),
      at: now,
      expiresAt: toNumber(request.expires_at)
    })
    const conversation: talkRows.ConversationRow = {
      conversation_id: conversationId,
      conversation_key: request.conversation_key,
      chat_request_id: request.chat_request_id,
      world_id: request.world_id,
      requester_id: request.requester_id,
      peer_id: request.target_id,
      policy: request.policy,
      ...talkRows.ofTalk(step.talk),
      started_at: now,
      updated_at: now
    }
    yield* sql`INSERT INTO conversations ${sql.insert({ ...conversation })}`
    yield* sql`UPDATE chat_requests SET status = 'accepted', conversation_id = ${conversationId}
      WHERE chat_request_id = ${request.chat_request_id}`
    if (request.world_id !== null) {
      yield* worldActivity.talkBegan(sql, request.world_id, [request.requester_id, request.target_id], now)
    }
    const outgoing = yield* carryOut(conversation, step, undefined, now)
    const accepted: talkRows.RequestRow = { ...request, status: "accepted", conversation_id: conversationId }
    return { request: accepted, conversation, outgoing } satisfies Made
  })

  /** A talk that stands without first words gets them: whoever brings them is the one who asked. */
  const reopen = Effect.fnUntraced(function* (conversation: talkRows.ConversationRow, wanted: Wanted) {
    const { now, policy, requester, targetId } = wanted
    const request = yield* insert(wanted, "accepted", conversation.conversation_id)
    const step = Conversation.open(policy, {
      hasOpening: true,
      requesterIsOnline: talkRows.isOnline(requester, now),
      at: now,
      expiresAt: toNumber(request.expires_at)
    })
    const changes = {
      chat_request_id: request.chat_request_id,
      requester_id: requester.agent_id,
      peer_id: targetId,
      policy: request.policy,
      ...talkRows.ofTalk(step.talk),
      updated_at: now
    }
    yield* sql`UPDATE conversations SET ${sql.update(changes)}
      WHERE conversation_id = ${conversation.conversation_id}`
    const after: talkRows.ConversationRow = { ...conversation, ...changes }
    return { request, conversation: after, outgoing: yield* carryOut(after, step, undefined, now) } satisfies Made
  })

  const conversationOf = Effect.fnUntraced(function* (request: talkRows.RequestRow) {
    if (request.conversation_id === null) return undefined
    const [row] = yield* sql<talkRows.ConversationRow>`SELECT * FROM conversations
      WHERE conversation_id = ${request.conversation_id}`
    return row
  })

  const before = Effect.fnUntraced(function* ({ attempt, requester, targetId, worldId }: Wanted) {
    if (attempt === null) return undefined
    const [row] = yield* sql<talkRows.RequestRow>`SELECT * FROM chat_requests
      WHERE requester_id = ${requester.agent_id} AND attempt = ${attempt}`
    if (row === undefined) return undefined
    return row.target_id === targetId && row.world_id === (worldId ?? null) ? row : yield* refusals.otherAttempt()
  })

  /** Within the transaction that holds the pair's key: nobody else decides about it meanwhile. */
  const ask = Effect.fnUntraced(function* (wanted: Wanted) {
    const { key, now, opening, requester } = wanted
    const known = yield* before(wanted)
    if (known !== undefined) {
      return { request: known, conversation: yield* conversationOf(known), outgoing: [] } satisfies Made
    }
    const [running] = yield* sql<{ conversation_id: string }>`SELECT conversation_id FROM conversations
      WHERE conversation_key = ${key} AND ${sql.literal(talkRows.underWay)}`
    const conversation = running === undefined ? undefined : yield* lock(running.conversation_id)
    if (conversation !== undefined && !Conversation.isOver(talkRows.toTalk(conversation))) {
      if (opening !== undefined && Conversation.isUnspoken(talkRows.toTalk(conversation))) {
        yield* checkTarget(wanted, false)
        return yield* reopen(conversation, wanted)
      }
      const [request] = yield* sql<talkRows.RequestRow>`SELECT * FROM chat_requests
        WHERE chat_request_id = ${conversation.chat_request_id}`
      if (request !== undefined) return { request, conversation, outgoing: [] } satisfies Made
    }
    yield* sql`UPDATE chat_requests SET status = 'expired'
      WHERE conversation_key = ${key} AND status = 'pending' AND expires_at <= ${now}`
    const [pending] = yield* sql<talkRows.RequestRow>`SELECT * FROM chat_requests
      WHERE conversation_key = ${key} AND status = 'pending'`
    if (pending?.requester_id === requester.agent_id) {
      return { request: pending, conversation: undefined, outgoing: [] } satisfies Made
    }
    if (pending !== undefined) {
      yield* checkTarget(wanted, true)
      const made = yield* begin(pending, now)
      return opening !== undefined && Conversation.isUnspoken(talkRows.toTalk(made.conversation))
        ? yield* reopen(made.conversation, wanted)
        : made
    }
    yield* checkTarget(wanted, false)
    yield* checkRates(wanted)
    return { request: yield* insert(wanted, "pending", null), conversation: undefined, outgoing: [] } satisfies Made
  })

  const answerOf = Effect.fnUntraced(function* ({ conversation, request }: Omit<Made, "outgoing">, viewer: string) {
    const now = yield* Clock.currentTimeMillis
    const other = yield* agentOf(request.requester_id === viewer ? request.target_id : request.requester_id)
    const chatRequest = talkRows.toChatRequest(request, viewer, other, conversation, now)
    const { status } = chatRequest
    const kickoff =
      conversation === undefined
        ? undefined
        : { status: conversation.kickoff, detail: talkWords.kickoffDetail(conversation.kickoff) }
    const isOver =
      status === "rejected" ||
      status === "expired" ||
      (conversation !== undefined &&
        conversation.kickoff !== "failed" &&
        Conversation.isOver(talkRows.toTalk(conversation)))
    return {
      chatRequest,
      kickoff,
      nextAction: isOver
        ? nextActions.closed
        : kickoff === undefined
          ? nextActions.waitForPeer
          : afterKickoff[kickoff.status]
    } satisfies Decided
  })

  const request: Requests["request"] = Effect.fn("Talks.request")(function* (
    actor: Actor,
    input: typeof NewChatRequest.Type,
    attempt?: string
  ) {
    const given = yield* talkPolicy.read(input)
    const requester = yield* acting(actor, input.agentId)
    const targetId = toId(input.targetAgentId)
    if (targetId === requester.agent_id) return yield* refusals.toItself()
    const world = input.worldId === undefined ? undefined : yield* worlds.find(input.worldId)
    if (world !== undefined && !world.isEnabled) return yield* refusals.worldDisabled(world.worldId)
    const template = world?.conversationTemplate
    const now = yield* Clock.currentTimeMillis
    const wanted: Wanted = {
      requester,
      targetId,
      worldId: world?.worldId,
      opening: given.opening,
      policy:
        template === undefined
          ? given.policy
          : {
              maxTurns: template.maxTurns,
              turnTimeoutMs: template.turnTimeoutMs,
              raiseHandPolicy: template.raiseHandPolicy
            },
      attempt: attempt === undefined ? null : secrets.hash(attempt),
      key: conversationKey(requester.agent_id, targetId, world?.worldId),
      now
    }
    const made = yield* sql.withTransaction(
      Effect.gen(function* () {
        // In this order everywhere: first who asks, whose requests are counted, then the pair.
        yield* lockKey(sql, `ask ${requester.agent_id}`)
        yield* lockKey(sql, `talk ${wanted.key}`)
        return yield* ask(wanted)
      })
    )
    yield* announce(made.outgoing)
    return yield* answerOf(made, requester.agent_id)
  }, atEdge)

  /** The request, held, for the agent that was asked; whoever has nothing to do with it learns nothing of it. */
  const forTarget = Effect.fnUntraced(function* (actor: Actor, chatRequestId: string, agentId: string | undefined) {
    const id = toId(chatRequestId)
    const [seen] = yield* sql<talkRows.RequestRow>`SELECT * FROM chat_requests WHERE chat_request_id = ${id}`
    if (seen === undefined) return yield* refusals.noRequest()
    const both = yield* agents([seen.requester_id, seen.target_id])
    const target = both.get(seen.target_id)
    const requester = both.get(seen.requester_id)
    const isTarget = target !== undefined && talkRows.mayActFor(actor, target)
    if (isTarget && (agentId === undefined || agentId === seen.target_id)) {
      yield* lockKey(sql, `talk ${seen.conversation_key}`)
      const [row] = yield* sql<talkRows.RequestRow>`SELECT * FROM chat_requests WHERE chat_request_id = ${id}`
      return row ?? seen
    }
    const isRequester = requester !== undefined && talkRows.mayActFor(actor, requester)
    if (isRequester && (agentId === undefined || agentId === seen.requester_id)) return yield* refusals.notAsked()
    return yield* refusals.noRequest()
  })

  const accept: Requests["accept"] = Effect.fn("Talks.accept")(function* (actor, chatRequestId, agentId) {
    const now = yield* Clock.currentTimeMillis
    const made = yield* sql.withTransaction(
      Effect.gen(function* () {
        const row = yield* forTarget(actor, chatRequestId, agentId)
        const status = talkRows.statusOf(row, now)
        if (status === "accepted") {
          return { request: row, conversation: yield* conversationOf(row), outgoing: [] } satisfies Made
        }
        if (status !== "pending") return yield* refusals.requestClosed(status)
        yield* checkBlocks(row.requester_id, row.target_id)
        return yield* begin(row, now)
      })
    )
    yield* announce(made.outgoing)
    return yield* answerOf(made, made.request.target_id)
  }, atEdge)

  const reject: Requests["reject"] = Effect.fn("Talks.reject")(function* (actor, chatRequestId, agentId) {
    const now = yield* Clock.currentTimeMillis
    const request = yield* sql.withTransaction(
      Effect.gen(function* () {
        const row = yield* forTarget(actor, chatRequestId, agentId)
        const status = talkRows.statusOf(row, now)
        if (status === "rejected") return row
        if (status !== "pending") return yield* refusals.requestClosed(status)
        yield* sql`UPDATE chat_requests SET status = 'rejected' WHERE chat_request_id = ${row.chat_request_id}`
        const rejected: talkRows.RequestRow = { ...row, status: "rejected" }
        return rejected
      })
    )
    return yield* answerOf({ request, conversation: undefined }, request.target_id)
  }, atEdge)

  return { request, accept, reject }
}
