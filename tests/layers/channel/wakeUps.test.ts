/**
 * Law drain: whoever waits is woken by what comes, also by what comes between its look and its lying down. The run loop
 * may make a fiber wait between these two.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as Batches from "../../../src/layers/channel/Batches.ts"
import { InboundQueue } from "../../../src/layers/channel/InboundQueue.ts"
import * as Groups from "../../../src/layers/channel/journalGroups.ts"
import { Writer } from "../../../src/layers/channel/Writer.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"
import { Closed, ConnectionError } from "../../../src/services/channel/Connection.ts"
import { budgets, outcomeOf, turns, within } from "../runLoop.ts"

/** When it comes, in turns after the one who waits for it was begun. */
const moments = Array.from({ length: 24 }, (_, index) => index)

describe("what comes while a fiber lies down", () => {
  it.effect("pieces of an agent, and its end", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        for (const moment of moments) {
          const given = Deferred.makeUnsafe<Batches.Sink<never>>()
          const pieces = Batches.fromPush<never>((sink) => void Deferred.doneUnsafe(given, Effect.succeed(sink)))
          const reading = yield* within(budget)(
            Effect.forkChild(Effect.map(Stream.runCollect(pieces), (parts) => parts.length))
          )
          yield* turns(moment)
          const sink = yield* Deferred.await(given)
          sink.push("the first")
          yield* turns(moment)
          sink.end()
          assert.strictEqual(yield* outcomeOf(reading), 1, `${budget} operations at once, after ${moment} turns`)
        }
      }
    })
  )

  it.effect("frames of a socket", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        for (const moment of moments) {
          const queue = new InboundQueue(100, {
            readingPaused: () => undefined,
            runFork: Effect.runFork
          })
          const reading = yield* within(budget)(Effect.forkChild(Stream.runCollect(Stream.take(queue.stream, 2))))
          yield* turns(moment)
          queue.push("one")
          yield* turns(moment)
          queue.push("two")
          assert.deepStrictEqual(
            yield* outcomeOf(reading),
            ["one", "two"],
            `${budget} operations at once, after ${moment} turns`
          )
        }
      }
    })
  )

  it.effect("what is to be written down", () =>
    Effect.gen(function* () {
      const connection = yield* (yield* SqlClient.SqlClient).reserve
      for (const budget of budgets) {
        // Nothing comes at the end of a turn but what its fibers do.
        const groups = yield* within(budget)(
          Groups.make({
            connection,
            onCommit: () => undefined,
            onRollback: () => undefined,
            patience: Duration.seconds(1),
            defer: (task) => task()
          })
        )
        for (const moment of moments) {
          const first = yield* Effect.forkChild(groups.submit(Effect.succeed("first")))
          yield* turns(moment)
          const second = yield* Effect.forkChild(groups.submit(Effect.succeed("second")))
          assert.deepStrictEqual(
            [yield* outcomeOf(first), yield* outcomeOf(second)],
            ["first", "second"],
            `${budget} operations at once, after ${moment} turns`
          )
        }
      }
    }).pipe(Effect.scoped, Effect.provide(SqliteClient.layerMemory))
  )

  it.effect("the close of the connection, for who stands in line at a full outbox", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        for (const moment of moments) {
          const writer = new Writer({ maxFrameBytes: 100, outboxBytes: 8, socketBytes: 100 }, (task) => task())
          yield* writer.send(["12345678"])
          const sending = yield* within(budget)(
            Effect.forkChild(Effect.map(Effect.flip(writer.send(["too many"])), ({ reason }) => reason._tag))
          )
          yield* turns(moment)
          writer.refuse(new ConnectionError({ reason: new Closed() }))
          assert.strictEqual(yield* outcomeOf(sending), "Closed", `${budget} operations at once, after ${moment} turns`)
          yield* Fiber.interrupt(sending)
        }
      }
    })
  )
})
