/**
 * Around every HTTP answer: who may ask, what a browser may do with it, and that nothing ends without words. A failure
 * that nobody explained becomes JSON with a sentence, under `/v1` in OpenAI's shape or in the one of Claworld's relay.
 */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as Credential from "./Credential.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import type * as Limits from "./Limits.ts"
import { methodsOf } from "./methods.ts"
import { isDoor } from "./Pages.ts"

/** Bytes of a JSON body. Uploads have a bound of their own. */
export const defaultMaxBody = 2 * 1024 * 1024

export interface Options {
  readonly guards: HttpGuards.Options
  readonly limits: Limits.Limits
  /** Proxies of ours before the platform. */
  readonly hops: number
  /** Bytes of a JSON body. 2 MiB by default. */
  readonly maxBody?: number | undefined
}

/** Forms with a file: the platform's own bound for one is below this, and is answered in words. */
const mostUploaded = 515 * 1024 * 1024

const isUpload = (method: string, path: string): boolean =>
  method === "POST" &&
  (path === "/api/files" || path === "/artifact/upload-and-bind" || /^\/bots\/tasks\/[^/]+\/deliverable$/.test(path))

/** What a call counts as. Probes are free: who asks whether the platform lives must not be told to ask less. */
const doorOf = (method: string, path: string): Limits.Door | undefined => {
  switch (path) {
    case "/healthz":
    case "/readyz":
      return undefined
    case "/api/sign-in":
      return "signIn"
    case "/profiles/create":
    case "/v1/onboarding/activate":
      return "register"
    case "/api/ticket":
      return "sockets"
    case "/bots/messages":
      return "messages"
    case "/v1/responses":
      return method === "POST" ? "messages" : "calls"
    default:
      return isUpload(method, path) ? "uploads" : "calls"
  }
}

const tooLarge = (method: string, path: string, length: string | undefined, most: number): boolean =>
  Number(length ?? 0) > (isUpload(method, path) ? mostUploaded : most)

const sentences: Readonly<Record<number, string>> = {
  400: "This request cannot be read. Check that its body is JSON and that it says so in content-type.",
  404: "There is nothing at this address. GET /docs lists what there is.",
  405: "This address takes other methods. GET /docs lists them.",
  413: "This request is larger than the platform takes.",
  415: "The body is of a type that is not taken here. Send JSON, or a form where a file is sent.",
  426: "This address speaks WebSocket only.",
  503: "The platform is stopping or overloaded. Try again in a moment."
}

const broken = "Something broke on the platform's side. It is in its log; try again."

const codes: Readonly<Record<number, string>> = {
  404: "not_found",
  405: "method_not_allowed",
  413: "request_too_large",
  429: "rate_limit_exceeded"
}

const kinds: Readonly<Record<number, string>> = { 401: "authentication_error", 429: "rate_limit_error" }

/** Under `/v1` too, but the relay's callers read a code and a sentence. */
const ofClaworld = /^\/v1\/(?:agents|chat-requests|conversations|feedback|onboarding|runtime-deliveries|worlds)(?:\/|$)/

const worldCodes: Readonly<Record<number, string>> = { 413: "request_too_large", 429: "rate_limited" }
const worldCodeOf = (status: number): string =>
  worldCodes[status] ?? codes[status] ?? (status < 500 ? "invalid_request" : "request_failed")

const explained = (path: string, status: number, message: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    ofClaworld.test(path)
      ? { error: worldCodeOf(status), message }
      : path.startsWith("/v1/")
        ? {
            error: {
              message,
              type: kinds[status] ?? (status < 500 ? "invalid_request_error" : "server_error"),
              code: codes[status] ?? null,
              param: null
            }
          }
        : { code: status * 100, message, data: null },
    { status }
  )

/** Nobody wrote words for this one: nothing in it, or what the framework says of a body's type. */
const isSilent = (response: HttpServerResponse.HttpServerResponse): boolean =>
  response.body._tag === "Empty" || response.status === 415

const guarded = (
  request: HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse,
  path: string
): HttpServerResponse.HttpServerResponse => {
  const allowed = response.status === 404 && isSilent(response) ? methodsOf(path) : []
  if (allowed.length > 0 && !allowed.includes(request.method)) {
    const refused = explained(path, 405, sentences[405] ?? broken)
    return guarded(request, HttpServerResponse.setHeader(refused, "allow", allowed.join(", ")), path)
  }
  const whole =
    response.status >= 400 && isSilent(response) && request.method !== "HEAD"
      ? explained(path, response.status, sentences[response.status] ?? broken)
      : response
  if (whole.headers["content-security-policy"] !== undefined) return whole
  const isPage = !isDoor(path) && whole.headers["content-type"]?.startsWith("application/json") !== true
  const { "cache-control": cache, ...data } = HttpGuards.dataHeaders
  if (isPage) return HttpServerResponse.setHeaders(whole, HttpGuards.pageHeaders)
  const cached = whole.headers["cache-control"] === undefined ? { ...data, "cache-control": cache } : data
  return HttpServerResponse.setHeaders(whole, cached)
}

export const wrap = ({ guards, hops, limits, maxBody = defaultMaxBody }: Options) => {
  const bodyLimit = ByteSize.bytes(maxBody)
  return <E, R>(
    app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest, (request) => {
      const path = request.url.split("?", 1)[0] ?? "/"
      const { host, origin } = request.headers
      const refused = HttpGuards.refusal(guards, {
        ...(host === undefined ? {} : { host }),
        ...(origin === undefined ? {} : { origin })
      })
      if (refused !== undefined) {
        return Effect.succeed(guarded(request, explained(path, refused.status, refused.message), path))
      }
      if (tooLarge(request.method, path, request.headers["content-length"], maxBody)) {
        const answer = explained(path, 413, sentences[413] ?? broken)
        return Effect.succeed(guarded(request, HttpServerResponse.setHeader(answer, "connection", "close"), path))
      }
      const asker: Limits.Asker = {
        address: ClientAddress.of(
          hops,
          Option.getOrUndefined(request.remoteAddress),
          request.headers["x-forwarded-for"]
        ),
        key: Credential.of(request.headers, undefined)?.hash
      }
      const door = doorOf(request.method, path)
      return (door === undefined ? Effect.void : limits.take(door, asker)).pipe(
        Effect.matchEffect({
          onFailure: (error) =>
            Effect.succeed(
              HttpServerResponse.setHeader(explained(path, 429, error.message), "retry-after", String(error.retryAfter))
            ),
          onSuccess: () =>
            Effect.tap(app, (response) =>
              response.status === 401 && asker.key !== undefined ? limits.refused(asker) : Effect.void
            )
        }),
        Effect.provideService(HttpIncomingMessage.MaxBodySize, bodyLimit),
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.interrupt
            : Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) =>
                response.status >= 500
                  ? Effect.as(Effect.logError("A request failed", cause), explained(path, 500, broken))
                  : Effect.succeed(response)
              )
        ),
        Effect.map((response) => guarded(request, response, path))
      )
    })
}
