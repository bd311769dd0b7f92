/**
 * One account of Claworld as long as the host wants it: its identity, its line, and the host's agent that answers what
 * is delivered. Pending until the host aborts it, and gone soon after.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { join } from "node:path"
import * as ConfigProvider from "effect/ConfigProvider"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as OpenClawAgent from "../../../layers/channel/openclaw/OpenClawAgent.ts"
import * as SqlJournal from "../../../layers/channel/SqlJournal.ts"
import * as FileLock from "../../../layers/files/FileLock.ts"
import { manners } from "../../../layers/worlds/LiveRelay.ts"
import type * as WorldHandlers from "../../../layers/worlds/WorldHandlers.ts"
import * as WorldLine from "../../../layers/worlds/WorldLine.ts"
import type { ConnectionState } from "../../../services/channel/Connection.ts"
import * as Settings from "../../../services/channel/Settings.ts"
import { Failure } from "../../Failure.ts"
import { version } from "../../version.ts"
import type { GatewayContext, PluginRuntime } from "../host.ts"
import * as logging from "../logging.ts"
import { idle, statusOf, telling } from "../report.ts"
import * as running from "../running.ts"
import { type Account, channel } from "./config.ts"
import * as desk from "./desk.ts"
import * as faults from "./faults.ts"
import * as identity from "./identity.ts"

/** Above this the service would take a living agent for one that has gone. */
const mostSeconds = 60

/** In the words of this channel: the connection's own speak of the other one's keys. */
const wordsOf = ({ lastFailure }: ConnectionState): string | undefined =>
  lastFailure?.reason._tag === "CredentialsRefused"
    ? `The service does not take the app token any more. Renew it there and write the new one into channels.${channel}.appToken.`
    : lastFailure?.message

/** Tells as it changes; ends where a line that broke may not be built again. */
const report = (account: Account, state: SubscriptionRef.SubscriptionRef<ConnectionState>, context: Context) => {
  let wasUp = false
  return SubscriptionRef.changes(state).pipe(
    Stream.takeUntil(({ phase }) => {
      if (phase === "connected") wasUp = true
      return !account.reconnect && wasUp && phase !== "connected" && phase !== "suspect"
    }),
    Stream.runForEach((now) =>
      Effect.sync(() => {
        const status = statusOf(account, now, undefined)
        const words = status.connected === true ? undefined : wordsOf(now)
        context.setStatus(words === undefined ? status : { ...status, lastError: words })
      })
    ),
    Effect.andThen(
      new Failure({
        message: `The line is down, and channels.${channel}.reconnect is false, so it stays down. Start the account again, or set reconnect to true.`
      })
    )
  )
}

type Context = GatewayContext<Account>

const serve = Effect.fnUntraced(function* (
  context: Context,
  host: PluginRuntime,
  run: <A>(effect: () => A) => A,
  folder: string,
  place: desk.Place
) {
  const { account } = context
  const settings = yield* Settings.load({ ignore: ["wsUrl", "profileCreateUrl", "claworldUrl"] }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord(process.env))
  )
  // Faults are looked for before: it is an address.
  const serverUrl = new URL(account.serverUrl ?? "")
  const found = yield* identity.find({
    account,
    serverUrl,
    folder,
    waits: (reason) => {
      place.waits(reason)
      context.setStatus({ ...statusOf(account, undefined, reason), lifecycle: "recovering", lastError: reason })
    }
  })
  const agent = yield* OpenClawAgent.make({
    channel: { id: channel, label: "Claworld" },
    accountId: account.accountId,
    config: () => context.cfg,
    runtime: context.channelRuntime ?? host.channel,
    run,
    // Nobody of Claworld is let in by name, so no turn of it has tools (law confined).
    dmPolicy: "open",
    allowFrom: [],
    opened: () => () => {},
    received: () => context.setStatus({ accountId: account.accountId, lastInboundAt: Date.now() }),
    busy: telling(context),
    now: () => Date.now()
  })
  // A run that the host is still taking down would be met by the account's next start. Behind the line, which ends first.
  yield* Effect.addFinalizer(() => Effect.promise(() => agent.settled(3_000)))
  // Built into the scope of the account: the line writes to it for as long as it is there.
  const journal = yield* Layer.build(
    SqlJournal.layerFile({
      filename: join(folder, "journal.sqlite"),
      durability: settings.sync,
      maxAge: settings.journalMaxAge,
      maxEntries: settings.journalMaxEntries
    })
  )
  const line = yield* WorldLine.open({
    accountId: account.accountId,
    identity: found,
    runtime: agent,
    systemPrompt: manners,
    version,
    heartbeat: Duration.seconds(Math.min(account.heartbeatSeconds, mostSeconds))
  }).pipe(Effect.provide(journal))
  const bound: WorldHandlers.Bound = {
    api: line.api,
    source: account.appToken === undefined ? "verified_app_token" : "configured_app_token",
    agentId: found.agentId,
    agentCode: found.agentCode,
    address: found.address,
    displayName: found.displayName
  }
  place.bind(Option.some(bound))
  yield* Effect.logInfo(`In Claworld as ${found.address}.`)
  return yield* report(account, line.relay.state, context)
})

/** A journal has one writer; an account that is being restarted waits for the one before it. */
const alone = (folder: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeDirectory(folder, { recursive: true, mode: 0o700 })).pipe(
    Effect.andThen(FileLock.hold(join(folder, ".line.lock"), { wait: "20 seconds" })),
    Effect.mapError(
      () =>
        new Failure({
          message: `Another program has the account's folder ${folder}, or it cannot be written. Stop that program, or mend the permissions.`
        })
    )
  )

/** Settles soon after the host's signal. What only a person can mend is said and waited out. */
export const start = async (context: Context, host: PluginRuntime): Promise<void> => {
  const { abortSignal, account, cfg, log } = context
  const { accountId } = account
  const name = running.nameOf(channel, context)
  running.tellFaults(channel, context, faults.faultsOf(cfg, accountId))
  const run = running.snapshot()
  const runtime = ManagedRuntime.make(
    Layer.mergeAll(
      logging.layer(log, name, false),
      NodeFileSystem.layer,
      FetchHttpClient.layer,
      SecureRandom.layerWebCrypto
    )
  )
  const place = await runtime.runPromise(desk.take(account, cfg))
  context.setStatus({ ...statusOf(account, undefined, undefined), ...idle, lastError: null })
  let fault = faults.blocking(cfg, accountId) ?? faults.unresolved(account)
  if (fault === undefined) {
    await running.closeLeftovers(channel, context, host)
    const folder = join(host.state.resolveStateDir(), "clawfiber", accountId, "claworld")
    const work = Effect.andThen(alone(folder), serve(context, host, run, folder, place))
    fault = await running.faultOf(runtime, Effect.scoped(work), abortSignal)
  }
  if (fault !== undefined) {
    place.bind(Option.none())
    place.stands(fault)
    log?.warn(`[${name}] ${fault}`)
    await running.standStill(context, statusOf(account, undefined, fault), fault)
  }
  place.leave()
  await runtime.dispose()
  context.setStatus({
    accountId,
    ...idle,
    running: false,
    connected: false,
    lifecycle: "stopped",
    lastError: fault ?? null
  })
}
