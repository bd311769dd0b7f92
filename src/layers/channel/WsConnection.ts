/** The connection of one account over a real WebSocket. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Connection, ConnectionError, InsecureAddress } from "../../services/channel/Connection.ts"
import { features, featuresHeader } from "../../services/protocol/Control.ts"
import type { ConnectionSettings } from "./ConnectionOptions.ts"
import type { ConnectRate } from "./ConnectRate.ts"
import * as LinkProtocol from "./LinkProtocol.ts"
import { isLoopbackHost } from "./PublicAddress.ts"
import type { DialRequest } from "./SocketDriver.ts"
import * as Supervisor from "./Supervisor.ts"
import * as WsDriver from "./WsDriver.ts"

export interface Credentials {
  readonly appKey: string
  readonly appSecret: Redacted.Redacted
}

export interface WsConnectionOptions extends ConnectionSettings {
  /** INSTACLAW_WS_URL. An effect is asked before each dial. */
  readonly url: string | Effect.Effect<string>
  /** An effect is asked before each dial, so that a changed profile is used by the next one. */
  readonly credentials: Credentials | Effect.Effect<Credentials>
  /** More headers of the upgrade, `x-claw-dialect` for one. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Keys may go in clear to a host that is not this machine. For a trusted network only. */
  readonly allowInsecure?: boolean | undefined
  /** Waited for before each dial: several connections share one, so that they do not all dial at once. */
  readonly rate?: ConnectRate | undefined
  /** Names the connection in the log. */
  readonly name?: string | undefined
}

/** May keys be sent to this address? wss:// anywhere, ws:// to this machine alone (law secret). */
export const isSafeAddress = (address: string, allowInsecure = false): boolean => {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  if (url.protocol === "wss:") return true
  return url.protocol === "ws:" && (allowInsecure || isLoopbackHost(url.hostname))
}

/** An address as it may be shown: no user, no password, no query. */
const shown = (address: string): string => {
  if (!URL.canParse(address)) return "The address"
  const url = new URL(address)
  return `${url.protocol}//${url.host}${url.pathname}`
}

const requestOf = Effect.fnUntraced(function* (
  options: WsConnectionOptions
): Effect.fn.Return<DialRequest, ConnectionError> {
  const url = Effect.isEffect(options.url) ? yield* options.url : options.url
  if (!isSafeAddress(url, options.allowInsecure)) {
    return yield* new ConnectionError({ reason: new InsecureAddress({ url: shown(url) }) })
  }
  if (options.rate !== undefined) yield* options.rate
  const { appKey, appSecret } = Effect.isEffect(options.credentials) ? yield* options.credentials : options.credentials
  const headers = {
    [featuresHeader]: features.join(","),
    ...options.headers,
    "x-app-key": appKey,
    "x-app-secret": Redacted.value(appSecret)
  }
  return { url, headers, hello: [] }
})

export const make = (options: WsConnectionOptions): Effect.Effect<Connection["Service"], never, Scope.Scope> =>
  Supervisor.make({
    ...options,
    driver: WsDriver.driver,
    protocol: LinkProtocol.instaclaw(Effect.suspend(() => requestOf(options)))
  })

/** Begins to connect in the background and never fails to build; `state` tells how it goes. Ends with close 1000. */
export const layer = (options: WsConnectionOptions): Layer.Layer<Connection> => Layer.effect(Connection, make(options))
