/** What a platform sends to an agent, written. */
import type { BoundSession, Inbound, InboundRequest, Part } from "./Inbound.ts"
import { topicOfUser } from "./Wire.ts"

const partToWire = (part: Part): object => {
  switch (part.type) {
    case "input_text":
      return { type: "input_text", text: part.text }
    case "input_file":
      return { type: "input_file", filename: part.filename, file_id: part.fileId, file_url: part.url }
    case "input_image":
      return { type: "input_image", filename: part.filename, image_url: part.url, file_id: part.fileId }
  }
}

/** The legacy shape is text alone: what is no text is named in a line of its own. */
const partToLine = (part: Part): string => {
  if (part.type === "input_text") return part.text
  const kind = part.type === "input_file" ? "file" : "image"
  return `[${[kind, part.filename, part.url ?? part.fileId].filter((word) => word !== undefined).join(" ")}]`
}

/** Fields beside the seed's are written only where they say something. */
const common = (request: InboundRequest) => ({
  model: request.model,
  stream: request.stream ? undefined : false,
  previous_response_id: request.previousResponseId,
  metadata: Object.keys(request.metadata).length === 0 ? undefined : request.metadata
})

/**
 * A user's message in the dialect it names. Only envelope and gateway carry everything; legacy has text and message
 * id, as it was seen, and nothing else.
 */
export const encodeRequest = (request: InboundRequest): string => {
  const { messageId, sessionId } = request
  switch (request.dialect) {
    case "envelope":
      return JSON.stringify({
        type: "MESSAGE",
        headers: { topic: topicOfUser, "message-id": messageId, "session-id": sessionId },
        data: JSON.stringify({ messageId, sessionId, input: request.parts.map(partToWire), ...common(request) })
      })
    case "gateway":
      return JSON.stringify({
        ...common(request),
        stream: request.stream,
        input: [{ type: "message", role: "user", content: request.parts.map(partToWire) }],
        metadata: {
          ...request.metadata,
          ...(sessionId === undefined ? undefined : { session_id: sessionId }),
          ...(messageId === undefined ? undefined : { message_id: messageId })
        }
      })
    case "legacy":
      return JSON.stringify({
        type: "MESSAGE",
        headers: { messageId, topic: topicOfUser },
        data: JSON.stringify({ content: request.parts.map(partToLine).join("\n") })
      })
  }
}

export const encodeAutoBound = (greeting: {
  readonly sessions: ReadonlyArray<BoundSession>
  readonly senderId: string | undefined
  readonly senderType?: string | undefined
  readonly features?: ReadonlyArray<string> | undefined
  readonly epoch?: number | undefined
}): string =>
  JSON.stringify({
    type: "session.auto_bound",
    sessions: greeting.sessions.map((session) => ({
      session_id: session.sessionId,
      user_id: session.userId,
      assistant_id: session.assistantId
    })),
    sender_type: greeting.senderType ?? "assistant",
    sender_id: greeting.senderId,
    features: greeting.features !== undefined && greeting.features.length > 0 ? greeting.features : undefined,
    epoch: greeting.epoch
  })

/** Asks the agent to connect anew before this connection ends. */
export const encodeDisconnect = (reason?: string): string =>
  JSON.stringify({
    type: "SYSTEM",
    headers: { topic: "disconnect" },
    data: reason === undefined ? undefined : JSON.stringify({ reason })
  })

export const encodeCancel = (target: Omit<Extract<Inbound, { readonly _tag: "Cancel" }>, "_tag">): string =>
  JSON.stringify({
    type: "response.cancel",
    response_id: target.responseId,
    message_id: target.messageId,
    metadata: target.sessionId === undefined ? undefined : { session_id: target.sessionId }
  })

/** The gateway's error frame has no top-level `type`. */
export const encodeErrorFrame = (error: {
  readonly code: string
  readonly message: string
  readonly param?: string | undefined
  readonly type?: string | undefined
}): string =>
  JSON.stringify({
    error: { type: error.type ?? "invalid_request", code: error.code, param: error.param, message: error.message }
  })

export const encodeBind = (sessionId: string): string => JSON.stringify({ type: "session.bind", session_id: sessionId })
