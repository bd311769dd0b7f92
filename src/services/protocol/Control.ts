/**
 * The small frames between our channel and our platform (features ack, resume, cancel), written and read. A platform
 * that does not know them never sees them: they are sent only after its greeting has named the feature.
 */
import { countOf, idOf, type Json, sessionIdIn } from "./Wire.ts"

/** `session.ack`: the agent has the message in its journal; the mailbox stops sending it again. */
export interface Ack {
  readonly messageId: string
  readonly sessionId: string | undefined
}
export const encodeAck = (ack: Ack): string =>
  JSON.stringify({ type: "session.ack", message_id: ack.messageId, session_id: ack.sessionId })
export const readAck = (frame: Json): Ack | undefined => {
  const messageId = idOf(frame["message_id"])
  return messageId === undefined ? undefined : { messageId, sessionId: idOf(sessionIdIn(frame)) }
}

/** `response.ack`: the platform has stored the reply up to this number. */
export interface ResponseAck {
  readonly responseId: string
  readonly sequence: number
}
export const encodeResponseAck = (ack: ResponseAck): string =>
  JSON.stringify({ type: "response.ack", response_id: ack.responseId, sequence_number: ack.sequence })
export const readResponseAck = (frame: Json): ResponseAck | undefined => {
  const responseId = idOf(frame["response_id"])
  const sequence = countOf(frame["sequence_number"])
  return responseId === undefined || sequence === undefined ? undefined : { responseId, sequence }
}

/** `response.resume` of an agent after a reconnect: it goes on with the event of number `from`. */
export interface AgentResume {
  readonly responseId: string
  readonly from: number
}
export const encodeAgentResume = (resume: AgentResume): string =>
  JSON.stringify({ type: "response.resume", response_id: resume.responseId, from: resume.from })
export const readAgentResume = (frame: Json): AgentResume | undefined => {
  const responseId = idOf(frame["response_id"])
  const from = countOf(frame["from"])
  return responseId === undefined || from === undefined ? undefined : { responseId, from }
}

/** `response.resume` of a reader: it has everything up to this number. `undefined` = it has nothing. */
export interface ReaderResume {
  readonly responseId: string
  readonly startingAfter: number | undefined
}
export const encodeReaderResume = (resume: ReaderResume): string =>
  JSON.stringify({ type: "response.resume", response_id: resume.responseId, starting_after: resume.startingAfter })

/** `response.gap`: the events of these numbers, both included, are no longer there; the done text follows. */
export interface Gap {
  readonly responseId: string
  readonly from: number
  readonly to: number
}
export const encodeGap = (gap: Gap): string =>
  JSON.stringify({ type: "response.gap", response_id: gap.responseId, from: gap.from, to: gap.to })
export const readGap = (frame: Json): Gap | undefined => {
  const responseId = idOf(frame["response_id"])
  const from = countOf(frame["from"])
  const to = countOf(frame["to"])
  return responseId === undefined || from === undefined || to === undefined ? undefined : { responseId, from, to }
}
