// Idle accounts of the agent's side in one process: `ours`, the Connection as it ships, or `bare`, a `ws` that answers
// pings and nothing else. Says how many are on the line each time the parent asks for more.
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { WebSocket } from "ws"
import * as WsConnection from "../../src/layers/channel/WsConnection.ts"
import { settle } from "./settle.ts"

const [url = "", peer = "ours"] = process.argv.slice(2)
const collect = (globalThis as { gc?: () => void }).gc

const ours = (name: string) =>
  Effect.gen(function* () {
    const credentials = { appKey: name, appSecret: Redacted.make("bench") }
    const connection = yield* WsConnection.make({ url, credentials, name })
    // As in an account: somebody waits for its frames.
    yield* connection.consume?.(() => Effect.void) ?? Effect.forkScoped(Stream.runDrain(connection.inbound))
    yield* SubscriptionRef.changes(connection.state).pipe(
      Stream.takeUntil((state) => state.phase === "connected"),
      Stream.runDrain
    )
  })

const bare = Effect.callback<void>((resume) => {
  const ws = new WebSocket(url, { perMessageDeflate: false, headers: { "x-app-key": "k", "x-app-secret": "s" } })
  ws.on("error", () => {})
  ws.on("message", () => resume(Effect.void))
})

const more = async (from: number, count: number): Promise<void> => {
  for (let n = from; n < from + count; n += 50) {
    const names = Array.from({ length: Math.min(50, from + count - n) }, (_, i) => `agent ${n + i}`)
    await Effect.runPromiseWith(context)(
      Effect.forEach(names, peer === "ours" ? ours : () => bare, { concurrency: "unbounded", discard: true })
    )
  }
}

const context = Context.make(Scope.Scope, Scope.makeUnsafe()).pipe(Context.add(References.MinimumLogLevel, "None"))

process.on("message", async ({ from, count }: { readonly from: number; readonly count: number }) => {
  await more(from, count)
  await settle(collect)
  const { heapUsed, rss, external } = process.memoryUsage()
  process.send?.({ heapUsed, rss, external })
})
process.on("disconnect", () => process.exit(0))
