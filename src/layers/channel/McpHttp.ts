/**
 * An MCP server on a port of its own (streamable HTTP, one endpoint `/mcp`). Who may call: a program with the token, at
 * this machine, unless the operator opened it to the network. No page of a browser may, whatever it knows: a request
 * that names an Origin is refused, and so is one under a host name that somebody could point here (DNS rebinding).
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Toolbox } from "../../services/channel/Toolbox.ts"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import { sameToken } from "./ControlGuards.ts"
import * as McpTools from "./McpTools.ts"

export interface Options {
  readonly host: string
  /** 0 = any free port. */
  readonly port: number
  readonly token: Redacted.Redacted<string>
  readonly box: Toolbox
  readonly name: string
  readonly version: string
  readonly instructions: string
}

export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Finite,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail === "EADDRINUSE"
      ? `Port ${this.port} of ${this.host} is in use by another program. Choose another one with --port, or 0 for any.`
      : `${this.host} cannot be listened on at port ${this.port} (${this.detail}). Choose others with --host and --port.`
  }
}

/** A file that is written whole (1 MiB), with every character escaped. */
const maxBody = ByteSize.mebibytes(8)

const path = "/mcp"

const refuse = (status: number, code: string, message: string) =>
  HttpServerResponse.jsonUnsafe(
    { error: { code, message } },
    {
      status,
      headers: { ...HttpGuards.dataHeaders, ...(status === 401 ? { "www-authenticate": "Bearer" } : {}) }
    }
  )

/** Why a request is not answered, before anything of it is read. */
const refusalOf = ({ host, token }: Options, request: HttpServerRequest) => {
  const { headers } = request
  const peer = ClientAddress.of(0, Option.getOrUndefined(request.remoteAddress), undefined)
  if (HttpGuards.isLoopback(host) && (!HttpGuards.isLoopback(peer) || ClientAddress.wasForwarded(headers))) {
    return refuse(403, "not_local", "This MCP server is for programs of its own machine only.")
  }
  if (!HttpGuards.isAllowedHost({ host, allowedHosts: [], allowedOrigins: [] }, headers["host"])) {
    return refuse(421, "foreign_host", "This MCP server does not answer to that host name. Use its address in numbers.")
  }
  if (headers["origin"] !== undefined) {
    return refuse(403, "foreign_origin", "Pages of a browser may not call this MCP server.")
  }
  const given = /^Bearer\s+(\S+)$/i.exec(headers["authorization"] ?? "")?.[1]
  if (given === undefined) {
    return refuse(
      401,
      "no_token",
      "The token is missing. Send Authorization: Bearer, with the token of this MCP server."
    )
  }
  return sameToken(token, given) ? undefined : refuse(401, "wrong_token", "This is not the token of this MCP server.")
}

const sentences: Readonly<Record<number, string>> = {
  404: `There is nothing at this address. The endpoint is ${path}.`,
  405: "This address takes other methods.",
  406: "Say Accept: application/json, text/event-stream.",
  413: "The request is larger than 8 MiB.",
  415: "Say Content-Type: application/json."
}

const wrap =
  (options: Options) =>
  <E, R>(app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.flatMap(HttpServerRequest, (request) => {
      const refused = refusalOf(options, request)
      if (refused !== undefined) return Effect.succeed(refused)
      return app.pipe(
        Effect.provideService(HttpIncomingMessage.MaxBodySize, maxBody),
        Effect.catchCause((cause) =>
          Cause.hasInterruptsOnly(cause)
            ? Effect.interrupt
            : Effect.flatMap(HttpServerError.causeResponse(cause), ([response]) =>
                response.status >= 500
                  ? Effect.as(
                      Effect.logError("A request of the MCP server failed", cause),
                      refuse(500, "internal", "Something broke in the program. It is in its log.")
                    )
                  : Effect.succeed(response)
              )
        ),
        Effect.map((response) => {
          const words = sentences[response.status]
          return words !== undefined && response.body._tag === "Empty"
            ? refuse(response.status, "refused", words)
            : HttpServerResponse.setHeaders(response, HttpGuards.dataHeaders)
        })
      )
    })

/** Listens as long as its scope lives. Answers where. */
export const make = Effect.fn("McpHttp.make")(function* (
  options: Options
): Effect.fn.Return<{ readonly url: string }, CannotListen | Cause.IllegalArgumentError, Scope.Scope> {
  const { box, host, instructions, name, port, version } = options
  const node = createServer({ headersTimeout: 10_000, requestTimeout: 60_000 })
  node.maxConnections = 128
  return yield* Effect.gen(function* () {
    const server = yield* NodeHttpServer.make(() => node, { host, port, disablePreemptiveShutdown: true }).pipe(
      Effect.mapError(({ cause }) => {
        const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
        return new CannotListen({ host, port, detail: code })
      })
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))
    const app = yield* HttpRouter.toHttpEffect(
      McpServer.layerHttp({
        name,
        version,
        instructions,
        path,
        protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26],
        allowSessionTermination: true,
        registrations: McpTools.layer(box)
      })
    )
    yield* server.serve(wrap(options)(app))
    const bound = (node.address() as AddressInfo).port
    const shown = host.includes(":") ? `[${host.replace(/^\[|\]$/g, "")}]` : host
    return { url: `http://${shown}:${bound}${path}` }
  }).pipe(Effect.provide(NodeHttpServer.layerHttpServices))
})
