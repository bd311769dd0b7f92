/**
 * The two APIs of the `openai` package as one generator of pieces, and the loop of tool calls over both. This module
 * alone loads the package (which takes a while), so it is imported when an agent is made, not when a program starts.
 */
import OpenAI from "openai"
import type { Piece } from "./Batches.ts"
import * as OpenAiChat from "./OpenAiChat.ts"
import { isEndpointMissing } from "./OpenAiErrors.ts"
import * as OpenAiResponses from "./OpenAiResponses.ts"
import { type Dialogue, type Found, type Options, Progress, type Request } from "./OpenAiTalk.ts"
import { maxCalls, maxRounds, tooMany } from "./ToolCalls.ts"

export { fromCause } from "./OpenAiErrors.ts"

/** One reply. */
export interface Talk {
  /** Goes on after the last answer that was whole: calls that were made are not made again. */
  readonly pieces: (signal: AbortSignal) => AsyncGenerator<Piece, void, undefined>
  /** Nothing of the present answer was shown yet, so that it may be asked for again. */
  readonly mayAskAgain: () => boolean
}

export const make = (options: Options): ((request: Request) => Talk) => {
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout: options.timeout,
    logLevel: "off",
    // A redirect would carry the conversation, and perhaps the key, to another host.
    fetchOptions: { redirect: "manual" }
  })
  const found: Found = { api: options.api, usage: true, reasoning: true }

  return (request) => {
    const progress = new Progress()
    const known = new Set(request.tools.map((tool) => tool.name))
    const over = (api: typeof OpenAiChat | typeof OpenAiResponses): Dialogue =>
      api.dialogue(client, options.model, found, request)
    let dialogue = over(found.api === "chat" ? OpenAiChat : OpenAiResponses)

    async function* pieces(signal: AbortSignal): AsyncGenerator<Piece, void, undefined> {
      for (;;) {
        progress.begin()
        const last = progress.round === maxRounds - 1
        let calls
        try {
          calls = yield* dialogue.answer(progress, last, signal)
        } catch (cause) {
          // Only creating the response can fail this way: no text has gone out.
          if (found.api !== "auto" || !isEndpointMissing(cause) || signal.aborted) throw cause
          dialogue = over(OpenAiChat)
          calls = yield* dialogue.answer(progress, last, signal)
        }
        if (calls.length === 0 || last) return
        const results: Array<string> = []
        // One after the other, in the order the model wrote them: the next may rest on what the one before did.
        for (const call of calls) {
          yield { _tag: "Activity", label: known.has(call.name) ? call.name : "unknown tool" }
          results.push(results.length < maxCalls ? await request.call(call, signal) : tooMany)
        }
        dialogue.answered(results)
        progress.round += 1
      }
    }

    return { pieces, mayAskAgain: () => !progress.said }
  }
}
