/**
 * The platform's stores together, over one database.
 *
 * - `layerSqlite({ folder, ... })`: everything under one data folder: `platform.sqlite`, `files/` and `artifacts/`.
 * - `layerPostgres({ folder, url, ... })`: all but the files in a Postgres; those under the data folder.
 * - `layer({ filesFolder, artifactsFolder, ... })`: the same over whatever `SqlClient` is there.
 * - `layerTest(bounds?)`: in memory, files in a temporary folder; the real layers, nothing left behind.
 *
 * All run the migrations first, and give `Identities`, `Activations`, `People`, `Sessions`, `Files`, `TaskPool`,
 * `Artifacts`, and of Claworld `WorldAgents`, `WorldCatalog` and `Talks`. Needed of the outside: `SecureRandom`, `FileSystem`, `Path` (`layerTest` brings its own). What fails at start is a `DatabaseError` or a
 * `FilesFolderError` with a sentence for the operator; afterwards a `StoreError`.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as Redacted from "effect/Redacted"
import type * as SqlClient from "effect/sql/SqlClient"
import type { Activations } from "../../services/platform/Activations.ts"
import type { Artifacts } from "../../services/platform/Artifacts.ts"
import type { Files } from "../../services/platform/Files.ts"
import type { Identities } from "../../services/platform/Identities.ts"
import type { People } from "../../services/platform/People.ts"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import type { Sessions } from "../../services/platform/Sessions.ts"
import type { Talks } from "../../services/platform/Talks.ts"
import type { TaskPool } from "../../services/platform/TaskPool.ts"
import type { WorldAgents, WorldCatalog } from "../../services/platform/Worlds.ts"
import type { DatabaseError } from "../sql/DatabaseError.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"
import * as SqlTalks from "./claworld/SqlTalks.ts"
import * as SqlWorldAgents from "./claworld/SqlWorldAgents.ts"
import * as SqlWorldCatalog from "./claworld/SqlWorldCatalog.ts"
import type * as talkOptions from "./claworld/talkOptions.ts"
import * as Migrations from "./Migrations.ts"
import * as SqlActivations from "./SqlActivations.ts"
import * as SqlArtifacts from "./SqlArtifacts.ts"
import * as SqlFiles from "./SqlFiles.ts"
import * as SqlIdentities from "./SqlIdentities.ts"
import * as SqlPeople from "./SqlPeople.ts"
import * as SqlSessions from "./SqlSessions.ts"
import * as SqlTaskPool from "./SqlTaskPool.ts"
import type * as taskOptions from "./taskOptions.ts"

export type Stores =
  | Identities
  | Activations
  | People
  | Sessions
  | Files
  | TaskPool
  | Artifacts
  | WorldAgents
  | WorldCatalog
  | Talks

export type StartError = DatabaseError | SqlFiles.FilesFolderError | StoreError

export interface Bounds {
  readonly activations?: SqlActivations.Options | undefined
  readonly sessions?: SqlSessions.Options | undefined
  /** Bytes of one file, default 20 MiB; of all files of a person, default 500 MiB. */
  readonly files?: { readonly maxSize?: number | undefined; readonly quota?: number | undefined } | undefined
  readonly artifacts?: Omit<SqlArtifacts.Options, "folder"> | undefined
  readonly market?: taskOptions.Options | undefined
  readonly worlds?: SqlWorldAgents.Options | undefined
  readonly talks?: talkOptions.Options | undefined
}

export interface Options extends Bounds {
  readonly filesFolder: string
  readonly artifactsFolder: string
  /** What the operator calls the database, for sentences. Default `the database`. */
  readonly database?: string | undefined
}

