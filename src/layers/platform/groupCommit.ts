/**
 * Statements of many callers at once, in one transaction: on SQLite a commit costs more than what is in it. Each caller
 * goes on after the commit that holds its own. Elsewhere connections do this better, and each statement is its own.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import { atEdge } from "./sqlStore.ts"

/** So many at most, so that others come in between. */
const largest = 1_024

interface Waiting<A> {
  readonly statement: Effect.Effect<A, SqlError>
  readonly done: Deferred.Deferred<A, StoreError>
}

/** Gives what runs one statement. A caller that goes away in between leaves its statement to be done. */
export const make = <A>(sql: SqlClient) => {
  let pending: Array<Waiting<A>> = []
  let isRunning = false

  const group = Effect.gen(function* () {
    while (pending.length > 0) {
      // Whoever asks in the same turn of the event loop comes along.
      yield* Effect.yieldNow
      const batch = pending.slice(0, largest)
      pending = pending.slice(largest)
      const all = sql.withTransaction(Effect.forEach(batch, ({ statement }) => statement))
      // A span for each statement would cost as much as the statement.
      const results = yield* Effect.exit(Effect.withTracerEnabled(atEdge(all), false))
      for (const [i, { done }] of batch.entries()) {
        Deferred.doneUnsafe(
          done,
          results._tag === "Success" ? Effect.succeed(results.value[i] as A) : Effect.failCause(results.cause)
        )
      }
    }
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        isRunning = false
      })
    )
  )

  const grouped = (statement: Effect.Effect<A, SqlError>): Effect.Effect<A, StoreError> =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<A, StoreError>()
      pending.push({ statement, done })
      if (!isRunning) {
        isRunning = true
        // Of nobody: it ends by itself, and must not end with the caller who came first.
        yield* Effect.forkDetach(group)
      }
      return yield* Deferred.await(done)
    })

  return sql.onDialectOrElse({
    pg:
      () =>
      (statement: Effect.Effect<A, SqlError>): Effect.Effect<A, StoreError> =>
        atEdge(statement),
    orElse: () => grouped
  })
}
