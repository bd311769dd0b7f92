/** What only the journal in SQLite has: it comes back, it is bounded in small steps, it writes in groups. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync } from "node:sqlite"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"
import { none, wrap } from "./faultyDatabase.ts"

const key = (n: number) => ({ accountId: "acc", sessionId: "s", messageId: `m${n}` })
const ids = (n: number) => ({ responseId: `resp_${n}`, itemId: `msg_${n}` })
const accept = (journal: Journal["Service"], n: number) => journal.accept(key(n), ids(n))
const end = (journal: Journal["Service"], n: number, text = "x") =>
  journal.end(`resp_${n}`, { _tag: "Completed", text })
const kept = (journal: Journal["Service"]) =>
  Effect.map(journal.recent("acc", 1_000), (entries) => entries.map((entry) => entry.responseId))
const named = (...numbers: ReadonlyArray<number>) => numbers.map((n) => `resp_${n}`)

const database = Layer.fresh(SqliteClient.layer({ filename: ":memory:" }))

/** A journal over the database that is there, until `close`. */
const open = Effect.fnUntraced(function* (options: SqlJournal.MakeOptions = {}) {
  const scope = yield* Scope.fork(yield* Scope.Scope)
  const journal = yield* Scope.provide(SqlJournal.make(options), scope)
  return { journal, close: Scope.close(scope, Exit.void) }
})

/** Lets the steps that run in the background come to their end. */
const settle = (journal: Journal["Service"]) => Effect.repeat(journal.find("nobody"), { times: 20 })

