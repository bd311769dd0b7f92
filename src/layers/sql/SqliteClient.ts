/**
 * The `SqlClient` of Effect over `node:sqlite`: one connection, one file, no package to install.
 *
 * The calls of `node:sqlite` are synchronous, so a statement by itself never meets another; transactions and streams
 * hold the one connection for as long as they last. Statements of one text are prepared once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite"
import { DatabaseError, fromUnknown } from "./DatabaseError.ts"

export interface Options {
  /** A path, made with its folder (modes 0600 and 0700) where missing, or `:memory:`. */
  readonly filename: string
  /**
   * Only reads, and only a database that is there: a transaction is a snapshot that holds up no writer of another
   * program. Default false.
   */
  readonly readOnly?: boolean | undefined
  /**
   * What a commit waits for. `normal` (default): a crash of the program loses nothing, a crash of the machine may lose
   * the last commits, never the order. `full`: neither does, at some twenty times the price.
   */
  readonly durability?: "normal" | "full" | undefined
  /** How long a call may hold up the whole program for a lock of another program's. Default 20 ms. */
  readonly busyTimeout?: Duration.Input | undefined
  /** How long a locked database is asked again, without holding up anything. Default 5 s. */
  readonly patience?: Duration.Input | undefined
  /** Of the file that is held in memory at most, in KiB. SQLite's own 2,000 by default. */
  readonly cache?: number | undefined
  /** Pages of the log from which on a commit empties it into the file, and waits for the disk. SQLite's own 1,000. */
  readonly checkpointFrom?: number | undefined
  /** Files up to this size, in bytes, are read through at start in search of damage. Default 64 MiB. */
  readonly checkUpTo?: number | undefined
}

/** What is needed of a database that is open. */
export type Database = Pick<DatabaseSync, "prepare" | "isTransaction">

const memory = ":memory:"
/** Beyond this many texts (lists of varying length make new ones) the oldest prepared statement goes. */
const maxPrepared = 256
const rowsPerPull = 128

/** `classifySqliteError` reads `errno`; `node:sqlite` says `errcode`. */
const toSqlError = (cause: unknown, operation: string): SqlError => {
  if (typeof cause === "object" && cause !== null && "errcode" in cause) {
    Object.assign(cause, { errno: cause.errcode })
  }
  const message = cause instanceof Error ? cause.message : String(cause)
  return new SqlError({ reason: classifySqliteError(cause, { message, operation }) })
}

const isLocked = (error: SqlError): boolean => error.reason._tag === "LockTimeoutError"

const toInput = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value
    case "boolean":
      return value ? 1 : 0
    case "undefined":
      return null
    default:
  }
  if (value === null) return null
  if (value instanceof Uint8Array) return value
  if (value instanceof Date) return value.toISOString()
  throw new TypeError("A parameter of a statement is a text, a number, bytes or nothing")
}

const toInputs = (params: ReadonlyArray<unknown>): Array<SQLInputValue> => {
  const inputs = Array.from<SQLInputValue>({ length: params.length })
  for (let i = 0; i < params.length; i++) inputs[i] = toInput(params[i])
  return inputs
}

/** Rows come without a prototype, which trips whoever compares, prints or decodes them. */
const toPlain = (rows: ReadonlyArray<object>): ReadonlyArray<object> => rows.map((row) => ({ ...row }))

/**
 * SQLite plans anew each time a bare parameter behind LIMIT is bound, as its value might change the plan: ten
 * microseconds and more, of statements that take less than one. An expression leaves the plan alone.
 */
const planOnce = (text: string): string => text.replace(/\b(LIMIT|OFFSET) \?(?! \+)/g, "$1 ? + 0")

/**
 * Rows as objects. Of arrays and of names that are asked for once they are made in a third of the time that
 * `node:sqlite` takes, which makes the name of each column anew for each row.
 */
