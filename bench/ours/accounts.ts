// The agent's process as it ships, with as many accounts as the parent says: files, registrars, lines, one journal.
// Says how much memory it has each time all of them are on the line.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as OfflineAgent from "../../src/layers/channel/OfflineAgent.ts"
import * as accounts from "../../src/programs/run/accounts.ts"
import { Accounts } from "../../src/services/channel/Accounts.ts"
import * as Settings from "../../src/services/channel/Settings.ts"
import { settle } from "./settle.ts"

const [url = "", root = "", rate = "50"] = process.argv.slice(2)
const collect = (globalThis as { gc?: () => void }).gc

let ids: ReadonlyArray<string> = []

const program = Effect.gen(function* () {
  const settings = yield* Settings.load().pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnvRecord({ CLAWFIBER_CONNECT_RATE: rate }))
  )
  const layer = accounts.layer({
    root,
    ids: Effect.sync(() => ids),
    wsUrl: new URL(url),
    profileCreateUrl: new URL("http://127.0.0.1:9/profiles/create"),
    issuer: undefined,
    settings,
    agent: { description: "offline", model: "offline" },
    runtime: OfflineAgent.layer,
    propose: () => undefined,
    sync: undefined,
    lookEvery: "50 millis"
  })
  const context = yield* Layer.build(layer)
  const { all } = yield* Effect.provide(Accounts, context)
  const onLine = () =>
    SubscriptionRef.getUnsafe(all).filter((account) => {
      const line = Option.getOrUndefined(SubscriptionRef.getUnsafe(account.line))
      return line !== undefined && SubscriptionRef.getUnsafe(line.connection.state).phase === "connected"
    }).length

  process.on("message", async ({ names }: { readonly names: ReadonlyArray<string> }) => {
    if (names === undefined) return
    ids = [...ids, ...names]
    while (onLine() < ids.length) await new Promise((resolve) => setTimeout(resolve, 20))
    await settle(collect)
    const { heapUsed, rss } = process.memoryUsage()
    process.send?.({ heapUsed, rss })
  })
  process.send?.("ready")
  return yield* Effect.never
})

process.on("disconnect", () => process.exit(0))
void Effect.runPromise(
  program.pipe(
    Effect.scoped,
    Effect.provide(NodeFileSystem.layer),
    Effect.provideService(References.MinimumLogLevel, "None")
  )
)
