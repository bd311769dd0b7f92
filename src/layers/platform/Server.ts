/**
 * The platform as one server on one port: pages, calls, sockets, over its stores.
 *
 * `layer(options)` brings everything with it, over SQLite in a data folder or in memory; `layerOver(options)` runs over
 * stores that are already there (Postgres, a test's).
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ServeError } from "effect/http/HttpServerError"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { AddressInfo } from "node:net"
import * as Broker from "../../services/platform/Broker.ts"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import { WorldCatalog } from "../../services/platform/Worlds.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import * as Admission from "./Admission.ts"
import * as ApiFiles from "./ApiFiles.ts"
import * as ApiHandlers from "./ApiHandlers.ts"
import * as BotHandlers from "./BotHandlers.ts"
import * as ChatSocket from "./ChatSocket.ts"
import { Edge } from "./Edge.ts"
import * as FrontDoor from "./FrontDoor.ts"
import type * as HttpGuards from "../http/HttpGuards.ts"
import * as StaticPages from "../http/StaticPages.ts"
import * as JwksIssuer from "./JwksIssuer.ts"
import * as Limits from "./Limits.ts"
import * as MarketHandlers from "./MarketHandlers.ts"
import * as RelaySocket from "./claworld/RelaySocket.ts"
import * as talkSweeper from "./claworld/talkSweeper.ts"
import * as WorldHandlers from "./claworld/WorldHandlers.ts"
import * as taskSweeper from "./taskSweeper.ts"
import * as LiveBroker from "./LiveBroker.ts"
import * as OpenAccess from "./OpenAccess.ts"
import * as Pages from "./Pages.ts"
import * as Responses from "./Responses.ts"
import * as ResponsesSocket from "./ResponsesSocket.ts"
import { shutAgents } from "./shutAgents.ts"
import * as Stores from "./Stores.ts"
import * as UpgradeDoor from "./UpgradeDoor.ts"

export interface ServeOptions {
  /** 127.0.0.1 by default. */
  readonly host?: string | undefined
  /** 0 = any free port. */
  readonly port: number
  /** The built page. By default the one of this package. */
  readonly uiRoot?: string | undefined
  /** Routes under `/control` for the operator of the agent that runs in the same program. */
  readonly control?: Layer.Layer<never, never, HttpRouter.HttpRouter> | undefined
  /** People sign in by name alone and agents register without a token, also from other machines. */
  readonly openSignIn?: boolean | undefined
  /** Whether agents that register may come on the line at once (`given`, the default) or wait for the operator. */
  readonly approval?: "given" | "needed" | undefined
  /** More host names it is reached under, without port. */
  readonly allowedHosts?: ReadonlyArray<string> | undefined
  /** More origins whose pages may call it. */
  readonly allowedOrigins?: ReadonlyArray<string> | undefined
  /** Its address from outside, where a proxy stands before it: `https://chat.example.org`. */
  readonly publicUrl?: string | undefined
  /**
   * How many proxies stand before it, each adding to `X-Forwarded-For` whom it got a request from. 0 by default: the
   * header counts for nothing.
   */
  readonly behindProxy?: number | undefined
  /** How often somebody may ask. */
  readonly limits?: Limits.Options | undefined
  /** Bytes of a JSON body, 2 MiB by default; of a frame, 1 MiB by default. */
  readonly maxBodyBytes?: number | undefined
  readonly maxFrameBytes?: number | undefined
  /** Sockets open at once under one key. 64 by default. */
  readonly maxSocketsPerKey?: number | undefined
  /** Milliseconds and numbers of connections, before they have shown anything. */
  readonly connections?: UpgradeDoor.Options | undefined
  /** Milliseconds of Claworld's relay. */
  readonly relay?: Partial<RelaySocket.Times> | undefined
  /** How long a reply stays open after its agent's link ended. 60 seconds by default. */
  readonly grace?: Duration.Input | undefined
  /** How many messages an agent has at once. 100 by default. */
  readonly window?: number | undefined
  /** The longest reply in characters. 32 Mi by default. */
  readonly maxReplyCharacters?: number | undefined
}