export const layer = (
  options: Options
): Layer.Layer<
  Stores,
  StartError,
  SqlClient.SqlClient | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> =>
  Layer.mergeAll(
    // Fresh: built layers are shared by identity, and two platforms in one process are two databases.
    Layer.fresh(SqlIdentities.layer),
    SqlActivations.layer(options.activations),
    Layer.fresh(SqlPeople.layer),
    SqlSessions.layer(options.sessions),
    SqlFiles.layer({ folder: options.filesFolder, ...options.files }),
    SqlArtifacts.layer({ ...options.artifacts, folder: options.artifactsFolder }),
    SqlTaskPool.layer(options.market),
    SqlTalks.layer(options.talks).pipe(
      Layer.provideMerge(Layer.fresh(SqlWorldCatalog.layer)),
      Layer.provideMerge(SqlWorldAgents.layer(options.worlds))
    )
  ).pipe(Layer.provide(Layer.effectDiscard(Migrations.run(options.database ?? "the database"))))

export interface SqliteOptions extends Bounds {
  /** The data folder. Made (mode 0700) where missing. */
  readonly folder: string
  readonly durability?: "normal" | "full" | undefined
}

export const filesOf = (path: Path.Path, folder: string): string => path.join(folder, "files")
export const artifactsOf = (path: Path.Path, folder: string): string => path.join(folder, "artifacts")
export const databaseOf = (path: Path.Path, folder: string): string => path.join(folder, "platform.sqlite")

const foldersOf = (path: Path.Path, folder: string) => ({
  filesFolder: filesOf(path, folder),
  artifactsFolder: artifactsOf(path, folder)
})

/**
 * For groups of writes (groupCommit): with SQLite's own measures what one of them changes does not fit into memory, and
 * each is written to the disk twice.
 */
const measures = { cache: 16_384, checkpointFrom: 4_000 }

export const layerSqlite = (
  options: SqliteOptions
): Layer.Layer<
  Stores | SqlClient.SqlClient,
  StartError,
  SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> =>
  Layer.unwrap(
    Effect.map(Path.Path, (path) => {
      const filename = databaseOf(path, options.folder)
      const folders = foldersOf(path, options.folder)
      return layer({ ...options, ...folders, database: filename }).pipe(
        Layer.provideMerge(SqliteClient.layer({ filename, durability: options.durability, ...measures }))
      )
    })
  )

export interface PostgresOptions extends Bounds {
  /** The data folder, for the files. */
  readonly folder: string
  readonly url: Redacted.Redacted<string>
  readonly maxConnections?: number | undefined
}

export const layerPostgres = (
  options: PostgresOptions
): Layer.Layer<
  Stores | SqlClient.SqlClient,
  StartError,
  SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const path = yield* Path.Path
      // Loaded here, so that nobody who keeps to SQLite waits for it.
      const Postgres = yield* Effect.promise(() => import("../sql/PostgresClient.ts"))
      const PgNeighbours = yield* Effect.promise(() => import("./PgNeighbours.ts"))
      // Listening takes a connection of its own: with a single one nothing would be left.
      const neighbours = (options.maxConnections ?? 10) > 1 ? PgNeighbours.layer : Layer.empty
      const client = Layer.fresh(Postgres.layer({ url: options.url, maxConnections: options.maxConnections }))
      return layer({
        ...options,
        ...foldersOf(path, options.folder),
        database: Postgres.nameOf(options.url)
      }).pipe(Layer.provideMerge(neighbours), Layer.provideMerge(client))
    })
  )

/** Over a given `SqlClient`, with files in a folder that goes when the scope ends. */
export const layerTemporary = <E, R>(
  client: Layer.Layer<SqlClient.SqlClient, E, R>,
  bounds?: Bounds
): Layer.Layer<Stores | SqlClient.SqlClient, StartError | E, R> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const filesFolder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-files-" })
      const artifactsFolder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-artifacts-" })
      return layer({ ...bounds, filesFolder, artifactsFolder })
    }).pipe(Effect.orDie)
  ).pipe(
    Layer.provideMerge(client),
    Layer.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto))
  )

export const layerTest = (bounds?: Bounds): Layer.Layer<Stores | SqlClient.SqlClient, StartError> =>
  layerTemporary(SqliteClient.layer({ filename: ":memory:" }), bounds)
