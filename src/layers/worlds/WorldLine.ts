/** One account on the line of Claworld: its socket, its doors, its relay, put together for as long as the scope. */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { ConnectionError, InsecureAddress } from "../../services/channel/Connection.ts"
import type { Journal, JournalError } from "../../services/channel/Journal.ts"
import type { WorldIdentity } from "../../services/worlds/Identity.ts"
import type { Relay } from "../../services/worlds/Relay.ts"
import { WorldApi } from "../../services/worlds/WorldApi.ts"
import * as PlatformAddress from "../channel/PlatformAddress.ts"
import * as Supervisor from "../channel/Supervisor.ts"
import * as WsDriver from "../channel/WsDriver.ts"
import * as HttpWorldApi from "./HttpWorldApi.ts"
import * as LiveRelay from "./LiveRelay.ts"
import * as relayProtocol from "./relayProtocol.ts"

export interface Options {
  readonly accountId: string
  readonly identity: WorldIdentity
  readonly runtime: AgentRuntime["Service"]
  readonly systemPrompt: string | undefined
  readonly version: string
  /** `heartbeatSeconds` of PROTOCOL B2: 15 by default. */
  readonly heartbeat?: Duration.Input | undefined
  readonly concurrency?: number | undefined
}

export interface WorldLine {
  readonly identity: WorldIdentity
  readonly api: WorldApi["Service"]
  readonly relay: Relay["Service"]
}

/** The socket's address, for the address of a service in any of its four forms. */
const socketUrl = (serverUrl: URL): URL => {
  const url = new URL("ws", HttpWorldApi.httpBase(serverUrl))
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:"
  return url
}

export const open = Effect.fn("WorldLine.open")(function* (
  options: Options
): Effect.fn.Return<
  WorldLine,
  JournalError,
  Journal | SecureRandom.SecureRandom | HttpClient.HttpClient | Scope.Scope
> {
  const { accountId, identity, version } = options
  const serverUrl = new URL(identity.serverUrl)
  const url = socketUrl(serverUrl)
  const api = yield* HttpWorldApi.make({ serverUrl, appToken: identity.appToken, clientVersion: version })
  const connection = yield* Supervisor.make({
    driver: WsDriver.driver,
    name: `claworld ${accountId}`,
    heartbeatInterval: options.heartbeat ?? "15 seconds",
    protocol: relayProtocol.relay(
      Effect.suspend(() =>
        // Law secret: in clear only on this machine.
        PlatformAddress.mayCarryKeys(url)
          ? Effect.succeed({
              url: url.href,
              headers: { "x-claworld-client-version": version },
              hello: [relayProtocol.authFrame(identity.agentId, Redacted.value(identity.appToken), version)]
            })
          : Effect.fail(new ConnectionError({ reason: new InsecureAddress({ url: url.origin, credential: "token" }) }))
      )
    )
  })
  const relay = yield* LiveRelay.make({
    accountId,
    connection,
    systemPrompt: options.systemPrompt,
    concurrency: options.concurrency
  }).pipe(Effect.provideService(WorldApi, api), Effect.provideService(AgentRuntime, options.runtime))
  return { identity, api, relay }
})
