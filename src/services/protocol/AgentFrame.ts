/**
 * What an agent sends, understood: a reply in any dialect, recognised by its shape, and control frames. Total:
 * whatever arrives becomes one of these, never an exception. Readable as well by a person's client, since the
 * platform speaks the gateway vocabulary to people.
 */
import type { DialectName, ReplyRef, ReplyUpdate } from "./Dialect.ts"
import type { MalformedReason } from "./Inbound.ts"
import type { Failure, FailureCode } from "./ResponseEvent.ts"
import {
  countOf,
  errorOf,
  idOf,
  isLongerThan,
  isRecord,
  type Json,
  messageIdIn,
  parse,
  sessionIdIn,
  textOf
} from "./Wire.ts"

export type AgentFrame =
  /** In order. One event gives one update; the whole response object of `stream: false` gives several. */
  | { readonly _tag: "Update"; readonly dialect: DialectName; readonly updates: ReadonlyArray<ReplyUpdate> }
  | { readonly _tag: "Bind"; readonly sessionId: string }
  /** `session.ack`, `response.resume`, `response.ack` ...: read them with Control.ts. */
  | { readonly _tag: "Control"; readonly type: string; readonly frame: Json }
  | {
      readonly _tag: "PeerError"
      readonly code: string
      readonly message: string
      readonly param: string | undefined
    }
  | { readonly _tag: "Malformed"; readonly reason: MalformedReason; readonly message: string }

/** Begin with `response.` but are about a reply and not part of one. */
const controls: ReadonlySet<string> = new Set(["response.resume", "response.ack", "response.cancel", "response.gap"])

const codes: ReadonlySet<string> = new Set<FailureCode>([
  "INVALID_REQUEST",
  "RATE_LIMIT",
  "SDK_ERROR",
  "CALLBACK_ERROR",
  "TIMEOUT",
  "CANCELLED",
  "INTERRUPTED"
])
const isCode = (code: string): code is FailureCode => codes.has(code)

const malformed = (reason: MalformedReason, message: string): AgentFrame => ({ _tag: "Malformed", reason, message })

/** A code that is not of the family becomes SDK_ERROR; the words stay. */
const failureOf = (error: unknown): Failure => {
  const said = errorOf(error)
  if (said === undefined)
    return { code: "SDK_ERROR", message: "The agent ended the reply as failed and gave no reason." }
  return { code: isCode(said.code) ? said.code : "SDK_ERROR", message: said.message }
}

const incompleteOf = (response: Json | undefined): Failure => {
  const details = response?.["incomplete_details"]
  const reason = isRecord(details) ? textOf(details["reason"]) : undefined
  const known = reason !== undefined && /^\w{1,40}$/.test(reason) ? ` (${reason})` : ""
  return { code: "SDK_ERROR", message: `The agent's reply ended before it was whole${known}.` }
}

/** `output_text`, or the texts of the output's messages joined. `undefined` where there is neither. */
const textOfResponse = (response: Json | undefined): string | undefined => {
  if (response === undefined) return undefined
  if (typeof response["output_text"] === "string") return response["output_text"]
  if (!Array.isArray(response["output"])) return undefined
  let text: string | undefined
  for (const item of response["output"] as ReadonlyArray<unknown>) {
    if (!isRecord(item) || !Array.isArray(item["content"])) continue
    for (const part of item["content"] as ReadonlyArray<unknown>) {
      if (isRecord(part) && typeof part["text"] === "string") text = (text ?? "") + part["text"]
    }
  }
  return text
}

const recordIn = (record: Json, key: string): Json | undefined => {
  const value = record[key]
  return isRecord(value) ? value : undefined
}

const refOf = (event: Json, response: Json | undefined, headers: Json | undefined): ReplyRef => {
  const metadata = (response === undefined ? undefined : recordIn(response, "metadata")) ?? recordIn(event, "metadata")
  return {
    responseId: idOf(event["response_id"]) ?? (response === undefined ? undefined : idOf(response["id"])),
    messageId: idOf(
      (headers === undefined ? undefined : messageIdIn(headers)) ?? event["message_id"] ?? metadata?.["message_id"]
    ),
    sessionId: idOf(
      (headers === undefined ? undefined : sessionIdIn(headers)) ?? event["session_id"] ?? metadata?.["session_id"]
    )
  }
}

/** The whole response object, as `stream: false` is answered. */
const decodeWhole = (response: Json, headers: Json | undefined, dialect: DialectName): AgentFrame => {
  const ref = refOf(response, response, headers)
  const text = textOfResponse(response)
  const opened: ReplyUpdate = { _tag: "Opened", ref }
  switch (response["status"]) {
    case "completed":
      return {
        _tag: "Update",
        dialect,
        updates: [opened, { _tag: "TextDone", ref, text: text ?? "" }, { _tag: "Completed", ref, text: text ?? "" }]
      }
    case "failed":
    case "cancelled":
    case "incomplete": {
      const failure: Failure =
        response["status"] === "incomplete"
          ? incompleteOf(response)
          : response["status"] === "cancelled"
            ? { code: "CANCELLED", message: "The reply was cancelled." }
            : failureOf(response["error"])
      return { _tag: "Update", dialect, updates: [opened, { _tag: "Failed", ref, text, failure }] }
    }
    default:
      return { _tag: "Update", dialect, updates: [opened] }
  }
}

