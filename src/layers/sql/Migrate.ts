/** Brings a database to the newest schema, once, in order; refuses one that is newer than this program. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import { DatabaseError, fromUnknown } from "./DatabaseError.ts"

export interface Options {
  /** As people know it: the file's name, or the database's. For sentences only. */
  readonly database: string
  /** Keys `<number>_<name>`. Numbers only grow; a migration that was released never changes. */
  readonly migrations: Readonly<Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>>
}

const table = "clawfiber_migrations"

/** The innermost cause: what the driver said, under the wrappers of the migrator and the client. */
const rootOf = (error: unknown): unknown => {
  let root = error
  while (typeof root === "object" && root !== null && "cause" in root && root.cause !== undefined) root = root.cause
  return root
}

export const run = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<void, DatabaseError, SqlClient.SqlClient> {
  const sql = yield* SqlClient.SqlClient
  const known = Math.max(...Object.keys(options.migrations).map((key) => Number.parseInt(key, 10)))
  yield* Effect.gen(function* () {
    yield* Migrator.make({})({ loader: Migrator.fromRecord({ ...options.migrations }), table })
    const rows = yield* sql<{ newest: number }>`SELECT max(migration_id) AS newest FROM ${sql(table)}`
    const newest = Number(rows[0]?.newest ?? 0)
    if (newest > known) {
      return yield* new DatabaseError({
        database: options.database,
        reason: "Newer",
        detail: `its schema is ${newest}, this program knows ${known}`
      })
    }
  }).pipe(
    Effect.catchTag(["MigrationError", "SqlError"], (error) =>
      Effect.fail(fromUnknown(options.database, rootOf(error)))
    )
  )
})