export interface Options extends ServeOptions, Stores.Bounds {
  /** The data folder. Undefined = in memory: everything is gone when it stops. */
  readonly data?: string | undefined
  /** A Postgres for all but the files. Needs a data folder for those. Undefined = SQLite in the data folder. */
  readonly postgres?:
    | { readonly url: Redacted.Redacted<string>; readonly maxConnections?: number | undefined }
    | undefined
  /** Somebody else whose tokens people may come with. */
  readonly issuer?: JwksIssuer.Options | undefined
}

/** The address cannot be listened on. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Finite,
  reason: Schema.Literals(["InUse", "NotAllowed", "NoSuchAddress", "Other"]),
  detail: Schema.String
}) {
  override get message(): string {
    switch (this.reason) {
      case "InUse":
        return `Port ${this.port} on ${this.host} is in use by another program, perhaps another clawfiber. Stop that one, or choose another port with --port.`
      case "NotAllowed":
        return `Port ${this.port} is not open to this user. Choose one above 1023 with --port.`
      case "NoSuchAddress":
        return `This machine has no address ${this.host} to listen on. Choose another one with --host, for example 127.0.0.1.`
      case "Other":
        return `The platform cannot listen on ${this.host}, port ${this.port}: ${this.detail}. Choose another address with --host and --port.`
    }
  }
}

const reasons: Readonly<Record<string, typeof CannotListen.Type.reason>> = {
  EADDRINUSE: "InUse",
  EACCES: "NotAllowed",
  EPERM: "NotAllowed",
  EADDRNOTAVAIL: "NoSuchAddress",
  ENOTFOUND: "NoSuchAddress"
}

const cannotListen =
  (host: string, port: number) =>
  (error: ServeError): CannotListen => {
    const cause = error.cause
    const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
    return new CannotListen({ host, port, reason: reasons[code] ?? "Other", detail: code })
  }

/** Where it listens. */
export class Server extends Context.Service<
  Server,
  { readonly host: string; readonly port: number; readonly url: string }
>()("clawfiber/layers/platform/Server") {}

/** Where what speaks WebSocket is called as a page. */
const upgradeRequired = Effect.succeed(HttpServerResponse.empty({ status: 426 }))
const sockets = Layer.mergeAll(
  HttpRouter.add("GET", "/ws", upgradeRequired),
  HttpRouter.add("GET", "/ws/chat", upgradeRequired),
  HttpRouter.add("GET", "/v1/responses", upgradeRequired)
)

