/**
 * One account of the channel as long as the host wants it: the same layers as the Node program, with the host's agent
 * as `AgentRuntime`, in a runtime of its own. Pending until the host aborts it, and gone soon after: nothing leaks
 * across a restart of the account or a reload of the code.
 */
import { AsyncLocalStorage } from "node:async_hooks"
import { join } from "node:path"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as OpenClawAgent from "../../layers/channel/openclaw/OpenClawAgent.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import { Connection, type ConnectionState } from "../../services/channel/Connection.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import * as Settings from "../../services/channel/Settings.ts"
import { Failure } from "../Failure.ts"
import * as line from "../run/line.ts"
import type { Account } from "./config.ts"
import { channel } from "./config.ts"
import type { AccountStatus, GatewayContext, Log, PluginRuntime } from "./host.ts"
import * as registry from "./registry.ts"

/** Lines of ours go into the host's log, each with its account. */
const logging = (log: Log | undefined, accountId: string) =>
  Logger.layer([
    Logger.make(({ logLevel, message }) => {
      const text = `[${channel}:${accountId}] ${(Array.isArray(message) ? message : [message]).map(String).join(" ")}`
      if (logLevel === "Error" || logLevel === "Fatal") log?.error(text)
      else if (logLevel === "Warn") log?.warn(text)
      else if (logLevel === "Info") log?.info(text)
      else log?.debug?.(text)
    })
  ])

const statusOf = (account: Account, state: ConnectionState | undefined, reason: string | undefined): AccountStatus => {
  const base = { accountId: account.accountId, enabled: account.enabled, configured: true, dmPolicy: account.dmPolicy }
  if (state === undefined) {
    return {
      ...base,
      running: true,
      connected: false,
      lifecycle: "starting",
      ...(reason === undefined ? {} : { stateReason: reason })
    }
  }
  // Law honest-status: `connected` is what pings and pongs say, and not that a socket is open.
  return {
    ...base,
    running: true,
    connected: state.phase === "connected",
    lifecycle: state.phase === "connected" ? "ready" : state.phase === "blocked" ? "blocked" : "recovering",
    stateReason: reason ?? state.phase,
    reconnectAttempts: state.attempt,
    ...(state.connectedAt === undefined ? {} : { lastConnectedAt: state.connectedAt }),
    lastError: state.phase === "connected" ? null : (state.lastFailure?.message ?? reason ?? null)
  }
}

const profileOf = (account: Account, wsUrl: URL): Profile | undefined =>
  account.appKey === undefined || account.appSecret === undefined
    ? undefined
    : {
        app_key: account.appKey,
        app_secret: Redacted.make(account.appSecret, { label: "app_secret" }),
        claw_id: account.accountId,
        name: account.name ?? "",
        description: "",
        avatar: "",
        hourly_rate: 0,
        scene_tags: [],
        custom_tags: [],
        instance_type: 0,
        origin: PlatformAddress.originOf(wsUrl),
        extra: {}
      }

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** The settings of the environment, with what the channel's configuration says over them. */
const settingsOf = (account: Account) =>
  Settings.load().pipe(
    Effect.provideService(
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnvRecord({
        ...process.env,
        ...(account.wsUrl === undefined ? {} : { INSTACLAW_WS_URL: account.wsUrl })
      })
    )
  )

const serve = Effect.fnUntraced(function* (
  context: GatewayContext,
  host: PluginRuntime,
  run: <A>(effect: () => A) => A
) {
  const { account } = context
  const settings = yield* settingsOf(account)
  const { wsUrl } = settings
  if (!PlatformAddress.mayCarryKeys(wsUrl)) {
    return yield* fail(`${wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`)
  }
  const profile = profileOf(account, wsUrl)
  if (profile === undefined) return yield* fail("no keys yet")
  const folder = join(host.state.resolveStateDir(), "clawfiber", account.accountId)
  const runtime = OpenClawAgent.layer({
    accountId: account.accountId,
    config: () => context.cfg,
    runtime: context.channelRuntime ?? host.channel,
    run,
    dmPolicy: account.dmPolicy,
    allowFrom: account.allowFrom,
    now: () => Date.now()
  })
  const layer = line.layer({
    profile,
    wsUrl,
    settings,
    runtime,
    transcripts: join(folder, "transcripts"),
    journal: join(folder, "journal.sqlite"),
    sync: undefined
  })
  return yield* Effect.gen(function* () {
    const connection = yield* Connection
    yield* Stream.runForEach(SubscriptionRef.changes(connection.state), (state) =>
      Effect.sync(() => context.setStatus(statusOf(account, state, undefined)))
    )
  }).pipe(Effect.provide(layer))
})

/** Settles soon after the host's signal; rejects where the account cannot run at all. */
export const start = async (context: GatewayContext, host: PluginRuntime): Promise<void> => {
  const { account } = context
  // Fibers wake in the async context of whoever woke them; the host takes work only in that of this call.
  const run = AsyncLocalStorage.snapshot()
  context.setStatus(statusOf(account, undefined, undefined))
  const runtime = ManagedRuntime.make(logging(context.log, account.accountId))
  const ended = await runtime.runPromiseExit(Effect.scoped(serve(context, host, run)), { signal: context.abortSignal })
  await runtime.dispose()
  registry.seats.delete(account.accountId)
  context.setStatus({ ...statusOf(account, undefined, undefined), running: false, lifecycle: "stopped" })
  if (Exit.isFailure(ended) && !context.abortSignal.aborted) throw new Error(String(ended.cause))
}
