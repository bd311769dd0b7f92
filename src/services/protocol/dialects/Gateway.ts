/**
 * The vocabulary of the InstaClaw gateway: bare JSON. Created and terminal carry the request's metadata with session
 * and message id, the events between are routed by `response_id`. `sequence_number` is that of the canonical event,
 * so the numbers have gaps where a canonical event has no place here. `stream: false` = one response object.
 */
import type { Dialect, ReplyRoute } from "../Dialect.ts"
import type { TerminalStep } from "../ReplyLog.ts"
import { quoted } from "./Template.ts"

/** The request's metadata, where session and message are named for certain. */
const metadataOf = ({ head, messageId, sessionId }: ReplyRoute): Readonly<Record<string, string>> => ({
  ...head.metadata,
  ...(sessionId === undefined ? undefined : { session_id: sessionId }),
  ...(messageId === undefined ? undefined : { message_id: messageId })
})

const ended = (id: string, metadata: Readonly<Record<string, string>>, step: TerminalStep) => ({
  id,
  object: "response",
  status: step._tag === "Completed" ? "completed" : "failed",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: step.text }] }],
  output_text: step.text,
  ...(step._tag === "Failed" ? { error: { code: step.failure.code, message: step.failure.message } } : undefined),
  metadata
})

export const dialect: Dialect = {
  name: "gateway",
  encoder: (route) => {
    const id = route.head.responseId
    const metadata = metadataOf(route)
    if (!route.stream) {
      return (step) =>
        step._tag === "Completed" || step._tag === "Failed" ? [JSON.stringify(ended(id, metadata, step))] : []
    }
    const before = `{"type":"response.output_text.delta","response_id":${JSON.stringify(id)},"delta":`
    return (step) => {
      switch (step._tag) {
        case "Opened":
          return [
            JSON.stringify({
              type: "response.created",
              response: { id, object: "response", status: "in_progress", metadata },
              sequence_number: 0
            })
          ]
        case "Deltas": {
          let sequence = step.sequence
          return step.deltas.map((delta) => `${before}${quoted(delta)},"sequence_number":${sequence++}}`)
        }
        case "Completed":
        case "Failed":
          return [
            JSON.stringify({
              type: "response.output_text.done",
              response_id: id,
              text: step.text,
              sequence_number: step.sequence
            }),
            JSON.stringify({
              type: step._tag === "Completed" ? "response.completed" : "response.failed",
              response: ended(id, metadata, step),
              sequence_number: step.sequence + 3
            })
          ]
      }
    }
  }
}
