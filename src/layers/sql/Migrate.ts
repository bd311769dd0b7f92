/**
 * Brings a database to the newest schema, once, in order; refuses one that is newer than this program. Of several
 * processes that begin at the same time one does it and the others wait; it is done whole or not at all.
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { DatabaseError, codeOf, fromSqlError, fromUnknown } from "./DatabaseError.ts"

export interface Options {
  /** As people know it: the file's name, or the database's. For sentences only. */
  readonly database: string
  /** Keys `<number>_<name>`. Numbers only grow; a migration that was released never changes. */
  readonly migrations: Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>>
}

export const table = "clawfiber_migrations"

/** The innermost cause: what the driver said, under the wrappers of the migrator and the client. */
const rootOf = (error: unknown): unknown => {
  let root = error
  while (typeof root === "object" && root !== null && "cause" in root && root.cause !== undefined) root = root.cause
  return root
}

/** Where a transaction alone does not keep others out: one at a time, until the transaction ends. */
const alone = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.onDialectOrElse({
    pg: () => Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`clawfiber ${table}`}, 0))`),
    orElse: () => Effect.void
  })
})

const newestIn = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ newest: number | null }>`SELECT max(migration_id) AS newest FROM ${sql(table)}`
  return Number(rows[0]?.newest ?? 0)
})

/** The number of the newest migration that a database has had, 0 where it has had none. */
export const current = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const found = yield* sql.onDialectOrElse({
    pg: () => sql`SELECT 1 AS found WHERE to_regclass(${table}) IS NOT NULL`,
    orElse: () => sql`SELECT 1 AS found FROM sqlite_schema WHERE type = 'table' AND name = ${table}`
  })
  return found.length === 0 ? 0 : yield* newestIn
})

const sqlErrorIn = (error: unknown): SqlError | undefined => {
  let inner = error
  while (typeof inner === "object" && inner !== null) {
    if (isSqlError(inner)) return inner
    inner = "cause" in inner ? inner.cause : undefined
  }
  return undefined
}

/** A client that says a code of Postgres is understood by it, any other by what its driver threw. */
const toDatabaseError = (database: string, error: unknown): DatabaseError => {
  const inner = sqlErrorIn(error)
  return inner !== undefined && codeOf(inner) !== undefined && !("errcode" in Object(inner.reason.cause))
    ? fromSqlError(database, inner)
    : fromUnknown(database, rootOf(error))
}

export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, DatabaseError, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const known = Math.max(...Object.keys(options.migrations).map((key) => Number.parseInt(key, 10)))
  yield* Effect.gen(function* () {
    yield* alone
    yield* Migrator.make({})({ loader: Migrator.fromRecord({ ...options.migrations }), table })
    const newest = yield* newestIn
    if (newest > known) {
      return yield* new DatabaseError({
        database: options.database,
        reason: "Newer",
        detail: `its schema is ${newest}, this program knows ${known}`
      })
    }
  }).pipe(
    sql.withTransaction,
    Effect.catchTag(["MigrationError", "SqlError"], (error) => Effect.fail(toDatabaseError(options.database, error)))
  )
})
