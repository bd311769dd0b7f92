/**
 * The journal that outlives its process, over SQLite: one database for all accounts of a process, which must be the
 * only one to write it (see `journalDatabase`).
 *
 * What is promised is true of the disk before the caller goes on. `layer` works over whatever `SqlClient` of SQLite is
 * there; `layerFile` opens a file and owns it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import {
  Journal,
  type Acceptance,
  type Entry,
  type JournalError,
  type MessageKey,
  type Outcome
} from "../../services/channel/Journal.ts"
import { type DatabaseError, fromUnknown } from "../sql/DatabaseError.ts"
import * as Migrate from "../sql/Migrate.ts"
import * as JournalDatabase from "./journalDatabase.ts"
import * as Groups from "./journalGroups.ts"
import { hashOf, JournalIndex, sameKey, wellFormed } from "./journalIndex.ts"
import * as Rows from "./journalRows.ts"

export interface Options {
  /** Ended entries that are remembered, 100,000 by default. Those under way are never dropped. */
  readonly maxEntries?: number | undefined
  /** How long an ended entry is remembered: 7 days by default. */
  readonly maxAge?: Duration.Input | undefined
  /** Text kept for repeats, in characters: 64 Mi by default. */
  readonly maxCharacters?: number | undefined
  /** How long a group waits for another program's lock: 5 seconds by default. */
  readonly patience?: Duration.Input | undefined
}

export interface MakeOptions extends Options {
  /** For sentences. */
  readonly database?: string | undefined
  /** Told of every write, in pages of the database, about. */
  readonly onWrite?: ((pages: number) => void) | undefined
  /** `hashOf` by default; a test gives one that tells nothing apart. */
  readonly hash?: ((key: MessageKey) => number) | undefined
  /** See `journalGroups.Options`. */
  readonly defer?: ((task: () => void) => void) | undefined
}

/** Rows that one step of forgetting looks at. */
const stepSize = 64
const rowsPerRead = 4_096

const innermost = (error: SqlError): unknown => error.reason.cause ?? error

