/** What the running gateway says of our channels: `openclaw channels status`. */
import { connect } from "node:net"
import * as Effect from "effect/Effect"
import type { Variables } from "../Environment.ts"
import type { Channel } from "./channels.ts"
import { at, strings } from "./configPlan.ts"
import { type Fields, isFields } from "./configText.ts"
import type { Host } from "./Host.ts"

export interface AccountLook {
  readonly channel: string
  readonly account: string
  readonly enabled: boolean
  readonly running: boolean
  readonly connected: boolean
  /** Why it is not connected, where the host knows. */
  readonly reason: string | undefined
}

export type GatewayLook =
  | { readonly _tag: "none"; readonly reason: string }
  | {
      readonly _tag: "runs"
      readonly accounts: ReadonlyArray<AccountLook>
      /** What the host itself says is wrong with our channels. */
      readonly issues: ReadonlyArray<{ readonly account: string; readonly message: string; readonly fix: string }>
    }

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** Milliseconds. Long enough for a gateway that is busy loading a plugin on a slow machine. */
const patience = "60000"

/** Whether anything listens at this port of this machine. */
const listens = (port: number): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 2_000 })
    const end = (found: boolean) => {
      socket.destroy()
      resume(Effect.succeed(found))
    }
    socket.once("connect", () => end(true))
    socket.once("timeout", () => end(false))
    socket.once("error", () => end(false))
    return Effect.sync(() => socket.destroy())
  })

/** Where a gateway of this configuration listens; undefined where it runs on another machine. */
const portOf = (config: Fields, environment: Variables): number | undefined => {
  if (at(config, "gateway", "mode") === "remote") return undefined
  const port = Number(environment["OPENCLAW_GATEWAY_PORT"] ?? at(config, "gateway", "port") ?? 18_789)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

export interface Where {
  readonly config: Fields
  readonly environment: Variables
}

/** Where nobody listens the host is not asked: it would wait for a while first. */
export const look = Effect.fnUntraced(function* (host: Host, channels: ReadonlyArray<Channel>, where: Where) {
  const port = portOf(where.config, where.environment)
  if (port !== undefined && !(yield* listens(port))) {
    const none: GatewayLook = { _tag: "none", reason: `nothing listens at port ${port}` }
    return none
  }
  const said = yield* host.json(["channels", "status", "--json", "--timeout", patience], "120 seconds")
  if (!isFields(said)) {
    const none: GatewayLook = { _tag: "none", reason: "openclaw channels status said nothing that can be read" }
    return none
  }
  if (said["gatewayReachable"] === false) {
    const none: GatewayLook = { _tag: "none", reason: text(said["error"])?.split("\n")[0] ?? "it does not answer" }
    return none
  }
  const accounts: Array<AccountLook> = []
  for (const { id } of channels) {
    const held = at(said, "channelAccounts", id)
    for (const one of Array.isArray(held) ? held : []) {
      const account = text(at(one, "accountId"))
      if (account === undefined) continue
      accounts.push({
        channel: id,
        account,
        enabled: at(one, "enabled") !== false,
        running: at(one, "running") === true,
        connected: at(one, "connected") === true,
        reason: text(at(one, "lastError")) ?? text(at(one, "stateReason"))
      })
    }
  }
  const ids = new Set(channels.map(({ id }) => id))
  const found = said["statusIssues"]
  const runs: GatewayLook = {
    _tag: "runs",
    accounts,
    issues: (Array.isArray(found) ? found : []).flatMap((issue) =>
      ids.has(String(at(issue, "channel")))
        ? [
            {
              account: text(at(issue, "accountId")) ?? "default",
              message: text(at(issue, "message")) ?? "",
              fix: text(at(issue, "fix")) ?? ""
            }
          ]
        : []
    )
  }
  return runs
})

export interface PluginLook {
  readonly version: string
  readonly origin: string
  readonly folder: string
  readonly enabled: boolean
  readonly status: string
  readonly error: string | undefined
}

/** The plugin as the host sees it on disk; undefined where it does not. */
export const plugin = Effect.fnUntraced(function* (host: Host, id: string) {
  const said = yield* host.json(["plugins", "list", "--json"], "90 seconds")
  const all = at(said, "plugins")
  const found: unknown = (Array.isArray(all) ? all : []).find((one: unknown) => at(one, "id") === id)
  if (!isFields(found)) return undefined
  const seen: PluginLook = {
    version: text(found["version"]) ?? "unknown",
    origin: text(found["origin"]) ?? "unknown",
    folder: text(found["rootDir"]) ?? "",
    enabled: found["enabled"] === true,
    status: text(found["status"]) ?? "unknown",
    error: text(found["error"]) ?? strings(found["diagnostics"])[0]
  }
  return seen
})
