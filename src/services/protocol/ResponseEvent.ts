/**
 * The canonical events of one reply: the full Open Responses stream (specification of 2026-04-24).
 * Every dialect on the wire is a projection of these.
 */

/** Why a reply failed, as it travels on the wire. The first five are the family's own; the last two are ours. */
export type FailureCode =
  | "INVALID_REQUEST"
  | "RATE_LIMIT"
  | "SDK_ERROR"
  | "CALLBACK_ERROR"
  | "TIMEOUT"
  | "CANCELLED"
  | "INTERRUPTED"

/** A failure as a person reads it: no stack trace, no path, no secret. */
export interface Failure {
  readonly code: FailureCode
  readonly message: string
}

export interface OutputText {
  readonly type: "output_text"
  readonly text: string
  readonly annotations: ReadonlyArray<unknown>
  readonly logprobs: ReadonlyArray<unknown>
}

export interface OutputMessage {
  readonly type: "message"
  readonly id: string
  readonly status: "in_progress" | "completed" | "incomplete"
  readonly role: "assistant"
  readonly content: ReadonlyArray<OutputText>
}

export type ResponseStatus = "in_progress" | "completed" | "failed" | "incomplete"

export interface Usage {
  readonly input_tokens: number
  readonly output_tokens: number
  readonly total_tokens: number
  readonly input_tokens_details: { readonly cached_tokens: number }
  readonly output_tokens_details: { readonly reasoning_tokens: number }
}

/** The response object. All 31 fields are always present; `null` where there is nothing to say. Times are unix seconds. */
export interface ResponseObject {
  readonly id: string
  readonly object: "response"
  readonly created_at: number
  readonly completed_at: number | null
  readonly status: ResponseStatus
  readonly incomplete_details: { readonly reason: string } | null
  readonly model: string
  readonly previous_response_id: string | null
  readonly instructions: string | null
  readonly output: ReadonlyArray<OutputMessage>
  readonly error: { readonly code: string; readonly message: string } | null
  readonly tools: ReadonlyArray<unknown>
  readonly tool_choice: "auto" | "none"
  readonly truncation: "disabled" | "auto"
  readonly parallel_tool_calls: boolean
  readonly text: { readonly format: { readonly type: "text" } }
  readonly top_p: number
  readonly presence_penalty: number
  readonly frequency_penalty: number
  readonly top_logprobs: number
  readonly temperature: number
  readonly reasoning: { readonly effort: string | null; readonly summary: string | null } | null
  readonly usage: Usage | null
  readonly max_output_tokens: number | null
  readonly max_tool_calls: number | null
  readonly store: boolean
  readonly background: boolean
  readonly service_tier: string
  readonly metadata: Readonly<Record<string, string>>
  readonly safety_identifier: string | null
  readonly prompt_cache_key: string | null
}

interface Sequenced {
  readonly sequence_number: number
}

interface InItem extends Sequenced {
  readonly item_id: string
  readonly output_index: number
}

interface InPart extends InItem {
  readonly content_index: number
}

export type ResponseEvent =
  | (Sequenced & { readonly type: "response.created"; readonly response: ResponseObject })
  | (Sequenced & { readonly type: "response.in_progress"; readonly response: ResponseObject })
  | (Sequenced & {
      readonly type: "response.output_item.added"
      readonly output_index: number
      readonly item: OutputMessage
    })
  | (InPart & { readonly type: "response.content_part.added"; readonly part: OutputText })
  | (InPart & {
      readonly type: "response.output_text.delta"
      readonly delta: string
      /** Ours, on a delta that stands for several: the number of the first. `sequence_number` is that of the last. */
      readonly from?: number
      readonly logprobs: ReadonlyArray<unknown>
    })
  | (InPart & {
      readonly type: "response.output_text.done"
      readonly text: string
      readonly logprobs: ReadonlyArray<unknown>
    })
  | (InPart & { readonly type: "response.content_part.done"; readonly part: OutputText })
  | (Sequenced & {
      readonly type: "response.output_item.done"
      readonly output_index: number
      readonly item: OutputMessage
    })
  | (Sequenced & { readonly type: "response.completed"; readonly response: ResponseObject })
  | (Sequenced & { readonly type: "response.failed"; readonly response: ResponseObject })
  | (Sequenced & { readonly type: "response.incomplete"; readonly response: ResponseObject })

/** The three events that end a reply. Exactly one of them comes, and nothing after it (law one-terminal). */
export const isTerminal = (event: ResponseEvent): boolean =>
  event.type === "response.completed" || event.type === "response.failed" || event.type === "response.incomplete"
