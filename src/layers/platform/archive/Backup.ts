/**
 * Writes everything that a platform keeps into one file, as it stood at one moment, while the platform goes on. Needs
 * the database as `SqlClient`: a snapshot of it is read in one transaction that holds up no writer.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as Migrate from "../../sql/Migrate.ts"
import * as Migrations from "../Migrations.ts"
import { toNumber, toStoreError } from "../sqlStore.ts"
import * as Stores from "../Stores.ts"
import * as Archive from "./Archive.ts"

export interface Options {
  /** The data folder: `files/` and `artifacts/` are in it, and what is being packed lies in it for a while. */
  readonly folder: string
  readonly filesFolder: string
  /** Files to take along where they are there, by their path within the data folder. */
  readonly extras?: ReadonlyArray<string> | undefined
  /** Where the backup goes. */
  readonly file: string
  /** Told of each step: a table's name, `files`, `packing`. */
  readonly onProgress?: ((step: string, done: number) => void) | undefined
}

export interface Summary {
  readonly rows: number
  /** Those of messages and those that agents handed in. */
  readonly files: number
  readonly bytes: number
  /** Files that were known but whose bytes were gone: their rows are left out. */
  readonly missing: number
}

/** Of a table with bytes beside it. */
interface FileRow extends Readonly<Record<string, unknown>> {
  readonly size: number | bigint | string
}

const encode = (rows: ReadonlyArray<object>): Uint8Array =>
  Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""))

const highestOrdinal = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql.onDialectOrElse({
    pg: () =>
      sql<{
        n: number | null
      }>`SELECT pg_sequence_last_value(pg_get_serial_sequence('exchanges', 'ordinal')::regclass) AS n`,
    orElse: () => sql<{ n: number | null }>`SELECT max(seq) AS n FROM sqlite_sequence WHERE name = 'exchanges'`
  })
  return toNumber(row?.n ?? 0)
})

export const write = Effect.fn("Backup.write")(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const said = Archive.fromPlatformError(options.file)
  const tell = options.onProgress ?? (() => undefined)
  const place = yield* Archive.staging(options.folder)
  const at = (...names: ReadonlyArray<string>) => path.join(place, ...names)
  const folders = { files: options.filesFolder, artifacts: Stores.artifactsOf(path, options.folder) }
  const taken = new Set<string>()
  let missing = 0
  let bytes = 0

  /** Puts the bytes of a file beside the rows: linked where the disk can, for it never changes once it is there. */
  const takeFile = Effect.fnUntraced(function* (
    source: Archive.Bytes,
    row: FileRow
  ): Effect.fn.Return<boolean, PlatformError> {
    const { folder } = source
    const id = source.name(row)
    // Several rows may name the same bytes.
    if (taken.has(`${folder}/${id}`)) return true
    const from = path.join(folders[folder], id)
    if (!(yield* fs.exists(from))) {
      missing += 1
      return false
    }
    yield* fs.link(from, at(folder, id)).pipe(Effect.catch(() => fs.copyFile(from, at(folder, id))))
    taken.add(`${folder}/${id}`)
    bytes += toNumber(row.size)
    return true
  })

  const dump = Effect.fnUntraced(function* (table: Archive.Table) {
    const digest = createHash("sha256")
    let rows = 0
    const file = yield* fs.open(at("tables", `${table.name}.jsonl`), { flag: "wx", mode: 0o600 })
    // In the order of the bytes, whatever language the database sorts by: the same rows give the same checksum.
    const by = ({ counted, key }: Pick<Archive.Table, "key" | "counted">) =>
      sql.onDialectOrElse({
        pg: () => sql`${sql(key)} ${sql.literal(counted === true ? "" : 'COLLATE "C"')}`,
        orElse: () => sql`${sql(key)}`
      })
    const order = sql.csv([by(table), ...(table.second === undefined ? [] : [by(table.second)])])
    const source = Archive.bytes.find(({ table: name }) => name === table.name)
    const found = sql<FileRow>`SELECT * FROM ${sql(table.name)} ORDER BY ${order}`
    yield* Stream.runForEachArray(found.stream, (batch) =>
      Effect.gen(function* () {
        const kept = source === undefined ? batch : yield* Effect.filter(batch, (row) => takeFile(source, row))
        const encoded = encode(kept)
        digest.update(encoded)
        yield* file.writeAll(encoded)
        rows += kept.length
        tell(table.name, rows)
      })
    )
    return { rows, sha256: digest.digest("hex") }
  }, Effect.scoped)

  const snapshot = Effect.gen(function* () {
    yield* sql.onDialectOrElse({
      pg: () => Effect.asVoid(sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY`),
      orElse: () => Effect.void
    })
    const schema = yield* Migrate.current
    if (schema === 0) {
      return yield* new Archive.ArchiveError({ name: options.folder, reason: "NothingThere", detail: "" })
    }
    if (schema > Migrations.newest) {
      return yield* new Archive.ArchiveError({ name: options.file, reason: "Newer", detail: `schema ${schema}` })
    }
    const dumped: Record<string, { readonly rows: number; readonly sha256: string }> = {}
    for (const table of Archive.tablesOf(schema)) dumped[table.name] = yield* dump(table)
    return { schema, dumped, ordinal: yield* highestOrdinal }
  })

  const takeExtras = Effect.gen(function* () {
    const taken: Record<string, string> = {}
    for (const name of options.extras ?? []) {
      const from = path.join(options.folder, name)
      if (!(yield* fs.exists(from))) continue
      const bytes = yield* fs.readFile(from)
      yield* fs.makeDirectory(path.dirname(at("extras", name)), { recursive: true })
      yield* fs.writeFile(at("extras", name), bytes, { mode: 0o600 })
      taken[name] = createHash("sha256").update(bytes).digest("hex")
    }
    return taken
  })

  yield* fs
    .makeDirectory(at("tables"))
    .pipe(
      Effect.andThen(fs.makeDirectory(at("files"))),
      Effect.andThen(fs.makeDirectory(at("artifacts"))),
      Effect.andThen(fs.makeDirectory(at("extras"))),
      Effect.mapError(said)
    )
  const { dumped, ordinal, schema } = yield* sql.withTransaction(snapshot).pipe(
    toStoreError,
    Effect.catchTag("PlatformError", (error) => Effect.fail(said(error)))
  )
  const files = dumped["files"]?.rows ?? 0
  const artifacts = dumped["artifacts"]?.rows ?? 0
  const manifest: Archive.Manifest = {
    format: "clawfiber-backup",
    version: Archive.version,
    schema,
    createdAt: new Date(yield* Clock.currentTimeMillis).toISOString(),
    ordinal,
    tables: dumped,
    files: { count: files, bytes },
    artifacts: { count: artifacts },
    extras: yield* Effect.mapError(takeExtras, said)
  }
  yield* Effect.mapError(fs.writeFileString(at(Archive.manifestName), `${JSON.stringify(manifest, null, 2)}\n`), said)
  tell("packing", 0)
  yield* Archive.pack(place, [Archive.manifestName, "tables", "files", "artifacts", "extras"], options.file)
  const rows = Object.values(dumped).reduce((sum, table) => sum + table.rows, 0)
  return { rows, files: files + artifacts, bytes, missing } satisfies Summary
}, Effect.scoped)
