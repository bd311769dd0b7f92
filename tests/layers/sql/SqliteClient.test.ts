import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync } from "node:sqlite"
import * as Migrate from "../../../src/layers/sql/Migrate.ts"
import * as SqliteClient from "../../../src/layers/sql/SqliteClient.ts"

class Refused extends Data.TaggedError("Refused")<{}> {}

const memory = Layer.fresh(SqliteClient.layerMemory)

const numbers = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE numbers (n INTEGER PRIMARY KEY)`
  return sql
})
const insert = (sql: SqlClient.SqlClient, n: number) => sql`INSERT INTO numbers ${sql.insert({ n })}`
const stored = (sql: SqlClient.SqlClient) =>
  Effect.map(sql<{ n: number }>`SELECT n FROM numbers ORDER BY n`, (rows) => rows.map((row) => row.n))

const inFolder = <A, E, R>(
  body: (folder: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, FileSystem.FileSystem>> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* Effect.orDie(fs.makeTempDirectoryScoped({ prefix: "clawfiber-sqlite-" }))
    return yield* body(folder, fs)
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

const opening = (filename: string) => Effect.scoped(Layer.build(Layer.fresh(SqliteClient.layer({ filename }))))

describe("values", () => {
  it.effect("go in and come out", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const at = new Date(0)
      const [row] = yield* sql`SELECT ${1} AS one, ${1.5} AS half, ${"é\u0000"} AS text, ${null} AS absent,
        ${undefined} AS missing, ${true} AS yes, ${at} AS at, ${Uint8Array.of(1, 2)} AS bytes`
      assert.deepStrictEqual(row, {
        one: 1,
        half: 1.5,
        text: "é\u0000",
        absent: null,
        missing: null,
        yes: 1,
        at: "1970-01-01T00:00:00.000Z",
        bytes: Uint8Array.of(1, 2)
      })
      // Without it nothing could be compared or printed.
      assert.strictEqual(Object.getPrototypeOf(row), Object.prototype)
    }).pipe(Effect.provide(memory))
  )

  it.effect("of LIMIT and OFFSET are parameters like others, and an empty result is none", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      for (const n of [1, 2, 3, 4, 5]) yield* insert(sql, n)
      const page = (limit: number, offset: number) =>
        sql<{
          n: number
        }>`SELECT n FROM (SELECT n FROM numbers LIMIT ${4}) AS few ORDER BY n LIMIT ${limit} OFFSET ${offset}`
      assert.deepStrictEqual(yield* page(2, 1), [{ n: 2 }, { n: 3 }])
      assert.deepStrictEqual(yield* page(9, 3), [{ n: 4 }])
      assert.deepStrictEqual(yield* page(0, 0), [])
    }).pipe(Effect.provide(memory))
  )

  it.effect("of a table that got a column since are under their names", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      yield* insert(sql, 1)
      const all = sql`SELECT * FROM numbers`
      assert.deepStrictEqual(yield* all, [{ n: 1 }])
      yield* sql`ALTER TABLE numbers ADD COLUMN word TEXT`
      assert.deepStrictEqual(yield* all, [{ n: 1, word: null }])
    }).pipe(Effect.provide(memory))
  )

  it.effect("past 2^53 are whole where asked for, and a failure where not", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const large = sql<{ n: bigint }>`SELECT ${2n ** 60n} AS n`
      const whole = Effect.provideService(large, SqlClient.SafeIntegers, true)
      assert.strictEqual((yield* whole)[0]?.n, 2n ** 60n)
      assert.strictEqual((yield* Effect.flip(large))._tag, "SqlError")
      // The flag of one caller does not stay for the next.
      const small = sql<{ n: number }>`SELECT 1 AS n`
      yield* Effect.provideService(small, SqlClient.SafeIntegers, true)
      assert.strictEqual((yield* small)[0]?.n, 1)
    }).pipe(Effect.provide(memory))
  )

  it.effect("that no database keeps are a failure, not a crash", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual((yield* Effect.flip(sql`SELECT ${{ a: 1 }} AS x`))._tag, "SqlError")
      assert.strictEqual((yield* Effect.flip(sql`SELEKT`))._tag, "SqlError")
    }).pipe(Effect.provide(memory))
  )

  it.effect("come as rows, as arrays, or as what the driver says", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      assert.deepInclude(yield* insert(sql, 7).raw, { changes: 1 })
      assert.deepStrictEqual(yield* sql`SELECT n, n + 1 FROM numbers`.values, [[7, 8]])
      assert.deepStrictEqual(yield* sql`SELECT n FROM numbers`.unprepared, [{ n: 7 }])
      const again = yield* Effect.flip(insert(sql, 7))
      assert.strictEqual(again.reason._tag, "ConstraintError")
    }).pipe(Effect.provide(memory))
  )

  it.effect("of many texts of statements, more than are kept prepared", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      for (const round of [1, 2]) {
        for (let i = 0; i < 300; i++) {
          assert.deepStrictEqual(yield* sql.unsafe(`SELECT ${i} AS n`), [{ n: i }], `round ${round}`)
        }
      }
    }).pipe(Effect.provide(memory))
  )
})

describe("transactions", () => {
  it.effect("keep all or nothing, and leave none open", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const failing = Effect.andThen(insert(sql, 1), Effect.fail(new Refused()))
      assert.strictEqual((yield* Effect.flip(sql.withTransaction(failing)))._tag, "Refused")
      assert.isTrue(
        (yield* Effect.exit(sql.withTransaction(Effect.andThen(insert(sql, 2), Effect.die("x")))))._tag === "Failure"
      )
      const stuck = yield* Effect.forkChild(sql.withTransaction(Effect.andThen(insert(sql, 3), Effect.never)), {
        startImmediately: true
      })
      yield* Effect.yieldNow
      yield* Fiber.interrupt(stuck)
      yield* sql.withTransaction(insert(sql, 4))
      assert.deepStrictEqual(yield* stored(sql), [4])
    }).pipe(Effect.provide(memory))
  )

  it.effect("within others fail alone", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const inner = sql.withTransaction(Effect.andThen(insert(sql, 2), Effect.fail(new Refused())))
      yield* sql.withTransaction(
        Effect.gen(function* () {
          yield* insert(sql, 1)
          yield* Effect.ignore(inner)
          yield* sql.withTransaction(insert(sql, 3))
        })
      )
      assert.deepStrictEqual(yield* stored(sql), [1, 3])
    }).pipe(Effect.provide(memory))
  )

  it.effect("let nobody else in between", () =>
    Effect.gen(function* () {
      const sql = yield* numbers
      const add = (n: number) =>
        sql.withTransaction(
          Effect.gen(function* () {
            const before = yield* stored(sql)
            yield* Effect.yieldNow
            yield* insert(sql, before.length)
            if (n % 3 === 0) return yield* new Refused()
          })
        )
      yield* Effect.forEach(Array.from({ length: 30 }), (_, n) => Effect.ignore(add(n)), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        yield* stored(sql),
        Array.from({ length: 20 }, (_, n) => n)
      )
    }).pipe(Effect.provide(memory))
  )

  it.effect("that fail only as they end are undone, and the next one works", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE parents (id INTEGER PRIMARY KEY)`
      yield* sql`CREATE TABLE children (of INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`
      const orphan = sql.withTransaction(sql`INSERT INTO children (of) VALUES (1)`)
      const error = yield* Effect.flip(orphan)
      assert.strictEqual(error.reason._tag, "ConstraintError")
      yield* sql.withTransaction(sql`INSERT INTO parents (id) VALUES (1)`)
      yield* orphan
      assert.strictEqual((yield* sql`SELECT * FROM children`).length, 1)
    }).pipe(Effect.provide(memory))
  )
})

