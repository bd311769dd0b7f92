/** What the journal promises holds whichever statement fails (disk full, a bad sector, a read-only disk). */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import type { Journal, Outcome } from "../../../../src/services/channel/Journal.ts"
import { codes, type Faults, movingClock, none, sqliteError, wrap } from "./faultyDatabase.ts"

const key = (n: number) => ({ accountId: "acc", sessionId: "s", messageId: `m${n}` })
const ids = (n: number) => ({ responseId: `resp_${n}`, itemId: `msg_${n}` })
const text = (n: number): Outcome => ({ _tag: "Completed", text: `text ${n}` })

/** A journal over this database, until the scope that is given with it closes. */
const open = Effect.fnUntraced(function* (faults: Faults) {
  const sql = yield* SqlClient.SqlClient
  const scope = yield* Scope.fork(yield* Scope.Scope)
  const journal = yield* SqlJournal.make({ patience: 0 }).pipe(
    Effect.provideService(SqlClient.SqlClient, wrap(sql, faults)),
    Scope.provide(scope)
  )
  return { journal, close: Scope.close(scope, Exit.void) }
})

const database = Layer.fresh(SqliteClient.layer({ filename: ":memory:" }))

/** Accepts four together, ends two together, and asks again. What went well is said with each. */
const play = Effect.fnUntraced(function* (journal: Journal["Service"]) {
  const accepted = yield* Effect.forEach(Arr.range(1, 4), (n) => Effect.exit(journal.accept(key(n), ids(n))), {
    concurrency: "unbounded"
  })
  const ended = yield* Effect.forEach([1, 2], (n) => Effect.exit(journal.end(`resp_${n}`, text(n))), {
    concurrency: "unbounded"
  })
  const confirmed = yield* Effect.exit(journal.confirm("resp_3", 7))
  return { accepted, ended, confirmed }
})

/** Statements that `play` runs when nothing fails. */
const countOf = Effect.gen(function* () {
  const faults = none()
  let statements = 0
  const { journal, close } = yield* open(faults)
  faults.next = () => {
    statements++
    return undefined
  }
  yield* play(journal)
  yield* close
  return statements
}).pipe(Effect.scoped, Effect.provide(database))

for (const [name, code] of Object.entries(codes)) {
  for (const many of [false, true]) {
    describe(`a database that fails with ${name}${many ? " from some statement on" : " once"}`, () => {
      it.effect("whichever statement it is", () =>
        Effect.gen(function* () {
          const count = yield* countOf
          assert.isAbove(count, 10)
          for (let nth = 1; nth <= count; nth++) {
            yield* Effect.gen(function* () {
              const faults: Faults = { ...none(), onFault: yield* movingClock }
              const { journal, close } = yield* open(faults)
              let statement = 0
              faults.next = () => (++statement === nth || (many && statement > nth) ? sqliteError(code) : undefined)
              const { accepted, confirmed, ended } = yield* play(journal)
              faults.next = () => undefined

              const where = `statement ${nth}`
              const isAccepted = (n: number) => accepted[n - 1]?._tag === "Success"
              // What was not accepted was not begun, and can be accepted once the database is well again.
              for (const [i, exit] of accepted.entries()) {
                const again = yield* journal.accept(key(i + 1), { ...ids(i + 1), itemId: "again" })
                assert.strictEqual(again._tag, Exit.isSuccess(exit) ? "Known" : "Accepted", where)
                assert.strictEqual(again.entry.responseId, `resp_${i + 1}`, where)
              }
              // An end that could not be written stands: it is what a repeat gets, and no other takes its place.
              for (const [i, exit] of ended.entries()) {
                const n = i + 1
                const known = isAccepted(n)
                if (known) {
                  if (Exit.isSuccess(exit)) assert.isTrue(exit.value, where)
                  const repeat = yield* journal.accept(key(n), ids(100))
                  assert.deepStrictEqual(repeat.entry.outcome, text(n), where)
                  assert.isFalse(yield* journal.end(`resp_${n}`, text(99)), where)
                } else if (Exit.isSuccess(exit)) assert.isFalse(exit.value, where)
              }
              yield* TestClock.adjust("1 second")
              yield* close

              // And all of that is in the database.
              const { journal: next } = yield* open(none())
              for (const [i, exit] of accepted.entries()) {
                const n = i + 1
                const entry = yield* next.find(`resp_${n}`)
                assert.isDefined(entry, where)
                assert.strictEqual(entry.itemId, Exit.isSuccess(exit) ? `msg_${n}` : "again", where)
                const over = n <= 2 && Exit.isSuccess(exit)
                assert.deepStrictEqual(entry.outcome, over ? text(n) : undefined, where)
              }
              if (Exit.isSuccess(confirmed) && isAccepted(3)) {
                assert.strictEqual((yield* next.find("resp_3"))?.confirmedSequence, 7, where)
              }
            }).pipe(Effect.scoped, Effect.provide(database))
          }
        })
      )
    })
  }
}

describe("a locked database", () => {
  it.effect("is asked again for as long as the bound says", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const faults = none()
      const journal = yield* SqlJournal.make({ patience: "5 seconds" }).pipe(
        Effect.provideService(SqlClient.SqlClient, wrap(sql, faults))
      )
      let tries = 0
      faults.next = (statement) => {
        if (statement !== "BEGIN IMMEDIATE") return undefined
        tries++
        return sqliteError(codes.busy)
      }
      const refused = yield* Effect.forkChild(Effect.flip(journal.accept(key(1), ids(1))))
      // The group begins at the end of this turn of the event loop.
      yield* Effect.repeat(Effect.yieldNow, { until: () => tries > 0 })
      yield* TestClock.adjust("4 seconds")
      assert.isUndefined(refused.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      const error = yield* Fiber.join(refused)
      assert.deepInclude(error, { _tag: "JournalError", transient: true })
      assert.isAbove(tries, 100)
      faults.next = () => undefined
      assert.strictEqual((yield* journal.accept(key(1), ids(1)))._tag, "Accepted")
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})

describe("a disk that refuses an end", () => {
  it.effect("law one-terminal: it is written at the stop, where the disk comes back in time", () =>
    Effect.gen(function* () {
      const faults = none()
      const { journal, close } = yield* open(faults)
      yield* journal.accept(key(1), ids(1))
      faults.next = () => sqliteError(codes.ioError)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(journal.end("resp_1", text(1)))))
      const closing = yield* Effect.forkChild(close)
      yield* TestClock.adjust("900 millis")
      faults.next = () => undefined
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(closing)
      const next = yield* open(none())
      assert.deepStrictEqual((yield* next.journal.find("resp_1"))?.outcome, text(1))
      yield* next.close
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})

describe("one request that the database does not take", () => {
  it.effect("fails alone", () =>
    Effect.gen(function* () {
      const faults = none()
      const { journal } = yield* open(faults)
      let poisoned = false
      faults.next = (statement) => {
        const failing = poisoned && statement.startsWith("INSERT INTO requests")
        return failing ? sqliteError(18) : undefined
      }
      poisoned = true
      const exits = yield* Effect.forEach(
        Arr.range(1, 5),
        (n) => Effect.exit(journal.accept(key(n), n === 3 ? { ...ids(n), request: "{}" } : ids(n))),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, true, false, true, true])
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})
