/**
 * A model behind the OpenAI API: OpenAI itself, or any server that speaks its Responses API or chat completions. The
 * session's past comes from `Transcripts`, never from the provider's store. It calls what is in a turn's toolbox and
 * nothing else; without one (chat) the request says nothing of tools.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { AgentError, AgentRuntime, Misconfigured, type Turn } from "../../services/channel/AgentRuntime.ts"
import { Attachments } from "../../services/channel/Attachments.ts"
import { Transcripts } from "../../services/channel/Transcripts.ts"
import * as Batches from "./Batches.ts"
import * as OpenAiInput from "./OpenAiInput.ts"
import { isLoopbackHost, isPublicHost } from "./PublicAddress.ts"
import { remember } from "./Remember.ts"
import * as ToolCalls from "./ToolCalls.ts"

export interface Options {
  readonly model: string
  /** With its version path: `https://api.openai.com/v1`, which is the default. */
  readonly baseUrl?: string | undefined
  /** Undefined: the server wants none (a model on this machine). */
  readonly apiKey: Redacted.Redacted<string> | undefined
  /** `auto`, the default: the Responses API, and chat completions where a server has only that. */
  readonly api?: "responses" | "chat" | "auto" | undefined
  /** Until the provider begins to answer; 10 minutes by default. */
  readonly timeout?: Duration.Input | undefined
  /** Before the first retry; doubles. Half a second by default. */
  readonly retryDelay?: Duration.Input | undefined
}

export const defaultBaseUrl = "https://api.openai.com/v1"

const maxRetries = 2
/** A provider that asks for more patience than this is not waited for: the person is told instead. */
const maxPatience = 10

const isTransient = (error: AgentError): boolean =>
  error.reason._tag === "Unavailable" ||
  (error.reason._tag === "RateLimited" && (error.reason.retryAfterSeconds ?? 0) <= maxPatience)

const misconfigured = (detail: string): AgentError => new AgentError({ reason: new Misconfigured({ detail }) })

const checkedUrl = (address: string, hasKey: boolean): Effect.Effect<URL, AgentError> => {
  const url = URL.parse(address)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    return Effect.fail(misconfigured(`OPENAI_BASE_URL is not an address: ${address}`))
  if (url.username !== "" || url.password !== "")
    return Effect.fail(misconfigured("OPENAI_BASE_URL holds a user name or password. Use OPENAI_API_KEY for the key."))
  if (hasKey && url.protocol === "http:" && !isLoopbackHost(url.hostname))
    return Effect.fail(
      misconfigured(
        `${url.origin} is not encrypted and not on this machine: no key is sent there. Use https, or leave OPENAI_API_KEY unset if the server wants none.`
      )
    )
  return Effect.succeed(url)
}

export const make = (options: Options): Effect.Effect<AgentRuntime["Service"], AgentError, Attachments | Transcripts> =>
  Effect.gen(function* () {
    const attachments = yield* Attachments
    const transcripts = yield* Transcripts
    const secret = options.apiKey === undefined ? "" : Redacted.value(options.apiKey)
    const url = yield* checkedUrl(options.baseUrl ?? defaultBaseUrl, secret !== "")
    const input: OpenAiInput.Options = { passLinks: url.protocol === "https:" && isPublicHost(url.hostname) }
    const wire = yield* Effect.promise(() => import("./OpenAiWire.ts"))
    const onError = wire.fromCause(secret)
    const talkAbout = wire.make({
      model: options.model,
      baseUrl: url.href,
      // The package insists on one and sends it as it is.
      apiKey: secret === "" ? "none" : secret,
      api: options.api ?? "auto",
      timeout: Duration.toMillis(options.timeout ?? "10 minutes")
    })

    const begin = Effect.fn("OpenAiAgent.begin")(function* (turn: Turn) {
      const content = yield* OpenAiInput.contentOfTurn(turn, attachments, input)
      const history = yield* transcripts.load(turn.sessionKey)
      const run = Effect.runPromiseWith(yield* Effect.context())
      const talk = talkAbout({
        instructions: OpenAiInput.instructionsOf(turn),
        history,
        content,
        tools: turn.toolbox.tools,
        call: (call, signal) => run(ToolCalls.answer(turn.toolbox, call), { signal })
      })
      let retries = 0
      return Batches.fromAsyncIterable(talk.pieces, onError).pipe(
        Stream.retry(
          Schedule.exponential(options.retryDelay ?? "500 millis").pipe(
            Schedule.setInputType<AgentError>(),
            Schedule.jittered,
            Schedule.modifyDelay(({ input: error, duration }) =>
              Effect.succeed(
                error.reason._tag === "RateLimited" && error.reason.retryAfterSeconds !== undefined
                  ? Duration.seconds(error.reason.retryAfterSeconds)
                  : duration
              )
            ),
            // Counted here: the stream forgets its place in the schedule at the first part, also one without text.
            Schedule.while(({ input: error }) =>
              Effect.sync(() => talk.mayAskAgain() && isTransient(error) && retries++ < maxRetries)
            )
          )
        )
      )
    })

    return AgentRuntime.of({
      description: `${options.model} at ${url.host}`,
      model: options.model,
      reply: (turn) => Stream.unwrap(begin(turn)).pipe(remember(transcripts, turn))
    })
  })

/** Fails with Misconfigured where the address is none that a key may be sent to. */
export const layer = (options: Options): Layer.Layer<AgentRuntime, AgentError, Attachments | Transcripts> =>
  Layer.effect(AgentRuntime, make(options))
