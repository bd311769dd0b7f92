/** Steps spelled out: the response object and the canonical events, with every field of the specification. */
import type { ReplyHead, Step, TerminalStep } from "./ReplyLog.ts"
import type { OutputMessage, OutputText, ResponseEvent, ResponseObject, ResponseStatus } from "./ResponseEvent.ts"

const message = (
  head: ReplyHead,
  status: OutputMessage["status"],
  content: OutputMessage["content"]
): OutputMessage => ({
  type: "message",
  id: head.itemId,
  status,
  role: "assistant",
  content
})

const part = (text: string): OutputText => ({ type: "output_text", text, annotations: [], logprobs: [] })

const response = (
  head: ReplyHead,
  status: ResponseStatus,
  said: Pick<ResponseObject, "completed_at" | "output" | "error" | "usage">
): ResponseObject => ({
  id: head.responseId,
  object: "response",
  created_at: head.createdAt,
  completed_at: said.completed_at,
  status,
  incomplete_details: null,
  model: head.model,
  previous_response_id: head.previousResponseId ?? null,
  instructions: head.instructions ?? null,
  output: said.output,
  error: said.error,
  tools: [],
  tool_choice: "auto",
  truncation: "disabled",
  parallel_tool_calls: true,
  text: { format: { type: "text" } },
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  temperature: 1,
  reasoning: null,
  usage: said.usage,
  max_output_tokens: null,
  max_tool_calls: null,
  store: true,
  background: false,
  service_tier: "default",
  metadata: head.metadata,
  safety_identifier: null,
  prompt_cache_key: null
})

/** The response object as it is once the reply has ended; what `stream: false` is answered with. */
export const wholeResponse = (head: ReplyHead, step: TerminalStep): ResponseObject =>
  step._tag === "Completed"
    ? response(head, "completed", {
        completed_at: step.completedAt,
        output: [message(head, "completed", [part(step.text)])],
        error: null,
        usage: step.usage ?? null
      })
    : response(head, "failed", {
        completed_at: step.completedAt,
        output: [message(head, "incomplete", [part(step.text)])],
        error: { code: step.failure.code, message: step.failure.message },
        usage: null
      })

/** A step spelled out: the canonical events it stands for, in order. */
export const events = (head: ReplyHead, step: Step): ReadonlyArray<ResponseEvent> => {
  const item_id = head.itemId
  switch (step._tag) {
    case "Opened": {
      const begun = response(head, "in_progress", { completed_at: null, output: [], error: null, usage: null })
      return [
        { type: "response.created", response: begun, sequence_number: 0 },
        { type: "response.in_progress", response: begun, sequence_number: 1 },
        {
          type: "response.output_item.added",
          output_index: 0,
          item: message(head, "in_progress", []),
          sequence_number: 2
        },
        {
          type: "response.content_part.added",
          item_id,
          output_index: 0,
          content_index: 0,
          part: part(""),
          sequence_number: 3
        }
      ]
    }
    case "Deltas":
      return step.deltas.map((delta, index) => ({
        type: "response.output_text.delta",
        item_id,
        output_index: 0,
        content_index: 0,
        delta,
        logprobs: [],
        sequence_number: step.sequence + index
      }))
    case "Completed":
    case "Failed": {
      const { sequence, text } = step
      const whole = wholeResponse(head, step)
      return [
        {
          type: "response.output_text.done",
          item_id,
          output_index: 0,
          content_index: 0,
          text,
          logprobs: [],
          sequence_number: sequence
        },
        {
          type: "response.content_part.done",
          item_id,
          output_index: 0,
          content_index: 0,
          part: part(text),
          sequence_number: sequence + 1
        },
        {
          type: "response.output_item.done",
          output_index: 0,
          item: message(head, step._tag === "Completed" ? "completed" : "incomplete", [part(text)]),
          sequence_number: sequence + 2
        },
        step._tag === "Completed"
          ? { type: "response.completed", response: whole, sequence_number: sequence + 3 }
          : { type: "response.failed", response: whole, sequence_number: sequence + 3 }
      ]
    }
  }
}