const make = Effect.fnUntraced(function* (options: ServeOptions) {
  const host = options.host ?? "127.0.0.1"
  const broker = yield* Broker.Broker
  const guards: HttpGuards.Options = {
    host,
    allowedHosts: [
      ...(options.allowedHosts ?? []),
      ...(options.publicUrl === undefined ? [] : [new URL(options.publicUrl).hostname])
    ],
    allowedOrigins: [
      ...(options.allowedOrigins ?? []),
      ...(options.publicUrl === undefined ? [] : [new URL(options.publicUrl).origin])
    ]
  }
  const state = { stopping: false }
  const hops = options.behindProxy ?? 0
  const limits = yield* Limits.make(options.limits)
  const access = OpenAccess.make()
  const admission = yield* Admission.make({
    hops,
    limits,
    access,
    maxSocketsPerKey: options.maxSocketsPerKey,
    maxPayload: options.maxFrameBytes
  })
  yield* shutAgents(access)
  yield* (yield* WorldCatalog).seed
  yield* taskSweeper.run
  yield* talkSweeper.run
  const { handshake, plain } = admission
  const chat = yield* ChatSocket.make({ guards, publicUrl: options.publicUrl, handshake })
  const responses = yield* ResponsesSocket.make({ guards, handshake })
  const relay = yield* RelaySocket.make({
    guards,
    handshake: plain,
    askerOf: ({ headers, socket, url }) => Admission.askerOf(hops, socket.remoteAddress, headers, url),
    refused: limits.refused,
    times: options.relay
  })
  const upgrades = new Map([
    ["/ws", admission.guard(relay.upgrade)],
    ["/ws/chat", admission.guard(chat.upgrade)],
    ["/v1/responses", admission.guard(responses.upgrade)]
  ])
  const node = UpgradeDoor.makeServer(upgrades, options.connections)
  Admission.watchRequests(node, access)

  // Released in reverse: tell and close the sockets, interrupt what is being answered, cut connections, close.
  const http = yield* NodeHttpServer.make(() => node, {
    host,
    port: options.port,
    disablePreemptiveShutdown: true
  }).pipe(Effect.mapError(cannotListen(host, options.port)))
  yield* Effect.addFinalizer(() => Effect.sync(() => node.closeAllConnections()))

  const edge = Layer.succeed(Edge, {
    guards,
    openSignIn: options.openSignIn === true,
    approval: options.approval ?? "given",
    startedAt: yield* Clock.currentTimeMillis,
    chat,
    relay,
    access,
    isStopping: () => state.stopping
  })
  const routes = Layer.mergeAll(
    HttpApiBuilder.layer(InstaClawApi).pipe(
      Layer.provide(
        Layer.mergeAll(
          ApiFiles.layer,
          Responses.layer,
          MarketHandlers.layer,
          MarketHandlers.layerArtifacts,
          WorldHandlers.layer,
          BotHandlers.layer.pipe(Layer.provide(BotHandlers.layerAuthorization))
        ).pipe(Layer.provideMerge(ApiHandlers.layer))
      )
    ),
    Pages.layer({
      root: options.uiRoot ?? StaticPages.built(),
      places: ["chat", "market", "worlds", ...(options.control === undefined ? [] : (["agent"] as const))]
    }),
    options.control ?? Layer.empty,
    sockets
  ).pipe(Layer.provide(edge))
  // The key of a conversation is longer than the 100 characters that a part of a path has by default.
  const app = yield* HttpRouter.toHttpEffect(routes).pipe(
    Effect.provideService(HttpRouter.RouterConfig, { maxParamLength: 1_000 })
  )
  yield* http.serve(FrontDoor.wrap({ guards, hops, limits, maxBody: options.maxBodyBytes })(app))

  // Within two seconds: nothing new; everyone told; sockets closed; what is being answered goes out to its last byte.
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      state.stopping = true
      const closed = yield* Deferred.make<void>()
      node.close(() => Deferred.doneUnsafe(closed, Effect.void))
      yield* Effect.timeoutOption(Effect.interruptible(broker.drain), "500 millis")
      yield* Effect.all([chat.stop, responses.stop, relay.stop], { concurrency: 3 })
      node.closeIdleConnections()
      yield* Effect.timeoutOption(Effect.interruptible(Deferred.await(closed)), "400 millis")
    })
  )
  const port = (node.address() as AddressInfo).port
  const name = host.includes(":") ? `[${host}]` : host
  return Server.of({ host, port, url: `http://${name}:${port}` })
})

export const layerOver = (options: ServeOptions): Layer.Layer<Server, CannotListen | StoreError, Stores.Stores> =>
  Layer.effect(Server, make(options)).pipe(
    Layer.provide(
      LiveBroker.layer({
        grace: options.grace,
        window: options.window,
        maxFrameBytes: options.maxFrameBytes,
        maxReplyCharacters: options.maxReplyCharacters
      })
    ),
    Layer.provide(Layer.mergeAll(NodeHttpServer.layerHttpServices, SecureRandom.layerWebCrypto))
  )

const storesOf = (options: Options) => {
  const { data, postgres } = options
  if (data === undefined) return Stores.layerTest(options)
  return postgres === undefined
    ? Stores.layerSqlite({ ...options, folder: data })
    : Stores.layerPostgres({ ...options, ...postgres, folder: data })
}

/** Everything. What fails at the start is said in a sentence for the one who runs it. */
export const layer = (
  options: Options
): Layer.Layer<Server, CannotListen | JwksIssuer.IssuerError | Stores.StartError> =>
  layerOver(options).pipe(
    Layer.provide(storesOf(options)),
    Layer.provide(options.issuer === undefined ? Layer.empty : JwksIssuer.layer(options.issuer)),
    Layer.provide(Layer.mergeAll(NodeHttpServer.layerHttpServices, SecureRandom.layerWebCrypto))
  )
