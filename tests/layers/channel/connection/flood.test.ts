/** Law bounded, end to end: a runtime that floods, a platform that does not read, real sockets between them. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeCrypto from "@effect/platform-node-shared/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Account from "../../../../src/layers/channel/Account.ts"
import * as Batches from "../../../../src/layers/channel/Batches.ts"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import * as WsConnection from "../../../../src/layers/channel/WsConnection.ts"
import { AgentError, AgentRuntime, RuntimeFailed } from "../../../../src/services/channel/AgentRuntime.ts"
import { quiet } from "./harness.ts"
import * as Server from "./server.ts"

setFlagsFromString("--expose_gc")
const collect = runInNewContext("gc") as () => void

const mebibyte = 1024 * 1024
const whole = 200 * mebibyte
const piece = "flood ".repeat(682)

const held = (): number => {
  collect()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const turn = Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))

const request = JSON.stringify({
  input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "write" }] }],
  metadata: { session_id: "s1", message_id: "m1" }
})

const failed = () => new AgentError({ reason: new RuntimeFailed({ detail: "the flood failed" }) })

describe("200 MiB of text", () => {
  it.live("to a platform that does not read: the runtime is not pulled past the bounds, and goes on afterwards", () =>
    quiet(
      Effect.scoped(
        Effect.gen(function* () {
          const count = { pulled: 0 }
          async function* flood(): AsyncGenerator<string> {
            while (count.pulled < whole) {
              count.pulled += piece.length
              yield piece
            }
          }
          /** Until nothing has been pulled for a hundred turns of the event loop. */
          const untilStill = Effect.gen(function* () {
            for (let still = 0, seen = -1; still < 100; still++) {
              if (count.pulled !== seen) still = 0
              seen = count.pulled
              yield* turn
            }
          })
          const server = yield* Server.make()
          const Flood = Layer.succeed(AgentRuntime, {
            description: "a flood",
            model: "flood",
            reply: () => Batches.fromAsyncIterable(flood, failed)
          })
          const account = Account.layer({
            accountId: "default",
            maxConcurrent: 10,
            maxQueued: 100,
            requestTimeout: "1 hour",
            stallTimeout: "1 hour",
            grace: "0 millis",
            deltaSize: 50,
            dialect: undefined,
            systemPrompt: undefined
          }).pipe(
            Layer.provide(Flood),
            Layer.provide(MemoryJournal.layer()),
            Layer.provide(
              WsConnection.layer({ url: server.url, credentials: { appKey: "k", appSecret: Redacted.make("s") } })
            ),
            Layer.provide(NodeCrypto.layerSecureRandom)
          )
          yield* Layer.build(account)
          const link = yield* server.next
          const before = held()
          yield* link.reading(false)
          yield* link.push(request)
          while (count.pulled === 0) yield* turn
          yield* untilStill
          const stalledAt = count.pulled
          // 8 MiB of outbox, 1 MiB of socket, what the system holds; a frame is several times its 50 characters.
          assert.isBelow(stalledAt, 16 * mebibyte)
          assert.isBelow(held() - before, 64 * mebibyte)
          yield* link.reading(true)
          while (count.pulled < stalledAt + 2 * mebibyte) yield* turn
          yield* link.reading(false)
          yield* untilStill
          assert.isBelow(count.pulled, whole)
          yield* link.drop
        })
      )
    )
  )
})
