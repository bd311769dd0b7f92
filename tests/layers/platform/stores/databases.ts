/** The databases that every suite of the stores runs over. A further one is a line here. */
import { describe } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as SqlClient from "effect/sql/SqlClient"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import type { DatabaseError } from "../../../../src/layers/sql/DatabaseError.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import * as postgres from "../../../postgres/postgres.ts"

/** Empty for each test, and gone after it. */
type Fresh = Layer.Layer<SqlClient.SqlClient, DatabaseError>

const sqliteFile: Fresh = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-database-" })
    return SqliteClient.layer({ filename: `${folder}/data/platform.sqlite` })
  }).pipe(Effect.orDie)
).pipe(Layer.provide(NodeFileSystem.layer))

interface Database {
  readonly name: string
  readonly client: Fresh
  /** Beside SQLite in memory: how many times as long a test of many runs takes. */
  readonly slowness?: number
  /** Why it is not tried here. */
  readonly missing?: string | undefined
}

const databases: ReadonlyArray<Database> = [
  { name: "SQLite in memory", client: SqliteClient.layerMemory },
  { name: "SQLite in a file", client: sqliteFile },
  { name: "Postgres", client: postgres.stores, slowness: 4, missing: postgres.missing }
]

export type StoresOf = (bounds?: Stores.Bounds) => Layer.Layer<Stores.Stores | SqlClient.SqlClient, Stores.StartError>

/**
 * Registers a suite once for each database. `stores` makes new, empty stores; `runs` says how many runs a property gets
 * there of those that it gets in memory.
 */
export const forEachDatabase = (
  suite: string,
  body: (stores: StoresOf, runs: (inMemory: number) => number) => void
): void => {
  for (const { client, missing, name, slowness = 1 } of databases) {
    describe.skipIf(missing !== undefined)(`${suite} (${name})`, () =>
      body(
        (bounds) => Layer.fresh(Stores.layerTemporary(client, bounds)),
        (inMemory) => Math.ceil(inMemory / slowness)
      )
    )
  }
}
