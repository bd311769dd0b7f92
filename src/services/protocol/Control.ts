/**
 * The small frames between our channel and our platform (features ack, resume, cancel), written and read. A platform
 * that does not know them never sees them: they are sent only after its greeting has named the feature.
 */
import { countOf, idOf, type Json, sessionIdIn } from "./Wire.ts"

/** What an agent can do beyond the family's protocol, named at the upgrade; the greeting answers with what is agreed. */
export type Feature = "ack" | "resume" | "cancel"
export const features: ReadonlyArray<Feature> = ["ack", "resume", "cancel"]
export const featuresHeader = "x-claw-features"
/** Names that are not known are passed over. */
export const readFeatures = (header: string | undefined): ReadonlyArray<Feature> => {
  const named = new Set((header ?? "").toLowerCase().split(/[\s,]+/))
  return features.filter((feature) => named.has(feature))
}

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

/**
 * `response.ack`: the platform has the reply up to this number; -1 = it has nothing of it. Sent by itself now and then
 * (joined, not one per event), at once for a terminal that is stored, and as the answer to `response.resume`. Only
 * that answer carries a `status`:
 * - `open`: go on with the number after this one.
 * - `ended`: it has ended there, whatever ended it; nothing more is wanted.
 * - `unknown`: no message that the agent holds fits. It may be in the mailbox still and come again.
 */
export interface ResponseAck {
  readonly responseId: string
  readonly sequence: number
  readonly status?: "open" | "ended" | "unknown" | undefined
}
export const encodeResponseAck = (ack: ResponseAck): string =>
  JSON.stringify({
    type: "response.ack",
    response_id: ack.responseId,
    sequence_number: ack.sequence,
    status: ack.status
  })
export const readResponseAck = (frame: Json): ResponseAck | undefined => {
  const responseId = idOf(frame["response_id"])
  const sequence = frame["sequence_number"] === -1 ? -1 : countOf(frame["sequence_number"])
  const status = frame["status"]
  return responseId === undefined || sequence === undefined
    ? undefined
    : {
        responseId,
        sequence,
        ...(status === "open" || status === "ended" || status === "unknown" ? { status } : {})
      }
}

/**
 * `response.resume` of an agent after a reconnect: it can go on with any number from `from` on, and waits for the
 * `response.ack` that says with which. Message and session say which message is answered, for a platform that has not
 * seen the reply begin.
 */
export interface AgentResume {
  readonly responseId: string
  readonly from: number
  readonly messageId?: string | undefined
  readonly sessionId?: string | undefined
}
export const encodeAgentResume = (resume: AgentResume): string =>
  JSON.stringify({
    type: "response.resume",
    response_id: resume.responseId,
    from: resume.from,
    message_id: resume.messageId,
    session_id: resume.sessionId
  })
export const readAgentResume = (frame: Json): AgentResume | undefined => {
  const responseId = idOf(frame["response_id"])
  const from = countOf(frame["from"])
  return responseId === undefined || from === undefined
    ? undefined
    : { responseId, from, messageId: idOf(frame["message_id"]), sessionId: idOf(sessionIdIn(frame)) }
}

/** `response.resume` of a reader: it has everything up to this number. `undefined` = it has nothing. */
export interface ReaderResume {
  readonly responseId: string
  readonly startingAfter: number | undefined
}
export const encodeReaderResume = (resume: ReaderResume): string =>
  JSON.stringify({ type: "response.resume", response_id: resume.responseId, starting_after: resume.startingAfter })

/**
 * `response.gap`: the events of these numbers, both included, are missing. To a reader: they are no longer there, the
 * done text follows. To an agent: they have not arrived; it sends them again.
 */
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
