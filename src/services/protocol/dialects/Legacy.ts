/**
 * The dialect seen live in April 2026: frames as in the envelope dialect, but a delta is an object, the finished part
 * says its status and not its text, and each event carries ids, a timestamp and the session. The timestamp is the
 * reply's creation until the terminal step, which brings its own time.
 */
import type { Dialect } from "../Dialect.ts"
import { topicOfBot } from "../Wire.ts"
import { inString, isoOf, quotedInString } from "./Template.ts"

export const dialect: Dialect = {
  name: "legacy",
  encoder: ({ head, messageId, sessionId }) => {
    const before = `{"type":"MESSAGE","headers":${JSON.stringify({ messageId, topic: topicOfBot })},"data":`
    const riders = (timestamp: string) => ({
      response_id: head.responseId,
      item_id: head.itemId,
      timestamp,
      ...(sessionId === undefined ? undefined : { metadata: { session_id: sessionId } })
    })
    const begun = riders(isoOf(head.createdAt))
    const frame = (type: string, said: object, rest: object, sequence_number: number): string =>
      `${before}${JSON.stringify(JSON.stringify({ type, ...said, ...rest, sequence_number }))}}`
    const deltaBefore = `${before}"${inString('{"type":"response.output_text.delta","delta":{"text":')}`
    const deltaAfter = inString(`},${JSON.stringify(begun).slice(1, -1)},"sequence_number":`)
    return (step) => {
      switch (step._tag) {
        case "Opened":
          return [
            frame("response.in_progress", {}, begun, 1),
            frame("response.output_item.added", { item: { type: "message", role: "assistant" } }, begun, 2)
          ]
        case "Deltas": {
          let sequence = step.sequence
          return step.deltas.map((delta) => `${deltaBefore}${quotedInString(delta)}${deltaAfter}${sequence++}}"}`)
        }
        case "Completed": {
          const rest = riders(isoOf(step.completedAt))
          return [
            frame("response.content_part.done", { status: "completed" }, rest, step.sequence + 1),
            frame("response.completed", { response: { status: "completed" } }, rest, step.sequence + 3)
          ]
        }
        case "Failed": {
          const rest = riders(isoOf(step.completedAt))
          return [
            frame("response.content_part.done", { status: "incomplete" }, rest, step.sequence + 1),
            frame(
              "response.failed",
              { error: { code: step.failure.code, message: step.failure.message } },
              rest,
              step.sequence + 3
            )
          ]
        }
      }
    }
  }
}
