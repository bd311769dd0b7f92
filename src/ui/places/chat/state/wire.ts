/**
 * From the wire (the platform's ApiModels, ApiFrames and gateway dialect) into the page's own values. Total: what is
 * not understood is left out, never thrown about.
 */
import type { Agent, Exchange, Failure, Part, Phase, Session } from "./model.ts"
import type { Ref, ReplyEvent } from "./reply.ts"
import { list, record, text, texts } from "../../../lib/wire.ts"
import type { Json } from "../../../../services/protocol/Wire.ts"

const textOr = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)
const number = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined

export const items = (data: unknown): ReadonlyArray<unknown> =>
  Array.isArray(data) ? data : list(record(data)["items"])

export const readAgent = (value: unknown): Agent => {
  const agent = record(value)
  return {
    clawId: text(agent["claw_id"]),
    name: text(agent["name"]),
    description: text(agent["description"]),
    avatar: text(agent["avatar"]),
    online: agent["online"] === true,
    since: number(agent["since"]),
    sceneTags: texts(agent["scene_tags"]),
    customTags: texts(agent["custom_tags"]),
    hourlyRate: number(agent["hourly_rate"]) ?? 0
  }
}

export const readSession = (value: unknown): Session => {
  const session = record(value)
  return {
    sessionId: text(session["session_id"]),
    clawId: text(session["assistant_id"]),
    title: text(session["title"]),
    updatedAt: number(session["updated_at"]) ?? 0
  }
}

const readPart = (value: unknown): ReadonlyArray<Part> => {
  const part = record(value)
  const filename = textOr(part["filename"])
  const fileId = textOr(part["file_id"])
  const url = textOr(part["url"]) ?? textOr(part["image_url"]) ?? textOr(part["file_url"])
  switch (part["type"]) {
    case "input_text":
      return [{ type: "text", text: text(part["text"]) }]
    case "input_image":
    case "input_file":
      if (fileId !== undefined) {
        return [{ type: part["type"] === "input_image" ? "image" : "file", fileId, filename }]
      }
      return url === undefined ? [] : [{ type: "link", url, filename }]
    default:
      return []
  }
}

export const writePart = (part: Part): object => {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text }
    case "link":
      return { type: "input_file", url: part.url, ...(part.filename === undefined ? {} : { filename: part.filename }) }
    case "image":
    case "file":
      return {
        type: part.type === "image" ? "input_image" : "input_file",
        file_id: part.fileId,
        ...(part.filename === undefined ? {} : { filename: part.filename })
      }
  }
}

const readFailure = (value: unknown): Failure => {
  const error = record(value)
  const code = error["code"]
  return {
    code: typeof code === "string" && code !== "" ? code : typeof code === "number" ? String(code) : "other",
    message: text(error["message"])
  }
}

const phases: Readonly<Record<string, Phase>> = {
  waiting: "waiting",
  delivered: "delivered",
  answering: "answering",
  completed: "completed",
  failed: "failed"
}

export const readMessage = (value: unknown): Exchange => {
  const message = record(value)
  const phase = phases[text(message["status"])] ?? "delivered"
  const ended = phase === "completed" || phase === "failed"
  const said = text(message["reply_text"])
  return {
    sessionId: text(message["session_id"]),
    messageId: text(message["message_id"]),
    responseId: textOr(message["response_id"]),
    parts: list(message["input"]).flatMap(readPart),
    phase,
    text: ended ? said : "",
    snapshot: ended ? "" : said,
    next: undefined,
    ahead: new Map(),
    settled: ended,
    failure: phase === "failed" ? readFailure(message["error"]) : undefined,
    createdAt: number(message["created_at"]) ?? 0,
    sentAt: undefined,
    firstWordsAt: undefined,
    endedAt: number(message["ended_at"])
  }
}