describe("streams", () => {
  const filled = Effect.gen(function* () {
    const sql = yield* numbers
    yield* sql`WITH RECURSIVE up (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n < 999)
      INSERT INTO numbers SELECT n FROM up`
    return sql
  })

  it.effect("give every row once, in order", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      const rows = yield* Stream.runCollect(sql<{ n: number }>`SELECT n FROM numbers ORDER BY n`.stream)
      assert.deepStrictEqual(
        rows.map((row) => row.n),
        Array.from({ length: 1_000 }, (_, n) => n)
      )
      assert.deepStrictEqual(yield* Stream.runCollect(sql`SELECT n FROM numbers WHERE n < 0`.stream), [])
      assert.strictEqual((yield* Effect.flip(Stream.runCollect(sql`SELECT x FROM numbers`.stream)))._tag, "SqlError")
    }).pipe(Effect.provide(memory))
  )

  it.effect("left early let go of the table", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      const few = yield* Stream.runCollect(Stream.take(sql`SELECT n FROM numbers`.stream, 3))
      assert.strictEqual(few.length, 3)
      yield* sql`DROP TABLE numbers`
    }).pipe(Effect.provide(memory))
  )

  it.effect("of the same text do not disturb each other within a transaction", () =>
    Effect.gen(function* () {
      const sql = yield* filled
      const rows = sql<{ n: number }>`SELECT n FROM numbers ORDER BY n LIMIT 200`
      const pairs = Stream.flatMap(Stream.rechunk(rows.stream, 1), (outer) =>
        Stream.fromEffect(Effect.map(rows, (inner) => outer.n * inner.length))
      )
      const products = yield* sql.withTransaction(Stream.runCollect(pairs))
      assert.deepStrictEqual(
        products,
        Array.from({ length: 200 }, (_, n) => n * 200)
      )
    }).pipe(Effect.provide(memory))
  )
})

