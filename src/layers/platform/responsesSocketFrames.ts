/**
 * The frames of `/v1/responses` as a WebSocket, both ways. The shapes are those of OpenAI's client (`ResponsesClientEvent`
 * and `ResponsesServerEvent` of its package); `response.cancel` is ours.
 */
import { isRecord, parse } from "../../services/protocol/Wire.ts"
import * as OpenAiError from "./OpenAiError.ts"

export interface Create {
  readonly _tag: "Create"
  /** What would be the body of a POST. */
  readonly body: Readonly<Record<string, unknown>>
  readonly streamId: string | undefined
}

export interface Cancel {
  readonly _tag: "Cancel"
  readonly responseId: string | undefined
  readonly streamId: string | undefined
}

/** Nothing to do but to say this. */
export interface Answer {
  readonly _tag: "Answer"
  readonly frame: string
}

/** As OpenAI's clients allow it. */
const lane = /^[A-Za-z0-9_.-]{1,256}$/

/** A refusal: the socket stays, other responses go on. */
export const error = (refusal: OpenAiError.OpenAiError, streamId: string | undefined): string =>
  JSON.stringify({
    type: "error",
    status: refusal.status,
    error: { type: refusal.type, code: refusal.code, message: refusal.message, param: refusal.param },
    ...(streamId === undefined ? {} : { stream_id: streamId })
  })

const refused = (message: string, param: string | null, code: string | null, streamId?: string): Answer => ({
  _tag: "Answer",
  frame: error(OpenAiError.bad(message, param, code), streamId)
})

export const binary: Answer = refused("Frames are JSON as text; this one was binary.", null, "invalid_frame")

/** Adds the lane to events that are JSON objects already. */
export const inLane = (events: ReadonlyArray<string>, streamId: string | undefined): ReadonlyArray<string> => {
  if (streamId === undefined) return events
  const ending = `,"stream_id":${JSON.stringify(streamId)}}`
  return events.map((event) => event.slice(0, -1) + ending)
}

/** Our agents take no words in the middle of an answer; the client learns it in the words it knows. */
const steering = ({ input = [], previous_response_id: id }: Readonly<Record<string, unknown>>): Answer => ({
  _tag: "Answer",
  frame: JSON.stringify({
    type: "response.steer.failed",
    sequence_number: 0,
    steer: { previous_response_id: typeof id === "string" ? id : "", input },
    error: {
      type: "invalid_request_error",
      code: "steering_not_supported",
      message: "This agent cannot be steered in the middle of an answer. Send response.create when it has ended."
    }
  })
})

export const decode = (raw: string): Create | Cancel | Answer => {
  const frame = parse(raw)
  if (!isRecord(frame)) return refused("A frame must be a JSON object.", null, "invalid_json")
  const { stream_id: named, type, ...body } = frame
  const streamId = named ?? undefined
  if (streamId !== undefined && (typeof streamId !== "string" || !lane.test(streamId))) {
    return refused(
      "stream_id must be 1 to 256 letters, digits, underscores, points or hyphens.",
      "stream_id",
      "invalid_parameter"
    )
  }
  switch (type) {
    case "response.create": {
      if (body["background"] === true) {
        const words = "background is not taken over a WebSocket. Send it with POST /v1/responses."
        return refused(words, "background", "unsupported_parameter", streamId)
      }
      if (body["generate"] === false) {
        const words = "generate: false is not taken: an agent has no state that could be prepared. Leave it out."
        return refused(words, "generate", "unsupported_parameter", streamId)
      }
      return { _tag: "Create", body, streamId }
    }
    case "response.cancel": {
      const id = body["response_id"] ?? undefined
      return id === undefined || typeof id === "string"
        ? { _tag: "Cancel", responseId: id, streamId }
        : refused("response_id must be a string.", "response_id", "invalid_parameter", streamId)
    }
    case "response.steer":
      return steering(frame)
    default:
      return refused("type must be response.create or response.cancel.", "type", "unknown_type", streamId)
  }
}
