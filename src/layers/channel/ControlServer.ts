/**
 * The operator's own small server, on 127.0.0.1 alone: the page (without a chat, which is the platform's) and the
 * routes under `/control`. For a program that serves a port already, `ControlRoutes.layer` is mounted there instead.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { ServeError } from "effect/http/HttpServerError"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as StaticPages from "../http/StaticPages.ts"
import * as Guards from "./ControlGuards.ts"
import * as Routes from "./ControlRoutes.ts"

export interface Options extends Routes.Options {
  /** 0 = any free port. */
  readonly port: number
  /** Where the port is in use: any free one instead of a failure. */
  readonly orAnother?: boolean | undefined
  /** The built page. By default the one of this package. */
  readonly uiRoot?: string | undefined
}

export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  port: Schema.Finite,
  inUse: Schema.Boolean,
  detail: Schema.String
}) {
  override get message(): string {
    return this.inUse
      ? `Port ${this.port} for the control page is in use by another program. Choose another one with --control-port, or 0 for any.`
      : `The control page cannot listen on port ${this.port}: ${this.detail}. Choose another one with --control-port, or 0 for any.`
  }
}

const cannotListen =
  (port: number) =>
  (error: ServeError): CannotListen => {
    const cause = error.cause
    const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
    return new CannotListen({ port, inUse: code === "EADDRINUSE", detail: code })
  }

const doors = /^\/(?:control|api|v1|ws|files|places\.json)(?:\/|$)/

/** The link that a person opens. The token stands in the fragment, which no browser sends anywhere. */
export const linkOf = (url: string, token: Redacted.Redacted<string>): string =>
  `${url}/#/agent?token=${Redacted.value(token)}`

const sentences: Readonly<Record<number, string>> = {
  404: "There is nothing at this address.",
  405: "This address takes other methods."
}

/** Around every answer: who may ask, what a browser may do with it, and words for what ends without any. */
const wrap = <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  Effect.flatMap(HttpServerRequest, (request) => {
    const refused = Guards.ofPlace(Routes.askedOf(request))
    if (refused !== undefined) return Effect.succeed(Routes.refuse(refused.status, refused))
    return app.pipe(
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) =>
              response.status >= 500
                ? Effect.as(
                    Effect.logError("A request of the control page failed", cause),
                    Routes.refuse(500, {
                      code: "unavailable",
                      message: "Something broke in the program. It is in its log; try again."
                    })
                  )
                : Effect.succeed(response)
            )
      ),
      Effect.map((response) => {
        if (response.headers["content-security-policy"] !== undefined) return response
        if (response.status >= 400 && request.method !== "HEAD") {
          const message = sentences[response.status] ?? "This request cannot be read."
          return Routes.refuse(response.status, { code: "not_found", message })
        }
        return HttpServerResponse.setHeaders(response, HttpGuards.pageHeaders)
      })
    )
  })

/** Listens as long as its scope lives. Answers where, without the token. */
export const make = Effect.fn("ControlServer.make")(function* (
  options: Options
): Effect.fn.Return<{ readonly url: string; readonly port: number }, CannotListen, Scope.Scope> {
  const routes = Layer.mergeAll(
    Routes.layer(options),
    StaticPages.layer({
      root: options.uiRoot ?? StaticPages.built(),
      places: ["agent"],
      isDoor: (path) => doors.test(path),
      notBuilt: "The agent runs. Its page was not built: run <code>npm run build:ui</code> and start again."
    })
  )
  const serve = Effect.fnUntraced(function* (port: number) {
    const node = createServer({ headersTimeout: 10_000, requestTimeout: 30_000 })
    node.maxConnections = 128
    const server = yield* NodeHttpServer.make(() => node, {
      host: "127.0.0.1",
      port,
      disablePreemptiveShutdown: true
    }).pipe(Effect.mapError(cannotListen(port)))
    // A stream never ends by itself: what is open is cut when the program stops.
    yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
    const app = yield* HttpRouter.toHttpEffect(routes)
    yield* server.serve(wrap(app))
    const bound = (node.address() as AddressInfo).port
    return { url: `http://127.0.0.1:${bound}`, port: bound }
  })
  return yield* serve(options.port).pipe(
    Effect.catchIf(
      (error) => error.inUse && options.orAnother === true,
      () => serve(0)
    ),
    Effect.provide(NodeHttpServer.layerHttpServices)
  )
})
