/** Claworld's talks as the database keeps them, and as those who ask see them. */
import type { Side, Talk } from "../../../services/platform/Conversation.ts"
import type { Actor } from "../../../services/platform/Worlds.ts"
import type {
  ChatRequest,
  Conversation,
  Counterparty,
  TranscriptTurn
} from "../../../services/protocol/ClaworldModels.ts"
import type { Delivery, DeliveryType } from "../../../services/protocol/RelayFrame.ts"
import { conversationSession } from "../../../services/protocol/Worlds.ts"
import type * as Worlds from "../../../services/protocol/Worlds.ts"
import { toNumber, toOptionalNumber } from "../sqlStore.ts"
import { actsFor } from "./agentRows.ts"

export type Numeric = number | bigint | string

export interface AgentRow {
  readonly agent_id: string
  readonly agent_code: string
  readonly domain: string
  readonly display_name: string
  readonly owner_id: string | null
  readonly contactable: Numeric
  readonly online_until: Numeric
}

export interface RequestRow {
  readonly chat_request_id: string
  readonly conversation_key: string
  readonly requester_id: string
  readonly target_id: string
  readonly world_id: string | null
  readonly opening_message: string | null
  readonly policy: string
  readonly status: Worlds.RequestStatus
  readonly conversation_id: string | null
  readonly created_at: Numeric
  readonly expires_at: Numeric
}

export interface ConversationRow {
  readonly conversation_id: string
  readonly conversation_key: string
  readonly chat_request_id: string
  readonly world_id: string | null
  readonly requester_id: string
  readonly peer_id: string
  readonly policy: string
  readonly status: Worlds.ConversationStatus
  readonly kickoff: Worlds.KickoffStatus
  readonly turn: Numeric
  readonly speaker: Side | null
  readonly requester_hand: Numeric
  readonly peer_hand: Numeric
  readonly silences: Numeric
  readonly due_at: Numeric | null
  readonly end_reason: Worlds.EndReason | null
  readonly started_at: Numeric
  readonly updated_at: Numeric
}

export interface TurnRow {
  readonly turn: Numeric
  readonly from_id: string
  readonly text: string
  readonly raised_hand: Numeric
  readonly silence: Worlds.SilenceReason | null
  readonly at: Numeric
}

export type DeliveryStatus = "pending" | "accepted" | "replied" | "kept_silent" | "expired"

export interface DeliveryRow {
  readonly delivery_id: string
  readonly agent_id: string
  readonly conversation_id: string
  readonly type: DeliveryType
  readonly turn: Numeric
  readonly payload: string
  readonly state: DeliveryStatus
  readonly created_at: Numeric
}

/** The statuses of a talk that is under way; as the index on it has them. */
export const underWay = "status IN ('opening', 'active', 'silent')"

export const isOnline = (agent: Pick<AgentRow, "online_until">, now: number): boolean =>
  toNumber(agent.online_until) > now

export const addressOf = (agent: Pick<AgentRow, "agent_code" | "domain">): string =>
  `${agent.agent_code}@${agent.domain}`

/** An agent for itself, a person for an agent of theirs, whoever runs the platform for any. */
export const mayActFor = (actor: Actor, agent: Pick<AgentRow, "agent_id" | "owner_id">): boolean =>
  actor._tag === "Agent" ? actor.agentId === agent.agent_id : actsFor(actor, agent.owner_id)

export const toTalk = (row: ConversationRow): Talk => ({
  policy: JSON.parse(row.policy),
  status: row.status,
  kickoff: row.kickoff,
  turn: toNumber(row.turn),
  speaker: row.speaker ?? undefined,
  hands: { requester: toNumber(row.requester_hand) === 1, peer: toNumber(row.peer_hand) === 1 },
  silences: toNumber(row.silences),
  dueAt: toOptionalNumber(row.due_at),
  endReason: row.end_reason ?? undefined
})

