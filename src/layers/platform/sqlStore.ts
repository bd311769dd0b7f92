/** What every store of the platform does at its edge to the database. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError, SqlErrorReason } from "effect/sql/SqlError"
import { StoreError } from "../../services/platform/PlatformError.ts"

/** Whether the same call may succeed in a moment without anybody doing anything. */
const isTransient = (reason: SqlErrorReason): boolean => {
  switch (reason._tag) {
    case "ConnectionError":
    case "DeadlockError":
    case "SerializationError":
    case "LockTimeoutError":
    case "StatementTimeoutError":
      return true
    case "AuthenticationError":
    case "AuthorizationError":
    case "SqlSyntaxError":
    case "UniqueViolation":
    case "ConstraintError":
    case "UnknownError":
      return false
  }
}

export const fromSqlError = (error: SqlError): StoreError =>
  new StoreError({
    detail: `${error.reason.operation ?? "sql"}: ${error.reason._tag}: ${error.message}`,
    transient: isTransient(error.reason)
  })

/** The one place where the database's failures become the platform's. */
export const atEdge = <A, E, R>(
  self: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A, Exclude<E, SqlError> | StoreError, R> =>
  Effect.catchIf(self, isSqlFailure, (error) => Effect.fail(fromSqlError(error))) as Effect.Effect<
    A,
    Exclude<E, SqlError> | StoreError,
    R
  >

const isSqlFailure = (error: unknown): error is SqlError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "SqlError"

/** Postgres gives BIGINT as bigint or text, SQLite as a number. All of ours are below 2^53. */
export const toNumber = (value: number | bigint | string): number => Number(value)
export const toOptionalNumber = (value: number | bigint | string | null): number | undefined =>
  value === null ? undefined : Number(value)

/** No database keeps half a character (a lone surrogate), and Postgres no NUL: both become U+FFFD. */
export const toText = (value: string): string => value.toWellFormed().replaceAll("\u0000", "\uFFFD")

/**
 * Within a transaction: nobody else decides about `key` until it ends. SQLite has one writer at a time and needs
 * nothing; elsewhere counting and then writing would let two through.
 */
export const lockKey = (sql: SqlClient, key: string): Effect.Effect<unknown, SqlError> =>
  sql.onDialectOrElse({
    pg: () => sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`,
    orElse: () => Effect.void
  })
