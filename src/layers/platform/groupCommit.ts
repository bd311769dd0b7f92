/**
 * What many callers ask at once, in one transaction: on SQLite a commit costs more than what is in it. Each caller goes
 * on after the commit that holds its own. Elsewhere connections do this better, and each call is its own.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import { atEdge } from "./sqlStore.ts"

/** So many at most, so that others come in between. */
const largest = 1_024

/** One statement for each list of values (in the order of their places); gives the rows of each. */
export type Execute = (
  text: string,
  values: ReadonlyArray<ReadonlyArray<unknown>>
) => Effect.Effect<ReadonlyArray<ReadonlyArray<object>>, SqlError>

interface Waiting<Item, A, E> {
  readonly item: Item
  readonly answer: Deferred.Deferred<A, E | StoreError>
}

/**
 * `run` does the items and gives the answer to each, in their order. It fails by a fault of the database alone: then
 * nothing of the group is kept, and each caller is told. A caller that goes away leaves its item to be done.
 */
export const make = <Item, A, E>(
  sql: SqlClient,
  run: (execute: Execute, items: ReadonlyArray<Item>) => Effect.Effect<ReadonlyArray<Effect.Effect<A, E>>, SqlError>
): ((item: Item) => Effect.Effect<A, E | StoreError>) => {
  let pending: Array<Waiting<Item, A, E>> = []
  let isRunning = false

  /** By the client: for databases where a statement is a way over a network. */
  const apart: Execute = (text, values) => Effect.forEach(values, (each) => sql.unsafe<object>(text, each))

  // On the connection itself: a statement of the client finds its transaction, compiles itself and opens a span, which
  // costs more than most of these do.
  const together = (batch: ReadonlyArray<Waiting<Item, A, E>>) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const [connection] = Option.getOrThrow(yield* Effect.serviceOption(sql.transactionService))
        const execute = SqliteClient.isSqlite(connection) ? connection.executeMany : apart
        return yield* run(
          execute,
          batch.map(({ item }) => item)
        )
      })
    )

  const group = Effect.gen(function* () {
    while (pending.length > 0) {
      // Whoever asks in the same turn of the event loop comes along.
      yield* Effect.yieldNow
      const batch = pending.slice(0, largest)
      pending = pending.slice(largest)
      const done = yield* Effect.exit(atEdge(together(batch)))
      for (let i = 0; i < batch.length; i++) {
        const answer =
          done._tag === "Failure"
            ? Effect.failCause(done.cause)
            : (done.value[i] ?? Effect.die(new Error("an item of a group has no answer")))
        Deferred.doneUnsafe(batch[i]!.answer, answer)
      }
    }
    // In one step with the look at `pending`, as coming in is: a fiber may be made to wait between any two others.
    isRunning = false
  })

  const grouped = (item: Item): Effect.Effect<A, E | StoreError> =>
    Effect.withFiber((fiber) => {
      const answer = Deferred.makeUnsafe<A, E | StoreError>()
      pending.push({ item, answer })
      if (!isRunning) {
        isRunning = true
        // Of nobody: it ends by itself, and must not end with the caller who came first.
        Effect.runForkWith(fiber.context)(group)
      }
      return Deferred.await(answer)
    })

  return sql.onDialectOrElse({
    pg: () => (item: Item) =>
      Effect.flatMap(
        atEdge(run(apart, [item])),
        ([answer]) => answer ?? Effect.die(new Error("an item has no answer"))
      ),
    orElse: () => grouped
  })
}