const dialectOf = (event: Json, headers: Json | undefined): DialectName => {
  if (typeof event["timestamp"] === "string" || isRecord(event["delta"])) return "legacy"
  if (headers !== undefined) return "envelope"
  if (event["output_index"] !== undefined) return "open-responses"
  const response = event["response"]
  if (isRecord(response)) {
    return response["tools"] !== undefined
      ? "open-responses"
      : response["object"] === undefined
        ? "envelope"
        : "gateway"
  }
  return event["type"] === "response.output_text.delta" || event["type"] === "response.output_text.done"
    ? "gateway"
    : "envelope"
}

const decodeEvent = (event: Json, type: string, headers: Json | undefined): AgentFrame => {
  const response = recordIn(event, "response")
  const ref = refOf(event, response, headers)
  const sequence = countOf(event["sequence_number"])
  const dialect = dialectOf(event, headers)
  const one = (update: ReplyUpdate): AgentFrame => ({ _tag: "Update", dialect, updates: [update] })
  switch (type) {
    case "response.output_text.delta": {
      const delta = isRecord(event["delta"]) ? event["delta"]["text"] : event["delta"]
      return typeof delta === "string"
        ? one({ _tag: "Delta", ref, sequence, delta })
        : malformed("bad-field", "A delta must be a text, or an object with one in the field text.")
    }
    case "response.created":
      return one({ _tag: "Opened", ref, sequence })
    case "response.in_progress":
      // Where it carries the response object, a created came before it; in the envelope dialects it is the first.
      return one(response === undefined ? { _tag: "Opened", ref, sequence } : { _tag: "Progress", ref, sequence, type })
    case "response.output_text.done": {
      const text = event["text"]
      return typeof text === "string"
        ? one({ _tag: "TextDone", ref, sequence, text })
        : malformed("bad-field", "A finished text must come in the field text.")
    }
    case "response.content_part.done": {
      // The canonical stream has said the text in output_text.done already.
      const part = dialect === "open-responses" ? undefined : recordIn(event, "part")
      const text = part?.["text"]
      return one(
        typeof text === "string" ? { _tag: "TextDone", ref, sequence, text } : { _tag: "Progress", ref, sequence, type }
      )
    }
    case "response.completed":
      return one({ _tag: "Completed", ref, sequence, text: textOfResponse(response) })
    case "response.failed":
      return one({
        _tag: "Failed",
        ref,
        sequence,
        text: textOfResponse(response),
        failure: failureOf(event["error"] ?? response?.["error"])
      })
    case "response.incomplete":
      return one({ _tag: "Failed", ref, sequence, text: textOfResponse(response), failure: incompleteOf(response) })
    default:
      return one({ _tag: "Progress", ref, sequence, type })
  }
}

const decodeBody = (frame: Json, headers: Json | undefined): AgentFrame => {
  const type = frame["type"]
  if (typeof type === "string") {
    if (type.startsWith("response.") && !controls.has(type)) return decodeEvent(frame, type, headers)
    if (type === "session.bind") {
      const sessionId = idOf(sessionIdIn(frame))
      return sessionId === undefined
        ? malformed("missing-session", "session.bind must name a session in session_id.")
        : { _tag: "Bind", sessionId }
    }
  }
  if (frame["object"] === "response") {
    const dialect = headers !== undefined ? "envelope" : frame["tools"] === undefined ? "gateway" : "open-responses"
    return decodeWhole(frame, headers, dialect)
  }
  if (type === undefined || type === "error") {
    const said = errorOf(frame["error"] ?? (type === "error" ? frame : undefined))
    if (said !== undefined) return { _tag: "PeerError", ...said }
  }
  return typeof type === "string"
    ? { _tag: "Control", type, frame }
    : malformed("unknown-shape", "This frame is neither an event of a reply nor a control frame.")
}

/** @param limits `maxBytes`: a longer frame (in UTF-8) is malformed as `too-large`. No limit without it. */
export const decodeAgentFrame = (raw: string, limits?: { readonly maxBytes?: number | undefined }): AgentFrame => {
  if (limits?.maxBytes !== undefined && isLongerThan(raw, limits.maxBytes)) {
    return malformed("too-large", `This frame is larger than the ${limits.maxBytes} bytes that are taken.`)
  }
  const frame = parse(raw)
  if (frame === undefined) return malformed("not-json", "This frame is not JSON.")
  if (!isRecord(frame)) return malformed("not-an-object", "A frame must be a JSON object.")
  const headers = recordIn(frame, "headers")
  const data = frame["data"]
  if (frame["type"] !== "MESSAGE" && (headers === undefined || frame["type"] !== undefined)) {
    return decodeBody(frame, headers)
  }
  if (data === undefined) {
    return malformed("bad-field", "A MESSAGE frame must carry its event in data.")
  }
  const body = typeof data === "string" ? parse(data) : data
  if (body === undefined) return malformed("data-not-json", "The data of this frame is not JSON.")
  if (!isRecord(body)) return malformed("bad-field", "The data of this frame must be a JSON object.")
  // The March generation confirmed each message so.
  if (body["type"] === undefined && typeof body["success"] === "boolean") return { _tag: "Control", type: "ack", frame }
  return decodeBody(body, headers ?? {})
}
