/** A person's side of a platform, as far as the command line needs it: sign in, agents, sessions, one streamed reply. */
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as Models from "../../services/protocol/ApiModels.ts"
import type { ResponseEvent } from "../../services/protocol/ResponseEvent.ts"
import { Failure } from "../Failure.ts"

export interface Options {
  readonly url: string
  readonly token: Redacted.Redacted<string> | undefined
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** The platform's own words for a refusal: `{code, message}` or `{error: {message}}`. */
const Refusal = Schema.fromJsonString(
  Schema.Struct({
    message: Schema.optional(Schema.String),
    error: Schema.optional(Schema.Struct({ message: Schema.optional(Schema.String) }))
  })
)

const parseAddress = (text: string) => {
  const url = PlatformAddress.parse(text)
  return url === undefined
    ? fail(`${text} is no address of a platform. Write it like http://127.0.0.1:8787.`)
    : Effect.succeed(PlatformAddress.derive(url).taskApiBaseUrl)
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const http = yield* HttpClient.HttpClient
  const base = yield* parseAddress(options.url)
  if (options.token !== undefined && !PlatformAddress.mayCarryKeys(base)) {
    return yield* fail(`${base.origin} is not encrypted and not on this machine: no token is sent there. Use https://.`)
  }

  const unreachable = (error: HttpClientError.HttpClientError) =>
    new Failure({
      message:
        error.reason._tag === "TransportError"
          ? `No platform answers at ${base.origin}. Start one with: clawfiber up, or name another with --url.`
          : `The answer of ${base.origin} broke off.`
    })

  const refused = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
    const text = yield* Effect.orElseSucceed(response.text, () => "")
    const words = yield* Effect.option(Schema.decodeEffect(Refusal)(text))
    const message = words._tag === "Some" ? (words.value.message ?? words.value.error?.message) : undefined
    return yield* new Failure({
      message: message ?? `${base.origin} answered with ${response.status}: is it a platform of clawfiber?`,
      refused: true
    })
  })

  const send = Effect.fnUntraced(
    function* (request: HttpClientRequest.HttpClientRequest, token: Redacted.Redacted<string> | undefined) {
      const response = yield* http.execute(
        token === undefined ? request : HttpClientRequest.bearerToken(request, token)
      )
      return response.status < 300 ? response : yield* refused(response)
    },
    Effect.catchTag("HttpClientError", (error) => Effect.fail(unreachable(error))),
    // A redirect would carry the token elsewhere.
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
  )

  const ask = Effect.fnUntraced(
    function* <S extends Schema.ConstraintDecoder<unknown>>(
      schema: S,
      request: HttpClientRequest.HttpClientRequest,
      token: Redacted.Redacted<string> | undefined
    ) {
      const response = yield* send(request, token)
      return yield* response.json.pipe(
        Effect.flatMap(Schema.decodeUnknownEffect(schema)),
        Effect.catch(() => fail(`${base.origin} answers, but not as a platform of clawfiber does.`))
      )
    },
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => fail(`${base.origin} did not answer in time.`) })
  )

  const path = (text: string) => new URL(text, base)

  const signIn = Effect.fnUntraced(function* (name: string) {
    if (options.token !== undefined) return options.token
    if (!PlatformAddress.mayCarryKeys(base)) {
      return yield* fail(
        `${base.origin} is not encrypted and not on this machine: nobody signs in there. Use https://.`
      )
    }
    const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(path("api/sign-in")), { name })
    const { data } = yield* ask(Models.Answer(Models.SignedIn), request, undefined).pipe(
      Effect.mapError((error) =>
        error.refused === true && !PlatformAddress.isLoopback(base)
          ? new Failure({ message: `${error.message} A key of yours, made on its page, goes into CLAWFIBER_TOKEN.` })
          : error
      )
    )
    return Redacted.make(data.token)
  })

  const agents = Effect.fnUntraced(function* (token: Redacted.Redacted<string>) {
    const all: Array<Models.Agent> = []
    let after: string | undefined
    do {
      const url = path("api/agents")
      url.searchParams.set("limit", "200")
      if (after !== undefined) url.searchParams.set("after", after)
      const { data } = yield* ask(
        Models.Answer(
          Schema.Struct({ items: Schema.Array(Models.Agent), next: Schema.optional(Schema.NullOr(Schema.String)) })
        ),
        HttpClientRequest.get(url),
        token
      )
      all.push(...data.items)
      after = data.next ?? undefined
    } while (after !== undefined && all.length < 10_000)
    return all
  })

  const sessions = (token: Redacted.Redacted<string>) =>
    ask(Schema.Array(Models.Session), HttpClientRequest.post(path("api/session/list")), token)

  const createSession = (token: Redacted.Redacted<string>, clawId: string) =>
    Effect.map(
      ask(
        Models.Answer(Models.Session),
        HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(path("api/session/create")), { claw_id: clawId }),
        token
      ),
      (answer) => answer.data
    )

  const removeSession = (token: Redacted.Redacted<string>, sessionId: string) =>
    Effect.asVoid(send(HttpClientRequest.delete(path(`api/session/${encodeURIComponent(sessionId)}`)), token))

  /** The canonical events of one reply, as they come. Leaving off hangs up, and that cancels the reply. */
  const reply = (
    token: Redacted.Redacted<string>,
    message: { readonly clawId: string; readonly sessionId: string; readonly messageId: string; readonly text: string }
  ): Stream.Stream<ResponseEvent, Failure> =>
    Stream.unwrap(
      Effect.map(
        send(
          HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(path("v1/responses")), {
            model: message.clawId,
            input: message.text,
            stream: true,
            metadata: { session_id: message.sessionId, message_id: message.messageId }
          }),
          token
        ),
        (response) =>
          response.stream.pipe(
            Stream.decodeText,
            Stream.pipeThroughChannel(Sse.decode({ maxEventSize: 64 * 1024 * 1024 })),
            Stream.filter((event) => event.data !== "[DONE]"),
            // Events of a platform that speaks the same version: their shape is that of the specification.
            Stream.mapEffect((event) =>
              Effect.try({
                try: (): ResponseEvent => JSON.parse(event.data),
                catch: () => new Failure({ message: `${base.origin} sent an event that is not JSON.` })
              })
            ),
            Stream.mapError((error) =>
              error instanceof Failure ? error : new Failure({ message: `The reply of ${base.origin} broke off.` })
            )
          )
      )
    )

  return { origin: base.origin, path, send, ask, signIn, agents, sessions, createSession, removeSession, reply }
})
