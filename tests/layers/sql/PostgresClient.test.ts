/** What is of Postgres alone: its address, its refusals in words, losing it and finding it again, and two at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { inspect } from "node:util"
import { atEdge } from "../../../src/layers/platform/sqlStore.ts"
import * as Migrations from "../../../src/layers/platform/Migrations.ts"
import * as PostgresClient from "../../../src/layers/sql/PostgresClient.ts"
import * as postgres from "../../postgres/postgres.ts"

const connect = (url: string) =>
  Effect.scoped(Layer.build(PostgresClient.layer({ url: Redacted.make(url), maxConnections: 1 })))

const refusal = (url: string) => Effect.flip(connect(url))

describe("an address of a database", () => {
  for (const [url, reason] of [
    ["mysql://user:hush@127.0.0.1/x", "NoAddress"],
    ["user:hush@127.0.0.1/x", "NoAddress"],
    ["", "NoAddress"],
    // Port 9 is nobody's.
    ["postgres://user:hush@127.0.0.1:9/x", "Unreachable"],
    ["postgresql://user:hush@no-such-host.invalid/x", "Unreachable"]
  ] as const) {
    it.live(`${url.replace("hush", "…") || "that is empty"} is refused in a sentence, without its password`, () =>
      Effect.gen(function* () {
        const error = yield* refusal(url)
        assert.strictEqual(error.reason, reason)
        assert.match(error.message, /[.]$/)
        assert.notInclude(`${error.message}${JSON.stringify(error)}${inspect(error, { depth: 9 })}`, "hush")
      })
    )
  }
})

describe.skipIf(postgres.missing !== undefined)("Postgres", () => {
  const change = (part: "password" | "database", to: string) => {
    const url = new URL(postgres.url)
    if (part === "password") url.password = to
    else url.pathname = `/${to}`
    return url.href
  }

  it.live("a wrong password and a database that is not there are said at start", () =>
    Effect.gen(function* () {
      const wrong = yield* refusal(change("password", "hush"))
      assert.strictEqual(wrong.reason, "Refused")
      assert.notInclude(`${wrong.message}${inspect(wrong, { depth: 9 })}`, "hush")
      const none = yield* refusal(change("database", "no_such"))
      assert.strictEqual(none.reason, "NoSuchDatabase")
      assert.match(none.message, /127\.0\.0\.1:\d+\/no_such/)
    })
  )

  it.effect("its whole numbers come as numbers, and as bigints beyond them", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const big = 2n ** 60n
      const [row] =
        yield* sql`SELECT ${1_700_000_000_000}::bigint AS a, ${-5}::bigint AS b, ${big}::bigint AS c, count(*) AS n,
        ARRAY[1, 2]::bigint[] AS list`
      assert.deepStrictEqual(row, { a: 1_700_000_000_000, b: -5, c: big, n: 1, list: [1, 2] })
    }).pipe(Effect.provide(postgres.client()))
  )

  it.live("a lost connection is a failure that passes, and the next call finds a new one", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const idOf = Effect.map(sql<{ id: number }>`SELECT pg_backend_pid() AS id`, ([row]) => row?.id ?? 0)
      const victim = yield* idOf
      const sleeping = yield* Effect.forkChild(Effect.flip(atEdge(sql`SELECT pg_sleep(60)`)), {
        startImmediately: true
      })
      yield* Effect.gen(function* () {
        const other = yield* SqlClient.SqlClient
        const busy = other`SELECT 1 FROM pg_stat_activity WHERE pid = ${victim} AND query LIKE '%pg_sleep%' AND state = 'active'`
        yield* Effect.repeat(busy, { until: (found) => found.length > 0 })
        yield* other`SELECT pg_terminate_backend(${victim})`
      }).pipe(Effect.provide(postgres.client()))
      const error = yield* Fiber.join(sleeping)
      assert.isTrue(error._tag === "StoreError" && error.transient)
      assert.notInclude(error.message, "pg_")
      const next = yield* Effect.retry(idOf, { times: 3 })
      assert.notStrictEqual(next, victim)
    }).pipe(Effect.provide(PostgresClient.layer({ url: Redacted.make(postgres.url), maxConnections: 1 })))
  )

  it.live("migrations of several processes at the same moment run once", () =>
    Effect.gen(function* () {
      const url = yield* postgres.database
      const start = Effect.provide(Migrations.run("there"), postgres.client(undefined, url))
      yield* Effect.all([start, start, start, start], { concurrency: "unbounded" })
      const rows = yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`SELECT migration_id FROM clawfiber_migrations`
      ).pipe(Effect.provide(postgres.client(undefined, url)))
      assert.strictEqual(rows.length, Object.keys(Migrations.migrations).length)
    }).pipe(Effect.scoped)
  )

  it.live("two transactions that get in each other's way are both done, one of them again", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)`
      yield* sql`INSERT INTO counters VALUES (1, 0), (2, 0)`
      const first = { tries: 0 }
      const met = { count: 0 }
      const both = (one: number, two: number) =>
        Effect.gen(function* () {
          first.tries++
          yield* sql`UPDATE counters SET n = n + 1 WHERE id = ${one}`
          met.count++
          // Both hold their first row before either asks for the other's.
          if (first.tries <= 2) yield* Effect.repeat(Effect.yieldNow, { until: () => met.count >= 2 })
          yield* sql`UPDATE counters SET n = n + 1 WHERE id = ${two}`
        }).pipe(sql.withTransaction, atEdge)
      yield* Effect.all([both(1, 2), both(2, 1)], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* sql`SELECT n FROM counters ORDER BY id`, [{ n: 2 }, { n: 2 }])
      // Which of the two gives way, and how often before the other is through, is Postgres' business.
      assert.isAtLeast(first.tries, 3)
    }).pipe(Effect.provide(postgres.schema))
  )
})