describe("a lock of another program's", () => {
  const locked = <A, E, R>(body: (other: DatabaseSync) => Effect.Effect<A, E, R>) =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const sql = yield* numbers
        yield* insert(sql, 1)
        const other = yield* Effect.acquireRelease(
          Effect.sync(() => new DatabaseSync(`${folder}/a.sqlite`)),
          (other) => Effect.sync(() => other.close())
        )
        other.exec("BEGIN IMMEDIATE")
        return yield* body(other)
      }).pipe(
        Effect.provide(SqliteClient.layer({ filename: `${folder}/a.sqlite`, busyTimeout: 0, patience: "1 second" }))
      )
    )

  it.effect("is waited for without holding up anything", () =>
    locked((other) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const writing = yield* Effect.forkChild(sql.withTransaction(insert(sql, 2)), { startImmediately: true })
        yield* TestClock.adjust("500 millis")
        assert.isUndefined(writing.pollUnsafe())
        other.exec("ROLLBACK")
        yield* TestClock.adjust("100 millis")
        yield* Fiber.join(writing)
        assert.deepStrictEqual(yield* stored(sql), [1, 2])
      })
    )
  )

  it.effect("is given up on after a while, as something that may pass", () =>
    locked((other) =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const writing = yield* Effect.forkChild(Effect.flip(insert(sql, 2)), { startImmediately: true })
        for (let i = 0; i < 150; i++) yield* TestClock.adjust("10 millis")
        const error = yield* Fiber.join(writing)
        assert.strictEqual(error.reason._tag, "LockTimeoutError")
        assert.isTrue(error.isRetryable)
        other.exec("ROLLBACK")
        yield* insert(sql, 3)
        assert.deepStrictEqual(yield* stored(sql), [1, 3])
      })
    )
  )
})

describe("a database that is full, or may not be written", () => {
  it.effect("fails the transaction whole and goes on reading", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE texts (text TEXT)`
      const [pages] = yield* sql<{ page_count: number }>`PRAGMA page_count`
      yield* sql.unsafe(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 4}`)
      const write = sql`INSERT INTO texts (text) VALUES (${"x".repeat(1_000)})`
      const error = yield* Effect.flip(sql.withTransaction(Effect.forever(write)))
      assert.match(error.message, /full/)
      assert.isFalse(error.isRetryable)
      assert.deepStrictEqual(yield* sql`SELECT count(*) AS n FROM texts`, [{ n: 0 }])
      yield* sql.withTransaction(write)
      yield* sql`PRAGMA query_only = ON`
      assert.match((yield* Effect.flip(write)).message, /readonly/)
      assert.deepStrictEqual(yield* sql`SELECT count(*) AS n FROM texts`, [{ n: 1 }])
    }).pipe(Effect.provide(memory))
  )
})

