/**
 * The two APIs of the `openai` package as one generator of pieces. This module alone loads the package (which takes
 * a while), so it is imported when an agent is made, not when a program starts.
 */
import OpenAI from "openai"
import type { ChatCompletionMessageParam } from "openai/resources/chat/completions"
import type { ResponseInputItem } from "openai/resources/responses/responses"
import type { ReplyPart } from "../../services/channel/AgentRuntime.ts"
import type { Said } from "../../services/channel/Transcripts.ts"
import type { Piece } from "./Batches.ts"
import { BrokenOff, isEndpointMissing, NoEvents, isUsageOptionRefused, ReplyFailed } from "./OpenAiErrors.ts"

export { fromCause } from "./OpenAiErrors.ts"

export type Content =
  | { readonly type: "text"; readonly text: string }
  /** An https or data URL. */
  | { readonly type: "image"; readonly url: string }

export interface Request {
  readonly instructions: string
  readonly history: ReadonlyArray<Said>
  readonly content: ReadonlyArray<Content>
}

export interface Options {
  readonly model: string
  readonly baseUrl: string
  readonly apiKey: string
  readonly api: "responses" | "chat" | "auto"
  /** Milliseconds until the provider has to begin its answer. */
  readonly timeout: number
}

/** How long a server may hold a stream open after the reply's last event before the connection is given up. */
const lingering = 1000

const thinking: ReplyPart = { _tag: "Activity", label: "thinking" }
const working: ReplyPart = { _tag: "Activity", label: "working" }

type Pieces = AsyncGenerator<Piece, void, undefined>

