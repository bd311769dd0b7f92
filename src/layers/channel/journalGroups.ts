/**
 * Group commit: what many callers ask of a database within one turn of the event loop becomes one transaction, and
 * each caller goes on only after its commit. There are no timers: a group is what has gathered when the turn ends, or
 * while the group before it was written.
 *
 * It works on the connection itself, with BEGIN and COMMIT of its own. `withTransaction` opens a span, a semaphore, a
 * scope and a service per transaction and costs more than the statements of a group do.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError } from "effect/sql/SqlError"
import { JournalError } from "../../services/channel/Journal.ts"

interface Job {
  readonly run: Effect.Effect<void, SqlError>
  readonly succeed: () => void
  readonly fail: (error: JournalError) => void
}

export interface Options {
  readonly connection: Connection
  /** Keep what is remembered beside the database in step with it. */
  readonly onCommit: () => void
  readonly onRollback: () => void
  /** How long a group waits for a lock of another program's. */
  readonly patience: Duration.Duration
  /** Runs a task at the end of this turn of the event loop. Node's own, unless the loop is simulated. */
  readonly defer?: ((task: () => void) => void) | undefined
}

export interface Groups {
  /** Runs in a transaction with others; gives its result when that is committed. */
  readonly submit: <A>(run: Effect.Effect<A, SqlError>) => Effect.Effect<A, JournalError>
}

const isLocked = (error: SqlError): boolean => error.reason._tag === "LockTimeoutError"

/** SQLITE_FULL, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_NOMEM: they can pass by themselves. */
const passing = new Set([5, 6, 7, 10, 13])

const codeOf = (cause: unknown): number | undefined =>
  typeof cause === "object" && cause !== null && "errcode" in cause && typeof cause.errcode === "number"
    ? cause.errcode & 0xff
    : undefined

const toJournalError = (error: unknown): JournalError => {
  if (!(error instanceof SqlError)) return new JournalError({ detail: String(error), transient: false })
  const code = codeOf(error.reason.cause)
  return new JournalError({
    detail: error.reason.message ?? error.message,
    transient: isLocked(error) || (code !== undefined && passing.has(code))
  })
}

export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<Groups, never, Scope.Scope> {
  const { connection, defer = setImmediate } = options
  const execute = (text: string) => connection.executeValues(text, [])
  const schedule = Schedule.spaced("10 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: options.patience }))

  let waiting: Array<Job> = []
  let wake: (() => void) | undefined
  let closed = false

  const enqueue = (job: Job): void => {
    waiting.push(job)
    if (wake === undefined) return
    const go = wake
    wake = undefined
    // The end of this turn of the event loop, which is Node's own: whatever else arrives in it comes along.
    defer(go)
  }

  const submit = <A>(run: Effect.Effect<A, SqlError>): Effect.Effect<A, JournalError> =>
    Effect.callback<A, JournalError>((resume) => {
      if (closed) return resume(Effect.fail(new JournalError({ detail: "it has been closed", transient: false })))
      let value: Effect.Effect<A, JournalError> | undefined
      enqueue({
        run: Effect.map(run, (result) => {
          value = Effect.succeed(result)
        }),
        succeed: () => value !== undefined && resume(value),
        fail: (error) => resume(Effect.fail(error))
      })
    })

  // SQLite has rolled back by itself after some errors, and says then that there is nothing to roll back.
  const rollback = Effect.andThen(Effect.ignore(execute("ROLLBACK")), Effect.sync(options.onRollback))

  // A rollback that failed leaves its transaction open; it is asked for again before the next one.
  const begin = execute("BEGIN IMMEDIATE").pipe(
    Effect.catchIf(
      (error) => !isLocked(error),
      () => Effect.andThen(Effect.ignore(execute("ROLLBACK")), execute("BEGIN IMMEDIATE"))
    )
  )

  const transact = (jobs: ReadonlyArray<Job>): Effect.Effect<void, SqlError> =>
    Effect.gen(function* () {
      yield* begin
      for (const job of jobs) yield* job.run
      yield* execute("COMMIT")
      options.onCommit()
    }).pipe(Effect.onError(() => rollback))

  const commit: (jobs: ReadonlyArray<Job>) => Effect.Effect<void> = Effect.fnUntraced(function* (jobs) {
    const locked = () => Effect.delay(Effect.retry(transact(jobs), { schedule, while: isLocked }), "10 millis")
    const exit = yield* Effect.exit(Effect.catchIf(transact(jobs), isLocked, locked))
    if (Exit.isSuccess(exit)) {
      for (const job of jobs) job.succeed()
      return
    }
    const error = Cause.squash(exit.cause)
    if (jobs.length > 1 && !(error instanceof SqlError && isLocked(error))) {
      // One of them may be what the database does not take: each by itself, so that it fails alone.
      for (const job of jobs) yield* commit([job])
    } else {
      for (const job of jobs) job.fail(toJournalError(error))
    }
  })

  const next = Effect.callback<void>((resume) => {
    // A job may have come since the look below: between two operations a fiber may be made to wait.
    if (waiting.length > 0) return resume(Effect.void)
    wake = () => resume(Effect.void)
  })

  yield* Effect.forkScoped(
    Effect.forever(
      Effect.suspend(() => {
        if (waiting.length === 0) return next
        const jobs = waiting
        waiting = []
        return Effect.uninterruptible(commit(jobs))
      }),
      { disableYield: true }
    )
  )
  // Comes before the writer's end: what was handed over is still written.
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      Effect.ignore(submit(Effect.void)),
      Effect.sync(() => {
        closed = true
      })
    )
  )
  return { submit }
})
