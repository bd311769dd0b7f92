/**
 * The database of a platform, for a command that works on it beside the platform: the one in the data folder, or a
 * Postgres.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import type { DatabaseError } from "../../sql/DatabaseError.ts"
import * as SqliteClient from "../../sql/SqliteClient.ts"
import { toStoreError } from "../sqlStore.ts"
import * as Stores from "../Stores.ts"
import { ArchiveError } from "./Archive.ts"

export interface Options {
  readonly folder: string
  readonly postgres?:
    | { readonly url: Redacted.Redacted<string>; readonly maxConnections?: number | undefined }
    | undefined
  /**
   * - `read`: a database that is there, and nothing but read.
   * - `write`: one that is there.
   * - `create`: one that is there or not.
   */
  readonly access: "read" | "write" | "create"
}

const commandName = "clawfiber-command"

/** What its operator calls it. */
export const nameOf = Effect.fnUntraced(function* (options: Omit<Options, "access">) {
  if (options.postgres === undefined) return options.folder
  const { nameOf } = yield* Effect.promise(() => import("../../sql/PostgresClient.ts"))
  return nameOf(options.postgres.url)
})

export const layer = (
  options: Options
): Layer.Layer<SqlClient.SqlClient, ArchiveError | DatabaseError, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { access, folder, postgres } = options
      if (postgres !== undefined) {
        const Postgres = yield* Effect.promise(() => import("../../sql/PostgresClient.ts"))
        return Postgres.layer({ ...postgres, maxConnections: 2, applicationName: commandName })
      }
      const fs = yield* FileSystem.FileSystem
      const filename = Stores.databaseOf(yield* Path.Path, folder)
      if (access !== "create" && !(yield* Effect.orElseSucceed(fs.exists(filename), () => false))) {
        return yield* new ArchiveError({ name: folder, reason: "NothingThere", detail: "" })
      }
      return SqliteClient.layer({ filename, readOnly: access === "read" })
    })
  )

/** Fails where a platform is at work on a Postgres. On SQLite the lock of the data folder says so. */
export const idle = Effect.fnUntraced(function* (name: string) {
  const sql = yield* SqlClient.SqlClient
  const others = yield* sql
    .onDialectOrElse({
      pg: () => sql`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'clawfiber' AND pid <> pg_backend_pid()`,
      orElse: () => Effect.succeed([])
    })
    .pipe(toStoreError)
  if (others.length > 0) return yield* new ArchiveError({ name, reason: "InUse", detail: "" })
})
