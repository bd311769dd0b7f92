/** What both APIs of a model server have in common: the request, how far a reply has come, and its tool calls. */
import type { ReplyPart } from "../../services/channel/AgentRuntime.ts"
import type { ToolDescription } from "../../services/channel/Toolbox.ts"
import type { Said } from "../../services/channel/Transcripts.ts"
import type { Usage } from "../../services/protocol/ResponseEvent.ts"
import type { Piece } from "./Batches.ts"
import type { ToolCall } from "./ToolCalls.ts"

export type Content =
  | { readonly type: "text"; readonly text: string }
  /** An https or data URL. */
  | { readonly type: "image"; readonly url: string }

export interface Request {
  readonly instructions: string
  readonly history: ReadonlyArray<Said>
  readonly content: ReadonlyArray<Content>
  /** None: the request says nothing of tools at all. */
  readonly tools: ReadonlyArray<ToolDescription>
  /** The result as the model reads it. Rejects only when the signal is aborted. */
  readonly call: (call: ToolCall, signal: AbortSignal) => Promise<string>
}

export interface Options {
  readonly model: string
  readonly baseUrl: string
  readonly apiKey: string
  readonly api: "responses" | "chat" | "auto"
  /** Milliseconds until the provider has to begin its answer. */
  readonly timeout: number
}

/** What a server was found to speak, kept for the life of the process. */
export interface Found {
  api: Options["api"]
  /** `stream_options` of chat completions. */
  usage: boolean
  /** `include: reasoning.encrypted_content` of the Responses API. */
  reasoning: boolean
}

/** One reply over one of the APIs: answers of the model, each after the results of the calls before it. */
export interface Dialogue {
  /** Yields what is shown, returns what is to be called. `last`: the model is asked to call nothing. */
  readonly answer: (
    progress: Progress,
    last: boolean,
    signal: AbortSignal
  ) => AsyncGenerator<Piece, ReadonlyArray<ToolCall>, undefined>
  /** The results, in the order of the calls. An answer that failed leaves nothing behind and may be asked for again. */
  readonly answered: (results: ReadonlyArray<string>) => void
}

export const thinking: ReplyPart = { _tag: "Activity", label: "thinking" }
export const working: ReplyPart = { _tag: "Activity", label: "working" }

/** How long a server may hold a stream open after the reply's last event before the connection is given up. */
export const lingering = 1000

export const isEventStream = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("text/event-stream") === true

/** How far a reply has come, over all answers of the model. */
export class Progress {
  round = 0
  /** Whether the present answer has shown any text: then it cannot be asked for again. */
  said = false
  private last = ""
  private total: Usage | undefined

  begin(): void {
    this.said = false
  }

  /** A piece of text as it is shown: what is said after a tool call begins a paragraph of its own. */
  text(delta: string): string {
    let shown = delta
    if (!this.said && delta !== "") {
      this.said = true
      if (this.last !== "" && !this.last.endsWith("\n") && !delta.startsWith("\n")) shown = `\n\n${delta}`
    }
    if (shown !== "") this.last = shown
    return shown
  }

  /** What all answers together have cost so far. */
  usage(
    input: number,
    output: number,
    total: number,
    cached: number | undefined,
    reasoning: number | undefined
  ): ReplyPart {
    const before = this.total
    this.total = {
      input_tokens: (before?.input_tokens ?? 0) + input,
      output_tokens: (before?.output_tokens ?? 0) + output,
      total_tokens: (before?.total_tokens ?? 0) + total,
      input_tokens_details: { cached_tokens: (before?.input_tokens_details.cached_tokens ?? 0) + (cached ?? 0) },
      output_tokens_details: {
        reasoning_tokens: (before?.output_tokens_details.reasoning_tokens ?? 0) + (reasoning ?? 0)
      }
    }
    return { _tag: "Usage", usage: this.total }
  }
}
