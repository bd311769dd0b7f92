/**
 * What a platform says to an agent, understood: the three shapes of a user's message, in and out of envelopes, and
 * every control frame. Decoding is total: whatever arrives becomes one of these, never an exception.
 */
import type { DialectName } from "./Dialect.ts"
import { decodeRequest, isRequestBody } from "./Request.ts"
import {
  countOf,
  errorOf,
  idOf,
  isLongerThan,
  isRecord,
  type Json,
  parse,
  sessionIdIn,
  textOf,
  topicOfBot,
  topicOfUser
} from "./Wire.ts"

export {
  encodeAutoBound,
  encodeBind,
  encodeCancel,
  encodeDisconnect,
  encodeErrorFrame,
  encodeRequest
} from "./PlatformFrame.ts"

/** One part of a message. A file or an image is named by an id of the platform or by an address. */
export type Part =
  | { readonly type: "input_text"; readonly text: string }
  | {
      readonly type: "input_file"
      readonly fileId: string | undefined
      readonly url: string | undefined
      readonly filename: string | undefined
    }
  | {
      readonly type: "input_image"
      readonly fileId: string | undefined
      readonly url: string | undefined
      readonly filename: string | undefined
    }

export interface InboundRequest {
  /** How it came, and so how the answer goes out unless a setting pins another. */
  readonly dialect: Exclude<DialectName, "open-responses">
  /** Where a request carries no message id there is nothing to tell a repeat by, and no promise of once. */
  readonly messageId: string | undefined
  /** The legacy shape carries none. */
  readonly sessionId: string | undefined
  readonly parts: ReadonlyArray<Part>
  /** How many parts were of an unknown type and left out. */
  readonly skippedParts: number
  readonly stream: boolean
  readonly model: string | undefined
  readonly previousResponseId: string | undefined
  /**
   * Repeated in created and terminal of the gateway dialect. Text to text: numbers and booleans that came became
   * their text, everything else that is no text was left out.
   */
  readonly metadata: Readonly<Record<string, string>>
}

export type MalformedReason =
  | "not-json"
  | "not-an-object"
  | "unknown-shape"
  | "data-not-json"
  | "empty-input"
  | "missing-session"
  | "bad-field"
  | "too-large"

export interface BoundSession {
  readonly sessionId: string
  readonly userId: string | undefined
  readonly assistantId: string | undefined
}

export type Inbound =
  | { readonly _tag: "Request"; readonly request: InboundRequest }
  | {
      readonly _tag: "AutoBound"
      readonly sessions: ReadonlyArray<BoundSession>
      readonly senderType: string | undefined
      readonly senderId: string | undefined
      readonly features: ReadonlyArray<string>
      readonly epoch: number | undefined
    }
  /** Reconnect now, make before break. */
  | { readonly _tag: "Disconnect"; readonly reason: string | undefined }
  | {
      readonly _tag: "Cancel"
      readonly responseId: string | undefined
      readonly messageId: string | undefined
      readonly sessionId: string | undefined
    }
  /** Our own message mirrored: never answered. */
  | { readonly _tag: "Echo" }
  | {
      readonly _tag: "PeerError"
      readonly code: string
      readonly message: string
      readonly param: string | undefined
    }
  /** A control frame that this side does not act on. `type` is what it called itself. */
  | { readonly _tag: "Control"; readonly type: string; readonly frame: Readonly<Record<string, unknown>> }
  | {
      readonly _tag: "Malformed"
      readonly reason: MalformedReason
      /** One sentence for the sender. Never repeats the content. */
      readonly message: string
      readonly dialect: Exclude<DialectName, "open-responses">
      readonly messageId: string | undefined
      readonly sessionId: string | undefined
      readonly param: string | undefined
    }

const malformed = (
  reason: MalformedReason,
  message: string,
  dialect: InboundRequest["dialect"] = "envelope",
  param?: string
): Inbound => ({ _tag: "Malformed", reason, message, dialect, messageId: undefined, sessionId: undefined, param })

const boundSession = (value: unknown): ReadonlyArray<BoundSession> => {
  if (!isRecord(value)) {
    const sessionId = idOf(value)
    return sessionId === undefined ? [] : [{ sessionId, userId: undefined, assistantId: undefined }]
  }
  const sessionId = idOf(sessionIdIn(value))
  return sessionId === undefined
    ? []
    : [{ sessionId, userId: idOf(value["user_id"]), assistantId: idOf(value["assistant_id"]) }]
}

