/**
 * One account of the channel as long as the host wants it: the same layers as the Node program, with the host's agent
 * as `AgentRuntime`, in a runtime of its own. Pending until the host aborts it, and gone soon after: nothing leaks
 * across a restart of the account or a reload of the code.
 */

import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { AsyncLocalStorage } from "node:async_hooks"
import { isAbsolute, join } from "node:path"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as AccountTasks from "../../layers/channel/AccountTasks.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as FixedRegistrar from "../../layers/channel/FixedRegistrar.ts"
import * as Methods from "../../layers/channel/Methods.ts"
import * as OpenClawAgent from "../../layers/channel/openclaw/OpenClawAgent.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as RegistrationAgent from "../../layers/channel/RegistrationAgent.ts"
import * as TaskHandlers from "../../layers/channel/TaskHandlers.ts"
import * as ToolHandlers from "../../layers/channel/ToolHandlers.ts"
import * as Accounts from "../../services/channel/Accounts.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { ConnectionState } from "../../services/channel/Connection.ts"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import * as Settings from "../../services/channel/Settings.ts"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import { Failure } from "../Failure.ts"
import * as accounts from "../run/accounts.ts"
import * as proposals from "../run/proposals.ts"
import type { Account } from "./config.ts"
import { channel, isFields } from "./config.ts"
import type { AccountStatus, GatewayContext, PluginRuntime } from "./host.ts"
import * as logging from "./logging.ts"
import * as registry from "./registry.ts"

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
        ...proposals.named(account.name ?? ""),
        origin: PlatformAddress.originOf(wsUrl),
        extra: {}
      }

const fail = (message: string) => Effect.fail(new Failure({ message }))

/** The settings of the environment, with what the channel's configuration says over them. */
const settingsOf = Effect.fnUntraced(function* (account: Account) {
  const platform = account.wsUrl === undefined ? undefined : PlatformAddress.parse(account.wsUrl)
  if (account.wsUrl !== undefined && platform === undefined) {
    return yield* fail(
      `channels.${channel}.wsUrl is no address of a platform: ${account.wsUrl}. Write it like wss://claw.int-os.com/ws/chat.`
    )
  }
  const loaded = yield* Settings.load({ ignore: platform === undefined ? [] : ["wsUrl", "profileCreateUrl"] }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(process.env))
  )
  const addresses =
    platform === undefined
      ? { wsUrl: loaded.wsUrl, profileCreateUrl: loaded.profileCreateUrl }
      : PlatformAddress.derive(platform)
  const settings: Settings.Settings = {
    ...loaded,
    wsUrl: addresses.wsUrl,
    profileCreateUrl: addresses.profileCreateUrl,
    dialect: account.dialect ?? loaded.dialect,
    systemPrompt: account.systemPrompt ?? loaded.systemPrompt
  }
  if (!PlatformAddress.mayCarryKeys(settings.wsUrl)) {
    return yield* fail(
      `${settings.wsUrl.origin} is not encrypted and not on this machine: no key is sent there. Use wss://.`
    )
  }
  return settings
})

/** What the host says of the account, as it changes. Never ends. */
const report = (context: GatewayContext, account: Accounts.Account) => {
  const tell = (state: ConnectionState | undefined, reason: string | undefined) =>
    Effect.sync(() => context.setStatus(statusOf(context.account, state, reason)))
  const off = Stream.zipLatest(SubscriptionRef.changes(account.fault), SubscriptionRef.changes(account.registrar.state))
  return SubscriptionRef.changes(account.line).pipe(
    Stream.switchMap(
      (line): Stream.Stream<{ readonly state: ConnectionState | undefined; readonly reason: string | undefined }> =>
        Option.isSome(line)
          ? Stream.map(SubscriptionRef.changes(line.value.connection.state), (state) => ({ state, reason: undefined }))
          : Stream.map(off, ([fault, registration]) => ({
              state: undefined,
              reason: fault ?? waiting[registration._tag]
            }))
    ),
    Stream.runForEach(({ reason, state }) => tell(state, reason))
  )
}

const waiting: Readonly<Record<string, string | undefined>> = {
  absent: "no identity yet",
  proposing: "the agent is writing a proposal of who it is",
  pending: "a proposal waits for you: confirm it with instaclaw.registration.submit",
  submitting: "registering",
  coolingDown: "the last proposal was cancelled; another one comes in a while"
}

