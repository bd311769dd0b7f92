/**
 * One account of the channel as long as the host wants it: the same layers as the Node program, with the host's agent
 * as `AgentRuntime`, in a runtime of its own. Pending until the host aborts it, and gone soon after: nothing leaks
 * across a restart of the account or a reload of the code.
 */

import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { isAbsolute, join } from "node:path"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import * as AccountTasks from "../../layers/channel/AccountTasks.ts"
import * as FileProfileStore from "../../layers/channel/FileProfileStore.ts"
import * as FixedRegistrar from "../../layers/channel/FixedRegistrar.ts"
import * as OpenClawAgent from "../../layers/channel/openclaw/OpenClawAgent.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as RegistrationAgent from "../../layers/channel/RegistrationAgent.ts"
import * as TaskHandlers from "../../layers/channel/TaskHandlers.ts"
import * as ToolHandlers from "../../layers/channel/ToolHandlers.ts"
import * as Accounts from "../../services/channel/Accounts.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import type * as Toolbox from "../../services/channel/Toolbox.ts"
import { Failure } from "../Failure.ts"
import * as accounts from "../run/accounts.ts"
import { channel } from "./config.ts"
import * as faults from "./faults.ts"
import * as files from "./files.ts"
import type { GatewayContext, PluginRuntime } from "./host.ts"
import * as logging from "./logging.ts"
import { idle, report, statusOf, telling } from "./report.ts"
import * as running from "./running.ts"
import * as seat from "./seat.ts"
import * as speaking from "./speaking.ts"
import { profileOf, settingsOf, workspaceOf } from "./settings.ts"

const serve = Effect.fnUntraced(function* (
  context: GatewayContext,
  host: PluginRuntime,
  run: <A>(effect: () => A) => A
) {
  const { account } = context
  const settings = yield* settingsOf(account)
  const profile = profileOf(account, settings.wsUrl)
  const runtime = context.channelRuntime ?? host.channel
  const root = join(host.state.resolveStateDir(), "clawfiber", account.accountId)
  const workspace = workspaceOf(context.cfg)
  /** What each turn of ours may do, by the session of the host it runs in. */
  const open = new Map<string, Toolbox.Toolbox>()
  let speaks: speaking.Speaking | undefined
  const agent = yield* OpenClawAgent.make({
    channel: { id: channel, label: "InstaClaw" },
    accountId: account.accountId,
    config: () => context.cfg,
    runtime,
    run,
    dmPolicy: account.dmPolicy,
    allowFrom: account.allowFrom,
    opened: (sessionKey, toolbox) => {
      open.set(sessionKey, toolbox)
      return () => void open.delete(sessionKey)
    },
    received: () => context.setStatus({ accountId: account.accountId, lastInboundAt: Date.now() }),
    busy: telling(context),
    attach: files.attaching({
      config: () => context.cfg,
      speaking: () => speaks,
      log: context.log,
      label: `${channel}:${account.accountId}`
    }),
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
      RegistrationAgent.propose({ accountId: id, folder: workspace, systemPrompt: settings.systemPrompt }).pipe(
        Effect.provideService(AgentRuntime, agent),
        Effect.provide([NodeFileSystem.layer, NodePath.layer])
      ),
    registrar: profile === undefined ? undefined : () => FixedRegistrar.layer(profile),
    sync: undefined
  })
  return yield* Effect.gen(function* () {
    const all = yield* Accounts.Accounts
    const found = yield* all.get(account.accountId)
    if (Option.isNone(found)) {
      return yield* new Failure({ message: `The account ${account.accountId} could not be opened.` })
    }
    const own = found.value
    const profiles = yield* ProfileStore
    const desk = yield* AccountTasks.make({
      line: SubscriptionRef.get(own.line),
      settings,
      // Law confined: never the folder that the host happened to be started in.
      folder: isAbsolute(workspace) ? workspace : join(root, "tasks")
    }).pipe(Effect.provide(NodeFileSystem.layer))
    const tasks = yield* TaskHandlers.make({ desk }).pipe(
      Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
    )
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
    speaks = speaking.make({ line: SubscriptionRef.get(own.line), desk, folder: join(root, "outgoing") })
    yield* seat.take({
      accountId: account.accountId,
      accounts: all,
      account: own,
      url: settings.wsUrl,
      operators,
      open,
      speaking: speaks
    })
    return yield* report(account, own, context.setStatus)
  }).pipe(
    Effect.provide([
      FileProfileStore.layer({ root: AccountFolders.rootOf(root, account.accountId) }).pipe(
        Layer.provide(NodeFileSystem.layer)
      ),
      layer
    ]),
    Effect.scoped,
    // A run that the host is still taking down would be met by the account's next start, and keeps a reload waiting.
    Effect.ensuring(Effect.promise(() => agent.settled(3_000)))
  )
})

/**
 * Settles soon after the host's signal. What is wrong in the configuration is said and waited out, for no attempt of the
 * host's would mend it; rejects, with a sentence, where something else keeps the account from running.
 */
export const start = async (context: GatewayContext, host: PluginRuntime): Promise<void> => {
  const { abortSignal, account, cfg, log } = context
  const { accountId } = account
  running.tellFaults(channel, context, faults.faultsOf(cfg, accountId))
  const blocked = faults.blocking(cfg, accountId) ?? faults.unresolved(account)
  if (blocked !== undefined) {
    await running.standStill(context, statusOf(account, undefined, blocked), blocked)
    context.setStatus({ accountId, running: false, lifecycle: "stopped" })
    return
  }
  const run = running.snapshot()
  context.setStatus({ ...statusOf(account, undefined, undefined), ...idle, lastError: null })
  await running.closeLeftovers(channel, context, host)
  const runtime = ManagedRuntime.make(logging.layer(log, running.nameOf(channel, context), account.debug))
  const fault = await running.faultOf(runtime, serve(context, host, run), abortSignal)
  await runtime.dispose()
  context.setStatus({
    ...statusOf(account, undefined, fault),
    ...idle,
    running: false,
    lifecycle: fault === undefined ? "stopped" : "blocked",
    lastError: fault ?? null
  })
  if (fault !== undefined) throw new Error(fault)
}
