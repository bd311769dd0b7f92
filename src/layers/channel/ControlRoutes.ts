/**
 * The operator's door as routes, to be mounted on a server of its own or on the platform's:
 *
 * - `GET /control/snapshot?account=` → Snapshot
 * - `GET /control/stream?account=` → server-sent events: `snapshot`, then `changes`
 * - `POST /control/call` `{method, params}` → `{result}`
 *
 * Every refusal is `{error: {code, message, fields}}`.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { MethodError } from "../../services/channel/Control.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import type { ControlDesk } from "./ControlDesk.ts"
import * as Guards from "./ControlGuards.ts"
import * as ControlStream from "./ControlStream.ts"

/** A proposal with an inline picture of 64 KiB, and room. */
const maxBody = 256 * 1024
/** Windows that follow at once. */
const maxReaders = 16

/** On this machine alone, for whoever has the token. */
export interface Options {
  readonly desk: ControlDesk
  readonly token: Redacted.Redacted<string>
}

/** Within a host that has asked who it is before any of these routes is reached. */
export interface Hosted {
  readonly desk: ControlDesk
  /** What stands before `/control` there. */
  readonly prefix: `/${string}`
  /** What is still refused. */
  readonly refused: (asked: Guards.Asked, method: string) => Guards.Refusal | undefined
}

interface Fault {
  readonly code: string
  readonly message: string
  readonly fields?: MethodError["fields"]
}

export const refuse = (status: number, { code, fields = [], message }: Fault): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe({ error: { code, message, fields } }, { status, headers: HttpGuards.dataHeaders })

const answer = (value: unknown): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(value, { headers: HttpGuards.dataHeaders })

export const askedOf = (request: HttpServerRequest): Guards.Asked => ({
  peer: Option.getOrUndefined(request.remoteAddress),
  headers: request.headers
})

const statuses: Readonly<Record<MethodError["code"], number>> = {
  invalid_params: 422,
  unknown_method: 404,
  unknown_account: 404,
  not_found: 404,
  conflict: 409,
  refused: 403,
  unavailable: 503
}

const CallBody = Schema.fromJsonString(
  Schema.Struct({ method: Schema.String, params: Schema.optionalKey(Schema.Unknown) })
)
const decodeCall = Schema.decodeUnknownOption(CallBody)

const unreadable: Fault = { code: "not_json", message: "The body is not JSON like {method, params}." }
const tooLarge: Fault = {
  code: "too_large",
  message: "The body is larger than 256 KiB. A picture belongs into it only up to 64 KiB. Nothing was changed."
}

const accountOf = (request: HttpServerRequest): string | undefined =>
  new URLSearchParams(request.url.split("?", 2)[1] ?? "").get("account") ?? undefined

export const layer = (options: Options | Hosted): Layer.Layer<never, never, HttpRouter.HttpRouter> => {
  const { desk } = options
  const prefix = "prefix" in options ? options.prefix : ""
  const refusedOf: Hosted["refused"] =
    "refused" in options ? options.refused : (asked) => Guards.ofCaller(options.token, asked)
  const readers = { count: 0 }

  const guarded = <E, R>(
    handle: (request: HttpServerRequest) => Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
  ) =>
    Effect.flatMap(HttpServerRequest, (request) => {
      const refused = refusedOf(askedOf(request), request.method)
      return refused === undefined ? handle(request) : Effect.succeed(refuse(refused.status, refused))
    })

  const snapshot = guarded((request) => Effect.map(desk.snapshot(accountOf(request)), answer))

  const stream = guarded((request) =>
    Effect.sync(() => {
      if (readers.count >= maxReaders) {
        return refuse(503, {
          code: "unavailable",
          message: `${maxReaders} windows follow this agent already. Close one, then load this page again.`
        })
      }
      const body = Stream.unwrap(
        Effect.as(
          Effect.acquireRelease(
            Effect.sync(() => void (readers.count += 1)),
            () => Effect.sync(() => void (readers.count -= 1))
          ),
          ControlStream.make(desk, accountOf(request))
        )
      )
      return HttpServerResponse.stream(body, {
        contentType: "text/event-stream",
        headers: { ...HttpGuards.dataHeaders, "x-accel-buffering": "no" }
      })
    })
  )

  const call = guarded(
    Effect.fnUntraced(function* (request) {
      if (Number(request.headers["content-length"] ?? 0) > maxBody) {
        return HttpServerResponse.setHeader(refuse(413, tooLarge), "connection", "close")
      }
      if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) return refuse(415, unreadable)
      const text = yield* Effect.result(
        Effect.provideService(request.text, HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBody))
      )
      if (text._tag === "Failure") return HttpServerResponse.setHeader(refuse(413, tooLarge), "connection", "close")
      const body = decodeCall(text.success)
      if (Option.isNone(body)) return refuse(400, unreadable)
      return yield* desk.call(body.value.method, body.value.params ?? {}).pipe(
        Effect.match({
          onFailure: (error) => refuse(statuses[error.code], error),
          onSuccess: (result) => answer({ result })
        })
      )
    })
  )

  return HttpRouter.use((router) =>
    Effect.gen(function* () {
      yield* router.add("GET", `${prefix}/control/snapshot`, snapshot)
      yield* router.add("GET", `${prefix}/control/stream`, stream)
      yield* router.add("POST", `${prefix}/control/call`, call)
      const nothing = guarded(() =>
        Effect.succeed(refuse(404, { code: "not_found", message: "There is nothing at this address." }))
      )
      yield* router.add("*", `${prefix}/control/*`, nothing)
    })
  )
}