const serve = Effect.fnUntraced(function* (
  context: GatewayContext,
  host: PluginRuntime,
  run: <A>(effect: () => A) => A
) {
  const { account } = context
  if (!AccountFolders.isId(account.accountId)) {
    return yield* fail(
      `The account ${account.accountId} needs a name that can be one of a folder: letters, digits, dots and dashes.`
    )
  }
  const settings = yield* settingsOf(account)
  const profile = profileOf(account, settings.wsUrl)
  if (profile === undefined && (account.appKey !== undefined || account.appSecret !== undefined)) {
    return yield* fail(
      `channels.${channel} has ${account.appKey === undefined ? "appSecret without appKey" : "appKey without appSecret"}. Give both, or neither to register from here.`
    )
  }
  const root = join(host.state.resolveStateDir(), "clawfiber", account.accountId)
  /** What each turn of ours may do, by the session of the host it runs in. */
  const open = new Map<string, Toolbox.Toolbox>()
  const agent = yield* OpenClawAgent.make({
    accountId: account.accountId,
    config: () => context.cfg,
    runtime: context.channelRuntime ?? host.channel,
    run,
    dmPolicy: account.dmPolicy,
    allowFrom: account.allowFrom,
    opened: (sessionKey, toolbox) => {
      open.set(sessionKey, toolbox)
      return () => void open.delete(sessionKey)
    },
    now: () => Date.now()
  })
  const layer = accounts.layer({
    root,
    ids: Effect.succeed([account.accountId]),
    wsUrl: settings.wsUrl,
    profileCreateUrl: settings.profileCreateUrl,
    issuer: PlatformAddress.originOf(settings.wsUrl),
    settings,
    agent: { description: agent.description, model: agent.model },
    runtime: Layer.succeed(AgentRuntime, agent),
    propose: (id) =>
      RegistrationAgent.propose({
        accountId: id,
        folder: workspaceOf(context),
        systemPrompt: settings.systemPrompt
      }).pipe(Effect.provideService(AgentRuntime, agent), Effect.provide([NodeFileSystem.layer, NodePath.layer])),
    registrar: profile === undefined ? undefined : () => FixedRegistrar.layer(profile),
    sync: undefined
  })
  return yield* Effect.gen(function* () {
    const all = yield* Accounts.Accounts
    const found = yield* all.get(account.accountId)
    if (Option.isNone(found)) return yield* fail(`The account ${account.accountId} could not be opened.`)
    const own = found.value
    const profiles = yield* ProfileStore
    const methods = Methods.make(all)
    const tasks = yield* Effect.flatMap(
      AccountTasks.make({
        line: SubscriptionRef.get(own.line),
        settings,
        // Law confined: never the folder that the host happened to be started in.
        folder: isAbsolute(workspaceOf(context)) ? workspaceOf(context) : join(root, "tasks")
      }),
      (desk) => TaskHandlers.make({ desk })
    ).pipe(Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto]))
    const operators = ToolHandlers.toolbox(
      ToolHandlers.make({
        registrar: own.registrar,
        profiles: profile === undefined ? profiles : { load: Effect.succeedSome(profile) },
        connection: Effect.flatMap(
          SubscriptionRef.get(own.line),
          Option.match({
            onNone: () => Effect.succeedNone,
            onSome: ({ connection }) => Effect.asSome(SubscriptionRef.get(connection.state))
          })
        ),
        registersAtOnce: settings.selfRegistration === "allowed",
        tasks
      }),
      ToolHandlers.names
    )
    const services = yield* Effect.context<never>()
    const runPromise = Effect.runPromiseWith(services)
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const seat: registry.Seat = {
          accountId: account.accountId,
          call: (method, params) =>
            runPromise(
              Effect.match(methods.call(method, params), {
                onFailure: ({ code, fields, message }): registry.Called => ({ ok: false, code, message, fields }),
                onSuccess: (result): registry.Called => ({ ok: true, result })
              })
            ),
          tool: (name, input, session) =>
            runPromise((session === undefined ? operators : (open.get(session) ?? Toolbox.empty)).call(name, input)),
          has: (session) => open.get(session)
        }
        registry.seats.set(account.accountId, seat)
        return seat
      }),
      // A later one of the same account has its own seat by then: that one stays.
      (seat) =>
        Effect.sync(() => {
          if (registry.seats.get(account.accountId) === seat) registry.seats.delete(account.accountId)
        })
    )
    return yield* report(context, own)
  }).pipe(
    Effect.provide([
      FileProfileStore.layer({ root: AccountFolders.rootOf(root, account.accountId) }).pipe(
        Layer.provide(NodeFileSystem.layer)
      ),
      layer
    ]),
    Effect.scoped
  )
})

/** Where the host's agents work: what they study when they introduce themselves. */
const workspaceOf = ({ cfg }: GatewayContext): string => {
  const agents: unknown = cfg.agents
  const defaults = isFields(agents) ? agents["defaults"] : undefined
  const workspace = isFields(defaults) ? defaults["workspace"] : undefined
  return typeof workspace === "string" ? workspace : "."
}

const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Settles soon after the host's signal; rejects, with a sentence, where the account cannot run at all. */
export const start = async (context: GatewayContext, host: PluginRuntime): Promise<void> => {
  const { account } = context
  // Fibers wake in the async context of whoever woke them; the host takes work only in that of this call.
  const run = AsyncLocalStorage.snapshot()
  context.setStatus(statusOf(account, undefined, undefined))
  const runtime = ManagedRuntime.make(logging.layer(context.log, account.accountId))
  const ended = await runtime.runPromiseExit(serve(context, host, run), { signal: context.abortSignal })
  await runtime.dispose()
  const isOver = Exit.isSuccess(ended) || context.abortSignal.aborted
  const fault = isOver ? undefined : messageOf(ended.cause)
  context.setStatus({
    ...statusOf(account, undefined, fault),
    running: false,
    lifecycle: isOver ? "stopped" : "blocked",
    lastError: fault ?? null
  })
  if (fault !== undefined) throw new Error(fault)
}