/** A session named twice is one session; an entry that names none is none. */
const autoBound = (frame: Json): Inbound => {
  const given = frame["sessions"]
  const features = frame["features"]
  const seen = new Set<string>()
  return {
    _tag: "AutoBound",
    sessions: (Array.isArray(given) ? given : []).flatMap(boundSession).filter(({ sessionId }) => {
      const fresh = !seen.has(sessionId)
      seen.add(sessionId)
      return fresh
    }),
    senderType: textOf(frame["sender_type"]),
    senderId: idOf(frame["sender_id"]),
    features: (Array.isArray(features) ? features : []).filter((feature) => typeof feature === "string"),
    epoch: countOf(frame["epoch"])
  }
}

/** Shared with what a person sends: `undefined` where the frame names no reply at all. */
export const decodeCancel = (frame: Json): Extract<Inbound, { readonly _tag: "Cancel" }> | undefined => {
  const metadata = isRecord(frame["metadata"]) ? frame["metadata"] : undefined
  const responseId = idOf(frame["response_id"])
  const messageId = idOf(frame["message_id"] ?? metadata?.["message_id"])
  return responseId === undefined && messageId === undefined
    ? undefined
    : {
        _tag: "Cancel",
        responseId,
        messageId,
        sessionId: idOf(metadata?.["session_id"] ?? sessionIdIn(frame))
      }
}

const disconnect = (frame: Json): Inbound => {
  const data = typeof frame["data"] === "string" ? (parse(frame["data"]) ?? frame["data"]) : frame["data"]
  return {
    _tag: "Disconnect",
    reason: textOf(frame["reason"]) ?? (isRecord(data) ? textOf(data["reason"]) : textOf(data))
  }
}

/** A frame or what an envelope held: a message, or else control. */
const decodeBody = (body: Json, headers: Json | undefined): Inbound => {
  if (body["topic"] === topicOfBot) return { _tag: "Echo" }
  const type = body["type"]
  switch (type) {
    case "session.auto_bound":
      return autoBound(body)
    case "response.cancel":
      return (
        decodeCancel(body) ??
        malformed(
          "bad-field",
          "response.cancel must name a reply in response_id or message_id.",
          "gateway",
          "response_id"
        )
      )
    case undefined:
    case "error": {
      const said = errorOf(body["error"] ?? (type === "error" ? body : undefined))
      if (said !== undefined) return { _tag: "PeerError", ...said }
      break
    }
  }
  if (isRequestBody(body)) return decodeRequest(body, headers)
  if (typeof type === "string") return { _tag: "Control", type, frame: body }
  return malformed(
    "unknown-shape",
    "This frame is neither a message nor a control frame.",
    headers ? "envelope" : "gateway"
  )
}

/**
 * Decodes one frame of the platform's. Total.
 *
 * @param limits `maxBytes`: a longer frame (in UTF-8) is malformed as `too-large`. No limit without it.
 */
export const decodeInbound = (raw: string, limits?: { readonly maxBytes?: number | undefined }): Inbound => {
  if (limits?.maxBytes !== undefined && isLongerThan(raw, limits.maxBytes)) {
    return malformed("too-large", `This message is larger than the ${limits.maxBytes} bytes that are taken.`)
  }
  const frame = parse(raw)
  if (frame === undefined) return malformed("not-json", "This frame is not JSON.")
  if (!isRecord(frame)) return malformed("not-an-object", "A frame must be a JSON object.")
  const headers = isRecord(frame["headers"]) ? frame["headers"] : undefined
  const type = frame["type"]
  if (headers === undefined && type !== "MESSAGE" && type !== "SYSTEM") return decodeBody(frame, undefined)

  const topic = headers?.["topic"]
  if (topic === topicOfBot) return { _tag: "Echo" }
  if (type === "SYSTEM") {
    return topic === "disconnect" ? disconnect(frame) : { _tag: "Control", type, frame }
  }
  if (type !== undefined && type !== "MESSAGE") return decodeBody(frame, headers)
  if (topic !== undefined && topic !== topicOfUser) {
    return { _tag: "Control", type: type ?? (typeof topic === "string" ? topic : "unknown"), frame }
  }
  const data = frame["data"]
  if (data === undefined) {
    return isRequestBody(frame)
      ? decodeRequest(frame, headers ?? {})
      : malformed("bad-field", "A MESSAGE frame must carry its message in data.", "envelope", "data")
  }
  const body = typeof data === "string" ? parse(data) : data
  if (body === undefined) return malformed("data-not-json", "The data of this frame is not JSON.", "envelope", "data")
  if (!isRecord(body))
    return malformed("bad-field", "The data of this frame must be a JSON object.", "envelope", "data")
  if (body["type"] === undefined && typeof body["success"] === "boolean") return { _tag: "Control", type: "ack", frame }
  return decodeBody(body, headers ?? {})
}