export const make = Effect.fnUntraced(function* (
  options: MakeOptions = {}
): Effect.fn.Return<Journal["Service"], DatabaseError, SqlClient.SqlClient | Scope.Scope> {
  const database = options.database ?? "the journal"
  const maxEntries = options.maxEntries ?? 100_000
  const maxAge = Duration.toMillis(options.maxAge ?? "7 days")
  const maxCharacters = options.maxCharacters ?? 64 * 1024 * 1024
  const hash = options.hash ?? hashOf
  const onWrite = options.onWrite ?? (() => undefined)
  const clock = yield* Clock.Clock
  const sql = yield* SqlClient.SqlClient
  yield* Migrate.run({ database, migrations: Rows.migrations })
  const inWords = Effect.mapError((error: SqlError) => fromUnknown(database, innermost(error)))
  // For as long as the journal lives: nobody else has anything to say on it.
  const connection = yield* inWords(sql.reserve)

  const index = new JournalIndex()
  /** Ends that the database did not take. They stand, and are written as soon as it takes them. */
  const unwritten = new Map<string, { readonly outcome: Outcome; readonly at: number }>()

  // The statement says what its rows are.
  const values = <Row extends ReadonlyArray<unknown>>(text: string, params: ReadonlyArray<unknown>) =>
    connection.executeValues(text, params) as Effect.Effect<ReadonlyArray<Row>, SqlError>

  for (;;) {
    const rows = yield* inWords(values<Rows.IndexRow>(Rows.selectForIndex, [index.lastRow, rowsPerRead]))
    for (const [row, account, session, message, responseId, state, size] of rows) {
      const hashed = message === null ? undefined : hash(Rows.keyOf(account, session, message))
      index.accepted(responseId, { row, accountId: account, ours: false }, hashed)
      if (state >= Rows.state.completed) index.finished(responseId, size)
    }
    index.commit()
    if (rows.length < rowsPerRead) break
  }

  const groups = yield* Groups.make({
    connection,
    defer: options.defer,
    onCommit: () => index.commit(),
    onRollback: () => index.rollback(),
    patience: Duration.fromInputUnsafe(options.patience ?? "5 seconds")
  })
  const { submit } = groups

  /** With an end that is not written yet. */
  const toEntry = (row: Rows.WholeRow): Entry => {
    const entry = Rows.toEntry(row)
    const end = unwritten.get(entry.responseId)
    if (end === undefined || entry.outcome !== undefined) return entry
    const { begun: _begun, request: _request, ...others } = entry
    return { ...others, outcome: end.outcome, endedAt: end.at }
  }

  const findKey = Effect.fnUntraced(function* (key: MessageKey, hashed: number) {
    const row = index.rowOf(hashed)
    if (row === undefined) return
    const [found] = yield* values<Rows.WholeRow>(Rows.selectByRow, [row])
    if (found !== undefined && sameKey(Rows.keyOf(found[1], found[2], found[3]), key)) return found
    // Another message of the same hash: rarer than a fault of the machine, but it must not be answered for this one.
    return (yield* values<Rows.WholeRow>(Rows.selectByKey, [key.messageId, key.sessionId, key.accountId]))[0]
  })

  const acceptRow = Effect.fnUntraced(function* (
    given: MessageKey,
    ids: Parameters<Journal["Service"]["accept"]>[1],
    now: number
  ): Effect.fn.Return<Acceptance, SqlError> {
    const key = wellFormed(given)
    const hashed = key.messageId === undefined ? undefined : hash(key)
    if (hashed !== undefined && index.rowOf(hashed) !== undefined) {
      const known = yield* findKey(key, hashed)
      if (known !== undefined) return { _tag: "Known", entry: toEntry(known) }
    }
    const row = index.lastRow + 1
    const { dialect, itemId, request, responseId } = ids
    const { accountId, messageId, sessionId } = key
    yield* connection.executeValues(Rows.insertEntry, [
      row,
      accountId,
      sessionId,
      messageId,
      responseId,
      itemId,
      dialect,
      now,
      now
    ])
    if (request !== undefined) yield* connection.executeValues(Rows.insertRequest, [row, request])
    index.accepted(responseId, { row, accountId, ours: true }, hashed)
    const entry: Entry = {
      key,
      responseId,
      itemId,
      dialect,
      acceptedAt: now,
      outcome: undefined,
      endedAt: undefined,
      confirmedSequence: undefined,
      ...(request === undefined ? {} : { request })
    }
    return { _tag: "Accepted", entry }
  })

  const endRow = Effect.fnUntraced(function* (responseId: string, outcome: Outcome, at: number) {
    const running = index.running.get(responseId)
    if (running === undefined) return false
    const { row } = running
    const failed = outcome._tag === "Failed"
    yield* connection.executeValues(Rows.endEntry, [
      failed ? Rows.state.failed : Rows.state.completed,
      at,
      outcome.text.length,
      row
    ])
    yield* connection.executeValues(Rows.insertOutcome, [
      row,
      failed ? outcome.failure.code : null,
      failed ? outcome.failure.message : null,
      outcome.text
    ])
    if (keepsRequests) yield* connection.executeValues(Rows.deleteRequest, [row])
    index.finished(responseId, outcome.text.length)
    onWrite(2 + outcome.text.length / 2_000)
    return true
  })

  /** The oldest that have ended and are too many, too old, or too much. Gives whether there was any. */
  const forget = Effect.fnUntraced(function* (now: number) {
    const oldest = yield* values<Rows.EndedRow>(Rows.selectOldestEnded, [stepSize])
    const gone: Array<number> = []
    for (const [row, account, session, message, responseId, size, endedAt] of oldest) {
      const old = now - endedAt > maxAge
      if (!old && index.ended <= maxEntries && index.characters <= maxCharacters) continue
      gone.push(row)
      const hashed = message === null ? undefined : hash(Rows.keyOf(account, session, message))
      index.pruned(row, responseId, hashed, size)
    }
    if (gone.length === 0) return false
    const list = JSON.stringify(gone)
    yield* connection.executeValues(Rows.deleteEntries, [list])
    yield* connection.executeValues(Rows.deleteOutcomes, [list])
    onWrite(gone.length)
    return true
  })

  const overfull = () => index.ended > maxEntries || index.characters > maxCharacters
  let forgetting = false
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const scope = yield* Effect.scope

  /** In small steps, each in a group of its own with whatever else is to be written. */
  const forgetAll = Effect.suspend(() => submit(forget(clock.currentTimeMillisUnsafe()))).pipe(
    Effect.repeat({ while: (more) => more }),
    Effect.catch((error) => Effect.logWarning("Old entries of the journal could not be removed", error)),
    Effect.ensuring(
      Effect.sync(() => {
        forgetting = false
      })
    )
  )
  const forgetIfDue = (always: boolean): void => {
    if (forgetting || !(always || overfull())) return
    forgetting = true
    runFork(forgetAll)
  }

  const writeLate = Effect.suspend(() =>
    Effect.forEach(
      unwritten,
      ([responseId, { at, outcome }]) =>
        Effect.map(submit(endRow(responseId, outcome, at)), () => unwritten.delete(responseId)),
      { discard: true }
    )
  )

  let writing = false
  /** A journal that has nothing to catch up with sets no timer. */
  const writeSoon = (): void => {
    if (writing) return
    writing = true
    const soon = Effect.gen(function* () {
      do yield* Effect.delay(Effect.ignore(writeLate), "1 second")
      while (unwritten.size > 0)
      // In one step with the look: between two operations a fiber may be made to wait, and more may come.
      writing = false
    })
    Fiber.runIn(runFork(soon), scope)
  }

  const end = (responseId: string, outcome: Outcome): Effect.Effect<boolean, JournalError> =>
    Effect.suspend(() => {
      if (unwritten.has(responseId)) return Effect.succeed(false)
      const at = clock.currentTimeMillisUnsafe()
      return submit(endRow(responseId, outcome, at)).pipe(
        Effect.tap(() => {
          forgetIfDue(false)
          return Effect.void
        }),
        Effect.tapError(() =>
          Effect.sync(() => {
            if (!index.running.has(responseId)) return
            unwritten.set(responseId, { outcome, at })
            writeSoon()
          })
        )
      )
    })

  /** So that a start after a crash can tell what was cut off now from what was cut off days ago. */
  const touch = Effect.suspend(() => {
    const rows: Array<number> = []
    for (const running of index.running.values()) if (running.ours) rows.push(running.row)
    return rows.length === 0
      ? Effect.void
      : submit(connection.executeValues(Rows.touchEntries, [clock.currentTimeMillisUnsafe(), JSON.stringify(rows)]))
  })

  let keepsRequests = (yield* inWords(values("SELECT 1 FROM requests LIMIT 1", []))).length > 0

  yield* Effect.forkScoped(
    Effect.forever(
      Effect.andThen(
        Effect.sync(() => forgetIfDue(true)),
        Effect.andThen(Effect.sleep("1 minute"), Effect.ignore(touch))
      ),
      { disableYield: true }
    )
  )
  // The last chance: a disk that fails for a moment is waited for.
  yield* Effect.addFinalizer(() =>
    Effect.ignore(Effect.retry(writeLate, Schedule.spaced("100 millis").pipe(Schedule.upTo({ times: 20 }))))
  )

  return Journal.of({
    accept: (key, ids) =>
      Effect.suspend(() => {
        if (ids.request !== undefined) keepsRequests = true
        return submit(acceptRow(key, ids, clock.currentTimeMillisUnsafe()))
      }),
    begin: (responseId) =>
      submit(
        Effect.suspend(() => {
          const running = index.running.get(responseId)
          return running === undefined ? Effect.void : connection.executeValues(Rows.beginEntry, [running.row])
        })
      ).pipe(Effect.asVoid),
    end,
    confirm: (responseId, sequence) =>
      Effect.asVoid(
        submit(
          Effect.suspend(() => {
            const row = index.rowOfReply(responseId)
            return row === undefined ? Effect.void : connection.executeValues(Rows.confirmEntry, [sequence, row])
          })
        )
      ),
    find: (responseId) =>
      submit(
        Effect.suspend(() => {
          const row = index.rowOfReply(responseId)
          const found =
            row === undefined
              ? values<Rows.WholeRow>(Rows.selectByResponse, [responseId])
              : values<Rows.WholeRow>(Rows.selectByRow, [row])
          return Effect.map(found, ([row]) => (row === undefined ? undefined : toEntry(row)))
        })
      ),
    unfinished: (accountId) =>
      submit(
        Effect.suspend(() => {
          const rows: Array<number> = []
          for (const [responseId, running] of index.running) {
            if (running.accountId === accountId && !unwritten.has(responseId)) rows.push(running.row)
          }
          return Effect.map(values<Rows.WholeRow>(Rows.selectByRows, [JSON.stringify(rows)]), (found) =>
            found.map(toEntry)
          )
        })
      ),
    recent: (accountId, limit) =>
      Effect.map(submit(values<Rows.WholeRow>(Rows.selectRecent, [accountId, Math.max(0, limit)])), (found) =>
        found.map(toEntry)
      )
  })
})

/** Over any `SqlClient` of SQLite that nobody else uses. */
export const layer = (options?: Options): Layer.Layer<Journal, DatabaseError, SqlClient.SqlClient> =>
  Layer.effect(Journal, make(options))

export interface FileOptions extends Options {
  /** Made, with its folder, where missing. */
  readonly filename: string
  /** See `SqliteClient.Options`. */
  readonly durability?: "normal" | "full" | undefined
}

/** In a file that this process then owns. A second owner is refused with a sentence. */
export const layerFile = (options: FileOptions): Layer.Layer<Journal, DatabaseError> =>
  Layer.effect(
    Journal,
    Effect.gen(function* () {
      const database = yield* JournalDatabase.open(options)
      return yield* make({ ...options, database: options.filename, onWrite: database.onWrite }).pipe(
        Effect.provideService(SqlClient.SqlClient, database.sql)
      )
    })
  )