export const make = (options: Options): ((request: Request, signal: AbortSignal) => Pieces) => {
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout: options.timeout,
    logLevel: "off",
    // A redirect would carry the conversation, and perhaps the key, to another host.
    fetchOptions: { redirect: "manual" }
  })
  // What this server was found to speak, kept for the life of the process.
  let api = options.api
  let usageOption = true

  async function* responses(request: Request, signal: AbortSignal): Pieces {
    const { data: stream, response } = await client.responses
      .create(
        {
          model: options.model,
          input: [...request.history.map(responsesSaid), responsesMessage(request.content)],
          ...(request.instructions === "" ? {} : { instructions: request.instructions }),
          store: false,
          stream: true
        },
        { signal }
      )
      .withResponse()
    let begun = false
    let ended = false
    let linger: NodeJS.Timeout | undefined
    try {
      // Read on after the last event: a connection that ended by itself is used again.
      for await (const event of stream) {
        begun = true
        if (api === "auto") api = "responses"
        switch (event.type) {
          case "response.output_text.delta":
          case "response.refusal.delta":
            yield event.delta
            break
          case "response.reasoning_summary_text.delta":
          case "response.reasoning_text.delta":
            yield thinking
            break
          case "response.output_item.added":
            if (event.item.type === "reasoning") yield thinking
            else if (event.item.type !== "message") yield working
            break
          case "response.failed":
            throw new ReplyFailed(event.response.error?.code ?? "server_error", event.response.error?.message ?? "")
          case "error":
            throw new ReplyFailed(event.code ?? "server_error", event.message)
          case "response.completed":
          case "response.incomplete": {
            if (event.response.incomplete_details?.reason === "content_filter")
              throw new ReplyFailed("content_filter", "the provider's content filter ended the reply")
            const usage = event.response.usage
            if (usage !== undefined && usage !== null)
              yield usagePart(
                usage.input_tokens,
                usage.output_tokens,
                usage.total_tokens,
                usage.input_tokens_details?.cached_tokens,
                usage.output_tokens_details?.reasoning_tokens
              )
            ended = true
            linger = setTimeout(() => stream.controller.abort(), lingering)
            break
          }
          default:
            break
        }
      }
    } finally {
      clearTimeout(linger)
    }
    if (!ended) throw begun || isEventStream(response) ? new BrokenOff() : new NoEvents()
  }

  const openChat = async (request: Request, signal: AbortSignal) => {
    const body = {
      model: options.model,
      messages: [
        ...(request.instructions === "" ? [] : [{ role: "system" as const, content: request.instructions }]),
        ...request.history.map(({ role, text }) => ({ role, content: text })),
        chatMessage(request.content)
      ],
      stream: true as const
    }
    if (!usageOption) return client.chat.completions.create(body, { signal }).withResponse()
    return client.chat.completions
      .create({ ...body, stream_options: { include_usage: true } }, { signal })
      .withResponse()
      .catch((cause: unknown) => {
        if (!isUsageOptionRefused(cause)) throw cause
        usageOption = false
        return client.chat.completions.create(body, { signal }).withResponse()
      })
  }

  async function* chat(request: Request, signal: AbortSignal): Pieces {
    const { data: stream, response } = await openChat(request, signal)
    let begun = false
    let finished = false
    let usage: ReplyPart | undefined
    let linger: NodeJS.Timeout | undefined
    try {
      for await (const chunk of stream) {
        begun = true
        if (api === "auto") api = "chat"
        if (chunk.usage !== undefined && chunk.usage !== null)
          usage = usagePart(
            chunk.usage.prompt_tokens,
            chunk.usage.completion_tokens,
            chunk.usage.total_tokens,
            chunk.usage.prompt_tokens_details?.cached_tokens,
            chunk.usage.completion_tokens_details?.reasoning_tokens
          )
        const choice = chunk.choices?.[0]
        if (choice === undefined) continue
        const text = choice.delta?.content ?? choice.delta?.refusal
        if (typeof text === "string" && text !== "") yield text
        // Reasoning models behind this API send their thoughts in fields that the package does not name.
        else if (choice.delta && ("reasoning_content" in choice.delta || "reasoning" in choice.delta)) yield thinking
        if (choice.finish_reason === "content_filter")
          throw new ReplyFailed("content_filter", "the provider's content filter ended the reply")
        if (typeof choice.finish_reason === "string" && !finished) {
          finished = true
          linger = setTimeout(() => stream.controller.abort(), lingering)
        }
      }
    } finally {
      clearTimeout(linger)
    }
    if (!finished) throw begun || isEventStream(response) ? new BrokenOff() : new NoEvents()
    if (usage !== undefined) yield usage
  }

  return async function* (request, signal) {
    if (api === "chat") return yield* chat(request, signal)
    if (api === "responses") return yield* responses(request, signal)
    try {
      yield* responses(request, signal)
    } catch (cause) {
      // Only creating the response can fail this way: no text has gone out.
      if (!isEndpointMissing(cause) || signal.aborted) throw cause
      yield* chat(request, signal)
    }
  }
}

const isEventStream = (response: Response): boolean =>
  response.headers.get("content-type")?.startsWith("text/event-stream") === true

const responsesSaid = ({ role, text }: Said): ResponseInputItem => ({ role, content: text })

const responsesMessage = (content: ReadonlyArray<Content>): ResponseInputItem => ({
  role: "user",
  content: content.map((part) =>
    part.type === "text"
      ? { type: "input_text", text: part.text }
      : { type: "input_image", image_url: part.url, detail: "auto" }
  )
})

/** Text alone goes as a string: simple servers read nothing else. */
const chatMessage = (content: ReadonlyArray<Content>): ChatCompletionMessageParam => ({
  role: "user",
  content: content.every((part) => part.type === "text")
    ? content.map((part) => part.text).join("\n\n")
    : content.map((part) =>
        part.type === "text"
          ? { type: "text" as const, text: part.text }
          : { type: "image_url" as const, image_url: { url: part.url } }
      )
})

const usagePart = (
  input: number,
  output: number,
  total: number,
  cached: number | undefined,
  reasoning: number | undefined
): ReplyPart => ({
  _tag: "Usage",
  usage: {
    input_tokens: input,
    output_tokens: output,
    total_tokens: total,
    input_tokens_details: { cached_tokens: cached ?? 0 },
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 }
  }
})
