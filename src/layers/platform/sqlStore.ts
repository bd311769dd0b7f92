/** What every store of the platform does at its edge to the database. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Schedule from "effect/Schedule"
import { Invalid, StoreError } from "../../services/platform/PlatformError.ts"
import { codeOf } from "../sql/DatabaseError.ts"

/**
 * States of Postgres that pass by themselves and that its client files under "unknown": it is out of memory
 * or connections (53…; a full disk does not pass), is being stopped or started (57P…), or has just become a standby.
 */
const passing = /^(53[023]00|57P0[1-5]|25006)$/

/** Whether the same call may succeed in a moment without anybody doing anything. */
const isTransient = (error: SqlError): boolean => {
  switch (error.reason._tag) {
    case "ConnectionError":
    case "DeadlockError":
    case "SerializationError":
    case "LockTimeoutError":
    case "StatementTimeoutError":
      return true
    case "UnknownError":
      return passing.test(codeOf(error) ?? "")
    case "AuthenticationError":
    case "AuthorizationError":
    case "SqlSyntaxError":
    case "UniqueViolation":
    case "ConstraintError":
      return false
  }
}

const causeOf = ({ reason }: SqlError): string => (reason.cause instanceof Error ? `: ${reason.cause.message}` : "")

export const fromSqlError = (error: SqlError): StoreError =>
  new StoreError({
    detail: `${error.reason.operation ?? "sql"}: ${error.reason._tag}: ${error.message}${causeOf(error)}`,
    transient: isTransient(error)
  })

/** The database itself took all of it back, because others did the same at the same time: it is done again. */
const wasRolledBack = (error: unknown): boolean =>
  isSqlFailure(error) && (error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError")

const again = Schedule.exponential("5 millis", 2).pipe(Schedule.jittered)

/** The one place where the database's failures become the platform's. */
export const toStoreError = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | StoreError, R> =>
  Effect.catchIf(self, isSqlFailure, (error) => Effect.fail(fromSqlError(error))) as Effect.Effect<
    A,
    Exclude<E, SqlError> | StoreError,
    R
  >

/** Its first try was `failed`. Set up here and not around every call, of which almost none is undone. */
const tryAgain = <A, E, R>(self: Effect.Effect<A, E, R>, failed: E): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let first = true
    const next = Effect.suspend(() => {
      if (!first) return self
      first = false
      return Effect.fail(failed)
    })
    return Effect.retry(next, { while: wasRolledBack, schedule: again, times: 5 })
  })

/** What stores do around each call: again where the database undid it for the sake of others, then in our words. */
export const atEdge = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | StoreError, R> =>
  toStoreError(Effect.catchIf(self, wasRolledBack, (error) => tryAgain(self, error)))

const isSqlFailure = (error: unknown): error is SqlError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "SqlError"

/** Sums and what is beyond 2^53 come as text or bigint; all of ours are below. */
export const toNumber = (value: number | bigint | string): number => Number(value)
export const toOptionalNumber = (value: number | bigint | string | null): number | undefined =>
  value === null ? undefined : Number(value)

/** No database keeps half a character (a lone surrogate), and Postgres no NUL: both become U+FFFD. */
export const toText = (value: string): string => value.toWellFormed().replaceAll("\u0000", "\uFFFD")

/** An id to look for. One that no database could keep finds nothing in any of them. */
export const toId = toText

/** An id to keep: it must come back as it was, or it would not be found again. */
export const keepsId = (id: string, param: string): Effect.Effect<void, Invalid> =>
  toText(id) === id
    ? Effect.void
    : Effect.fail(
        new Invalid({ detail: "The id holds characters that cannot be kept. Use letters and digits.", param })
      )

/**
 * Within a transaction: nobody else decides about `key` until it ends. SQLite has one writer at a time and needs
 * nothing; elsewhere counting and then writing would let two through.
 */
export const lockKey = (sql: SqlClient, key: string): Effect.Effect<unknown, SqlError> =>
  sql.onDialectOrElse({
    pg: () => sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`,
    orElse: () => Effect.void
  })
