/** The platform's own things, as they travel to people: over their sockets and as answers of `/api`. */
import type { FeedItem, Presence } from "../../services/platform/Broker.ts"
import type { Exchange, Session } from "../../services/platform/Sessions.ts"
import type {
  ErrorFrame,
  MessageAccepted,
  MessageStatus,
  PersonGreeting,
  PresenceChanged,
  SessionChanged,
  SessionRemoved
} from "../../services/protocol/ApiFrames.ts"
import type * as Models from "../../services/protocol/ApiModels.ts"
import type { Encoder, ReplyRoute } from "../../services/protocol/Dialect.ts"
import { dialect as gateway } from "../../services/protocol/dialects/Gateway.ts"
import type { Part } from "../../services/protocol/Inbound.ts"
import { isTerminal, type Step } from "../../services/protocol/ReplyLog.ts"

export const toPart = (part: Part): Models.Part =>
  part.type === "input_text"
    ? part
    : {
        type: part.type,
        ...(part.fileId === undefined ? {} : { file_id: part.fileId }),
        ...(part.url === undefined ? {} : { url: part.url }),
        ...(part.filename === undefined ? {} : { filename: part.filename })
      }

/** `text`: what has come so far of a reply under way. */
export const toMessage = (exchange: Exchange, text: string = exchange.replyText): Models.Message => ({
  message_id: exchange.messageId,
  response_id: exchange.responseId,
  previous_response_id: exchange.previousResponseId ?? null,
  session_id: exchange.sessionId,
  claw_id: exchange.clawId,
  ordinal: exchange.ordinal,
  input: exchange.parts.map(toPart),
  status: exchange.status,
  reply_text: text,
  error: exchange.failure === undefined ? null : { code: exchange.failure.code, message: exchange.failure.message },
  created_at: exchange.createdAt,
  ended_at: exchange.endedAt ?? null
})

export const toSession = (session: Session): Models.Session => ({
  session_id: session.sessionId,
  user_id: session.userId,
  assistant_id: session.clawId,
  title: session.title,
  created_at: session.createdAt,
  updated_at: session.updatedAt
})

export const since = (presence: Presence): number | null => presence.since ?? null

/** Frames are encoded once, however many sockets they go to. */
const encoders = new WeakMap<ReplyRoute, Encoder>()

/** Whatever its size: for a reader that has nothing but this. */
export const encodeWhole = (route: ReplyRoute, step: Step): ReadonlyArray<string> => {
  let encoder = encoders.get(route)
  if (encoder === undefined) encoders.set(route, (encoder = gateway.encoder(route)))
  return encoder(step)
}

/** Bytes of a frame that common clients take unless they are told otherwise. */
const largestFrame = 1024 * 1024

/** A character takes at most six bytes as JSON, and the last frame says the text twice. */
const isSmall = (text: string): boolean => text.length * 12 <= largestFrame

const fits = (frame: string): boolean => Buffer.byteLength(frame) <= largestFrame

/** The end of a reply repeats its text, which the reader has got in deltas: where it is too much, it goes without. */
export const encodeStep = (route: ReplyRoute, step: Step): ReadonlyArray<string> => {
  const frames = encodeWhole(route, step)
  return !isTerminal(step) || !route.stream || isSmall(step.text) || frames.every(fits)
    ? frames
    : encodeWhole(route, { ...step, text: "" })
}

export const accepted = (exchange: Exchange, fresh: boolean, agentAway: boolean): string =>
  JSON.stringify({
    type: "message.accepted",
    session_id: exchange.sessionId,
    message_id: exchange.messageId,
    response_id: exchange.responseId,
    waiting: agentAway,
    fresh,
    message: toMessage(exchange)
  } satisfies MessageAccepted)

const encode = (item: FeedItem): ReadonlyArray<string> => {
  switch (item._tag) {
    case "Step":
      return encodeStep(item.route, item.step)
    case "Accepted":
      return [accepted(item.exchange, true, item.agentAway)]
    case "Status":
      return [
        JSON.stringify({
          type: "message.status",
          session_id: item.exchange.sessionId,
          message_id: item.exchange.messageId,
          response_id: item.exchange.responseId,
          status: item.status
        } satisfies MessageStatus)
      ]
    case "Presence":
      return [
        JSON.stringify({
          type: "presence.changed",
          claw_id: item.clawId,
          online: item.presence._tag === "OnLine",
          since: since(item.presence)
        } satisfies PresenceChanged)
      ]
    case "SessionChanged":
      return [
        JSON.stringify({
          type: "session.changed",
          session_id: item.session.sessionId,
          assistant_id: item.session.clawId,
          title: item.session.title
        } satisfies SessionChanged)
      ]
    case "SessionRemoved":
      return [JSON.stringify({ type: "session.removed", session_id: item.sessionId } satisfies SessionRemoved)]
  }
}

const encoded = new WeakMap<FeedItem, ReadonlyArray<Buffer>>()

export const framesOf = (item: FeedItem): ReadonlyArray<Buffer> => {
  let frames = encoded.get(item)
  if (frames === undefined) encoded.set(item, (frames = encode(item).map((frame) => Buffer.from(frame))))
  return frames
}

export const greeting = (userId: string, sessions: ReadonlyArray<Session>): string =>
  JSON.stringify({
    type: "session.auto_bound",
    sessions: sessions.map((session) => ({
      session_id: session.sessionId,
      user_id: session.userId,
      assistant_id: session.clawId
    })),
    sender_type: "user",
    sender_id: userId
  } satisfies PersonGreeting)

/** The ids say which message was refused, where it named itself. */
export const errorFrame = (
  error: ErrorFrame["error"],
  ids?: { readonly sessionId: string | undefined; readonly messageId: string | undefined }
): string =>
  JSON.stringify({
    error,
    ...(ids?.sessionId === undefined && ids?.messageId === undefined
      ? {}
      : { metadata: { session_id: ids?.sessionId, message_id: ids?.messageId } })
  })