const readAll = (statement: StatementSync) => {
  let names: ReadonlyArray<string> = []
  return (params: ReadonlyArray<unknown>): ReadonlyArray<object> => {
    // With `returnArrays` rows are arrays, which the types of Node do not know.
    const found = statement.all(...toInputs(params)) as ReadonlyArray<object> as ReadonlyArray<ReadonlyArray<unknown>>
    const [first] = found
    if (first === undefined) return []
    // The table may have got a column since.
    if (names.length !== first.length) names = statement.columns().map(({ name }) => name)
    const rows: Array<object> = []
    for (const values of found) {
      const row: Record<string, unknown> = {}
      for (let i = 0; i < names.length; i++) row[names[i]!] = values[i]
      rows.push(row)
    }
    return rows
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly read: (params: ReadonlyArray<unknown>) => ReadonlyArray<object>
}

/** Prepared statements by text and by how they read: a flag of one caller must not stay for the next. */
const makePrepared = (database: Database) => {
  const make = (readBigInts: boolean) => {
    const kept = new Map<string, Prepared>()
    return (text: string): Prepared => {
      const known = kept.get(text)
      if (known !== undefined) return known
      const statement = database.prepare(planOnce(text), { readBigInts, returnArrays: true })
      if (kept.size >= maxPrepared) {
        for (const oldest of kept.keys()) {
          kept.delete(oldest)
          break
        }
      }
      const made = { statement, read: readAll(statement) }
      kept.set(text, made)
      return made
    }
  }
  return { plain: make(false), big: make(true) }
}

/** What the connection of this client can do beside what others can. */
export interface SqliteConnection extends Connection {
  /** One statement for each list of values, one after the other; gives the rows of each. */
  readonly executeMany: (
    text: string,
    values: ReadonlyArray<ReadonlyArray<unknown>>
  ) => Effect.Effect<ReadonlyArray<ReadonlyArray<object>>, SqlError>
}

export const isSqlite = (connection: Connection): connection is SqliteConnection => "executeMany" in connection

const makeConnection = (database: Database, patience: Duration.Duration): SqliteConnection => {
  const prepared = makePrepared(database)
  const schedule = Schedule.spaced("10 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: patience }))

  // The edge to a synchronous library: what it throws becomes a typed failure here and nowhere else. Inside a
  // transaction a lock is not waited for: BEGIN IMMEDIATE has waited already, and the caller's rollback must come first.
  const attempt = <A>(operation: string, run: (bigInts: boolean) => A): Effect.Effect<A, SqlError> =>
    Effect.withFiber((fiber) => {
      const bigInts = fiber.getRef(SqlClient.SafeIntegers)
      const once = (): Effect.Effect<A, SqlError> => {
        try {
          return Effect.succeed(run(bigInts))
        } catch (cause) {
          return Effect.fail(toSqlError(cause, operation))
        }
      }
      try {
        return Effect.succeed(run(bigInts))
      } catch (cause) {
        const error = toSqlError(cause, operation)
        return isLocked(error) && !database.isTransaction
          ? Effect.retry(Effect.suspend(once), { schedule, while: isLocked })
          : Effect.fail(error)
      }
    })

  const execute: Connection["execute"] = (text, params, transformRows) =>
    attempt("execute", (bigInts) => {
      const rows = (bigInts ? prepared.big(text) : prepared.plain(text)).read(params)
      return transformRows === undefined ? rows : transformRows(rows)
    })

  const executeValues = (text: string, params: ReadonlyArray<unknown>) =>
    attempt("executeValues", (bigInts) => {
      const { statement } = bigInts ? prepared.big(text) : prepared.plain(text)
      return statement.all(...toInputs(params)) as ReadonlyArray<object> as ReadonlyArray<ReadonlyArray<unknown>>
    })

  return {
    execute,
    executeMany: (text, values) =>
      attempt("executeMany", (bigInts) => {
        const { read } = bigInts ? prepared.big(text) : prepared.plain(text)
        return values.map(read)
      }),
    // `{ changes, lastInsertRowid }` of a statement without rows, else its rows.
    executeRaw: (text, params) =>
      attempt("executeRaw", (bigInts) => {
        const { read, statement } = bigInts ? prepared.big(text) : prepared.plain(text)
        return statement.columns().length === 0 ? statement.run(...toInputs(params)) : read(params)
      }),
    executeStream: (text, params, transformRows) =>
      Stream.unwrap(
        // A statement of its own: a prepared one would be reset under the reader's feet by the next use of its text.
        Effect.map(
          Effect.acquireRelease(
            attempt("executeStream", (readBigInts) =>
              database.prepare(text, { readBigInts }).iterate(...toInputs(params))
            ),
            // An iterator left open keeps its read lock.
            (iterator) => Effect.sync(() => iterator.return?.())
          ),
          (iterator) =>
            Stream.paginate(iterator, (iterator) =>
              Effect.map(
                attempt("executeStream", () => {
                  const batch: Array<object> = []
                  while (batch.length < rowsPerPull) {
                    const step = iterator.next()
                    if (step.done === true) return { batch, done: true }
                    batch.push({ ...step.value })
                  }
                  return { batch, done: false }
                }),
                ({ batch, done }) =>
                  [
                    transformRows === undefined ? batch : transformRows(batch),
                    done ? Option.none<typeof iterator>() : Option.some(iterator)
                  ] as const
              )
            )
        )
      ),
    executeValues,
    executeValuesUnprepared: executeValues,
    executeUnprepared: (text, params, transformRows) =>
      attempt("executeUnprepared", (readBigInts) => {
        const rows = toPlain(database.prepare(text, { readBigInts }).all(...toInputs(params)))
        return transformRows === undefined ? rows : transformRows(rows)
      })
  }
}

/** Makes what is missing with modes that shut others out. The `-wal` and `-shm` files take theirs from the file. */
const prepareFile = (filename: string): void => {
  mkdirSync(dirname(filename), { recursive: true, mode: 0o700 })
  closeSync(openSync(filename, "a", 0o600))
  chmodSync(filename, 0o600)
}

const open = (options: Options): DatabaseSync => {
  const { filename } = options
  const readOnly = options.readOnly === true
  if (filename !== memory && !readOnly) prepareFile(filename)
  const timeout = Duration.toMillis(Duration.fromInputUnsafe(options.busyTimeout ?? "20 millis"))
  const database = new DatabaseSync(filename, { timeout, readOnly, enableForeignKeyConstraints: true })
  try {
    // Opening reads nothing; these do, and so find a file that is none of ours.
    if (!readOnly) database.exec("PRAGMA journal_mode = WAL")
    database.exec(`PRAGMA synchronous = ${options.durability === "full" ? "FULL" : "NORMAL"}`)
    database.exec("PRAGMA temp_store = MEMORY")
    if (options.cache !== undefined) database.exec(`PRAGMA cache_size = -${options.cache}`)
    if (options.checkpointFrom !== undefined) {
      database.exec(`PRAGMA wal_autocheckpoint = ${options.checkpointFrom}`)
    }
    database.prepare("SELECT count(*) FROM sqlite_schema").get()
    if (filename !== memory && statSync(filename).size <= (options.checkUpTo ?? 64 * 1024 * 1024)) {
      const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]
      if (found !== "ok") {
        throw new DatabaseError({ database: filename, reason: "Damaged", detail: String(found) })
      }
    }
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** The client of a database that is open already; closing it is the caller's. */
export const over = (
  database: Database,
  options: Pick<Options, "patience" | "readOnly"> = {}
): Effect.Effect<SqlClient.SqlClient, never, Reactivity.Reactivity> => {
  const connection = makeConnection(database, Duration.fromInputUnsafe(options.patience ?? "5 seconds"))
  return SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: Semaphore.makeUnsafe(1),
      isTransaction: () => database.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node-sqlite",
    // Takes the write lock at the start: a transaction that reads first and writes then could otherwise fail midway.
    beginTransaction: options.readOnly === true ? "BEGIN" : "BEGIN IMMEDIATE",
    prepareTransactionControls: true,
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, DatabaseError, Scope.Scope | Reactivity.Reactivity> {
  const database = yield* Effect.acquireRelease(
    Effect.try({
      try: () => open(options),
      catch: (cause) => (cause instanceof DatabaseError ? cause : fromUnknown(options.filename, cause))
    }),
    (database) => Effect.sync(() => database.close())
  )
  return yield* over(database, options)
})

export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, DatabaseError> =>
  Layer.effect(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))

/** In memory, gone with its scope. */
export const layerMemory: Layer.Layer<SqlClient.SqlClient, DatabaseError> = layer({ filename: memory })
