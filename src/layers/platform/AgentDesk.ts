/**
 * What the broker holds of one agent: its link, its replies under way, and how a frame finds its reply. An idle agent
 * costs a few hundred bytes: the maps are made when the first message comes.
 */
import * as Semaphore from "effect/Semaphore"
import type { AgentLink } from "../../services/platform/Broker.ts"
import type { ReplyRef } from "../../services/protocol/Dialect.ts"
import type { LiveReply } from "./LiveReply.ts"

/** How many replies that ended are remembered, to tell a late frame from a foreign one. */
const rememberedEndings = 128

export interface AgentDesk {
  readonly clawId: string
  /** Coming, going and delivering happen one after the other. */
  readonly turn: Semaphore.Semaphore
  link: AgentLink | undefined
  /** Since when it is on the line, or away. Milliseconds since the epoch. */
  since: number | undefined
  /** Counts what came into the mailbox; it was seen empty when the count was `emptyAt`. */
  mail: number
  emptyAt: number
  /** By the platform's response id, oldest first. */
  replies: Map<string, LiveReply> | undefined
  byAgentId: Map<string, LiveReply> | undefined
  endings: Set<string> | undefined
}

export const make = (clawId: string): AgentDesk => ({
  clawId,
  turn: Semaphore.makeUnsafe(1),
  link: undefined,
  since: undefined,
  mail: 0,
  emptyAt: -1,
  replies: undefined,
  byAgentId: undefined,
  endings: undefined
})

const messageKey = (sessionId: string, messageId: string): string => `${sessionId}\n${messageId}`

export const add = (desk: AgentDesk, reply: LiveReply): void => {
  desk.replies ??= new Map()
  desk.replies.set(reply.exchange.responseId, reply)
}

/** Takes a reply off the desk because it goes back into the mailbox. */
export const remove = (desk: AgentDesk, reply: LiveReply): void => {
  desk.replies?.delete(reply.exchange.responseId)
  if (reply.agentResponseId !== undefined) desk.byAgentId?.delete(reply.agentResponseId)
}

/** Takes a reply off the desk because it ended; its ids are remembered for a while. */
export const finish = (desk: AgentDesk, reply: LiveReply): void => {
  remove(desk, reply)
  const endings = (desk.endings ??= new Set())
  const { messageId, responseId, sessionId } = reply.exchange
  for (const id of [responseId, reply.agentResponseId, messageKey(sessionId, messageId), messageId]) {
    if (id !== undefined) endings.add(id)
  }
  for (const id of endings) {
    if (endings.size <= rememberedEndings * 4) break
    endings.delete(id)
  }
}

const claim = (desk: AgentDesk, reply: LiveReply, responseId: string | undefined): LiveReply | "unknown" => {
  if (responseId === undefined || responseId === reply.exchange.responseId) return reply
  if (reply.agentResponseId === undefined) {
    reply.agentResponseId = responseId
    desk.byAgentId ??= new Map()
    desk.byAgentId.set(responseId, reply)
    return reply
  }
  // Another run of the same message: the first one that began is the one that counts.
  return reply.agentResponseId === responseId ? reply : "unknown"
}

/**
 * The reply that a frame belongs to: by response id, else by message id, else (a dialect that carries neither) the
 * oldest one of the session that nobody claimed, else the only one there is.
 */
export const find = (desk: AgentDesk, ref: ReplyRef): LiveReply | "ended" | "unknown" => {
  const { messageId, responseId, sessionId } = ref
  const replies = desk.replies
  if (responseId !== undefined) {
    const byId = replies?.get(responseId) ?? desk.byAgentId?.get(responseId)
    if (byId !== undefined) return byId
    if (desk.endings?.has(responseId) === true) return "ended"
  }
  if (messageId !== undefined) {
    if (replies !== undefined) {
      for (const reply of replies.values()) {
        const exchange = reply.exchange
        if (exchange.messageId !== messageId) continue
        if (sessionId !== undefined && exchange.sessionId !== sessionId) continue
        return claim(desk, reply, responseId)
      }
    }
    const key = sessionId === undefined ? messageId : messageKey(sessionId, messageId)
    if (desk.endings?.has(key) === true) return "ended"
    // Some agents put an id of their own where the message's would be: then the session decides.
    if (sessionId === undefined) return "unknown"
  }
  if (sessionId !== undefined && replies !== undefined) {
    for (const reply of replies.values()) {
      if (reply.exchange.sessionId !== sessionId || reply.ended) continue
      if (responseId !== undefined && reply.agentResponseId !== undefined) continue
      return claim(desk, reply, responseId)
    }
  }
  if (sessionId === undefined && messageId === undefined && responseId === undefined && replies?.size === 1) {
    for (const reply of replies.values()) return reply
  }
  return "unknown"
}
