/**
 * What the broker holds of one agent: its link, its replies under way, and how a frame finds its reply. An idle agent
 * costs a few hundred bytes: the maps are made when the first message comes.
 */
import * as Semaphore from "effect/Semaphore"
import type { AgentLink } from "../../services/platform/Broker.ts"
import type { ReplyRef } from "../../services/protocol/Dialect.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import type { Hold } from "../../services/platform/Sessions.ts"
import type { LiveReply } from "./LiveReply.ts"

/** How many replies that ended or went back are remembered, to tell a late frame from a foreign one. */
const remembered = 128

/** How often a link may end of one message that is too large. */
const suspectedUntil = 3

export interface AgentDesk {
  readonly clawId: string
  /** Coming, going and delivering happen one after the other. */
  readonly turn: Semaphore.Semaphore
  link: AgentLink | undefined
  /** What the link may write into the store; stays when it is gone, until the next one comes. */
  hold: Hold | undefined
  /** Since when it is on the line, or away. Milliseconds since the epoch. */
  since: number | undefined
  /** Counts what came into the mailbox; it was seen empty when the count was `emptyAt`. */
  mail: number
  emptyAt: number
  /** By the platform's response id, oldest first. */
  replies: Map<string, LiveReply> | undefined
  byAgentId: Map<string, LiveReply> | undefined
  endings: Set<string> | undefined
  /** Messages that a link may have ended of because they are too large: response id → how often. */
  suspects: Map<string, number> | undefined
  /** What a link had that a newer one has replaced; why it ended is perhaps not known yet. */
  replaced: { readonly link: AgentLink; readonly returned: ReadonlyArray<LiveReply> } | undefined
  returned: Set<string> | undefined
}

export const make = (clawId: string): AgentDesk => ({
  clawId,
  turn: Semaphore.makeUnsafe(1),
  link: undefined,
  hold: undefined,
  since: undefined,
  mail: 0,
  emptyAt: -1,
  replies: undefined,
  byAgentId: undefined,
  endings: undefined,
  suspects: undefined,
  replaced: undefined,
  returned: undefined
})

const messageKey = (sessionId: string, messageId: string): string => `${sessionId}\n${messageId}`

export const add = (desk: AgentDesk, reply: LiveReply): void => {
  desk.replies ??= new Map()
  const { messageId, responseId, sessionId } = reply.exchange
  desk.replies.set(responseId, reply)
  if (desk.returned !== undefined) {
    for (const id of [responseId, messageKey(sessionId, messageId), messageId]) desk.returned.delete(id)
  }
}

const take = (desk: AgentDesk, reply: LiveReply): void => {
  desk.replies?.delete(reply.exchange.responseId)
  if (reply.agentResponseId !== undefined) desk.byAgentId?.delete(reply.agentResponseId)
}

type Ids = Pick<Exchange, "messageId" | "responseId" | "sessionId">

const remember = (set: Set<string>, ids: Ids, agentResponseId: string | undefined): void => {
  for (const id of [ids.responseId, agentResponseId, messageKey(ids.sessionId, ids.messageId), ids.messageId]) {
    if (id !== undefined) set.add(id)
  }
  for (const id of set) {
    if (set.size <= remembered * 4) break
    set.delete(id)
  }
}

/** Takes a reply off the desk because its message goes back into the mailbox: what is said of it now finds nothing. */
export const putBack = (desk: AgentDesk, reply: LiveReply): void => {
  take(desk, reply)
  remember((desk.returned ??= new Set()), reply.exchange, reply.agentResponseId)
}

/** Its message went back into the mailbox here, before a word of it was told. */
export const wasPutBack = (desk: AgentDesk, responseId: string): boolean => desk.returned?.has(responseId) === true

/**
 * A link ended of a frame that was too large while these were with the agent: one of them is suspected. Where ours was
 * too large for the agent, the largest; where the agent's was for us, the one that it answers first.
 *
 * @returns the suspect, where it was suspected so often that it is certain.
 */
export const suspect = (
  desk: AgentDesk,
  replies: ReadonlyArray<LiveReply>,
  whose: "ours" | "theirs"
): LiveReply | undefined => {
  const size = ({ exchange }: LiveReply): number =>
    exchange.parts.reduce((sum, part) => sum + (part.type === "input_text" ? part.text.length : 100), 0)
  const found =
    whose === "theirs"
      ? replies[0]
      : replies.reduce<LiveReply | undefined>(
          (largest, reply) => (largest === undefined || size(reply) > size(largest) ? reply : largest),
          undefined
        )
  if (found === undefined) return undefined
  const { responseId } = found.exchange
  const count = (desk.suspects?.get(responseId) ?? 0) + 1
  ;(desk.suspects ??= new Map()).set(responseId, count)
  return count < suspectedUntil ? undefined : found
}

/** A reply that ended, perhaps in a process before this one; its ids are remembered for a while. */
export const rememberEnding = (desk: AgentDesk, ids: Ids, agentResponseId?: string): void =>
  remember((desk.endings ??= new Set()), ids, agentResponseId)

/** Takes a reply off the desk because it ended. */
export const finish = (desk: AgentDesk, reply: LiveReply): void => {
  take(desk, reply)
  desk.suspects?.delete(reply.exchange.responseId)
  rememberEnding(desk, reply.exchange, reply.agentResponseId)
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
 * The reply that a frame belongs to: by response id, else by message id. An agent that names neither, or that puts a
 * fresh id of its own where the message's would be, answers the oldest message of the session; without a session, the
 * only one there is. A message that the desk knows to be gone is never taken for another one.
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
    if (desk.returned?.has(key) === true || responseId !== undefined || sessionId === undefined) return "unknown"
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
