/**
 * The journal's file: owned by one process at a time, its log emptied in the background.
 *
 * The owner is whoever has locked the file `<name>-lock` (a database without content). The lock is the system's, so it
 * goes with its process, however that ends, and nothing stale is left behind.
 */
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import { chmodSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Worker } from "node:worker_threads"
import { DatabaseError, fromUnknown } from "../sql/DatabaseError.ts"
import * as SqliteClient from "../sql/SqliteClient.ts"

export interface Options {
  readonly filename: string
  readonly durability?: "normal" | "full" | undefined
}

/** Pages written after which the log is emptied: 4 MiB, SQLite's own measure. */
const pagesPerCheckpoint = 1_000
/**
 * Pages of log at which the writer does it by itself and waits: under a load that never pauses the worker does not
 * reach the log's end, and only its end lets the file begin anew.
 */
const pagesAtMost = 16_384

/** Owns the file for the life of the scope. */
export const own = Effect.fnUntraced(function* (filename: string) {
  const lock = `${filename}-lock`
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => {
        mkdirSync(dirname(lock), { recursive: true, mode: 0o700 })
        const database = new DatabaseSync(lock, { timeout: 0 })
        try {
          chmodSync(lock, 0o600)
          // Nothing is ever written: no second file is wanted for undoing it.
          database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
          return database
        } catch (cause) {
          database.close()
          throw cause
        }
      },
      catch: (cause) => {
        const error = fromUnknown(lock, cause)
        return error.reason === "Locked"
          ? new DatabaseError({ database: filename, reason: "Locked", detail: error.detail })
          : error
      }
    }),
    (database) => Effect.sync(() => database.close())
  )
})

const program = new URL(`./journalCheckpoints.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url)

/** The worker, begun when there is first something to do; most processes never write so much. */
const makeCheckpoints = Effect.fnUntraced(function* (
  { durability, filename }: Options,
  onFailure: (cause: unknown) => void
) {
  let worker: Worker | undefined
  let busy = false
  let failed = false
  let pages = 0
  const start = (): Worker => {
    const started = new Worker(program, {
      workerData: { filename, durability: durability === "full" ? "FULL" : "NORMAL" },
      execArgv: ["--disable-warning=ExperimentalWarning"]
    })
    started.unref()
    started.on("message", () => {
      busy = false
    })
    started.on("error", (cause) => {
      failed = true
      onFailure(cause)
    })
    return started
  }
  yield* Effect.addFinalizer(() =>
    Effect.promise(async () => {
      failed = true
      await worker?.terminate()
    })
  )
  return (written: number): void => {
    pages += written
    if (busy || failed || pages < pagesPerCheckpoint) return
    pages = 0
    busy = true
    worker ??= start()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(undefined)
  }
})

export const open = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<
  { readonly sql: SqlClient.SqlClient; readonly onWrite: (pages: number) => void },
  DatabaseError,
  Scope.Scope
> {
  const { durability, filename } = options
  yield* own(filename)
  const sql = yield* SqliteClient.make({ filename, durability }).pipe(Effect.provide(Reactivity.layer))
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const autocheckpoint = (pages: number) =>
    sql.unsafe(`PRAGMA wal_autocheckpoint = ${pages}`).pipe(Effect.mapError((error) => fromUnknown(filename, error)))
  yield* autocheckpoint(pagesAtMost)
  const onWrite = yield* makeCheckpoints(options, (cause) => {
    runFork(
      Effect.logWarning("The journal's log is not emptied in the background, so now and then a reply waits for it", {
        cause
      })
    )
  })
  return { sql, onWrite }
})