describe("a database that cannot be used is said at start, and left as it is", () => {
  const expect = Effect.fnUntraced(function* (filename: string, reason: string) {
    const error = yield* Effect.flip(opening(filename))
    assert.strictEqual(error.reason, reason)
    assert.include(error.message, filename)
    return error
  })

  it.effect("no database at all", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const filename = `${folder}/a.sqlite`
        yield* fs.writeFileString(filename, "These are notes. ".repeat(100))
        yield* expect(filename, "NotADatabase")
        assert.strictEqual(yield* fs.readFileString(filename), "These are notes. ".repeat(100))
      })
    )
  )

  it.effect("damage in its middle", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const filename = `${folder}/a.sqlite`
        yield* Effect.gen(function* () {
          const sql = yield* numbers
          yield* sql`WITH RECURSIVE up (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n < 9999)
            INSERT INTO numbers SELECT n FROM up`
        }).pipe(Effect.provide(SqliteClient.layer({ filename })))
        const bytes = yield* fs.readFile(filename)
        bytes.fill(0xaa, 4_096, 4_096 + 600)
        yield* fs.writeFile(filename, bytes)
        const error = yield* expect(filename, "Damaged")
        assert.match(error.message, /backup/)
        assert.deepStrictEqual(yield* fs.readFile(filename), bytes)
      })
    )
  )

  it.effect("half of it gone", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const filename = `${folder}/a.sqlite`
        yield* Effect.provide(numbers, SqliteClient.layer({ filename }))
        yield* fs.truncate(filename, 4_096)
        yield* expect(filename, "Damaged")
      })
    )
  )

  it.effect("a folder in its place, or a file in the place of its folder", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* expect(folder, "NoAccess")
        yield* fs.writeFileString(`${folder}/file`, "")
        yield* expect(`${folder}/file/a.sqlite`, "NoAccess")
      })
    )
  )

  // Whoever may do everything is kept out of no folder.
  it.effect.skipIf(process.getuid?.() === 0)("a folder that may not be written", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${folder}/closed`, { mode: 0o500 })
        yield* expect(`${folder}/closed/a.sqlite`, "NoAccess")
      })
    )
  )

  it.effect("one that another program holds", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const filename = `${folder}/a.sqlite`
        const other = new DatabaseSync(filename)
        other.exec("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE t (a)")
        yield* expect(filename, "Locked")
        other.close()
        yield* opening(filename)
      })
    )
  )
})

describe("migrations", () => {
  const table = (name: string) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql.unsafe(`CREATE TABLE ${name} (a INTEGER)`)
    })
  const first = { "0001_first": table("first") }
  const both = { ...first, "0002_second": table("second") }
  const run = (migrations: Record<string, Effect.Effect<void, unknown, SqlClient.SqlClient>>) =>
    Migrate.run({ database: "the file", migrations })
  const tables = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`
    return rows.map((row) => row.name)
  })

  it.effect("run once, in order, also from several at once", () =>
    Effect.gen(function* () {
      yield* run(first)
      yield* Effect.all([run(both), run(both), run(both)], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* tables, ["clawfiber_migrations", "first", "second"])
    }).pipe(Effect.provide(memory))
  )

  it.effect("that a newer version made are refused, in words", () =>
    Effect.gen(function* () {
      yield* run(both)
      const error = yield* Effect.flip(run(first))
      assert.strictEqual(error.reason, "Newer")
      assert.match(error.message, /"the file".*newer version.*Update/)
    }).pipe(Effect.provide(memory))
  )

  it.effect("that fail leave the schema as it was", () =>
    Effect.gen(function* () {
      yield* run(first)
      const error = yield* Effect.flip(run({ ...both, "0003_broken": table("first") }))
      assert.strictEqual(error.reason, "Failed")
      assert.match(error.message, /first already exists/)
      assert.deepStrictEqual(yield* tables, ["clawfiber_migrations", "first"])
      yield* run(both)
    }).pipe(Effect.provide(memory))
  )
})

it.effect.prop("any text comes back", [Schema.String], ([text]) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    assert.deepStrictEqual(yield* sql`SELECT ${text} AS text`, [{ text: text.toWellFormed() }])
  }).pipe(Effect.provide(memory))
)
