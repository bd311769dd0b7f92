/** Law drain on the side of a reader: it gets what comes while it lies down to wait, and the end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as followReply from "../../../../src/layers/platform/followReply.ts"
import * as LiveReply from "../../../../src/layers/platform/LiveReply.ts"
import * as Readers from "../../../../src/layers/platform/Readers.ts"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import type { Step } from "../../../../src/services/protocol/ReplyLog.ts"
import { outcomeOf, turns, within } from "../../runLoop.ts"
import { conversation, message } from "../stores/fixtures.ts"

const budgets = Array.from({ length: 28 }, (_, index) => index + 3)

/** Turns before the beginning, the words and the end. */
const few = [0, 1, 2] as const
const moments = few.flatMap((first) => few.flatMap((second) => few.map((third) => [first, second, third] as const)))

describe("who follows a reply", () => {
  it.effect("is told all of it, wherever the run loop makes it wait", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { exchange } = yield* sessions.accept(message(session, "m1"))
      for (const budget of budgets) {
        for (const [first, second, third] of moments) {
          const readers = Readers.make()
          const follow = followReply.make(sessions, readers, () => undefined)
          const following = yield* within(budget)(
            Effect.forkChild(
              Effect.map(Stream.runCollect(follow(exchange.responseId)), (followed) =>
                followed.map((one) => (one._tag === "Step" ? one.step._tag : one._tag))
              )
            )
          )
          while (!readers.has("ann")) yield* Effect.yieldNow
          const reply = LiveReply.make(exchange)
          const tell = (step: Step | undefined): void => {
            if (step !== undefined) readers.tell("ann", { _tag: "Step", exchange, route: reply.route, step })
          }
          yield* turns(first)
          tell(LiveReply.open(reply))
          yield* turns(second)
          LiveReply.take(reply, { _tag: "Delta", ref: {}, delta: "All of it." })
          tell(LiveReply.takePending(reply))
          yield* turns(third)
          const ending = { text: "All of it.", failure: undefined, usage: undefined }
          tell(LiveReply.close(reply.sequence, ending, 1_000))
          assert.deepStrictEqual(
            yield* outcomeOf(following),
            ["Opened", "Deltas", "Completed"],
            `${budget} operations at once, after ${first}, ${second} and ${third} turns`
          )
        }
      }
    }).pipe(Effect.provide(Layer.fresh(Stores.layerTemporary(SqliteClient.layerMemory))))
  )
})