describe("a journal that is opened again", () => {
  it.effect("knows everything as it was", () =>
    Effect.gen(function* () {
      const first = yield* open()
      yield* TestClock.setTime(1_000)
      yield* accept(first.journal, 1)
      yield* first.journal.accept(key(2), { ...ids(2), dialect: "legacy", request: "{}" })
      yield* first.journal.accept({ accountId: "acc", sessionId: undefined, messageId: undefined }, ids(3))
      yield* first.journal.begin("resp_2")
      yield* first.journal.confirm("resp_2", 4)
      yield* first.journal.end("resp_1", {
        _tag: "Failed",
        text: "half",
        failure: { code: "TIMEOUT", message: "Too late." }
      })
      const before = yield* first.journal.recent("acc", 10)
      yield* first.close
      const { journal } = yield* open()
      assert.deepStrictEqual(yield* journal.recent("acc", 10), before)
      assert.deepStrictEqual(
        (yield* journal.unfinished("acc")).map((entry) => entry.responseId),
        named(2, 3)
      )
      assert.deepStrictEqual(yield* accept(journal, 2), { _tag: "Known", entry: before[1] })
      assert.strictEqual((yield* accept(journal, 4))._tag, "Accepted")
      assert.isTrue(yield* end(journal, 2))
      assert.isFalse(yield* end(journal, 1))
    }).pipe(Effect.scoped, Effect.provide(database))
  )

  it.effect("takes nothing after its end", () =>
    Effect.gen(function* () {
      const { close, journal } = yield* open()
      yield* close
      assert.strictEqual((yield* Effect.flip(accept(journal, 1)))._tag, "JournalError")
    }).pipe(Effect.scoped, Effect.provide(database))
  )

  it.effect("knows when what it finds was last under way", () =>
    Effect.gen(function* () {
      const first = yield* open()
      yield* accept(first.journal, 1)
      yield* TestClock.adjust("10 minutes")
      yield* settle(first.journal)
      yield* first.close
      const second = yield* open()
      const alive = (yield* second.journal.find("resp_1"))?.aliveAt ?? 0
      assert.isAtLeast(alive, 9 * 60_000)
      // What another process left is not under way here, however long this one lives.
      yield* TestClock.adjust("10 minutes")
      yield* settle(second.journal)
      assert.strictEqual((yield* second.journal.find("resp_1"))?.aliveAt, alive)
    }).pipe(Effect.scoped, Effect.provide(database))
  )

  it.effect("tells messages apart whose ids are no whole text, as well as the database can", () =>
    Effect.gen(function* () {
      const half = { accountId: "acc", sessionId: "s", messageId: "m\ud800" }
      const first = yield* open()
      yield* first.journal.accept(half, ids(1))
      yield* first.close
      const { journal } = yield* open()
      assert.strictEqual((yield* journal.accept(half, ids(2))).entry.responseId, "resp_1")
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})

describe("the SQLite journal is bounded (law bounded)", () => {
  it.effect("by entries: the oldest that have ended go, what is under way never", () =>
    Effect.gen(function* () {
      const { close, journal } = yield* open({ maxEntries: 3 })
      for (let n = 1; n <= 200; n++) yield* accept(journal, n)
      for (let n = 2; n <= 200; n++) yield* end(journal, n)
      yield* settle(journal)
      assert.deepStrictEqual(yield* kept(journal), named(200, 199, 198, 1))
      assert.strictEqual((yield* accept(journal, 197))._tag, "Accepted", "forgotten, so new")
      assert.strictEqual((yield* accept(journal, 1))._tag, "Known")
      yield* close
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql<{ n: number }>`SELECT count(*) AS n FROM outcomes`
      assert.strictEqual(rows[0]?.n, 3)
    }).pipe(Effect.scoped, Effect.provide(database))
  )

  it.effect("by age, counted from the end", () =>
    Effect.gen(function* () {
      const { journal } = yield* open({ maxAge: "1 hour" })
      for (const n of [1, 2, 3]) yield* accept(journal, n)
      yield* TestClock.adjust("2 hours")
      yield* end(journal, 1)
      yield* TestClock.adjust("30 minutes")
      yield* end(journal, 2)
      yield* TestClock.adjust("29 minutes")
      yield* settle(journal)
      assert.deepStrictEqual(yield* kept(journal), named(3, 2, 1))
      yield* TestClock.adjust("3 minutes")
      yield* settle(journal)
      assert.deepStrictEqual(yield* kept(journal), named(3, 2))
    }).pipe(Effect.scoped, Effect.provide(database))
  )

  it.effect("by text", () =>
    Effect.gen(function* () {
      const { journal } = yield* open({ maxCharacters: 10 })
      for (let n = 1; n <= 3; n++) {
        yield* accept(journal, n)
        yield* end(journal, n, "12345")
      }
      yield* settle(journal)
      assert.deepStrictEqual(yield* kept(journal), named(3, 2))
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})

describe("what is asked together is written together", () => {
  it.effect("in one transaction, and nobody goes on before it", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const faults = none()
      const { journal } = yield* open().pipe(Effect.provideService(SqlClient.SqlClient, wrap(sql, faults)))
      yield* settle(journal)
      const seen: Array<string> = []
      faults.next = (statement) => {
        seen.push(statement.split(" ")[0] ?? "")
        return undefined
      }
      yield* Effect.forEach(Arr.range(1, 10), (n) => Effect.map(accept(journal, n), () => seen.push("goes on")), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(seen, ["BEGIN", ...Arr.replicate("INSERT", 10), "COMMIT", ...Arr.replicate("goes on", 10)])
    }).pipe(Effect.scoped, Effect.provide(database))
  )
})

describe("the journal's file", () => {
  const inFolder = <A, E, R>(body: (filename: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-journal-" })
      return yield* body(`${folder}/deep/journal.sqlite`, fs)
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

  const building = (filename: string) => Effect.scoped(Layer.build(Layer.fresh(SqlJournal.layerFile({ filename }))))

  it.live("is its owner's alone", () =>
    inFolder((filename, fs) =>
      Effect.gen(function* () {
        yield* accept(yield* Journal, 1)
        for (const name of yield* fs.readDirectory(filename.replace("/journal.sqlite", ""))) {
          const info = yield* fs.stat(filename.replace("journal.sqlite", name))
          assert.strictEqual(info.mode & 0o777, 0o600, name)
        }
        assert.strictEqual((yield* fs.stat(filename.replace("/journal.sqlite", ""))).mode & 0o777, 0o700)
      }).pipe(Effect.provide(SqlJournal.layerFile({ filename })))
    )
  )

  it.live("that is damaged, or none, or of a later version, is named and left as it is", () =>
    inFolder((filename, fs) =>
      Effect.gen(function* () {
        yield* building(filename)
        const whole = yield* fs.readFile(filename)
        const isLeft = Effect.fnUntraced(function* (bytes: Uint8Array, reason: string) {
          yield* fs.writeFile(filename, bytes)
          const error = yield* Effect.flip(building(filename))
          assert.strictEqual(error.reason, reason)
          assert.include(error.message, filename)
          assert.deepStrictEqual(yield* fs.readFile(filename), bytes)
        })
        yield* isLeft(new TextEncoder().encode("my diary\n".repeat(1_000)), "NotADatabase")
        yield* isLeft(
          whole.map((byte, i) => (i > 4_200 && i < 12_000 ? 0xff : byte)),
          "Damaged"
        )
        yield* fs.writeFile(filename, whole)
        const database = new DatabaseSync(filename)
        database.exec("INSERT INTO clawfiber_migrations (migration_id, name) VALUES (99, 'later')")
        database.close()
        assert.strictEqual((yield* Effect.flip(building(filename))).reason, "Newer")
      })
    )
  )

  it.live("has its log emptied in the background, and nothing is lost by that", () =>
    inFolder((filename) =>
      Effect.gen(function* () {
        const text = "text ".repeat(2_000)
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          for (let n = 0; n < 1_200; n += 10) {
            const group = Arr.range(n, n + 9)
            yield* Effect.forEach(group, (n) => accept(journal, n), { concurrency: "unbounded" })
            yield* Effect.forEach(group, (n) => end(journal, n, text), { concurrency: "unbounded" })
          }
        }).pipe(Effect.provide(SqlJournal.layerFile({ filename })), Effect.scoped)
        yield* Effect.gen(function* () {
          const journal = yield* Journal
          assert.deepStrictEqual(
            yield* kept(journal),
            Arr.makeBy(1_000, (i) => `resp_${1_199 - i}`)
          )
          assert.strictEqual((yield* journal.find("resp_0"))?.outcome?.text, text)
        }).pipe(Effect.provide(SqlJournal.layerFile({ filename })), Effect.scoped)
      })
    )
  )
})
