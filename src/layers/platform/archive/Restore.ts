/**
 * Puts a backup in the place of what a platform keeps, all or nothing: checked whole before anything is touched, then
 * written in one transaction, and the files moved into place before it commits. A backup of either database goes into
 * either.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import * as Migrate from "../../sql/Migrate.ts"
import * as Migrations from "../Migrations.ts"
import { toStoreError } from "../sqlStore.ts"
import * as Stores from "../Stores.ts"
import * as Archive from "./Archive.ts"

export interface Options {
  /** The data folder. What is unpacked lies in it for a while. */
  readonly folder: string
  readonly filesFolder: string
  /** Files of the data folder that may be put back, by their path within it. */
  readonly extras?: ReadonlyArray<string> | undefined
  readonly file: string
  /** What the operator calls the place. */
  readonly name: string
  /** Replaces what is there. */
  readonly force: boolean
  /** Told of each step: `unpacking`, `checking`, a table's name, `files`. */
  readonly onProgress?: ((step: string, done: number) => void) | undefined
}

export interface Summary {
  readonly rows: number
  readonly files: number
  readonly createdAt: string
}

type Row = Readonly<Record<string, string | number | null>>

const Row = Schema.fromJsonString(
  Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Null]))
)
const decodeRow = Schema.decodeUnknownEffect(Row)
const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(Archive.Manifest))

/** Few enough parameters for any database, many enough to be quick. */
const rowsPerInsert = 200

/** What the database holds that somebody would miss. */
const isEmpty = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  if ((yield* Migrate.current) === 0) return true
  for (const name of ["people", "identities", "sessions", "files"]) {
    if ((yield* sql`SELECT 1 AS found FROM ${sql(name)} LIMIT 1`).length > 0) return false
  }
  return true
})

/** Everything of ours, last first. */
const drop = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const name of [...Archive.tables.map((table) => table.name), ...Archive.passing, Migrate.table].reverse()) {
    yield* sql`DROP TABLE IF EXISTS ${sql(name)}`
  }
})

/** Nobody may give a number again that was given before. */
const countOn = Effect.fnUntraced(function* (ordinal: number) {
  const sql = yield* SqlClient.SqlClient
  if (ordinal === 0) return
  yield* sql.onDialectOrElse({
    pg: () => Effect.asVoid(sql`SELECT setval(pg_get_serial_sequence('exchanges', 'ordinal'), ${ordinal})`),
    orElse: () =>
      Effect.andThen(
        sql`DELETE FROM sqlite_sequence WHERE name = 'exchanges'`,
        Effect.asVoid(sql`INSERT INTO sqlite_sequence (name, seq) VALUES ('exchanges', ${ordinal})`)
      )
  })
})

/** Postgres gives the numbers itself unless it is told otherwise. */
const numbering = Effect.fnUntraced(function* (how: "BY DEFAULT" | "ALWAYS") {
  const sql = yield* SqlClient.SqlClient
  yield* sql.onDialectOrElse({
    pg: () => Effect.asVoid(sql`ALTER TABLE exchanges ALTER COLUMN ordinal SET GENERATED ${sql.literal(how)}`),
    orElse: () => Effect.void
  })
})

