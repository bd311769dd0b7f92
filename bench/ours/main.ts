// Ours as it ships: the real Connection, Dispatcher and Journal with their defaults; only the runtime is the workload's.
import "../meter.ts"
import { join } from "node:path"
import * as NodeCrypto from "@effect/platform-node-shared/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Account from "../../src/layers/channel/Account.ts"
import * as Batches from "../../src/layers/channel/Batches.ts"
import * as MemoryJournal from "../../src/layers/channel/MemoryJournal.ts"
import * as SqlJournal from "../../src/layers/channel/SqlJournal.ts"
import * as WsConnection from "../../src/layers/channel/WsConnection.ts"
import { AgentError, AgentRuntime, type ReplyPart, RuntimeFailed } from "../../src/services/channel/AgentRuntime.ts"
import * as workload from "../workload.ts"

const [url = "", shape = "burst", name = "ours", folder = "."] = process.argv.slice(2)

const failed = () => new AgentError({ reason: new RuntimeFailed({ detail: "the workload failed" }) })
const parts = workload.pieces.map((text): ReplyPart => ({ _tag: "Text", text }))

const streams: Record<string, () => Stream.Stream<ReplyPart, AgentError>> = {
  burst: () => Stream.fromIterable(parts),
  iterator: () => Batches.fromAsyncIterable(workload.iterator, failed),
  turns: () => Batches.fromAsyncIterable(workload.turns, failed),
  paced: () => Batches.fromAsyncIterable(workload.paced, failed)
}

const Runtime = Layer.succeed(AgentRuntime, {
  description: "the workload",
  model: "workload",
  reply: streams[shape]!
})

// "memory": the journal that is forgotten with its process, to see what the lasting one costs.
const Journal =
  name === "memory"
    ? MemoryJournal.layer()
    : SqlJournal.layerFile({
        filename: join(folder, "journal.sqlite"),
        durability: process.env["CLAWFIBER_SYNC"] === "full" ? "full" : "normal"
      })

const Peer = Account.layer({
  accountId: "default",
  maxConcurrent: 10,
  maxQueued: 100,
  requestTimeout: "12 hours",
  stallTimeout: "10 minutes",
  grace: "1 second",
  deltaSize: 50,
  dialect: undefined,
  systemPrompt: undefined
}).pipe(
  Layer.provide(Runtime),
  Layer.provide(Journal),
  Layer.provide(
    WsConnection.layer({ url, credentials: { appKey: "bench", appSecret: Redacted.make("bench") }, name: "bench" })
  ),
  Layer.provide(NodeCrypto.layerSecureRandom)
)

const fiber = Effect.runFork(Layer.launch(Peer))
process.once("SIGINT", () => {
  fiber.interruptUnsafe()
  setTimeout(() => process.exit(0), 500)
})
