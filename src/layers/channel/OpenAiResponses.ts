/** A reply over the Responses API. Nothing is kept at the provider's: what was said and called goes along each time. */
import type OpenAI from "openai"
import type {
  ResponseCreateParamsStreaming,
  ResponseFunctionToolCall,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem
} from "openai/resources/responses/responses"
import type { Said } from "../../services/channel/Transcripts.ts"
import { BrokenOff, isReasoningOptionRefused, NoEvents, ReplyFailed } from "./OpenAiErrors.ts"
import * as Talk from "./OpenAiTalk.ts"

type Kept = ResponseReasoningItem | ResponseOutputMessage | ResponseFunctionToolCall

export const dialogue = (client: OpenAI, model: string, found: Talk.Found, request: Talk.Request): Talk.Dialogue => {
  const hasTools = request.tools.length > 0
  const input: Array<ResponseInputItem> = [...request.history.map(said), message(request.content)]
  /** Of the answer that came last. */
  let output: ReadonlyArray<Kept> = []

  const open = async (last: boolean, signal: AbortSignal) => {
    const body: ResponseCreateParamsStreaming = {
      model,
      // A copy: the package may still read it when the next round has begun.
      input: [...input],
      ...(request.instructions === "" ? {} : { instructions: request.instructions }),
      store: false,
      stream: true
    }
    if (!hasTools) return client.responses.create(body, { signal }).withResponse()
    const tools = request.tools.map(({ description, name, parameters }) => ({
      type: "function" as const,
      name,
      description,
      parameters,
      // Strict mode wants every field required; ours are checked by Schema.
      strict: false
    }))
    const withTools = { ...body, tools, ...(last ? { tool_choice: "none" as const } : {}) }
    if (!found.reasoning) return client.responses.create(withTools, { signal }).withResponse()
    // A reasoning model takes its thoughts up again after a call only if they are handed back to it.
    return client.responses
      .create({ ...withTools, include: ["reasoning.encrypted_content"] }, { signal })
      .withResponse()
      .catch((cause: unknown) => {
        if (!isReasoningOptionRefused(cause)) throw cause
        found.reasoning = false
        return client.responses.create(withTools, { signal }).withResponse()
      })
  }

  return {
    answer: async function* (progress, last, signal) {
      const { data: stream, response } = await open(last, signal)
      const items: Array<Kept> = []
      let begun = false
      let end: "completed" | "incomplete" | undefined
      let linger: NodeJS.Timeout | undefined
      try {
        // Read on after the last event: a connection that ended by itself is used again.
        for await (const event of stream) {
          begun = true
          if (found.api === "auto") found.api = "responses"
          switch (event.type) {
            case "response.output_text.delta":
            case "response.refusal.delta":
              yield progress.text(event.delta)
              break
            case "response.reasoning_summary_text.delta":
            case "response.reasoning_text.delta":
              yield Talk.thinking
              break
            case "response.output_item.added":
              if (event.item.type === "reasoning") yield Talk.thinking
              else if (event.item.type !== "message") yield Talk.working
              break
            case "response.output_item.done":
              if (hasTools && isKept(event.item)) items.push(event.item)
              break
            case "response.failed":
              throw new ReplyFailed(event.response.error?.code ?? "server_error", event.response.error?.message ?? "")
            case "error":
              throw new ReplyFailed(event.code ?? "server_error", event.message)
            case "response.completed":
            case "response.incomplete": {
              if (event.response.incomplete_details?.reason === "content_filter")
                throw new ReplyFailed("content_filter", "the provider's content filter ended the reply")
              // Some servers tell of their calls here alone.
              if (hasTools && items.length === 0) items.push(...(event.response.output ?? []).filter(isKept))
              const usage = event.response.usage
              if (usage !== undefined && usage !== null)
                yield progress.usage(
                  usage.input_tokens,
                  usage.output_tokens,
                  usage.total_tokens,
                  usage.input_tokens_details?.cached_tokens,
                  usage.output_tokens_details?.reasoning_tokens
                )
              end = event.type === "response.completed" ? "completed" : "incomplete"
              linger = setTimeout(() => stream.controller.abort(), Talk.lingering)
              break
            }
            default:
              break
          }
        }
      } finally {
        clearTimeout(linger)
      }
      if (end === undefined) throw begun || Talk.isEventStream(response) ? new BrokenOff() : new NoEvents()
      output = items
      // The arguments of an answer that was cut may be cut as well.
      return end === "incomplete"
        ? []
        : items.filter(isCall).map((item) => ({ id: item.call_id, name: item.name, arguments: item.arguments ?? "" }))
    },

    answered: (results) => {
      const calls = output.filter(isCall)
      input.push(...handedBack(output))
      for (const [index, call] of calls.entries()) {
        input.push({ type: "function_call_output", call_id: call.call_id, output: results[index] ?? "" })
      }
      output = []
    }
  }
}

const isCall = (item: Kept): item is ResponseFunctionToolCall => item.type === "function_call"

const isKept = (item: ResponseOutputItem): item is Kept =>
  item.type === "reasoning" || item.type === "message" || item.type === "function_call"

/**
 * An answer as the server is told of it again. With encrypted thoughts the items go back as they came. Without them
 * their ids would name items that the server never kept, so they go back as plain words and calls.
 */
const handedBack = (items: ReadonlyArray<Kept>): ReadonlyArray<ResponseInputItem> =>
  items.some((item) => item.type === "reasoning" && typeof item.encrypted_content === "string")
    ? items
    : items.flatMap((item): ReadonlyArray<ResponseInputItem> => {
        if (item.type === "reasoning") return []
        if (item.type === "function_call") {
          return [{ type: "function_call", call_id: item.call_id, name: item.name, arguments: item.arguments }]
        }
        const text = item.content.map((part) => (part.type === "output_text" ? part.text : part.refusal)).join("")
        return text === "" ? [] : [{ role: "assistant", content: text }]
      })

const said = ({ role, text }: Said): ResponseInputItem => ({ role, content: text })

const message = (content: ReadonlyArray<Talk.Content>): ResponseInputItem => ({
  role: "user",
  content: content.map((part) =>
    part.type === "text"
      ? { type: "input_text", text: part.text }
      : { type: "input_image", image_url: part.url, detail: "auto" }
  )
})
