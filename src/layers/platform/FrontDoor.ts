/**
 * Around every HTTP answer: who may ask, what a browser may do with it, and that nothing ends without words. A failure
 * that nobody explained becomes JSON with a sentence, under `/v1` in OpenAI's shape.
 */
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpGuards from "./HttpGuards.ts"
import { isDoor } from "./Pages.ts"

/** Bytes of a JSON body. Uploads have a bound of their own. */
const bodyLimit = ByteSize.fromInputUnsafe("2 MiB")

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

const kinds: Readonly<Record<number, string>> = { 401: "authentication_error", 429: "rate_limit_error" }

const explained = (path: string, status: number, message: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    path.startsWith("/v1/")
      ? {
          error: {
            message,
            type: kinds[status] ?? (status < 500 ? "invalid_request_error" : "server_error"),
            code: status === 404 ? "not_found" : null,
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

export const wrap =
  (guards: HttpGuards.Options) =>
  <E, R>(
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
      return app.pipe(
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
