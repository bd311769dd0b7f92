/**
 * The canonical stream as it is, for `/v1/responses` over SSE and WebSocket. `stream: false` = the whole response
 * object at the end, and no events.
 */
import type { Dialect } from "../Dialect.ts"
import { events, wholeResponse } from "../ReplyLog.ts"
import { quoted } from "./Template.ts"

export const dialect: Dialect = {
  name: "open-responses",
  encoder: ({ head, stream }) => {
    if (!stream) {
      return (step) =>
        step._tag === "Completed" || step._tag === "Failed" ? [JSON.stringify(wholeResponse(head, step))] : []
    }
    const before = `{"type":"response.output_text.delta","item_id":${JSON.stringify(head.itemId)},"output_index":0,"content_index":0,"delta":`
    return (step) => {
      if (step._tag !== "Deltas") return events(head, step).map((event) => JSON.stringify(event))
      let sequence = step.sequence
      return step.deltas.map((delta) => `${before}${quoted(delta)},"logprobs":[],"sequence_number":${sequence++}}`)
    }
  }
}

const typeFirst = /^\{"type":"([^"\\]+)"/

/** One event as Server-Sent Events carry it. JSON holds no line break, so one data line is enough. */
export const sse = (eventJson: string): string => {
  const type = typeFirst.exec(eventJson)?.[1]
  return type === undefined ? `data: ${eventJson}\n\n` : `event: ${type}\ndata: ${eventJson}\n\n`
}

/** Ends an SSE stream of responses. */
export const sseDone = "data: [DONE]\n\n"
