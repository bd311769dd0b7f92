/**
 * The seed's dialect: each event as JSON text in the `data` of a MESSAGE frame that names, in its headers, the message
 * being answered and its session. `response_id`, `item_id` and `sequence_number` (that of the canonical event) ride
 * along; a reader that ignores them loses nothing.
 */
import type { Dialect } from "../Dialect.ts"
import { topicOfBot } from "../Wire.ts"
import { inString, quotedInString } from "./Template.ts"

export const dialect: Dialect = {
  name: "envelope",
  encoder: ({ head, messageId, sessionId }) => {
    const headers = JSON.stringify({ topic: topicOfBot, "message-id": messageId, "session-id": sessionId })
    const before = `{"type":"MESSAGE","headers":${headers},"data":`
    const ids = { response_id: head.responseId, item_id: head.itemId }
    const frame = (type: string, said: object, sequence_number: number): string =>
      `${before}${JSON.stringify(JSON.stringify({ type, ...said, ...ids, sequence_number }))}}`
    const deltaBefore = `${before}"${inString('{"type":"response.output_text.delta","delta":')}`
    const deltaAfter = inString(`,${JSON.stringify(ids).slice(1, -1)},"sequence_number":`)
    return (step) => {
      switch (step._tag) {
        case "Opened":
          return [
            frame("response.in_progress", {}, 1),
            frame("response.output_item.added", { item: { type: "message", role: "assistant" } }, 2)
          ]
        case "Deltas": {
          let sequence = step.sequence
          return step.deltas.map((delta) => `${deltaBefore}${quotedInString(delta)}${deltaAfter}${sequence++}}"}`)
        }
        case "Completed":
          return [
            frame("response.content_part.done", { part: { text: step.text } }, step.sequence + 1),
            frame("response.completed", { response: { status: "completed" } }, step.sequence + 3)
          ]
        case "Failed":
          return [
            frame("response.content_part.done", { part: { text: step.text } }, step.sequence + 1),
            frame(
              "response.failed",
              { error: { code: step.failure.code, message: step.failure.message } },
              step.sequence + 3
            )
          ]
      }
    }
  }
}
