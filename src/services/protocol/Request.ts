/**
 * Reads a user's message out of the JSON object that carries it: any of the three shapes, with or without the headers
 * of an envelope around it.
 */
import type { InboundRequest, MalformedReason, Part } from "./Inbound.ts"
import { idOf, isBadId, isRecord, type Json, messageIdIn, metadataOf, sessionIdIn, textOf } from "./Wire.ts"

export type RequestDialect = InboundRequest["dialect"]

export interface MalformedRequest {
  readonly _tag: "Malformed"
  readonly reason: MalformedReason
  readonly message: string
  readonly dialect: RequestDialect
  readonly messageId: string | undefined
  readonly sessionId: string | undefined
  readonly param: string | undefined
}

export type RequestResult = { readonly _tag: "Request"; readonly request: InboundRequest } | MalformedRequest

export const isRequestBody = (body: Json): boolean =>
  body["input"] !== undefined || (body["content"] !== undefined && body["role"] === undefined)

const fileOf = (type: "input_file" | "input_image", item: Json, address: unknown): Part | undefined => {
  const fileId = idOf(item["file_id"])
  const url = textOf(isRecord(address) ? address["url"] : address) ?? textOf(item["url"])
  return fileId === undefined && url === undefined
    ? undefined
    : { type, fileId, url, filename: textOf(item["filename"]) }
}

const partOf = (item: unknown): Part | undefined => {
  if (!isRecord(item)) return undefined
  switch (item["type"]) {
    case "input_text":
      return typeof item["text"] === "string" ? { type: "input_text", text: item["text"] } : undefined
    case "input_file":
      return fileOf("input_file", item, item["file_url"])
    case "input_image":
      return fileOf("input_image", item, item["image_url"])
    default:
      return undefined
  }
}

interface Collected {
  readonly parts: Array<Part>
  skipped: number
}

/** A text without a character says nothing: it is no part, and nothing was skipped either. */
const collectText = (into: Collected, text: string): void => {
  if (text !== "") into.parts.push({ type: "input_text", text })
}

const collectParts = (into: Collected, items: ReadonlyArray<unknown>): void => {
  for (const item of items) {
    const part = partOf(item)
    if (part === undefined) into.skipped += 1
    else if (part.type === "input_text") collectText(into, part.text)
    else into.parts.push(part)
  }
}

const isMessage = (item: unknown): item is Json =>
  isRecord(item) && (item["type"] === "message" || (item["type"] === undefined && item["content"] !== undefined))

/** Items are messages or bare parts. Messages of anyone but the user are no words of theirs: skipped and counted. */
const collectItems = (into: Collected, items: ReadonlyArray<unknown>): void => {
  for (const item of items) {
    if (!isMessage(item)) {
      collectParts(into, [item])
      continue
    }
    const content = item["content"]
    if (item["role"] !== undefined && item["role"] !== "user") into.skipped += 1
    else if (typeof content === "string") collectText(into, content)
    else if (Array.isArray(content)) collectParts(into, content)
    else into.skipped += 1
  }
}

const namesIds = (body: Json): boolean =>
  body["messageId"] !== undefined ||
  body["sessionId"] !== undefined ||
  body["message-id"] !== undefined ||
  body["session-id"] !== undefined

const shapeOf = (body: Json, enclosed: boolean): RequestDialect => {
  const input = body["input"]
  if (input === undefined) return "legacy"
  const metadata = body["metadata"]
  const namesSession = isRecord(metadata) && metadata["session_id"] !== undefined
  if (namesSession) return namesIds(body) && Array.isArray(input) && !input.some(isMessage) ? "envelope" : "gateway"
  if (namesIds(body)) return "envelope"
  if (!Array.isArray(input) || input.some(isMessage)) return "gateway"
  // Bare parts under the name of nobody: in an envelope its headers may tell more.
  return metadata !== undefined && !enclosed ? "gateway" : "envelope"
}

/**
 * Decodes a body for which `isRequestBody` holds. A gateway body inside an envelope keeps its meaning, but is answered
 * in envelopes: that is what its sender frames.
 *
 * @param only reads the body as this shape, whatever it resembles.
 */
export const decodeRequest = (body: Json, headers: Json | undefined, only?: RequestDialect): RequestResult => {
  const shape = only ?? shapeOf(body, headers !== undefined)
  const dialect = shape === "gateway" && headers !== undefined ? "envelope" : shape
  const given = body["metadata"]
  // In metadata only the gateway's own spelling counts: the rest of it is a stranger's, and no other spelling there
  // may stand for the ids that the platform wrote.
  const metadata = shape === "gateway" && isRecord(given) ? given : undefined
  const messageIdRaw =
    (shape === "gateway" ? metadata?.["message_id"] : messageIdIn(body)) ??
    (headers === undefined ? undefined : messageIdIn(headers))
  const sessionIdRaw =
    (shape === "gateway" ? metadata?.["session_id"] : sessionIdIn(body)) ??
    (headers === undefined ? undefined : sessionIdIn(headers))
  const messageId = idOf(messageIdRaw)
  const sessionId = idOf(sessionIdRaw)
  const malformed = (reason: MalformedReason, message: string, param: string | undefined): MalformedRequest => ({
    _tag: "Malformed",
    reason,
    message,
    dialect,
    messageId,
    sessionId,
    param
  })

  const nameOf = (field: "message_id" | "session_id"): string =>
    shape === "gateway" ? `metadata.${field}` : field === "message_id" ? "messageId" : "sessionId"
  if (given !== undefined && given !== null && !isRecord(given)) {
    return malformed("bad-field", "metadata must be an object.", "metadata")
  }
  if (isBadId(messageIdRaw)) return malformed("bad-field", "A message id must be a text.", nameOf("message_id"))
  if (isBadId(sessionIdRaw)) return malformed("bad-field", "A session id must be a text.", nameOf("session_id"))

  const field = shape === "legacy" ? "content" : "input"
  const input = body[field]
  const collected: Collected = { parts: [], skipped: 0 }
  if (typeof input === "string") collectText(collected, input)
  else if (Array.isArray(input)) collectItems(collected, input)
  else if (input !== null) {
    return malformed("bad-field", `${field} must be a text or a list of parts.`, field)
  }
  if (collected.parts.length === 0) {
    return malformed(
      "empty-input",
      collected.skipped === 0
        ? "The message is empty. Send a text, a file or an image."
        : "The message has no part that can be read here. Send a text, a file or an image.",
      field
    )
  }
  if (shape === "gateway" && sessionId === undefined) {
    return malformed("missing-session", "metadata.session_id is missing: name the session.", "metadata.session_id")
  }
  return {
    _tag: "Request",
    request: {
      dialect,
      messageId,
      sessionId,
      parts: collected.parts,
      skippedParts: collected.skipped,
      stream: body["stream"] !== false,
      model: textOf(body["model"]),
      previousResponseId: idOf(body["previous_response_id"]),
      metadata: metadataOf(given)
    }
  }
}