const outputText = (response: Json): string | undefined => {
  const whole = textOr(response["output_text"])
  if (whole !== undefined) return whole
  const parts = list(response["output"]).flatMap((item) =>
    list(record(item)["content"]).map((content) => text(record(content)["text"]))
  )
  return parts.length === 0 ? undefined : parts.join("")
}

/** One event of a reply in the gateway dialect. */
const readReplyEvent = (value: unknown, at: number): ReplyEvent | undefined => {
  const frame = record(value)
  const response = record(frame["response"])
  const metadata = { ...record(frame["metadata"]), ...record(response["metadata"]) }
  const ref: Ref = {
    responseId: textOr(frame["response_id"]) ?? textOr(response["id"]),
    sessionId: textOr(metadata["session_id"]),
    messageId: textOr(metadata["message_id"])
  }
  switch (frame["type"]) {
    case "response.created":
      return { type: "created", ref, at }
    case "response.gap":
      return { type: "gap", ref, at }
    case "response.output_text.delta": {
      const delta = frame["delta"]
      const said = typeof delta === "string" ? delta : text(record(delta)["text"])
      const sequence = number(frame["sequence_number"])
      return { type: "delta", ref, at, from: number(frame["from"]), sequence, delta: said }
    }
    case "response.output_text.done":
      return { type: "text", ref, at, text: text(frame["text"]) }
    case "response.completed":
      return { type: "completed", ref, at, text: outputText(response) }
    case "response.failed":
    case "response.incomplete":
      return { type: "failed", ref, at, text: outputText(response), failure: readFailure(response["error"]) }
    default:
      return undefined
  }
}

export type Frame =
  | { readonly type: "reply"; readonly event: ReplyEvent }
  | { readonly type: "accepted"; readonly exchange: Exchange }
  | { readonly type: "presence"; readonly clawId: string; readonly online: boolean; readonly since: number | undefined }
  | { readonly type: "titled"; readonly sessionId: string; readonly clawId: string; readonly title: string }
  | { readonly type: "removed"; readonly sessionId: string }
  | {
      readonly type: "error"
      readonly failure: Failure
      readonly param: string | undefined
      readonly sessionId: string | undefined
      readonly messageId: string | undefined
    }

export const readFrame = (value: unknown, at: number): Frame | undefined => {
  const frame = record(value)
  switch (frame["type"]) {
    case undefined: {
      if ("error" in frame && frame["object"] !== "response") {
        const metadata = record(frame["metadata"])
        return {
          type: "error",
          failure: readFailure(frame["error"]),
          param: textOr(record(frame["error"])["param"]),
          sessionId: textOr(metadata["session_id"]),
          messageId: textOr(metadata["message_id"])
        }
      }
      // Asked with `stream: false` (by a program of the same person): the whole response at once, without a type.
      if (frame["object"] !== "response") return undefined
      const type = frame["status"] === "completed" ? "response.completed" : "response.failed"
      const event = readReplyEvent({ type, response: frame }, at)
      return event === undefined ? undefined : { type: "reply", event }
    }
    case "message.accepted":
      return { type: "accepted", exchange: readMessage(frame["message"]) }
    case "message.status":
      return {
        type: "reply",
        event: {
          type: "status",
          status: frame["status"] === "waiting" ? "waiting" : "delivered",
          at,
          ref: {
            responseId: textOr(frame["response_id"]),
            sessionId: textOr(frame["session_id"]),
            messageId: textOr(frame["message_id"])
          }
        }
      }
    case "presence.changed":
      return {
        type: "presence",
        clawId: text(frame["claw_id"]),
        online: frame["online"] === true,
        since: number(frame["since"])
      }
    case "session.changed":
      return {
        type: "titled",
        sessionId: text(frame["session_id"]),
        clawId: text(frame["assistant_id"]),
        title: text(frame["title"])
      }
    case "session.removed":
      return { type: "removed", sessionId: text(frame["session_id"]) }
    default: {
      const event = readReplyEvent(frame, at)
      return event === undefined ? undefined : { type: "reply", event }
    }
  }
}
