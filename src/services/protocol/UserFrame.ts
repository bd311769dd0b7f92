/**
 * What a person's socket may send to the platform, understood: the gateway request, cancel, bind, resume. Total.
 */
import type { ReaderResume } from "./Control.ts"
import { decodeCancel, type Inbound, type InboundRequest, type MalformedReason } from "./Inbound.ts"
import { decodeRequest, isRequestBody } from "./Request.ts"
import { countOf, idOf, isLongerThan, isRecord, type Json, parse, sessionIdIn } from "./Wire.ts"

export type UserFrame =
  /** Always of the gateway dialect, with a session. */
  | { readonly _tag: "Request"; readonly request: InboundRequest & { readonly sessionId: string } }
  | Extract<Inbound, { readonly _tag: "Cancel" }>
  | { readonly _tag: "Bind"; readonly sessionId: string }
  | ({ readonly _tag: "Resume" } & ReaderResume)
  | { readonly _tag: "Control"; readonly type: string; readonly frame: Json }
  /** `code`, `message` and `param` are those of the gateway's error frame: hand them to `encodeErrorFrame`. */
  | {
      readonly _tag: "Malformed"
      readonly reason: MalformedReason
      readonly code: "missing_required_parameter" | "invalid_parameter" | "invalid_json" | "request_too_large"
      readonly message: string
      readonly param: string | undefined
      readonly messageId: string | undefined
      readonly sessionId: string | undefined
    }

type Code = Extract<UserFrame, { readonly _tag: "Malformed" }>["code"]

const codeOf = (reason: MalformedReason): Code => {
  switch (reason) {
    case "not-json":
    case "data-not-json":
    case "not-an-object":
      return "invalid_json"
    case "too-large":
      return "request_too_large"
    case "empty-input":
    case "missing-session":
      return "missing_required_parameter"
    case "bad-field":
    case "unknown-shape":
      return "invalid_parameter"
  }
}

const malformed = (
  reason: MalformedReason,
  message: string,
  param?: string,
  ids?: { readonly messageId: string | undefined; readonly sessionId: string | undefined }
): UserFrame => ({
  _tag: "Malformed",
  reason,
  code: codeOf(reason),
  message,
  param,
  messageId: ids?.messageId,
  sessionId: ids?.sessionId
})

const missing = (message: string, param: string): UserFrame => ({
  _tag: "Malformed",
  reason: "bad-field",
  code: "missing_required_parameter",
  message,
  param,
  messageId: undefined,
  sessionId: undefined
})

const request = (frame: Json): UserFrame => {
  const result = decodeRequest(frame, undefined, "gateway")
  if (result._tag === "Malformed") return malformed(result.reason, result.message, result.param, result)
  const { sessionId } = result.request
  // The gateway shape cannot come without one; said again for the type.
  return sessionId === undefined
    ? malformed("missing-session", "metadata.session_id is missing: name the session.", "metadata.session_id")
    : { _tag: "Request", request: { ...result.request, sessionId } }
}

/** @param limits `maxBytes`: a longer frame (in UTF-8) is malformed as `too-large`. No limit without it. */
export const decodeUserFrame = (raw: string, limits?: { readonly maxBytes?: number | undefined }): UserFrame => {
  if (limits?.maxBytes !== undefined && isLongerThan(raw, limits.maxBytes)) {
    return malformed("too-large", `This message is larger than the ${limits.maxBytes} bytes that are taken.`)
  }
  const frame = parse(raw)
  if (frame === undefined) return malformed("not-json", "This frame is not JSON.")
  if (!isRecord(frame)) return malformed("not-an-object", "A frame must be a JSON object.")
  const type = frame["type"]
  switch (type) {
    case "response.cancel":
      return (
        decodeCancel(frame) ?? missing("response.cancel must name a reply in response_id or message_id.", "response_id")
      )
    case "session.bind": {
      const sessionId = idOf(sessionIdIn(frame))
      return sessionId === undefined
        ? missing("session.bind must name a session in session_id.", "session_id")
        : { _tag: "Bind", sessionId }
    }
    case "response.resume": {
      const responseId = idOf(frame["response_id"])
      if (responseId === undefined) return missing("response.resume must name a reply in response_id.", "response_id")
      const startingAfter = countOf(frame["starting_after"])
      return startingAfter === undefined && frame["starting_after"] !== undefined && frame["starting_after"] !== null
        ? malformed("bad-field", "starting_after must be a whole number from 0 on.", "starting_after")
        : { _tag: "Resume", responseId, startingAfter }
    }
  }
  if (frame["input"] !== undefined) return request(frame)
  if (typeof type === "string") return { _tag: "Control", type, frame }
  return isRecord(frame["metadata"]) || isRequestBody(frame)
    ? malformed("empty-input", "input is missing: send the message in it.", "input")
    : malformed("unknown-shape", "This frame is neither a message nor a control frame.")
}