/** The columns of what a step changes. */
export const ofTalk = (talk: Talk) => ({
  status: talk.status,
  kickoff: talk.kickoff,
  turn: talk.turn,
  speaker: talk.speaker ?? null,
  requester_hand: talk.hands.requester ? 1 : 0,
  peer_hand: talk.hands.peer ? 1 : 0,
  silences: talk.silences,
  due_at: talk.dueAt ?? null,
  end_reason: talk.endReason ?? null
})

export const agentOn = (row: Pick<ConversationRow, "requester_id" | "peer_id">, side: Side): string =>
  side === "requester" ? row.requester_id : row.peer_id

export const sideOf = (row: Pick<ConversationRow, "requester_id">, agentId: string): Side =>
  row.requester_id === agentId ? "requester" : "peer"

export const toConversation = (row: ConversationRow): Conversation => {
  const talk = toTalk(row)
  return {
    conversationKey: row.conversation_key,
    chatRequestId: row.chat_request_id,
    worldId: row.world_id,
    status: talk.status,
    requesterAgentId: row.requester_id,
    peerAgentId: row.peer_id,
    turn: talk.turn,
    policy: talk.policy,
    speakerAgentId: talk.speaker === undefined ? null : agentOn(row, talk.speaker),
    hands: [...(talk.hands.requester ? [row.requester_id] : []), ...(talk.hands.peer ? [row.peer_id] : [])],
    endReason: talk.endReason ?? null,
    startedAt: toNumber(row.started_at),
    updatedAt: toNumber(row.updated_at)
  }
}

export const toTurn = (row: TurnRow): typeof TranscriptTurn.Type => ({
  turn: toNumber(row.turn),
  fromAgentId: row.from_id,
  text: row.text,
  raisedHand: toNumber(row.raised_hand) === 1,
  silence: row.silence,
  at: toNumber(row.at)
})

export const toCounterparty = (
  agentId: string,
  agent: AgentRow | undefined,
  now: number
): typeof Counterparty.Type => ({
  agentId,
  displayName: agent?.display_name ?? "",
  address: agent === undefined ? "" : addressOf(agent),
  online: agent !== undefined && isOnline(agent, now)
})

/** Time ends a request also where nobody has noted it yet. */
export const statusOf = (row: RequestRow, now: number): Worlds.RequestStatus =>
  row.status === "pending" && toNumber(row.expires_at) <= now ? "expired" : row.status

export const toChatRequest = (
  row: RequestRow,
  viewer: string,
  other: AgentRow | undefined,
  conversation: ConversationRow | undefined,
  now: number
): ChatRequest => ({
  chatRequestId: row.chat_request_id,
  status: statusOf(row, now),
  direction: row.requester_id === viewer ? "outbound" : "inbound",
  openingMessage: row.opening_message,
  kickoffBrief: row.opening_message,
  counterparty: toCounterparty(row.requester_id === viewer ? row.target_id : row.requester_id, other, now),
  conversation: conversation === undefined ? null : toConversation(conversation),
  origin: { type: row.world_id === null ? "direct" : "world", worldId: row.world_id },
  createdAt: toNumber(row.created_at),
  expiresAt: toNumber(row.expires_at)
})

type Place = Pick<ConversationRow, "conversation_key" | "world_id" | "requester_id" | "peer_id">

export const toDelivery = (
  row: Pick<DeliveryRow, "delivery_id" | "agent_id" | "type" | "payload" | "created_at">,
  place: Place
): Delivery => {
  const at = toNumber(row.created_at)
  return {
    deliveryId: row.delivery_id,
    sessionKey: conversationSession(place.conversation_key),
    payload: JSON.parse(row.payload),
    metadata: {
      deliveryType: row.type,
      // First words are asked for by the service.
      fromAgentId:
        row.type === "kickoff" ? null : row.agent_id === place.requester_id ? place.peer_id : place.requester_id,
      worldId: place.world_id,
      conversationKey: place.conversation_key,
      allowReply: row.type !== "notice"
    },
    conversationKey: place.conversation_key,
    worldId: place.world_id,
    createdAt: at,
    availableAt: at
  }
}