export const read = Effect.fn("Restore.read")(function* (options: Options) {
  const sql = yield* SqlClient.SqlClient
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const tell = options.onProgress ?? (() => undefined)
  const refuse = (reason: typeof Archive.ArchiveReason.Type, detail: string, name = options.file) =>
    Effect.fail(new Archive.ArchiveError({ name, reason, detail }))
  const damaged = (detail: string) => refuse("Damaged", detail)
  const said = Archive.fromPlatformError(options.folder)

  if (!options.force && !(yield* toStoreError(isEmpty))) return yield* refuse("NotEmpty", "", options.name)

  const place = yield* Archive.staging(options.folder)
  const at = (...names: ReadonlyArray<string>) => path.join(place, ...names)
  tell("unpacking", 0)
  yield* Archive.unpack(options.file, place)

  const manifest = yield* fs.readFileString(at(Archive.manifestName)).pipe(
    Effect.flatMap(decodeManifest),
    Effect.catch(() => refuse("NotABackup", ""))
  )
  if (manifest.version > Archive.version || manifest.schema > Migrations.newest) {
    return yield* refuse("Newer", `schema ${manifest.schema}, this program knows ${Migrations.newest}`)
  }

  const hashOf = (name: string) =>
    Effect.suspend(() => {
      const digest = createHash("sha256")
      return fs.stream(name).pipe(
        Stream.runForEach((bytes) => Effect.sync(() => digest.update(bytes))),
        Effect.map(() => digest.digest("hex")),
        Effect.catch(() => damaged("a part of it is missing"))
      )
    })

  const rowsOf = (table: string) =>
    fs.stream(at("tables", `${table}.jsonl`)).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.catch(() => Stream.fromEffect(damaged(`rows of ${table} cannot be read`))),
      Stream.mapEffect((line): Effect.Effect<Row, Archive.ArchiveError> =>
        decodeRow(line).pipe(Effect.catch(() => damaged(`a row of ${table} cannot be read`)))
      )
    )

  // Everything is looked at before anything is touched.
  tell("checking", 0)
  const tables = Archive.tablesOf(manifest.schema)
  for (const { name } of tables) {
    const expected = manifest.tables[name]
    if (expected === undefined) return yield* damaged(`the table ${name} is missing`)
    if ((yield* hashOf(at("tables", `${name}.jsonl`))) !== expected.sha256) {
      return yield* damaged(`the table ${name} is not what was written`)
    }
  }
  const files: Array<{ readonly folder: Archive.Bytes["folder"]; readonly id: string }> = []
  for (const source of Archive.bytes) {
    if (!tables.some(({ name }) => name === source.table)) continue
    const checked = new Set<string>()
    let count = 0
    yield* Stream.runForEach(rowsOf(source.table), (row) =>
      Effect.gen(function* () {
        const id = source.name(row)
        count += 1
        if (checked.has(id)) return
        checked.add(id)
        if (!/^[A-Za-z0-9_]+$/.test(id)) return yield* damaged("a file has an impossible name")
        if ((yield* hashOf(at(source.folder, id))) !== row["sha256"])
          return yield* damaged(`the file ${id} is not what was written`)
        files.push({ folder: source.folder, id })
        tell("checking", files.length)
      })
    )
    if (count !== (manifest[source.folder]?.count ?? 0)) return yield* damaged("files are missing")
  }

  /** Those that are not there as they are already. */
  const extras: Array<string> = []
  for (const [name, sha256] of Object.entries(manifest.extras)) {
    if (!(options.extras ?? []).includes(name)) continue
    if ((yield* hashOf(at("extras", name))) !== sha256) return yield* damaged(`${name} is not what was written`)
    const there = path.join(options.folder, name)
    if (yield* Effect.mapError(fs.exists(there), said)) {
      if ((yield* hashOf(there)) === sha256) continue
      if (!options.force) return yield* refuse("NotEmpty", "", there)
    }
    extras.push(name)
  }

  const fill = Effect.fnUntraced(function* (table: string) {
    let rows = 0
    yield* Stream.runForEach(Stream.grouped(rowsOf(table), rowsPerInsert), (batch) =>
      Effect.gen(function* () {
        yield* sql`INSERT INTO ${sql(table)} ${sql.insert(batch)}`
        rows += batch.length
        tell(table, rows)
      })
    )
    if (rows !== manifest.tables[table]?.rows) return yield* damaged(`rows of ${table} are missing`)
    return rows
  })

  const folders = { files: options.filesFolder, artifacts: Stores.artifactsOf(path, options.folder) }
  const before = new Set<string>()
  for (const folder of Object.values(folders)) {
    yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(said))
    for (const name of yield* Effect.mapError(fs.readDirectory(folder), said)) before.add(path.join(folder, name))
  }
  const targets = files.map(({ folder, id }) => ({ from: at(folder, id), to: path.join(folders[folder], id) }))
  const placed: Array<string> = []
  const exchanged: Array<string> = []

  /** What stood in the place of an extra waits beside it until all is done. */
  const exchange = Effect.fnUntraced(function* (name: string) {
    const there = path.join(options.folder, name)
    yield* fs.makeDirectory(path.dirname(there), { recursive: true, mode: 0o700 })
    if (yield* fs.exists(there)) yield* fs.copyFile(there, at(`before-${exchanged.length}`))
    exchanged.push(name)
    yield* fs.rename(at("extras", name), there)
    yield* fs.chmod(there, 0o600)
  })

  const undo = Effect.gen(function* () {
    for (const place of placed) yield* Effect.ignore(fs.remove(place, { force: true }))
    for (const [index, name] of exchanged.entries()) {
      const there = path.join(options.folder, name)
      yield* fs.remove(there, { force: true }).pipe(
        Effect.andThen(fs.exists(at(`before-${index}`))),
        Effect.flatMap((was) => (was ? fs.rename(at(`before-${index}`), there) : Effect.void)),
        Effect.ignore
      )
    }
  })

  const everything = Effect.gen(function* () {
    yield* drop
    yield* Migrate.run({ database: options.name, migrations: Migrations.upTo(manifest.schema) })
    yield* numbering("BY DEFAULT")
    let rows = 0
    for (const { name } of tables) rows += yield* fill(name)
    yield* numbering("ALWAYS")
    yield* countOn(manifest.ordinal)
    // A backup of an older version goes the way that its database would have gone.
    yield* Migrations.run(options.name)
    tell("files", files.length)
    for (const { from, to } of targets) {
      // Ids are never given twice, nor hashes: what has this name already has these bytes.
      if (before.has(to)) continue
      placed.push(to)
      yield* Effect.mapError(fs.rename(from, to), said)
      yield* Effect.mapError(fs.chmod(to, 0o600), said)
    }
    yield* Effect.mapError(Effect.forEach(extras, exchange, { discard: true }), said)
    return rows
  })

  const rows = yield* sql.withTransaction(everything).pipe(
    Effect.catchTag("SqlError", (error): Effect.Effect<never, Archive.ArchiveError | SqlError> =>
      error.reason._tag === "UniqueViolation" || error.reason._tag === "ConstraintError"
        ? damaged("its rows do not fit together")
        : Effect.fail(error)
    ),
    toStoreError,
    Effect.onError(() => undo)
  )

  const kept = new Set(targets.map(({ to }) => to))
  yield* Effect.forEach(
    [...before].filter((place) => !kept.has(place)),
    (place) => Effect.ignore(fs.remove(place, { force: true })),
    { discard: true }
  )
  return { rows, files: files.length, createdAt: manifest.createdAt } satisfies Summary
}, Effect.scoped)
