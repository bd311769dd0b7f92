/** A reply over chat completions, the older API that most servers imitate, each in its own way. */
import type OpenAI from "openai"
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam
} from "openai/resources/chat/completions"
import { BrokenOff, isUsageOptionRefused, NoEvents, ReplyFailed } from "./OpenAiErrors.ts"
import * as Talk from "./OpenAiTalk.ts"
import { maxArguments, type ToolCall } from "./ToolCalls.ts"

export const dialogue = (client: OpenAI, model: string, found: Talk.Found, request: Talk.Request): Talk.Dialogue => {
  const hasTools = request.tools.length > 0
  const messages: Array<ChatCompletionMessageParam> = [
    ...(request.instructions === "" ? [] : [{ role: "system" as const, content: request.instructions }]),
    ...request.history.map(({ role, text }) => ({ role, content: text })),
    message(request.content)
  ]
  /** Of the answer that came last. */
  let said: Said = { text: "", thoughts: "", calls: [] }

  const open = async (last: boolean, signal: AbortSignal) => {
    const body: ChatCompletionCreateParamsStreaming = {
      model,
      messages: [...messages],
      ...(hasTools
        ? {
            tools: request.tools.map(({ description, name, parameters }) => ({
              type: "function" as const,
              function: { name, description, parameters }
            }))
          }
        : {}),
      ...(hasTools && last ? { tool_choice: "none" as const } : {}),
      stream: true
    }
    if (!found.usage) return client.chat.completions.create(body, { signal }).withResponse()
    return client.chat.completions
      .create({ ...body, stream_options: { include_usage: true } }, { signal })
      .withResponse()
      .catch((cause: unknown) => {
        if (!isUsageOptionRefused(cause)) throw cause
        found.usage = false
        return client.chat.completions.create(body, { signal }).withResponse()
      })
  }

  return {
    answer: async function* (progress, last, signal) {
      const { data: stream, response } = await open(last, signal)
      const calls = new Calls(progress.round)
      let text = ""
      let thoughts = ""
      let begun = false
      let finished: string | undefined
      let usage: ChatCompletionChunk["usage"]
      let linger: NodeJS.Timeout | undefined
      try {
        for await (const chunk of stream) {
          begun = true
          if (found.api === "auto") found.api = "chat"
          // Some servers say with each chunk what it has cost up to there: the last word counts.
          usage = chunk.usage ?? usage
          const choice = chunk.choices?.[0]
          if (choice === undefined) continue
          const delta = choice.delta?.content ?? choice.delta?.refusal
          if (typeof delta === "string" && delta !== "") {
            if (hasTools) text += delta
            yield progress.text(delta)
          }
          // Reasoning models behind this API send their thoughts in fields that the package does not name.
          else if (choice.delta && ("reasoning_content" in choice.delta || "reasoning" in choice.delta)) {
            if (hasTools) thoughts += thoughtsOf(choice.delta)
            yield Talk.thinking
          }
          if (hasTools && calls.take(choice.delta?.tool_calls)) yield Talk.working
          if (choice.finish_reason === "content_filter")
            throw new ReplyFailed("content_filter", "the provider's content filter ended the reply")
          if (typeof choice.finish_reason === "string" && finished === undefined) {
            finished = choice.finish_reason
            linger = setTimeout(() => stream.controller.abort(), Talk.lingering)
          }
        }
      } finally {
        clearTimeout(linger)
      }
      if (finished === undefined) throw begun || Talk.isEventStream(response) ? new BrokenOff() : new NoEvents()
      if (usage !== undefined && usage !== null)
        yield progress.usage(
          usage.prompt_tokens,
          usage.completion_tokens,
          usage.total_tokens,
          usage.prompt_tokens_details?.cached_tokens,
          usage.completion_tokens_details?.reasoning_tokens
        )
      said = { text, thoughts, calls: calls.all }
      // Servers differ in the reason they give beside calls. What was cut may hold a call that was cut.
      return finished === "length" ? [] : said.calls
    },

    answered: (results) => {
      messages.push({
        role: "assistant",
        content: said.text === "" ? null : said.text,
        tool_calls: said.calls.map((call) => ({
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: call.arguments }
        })),
        // Servers that send thoughts this way want them back with the results of the calls.
        ...(said.thoughts === "" ? {} : { reasoning_content: said.thoughts })
      })
      for (const [index, call] of said.calls.entries()) {
        messages.push({ role: "tool", tool_call_id: call.id, content: results[index] ?? "" })
      }
      said = { text: "", thoughts: "", calls: [] }
    }
  }
}

interface Said {
  readonly text: string
  readonly thoughts: string
  readonly calls: ReadonlyArray<ToolCall>
}

const thoughtsOf = (delta: object): string =>
  "reasoning_content" in delta && typeof delta.reasoning_content === "string" ? delta.reasoning_content : ""

interface Gathered {
  readonly index: number | undefined
  id: string
  name: string
  arguments: string
}

/** Calls out of the pieces that they come in. */
class Calls {
  readonly all: Array<Gathered> = []
  private readonly round: number

  constructor(round: number) {
    this.round = round
  }

  /** Whether another call has begun. */
  take(deltas: ReadonlyArray<ChatCompletionChunk.Choice.Delta.ToolCall> | null | undefined): boolean {
    const before = this.all.length
    for (const delta of deltas ?? []) {
      const call = this.find(delta)
      if (call.name === "") call.name = delta.function?.name ?? ""
      // What is past the bound is refused, not carried out, so its end is not needed.
      if (call.arguments.length <= maxArguments) call.arguments += written(delta.function?.arguments)
    }
    return this.all.length > before
  }

  /** Some servers number no calls, or all of them 0: another id is another call. */
  private find(delta: ChatCompletionChunk.Choice.Delta.ToolCall): Gathered {
    const named = typeof delta.id === "string" && delta.id !== ""
    const same = this.all.findLast((one) => typeof delta.index !== "number" || one.index === delta.index)
    if (same !== undefined && (!named || same.id === delta.id)) return same
    const id = named && delta.id !== undefined ? delta.id : `call_${this.round}_${this.all.length}`
    const call = { index: delta.index, id, name: "", arguments: "" }
    this.all.push(call)
    return call
  }
}

/** Text, by the API; an object in servers that parse it already. */
const written = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value)

/** Text alone goes as a string: simple servers read nothing else. */
const message = (content: ReadonlyArray<Talk.Content>): ChatCompletionMessageParam => ({
  role: "user",
  content: content.every((part) => part.type === "text")
    ? content.map((part) => part.text).join("\n\n")
    : content.map((part) =>
        part.type === "text"
          ? { type: "text" as const, text: part.text }
          : { type: "image_url" as const, image_url: { url: part.url } }
      )
})
