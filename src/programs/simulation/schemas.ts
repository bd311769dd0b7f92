/** The tables of both sides as their own migrations make them, once for all worlds of this program. */
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Migrations from "../../layers/platform/Migrations.ts"
import * as SqlJournal from "../../layers/channel/SqlJournal.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"

const quoted = (value: unknown): string =>
  value === null ? "NULL" : typeof value === "number" ? String(value) : `'${String(value).replaceAll("'", "''")}'`

/** Tables, indexes, and what the migrations noted about themselves. */
const dump = Effect.gen(function* () {
  const sql = yield* SqlClient
  const made = yield* sql<{ name: string; sql: string }>`SELECT name, sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid`
  const notes = yield* sql<Record<string, unknown>>`SELECT * FROM clawfiber_migrations`
  const rows = notes.map(
    (row) =>
      `INSERT INTO clawfiber_migrations (${Object.keys(row).join(", ")}) VALUES (${Object.values(row).map(quoted).join(", ")});`
  )
  return [...made.map((row) => `${row.sql};`), ...rows].join("\n")
})

const make = <E>(migrate: Effect.Effect<unknown, E, SqlClient>): Promise<string> =>
  Effect.runPromise(Effect.andThen(migrate, dump).pipe(Effect.provide(SqliteClient.layerMemory)))

interface Schemas {
  readonly platform: string
  readonly journal: string
  /** Of the platform's tables those that a market is made of: each world has one of its own. */
  readonly market: string
  /** The same of Claworld. */
  readonly claworld: string
}

const market = /\b(?:identities|tasks|accounts|ledger|artifacts|files)\b/
const claworld =
  /\b(?:counters|world_agents|blocks|worlds|memberships|drafts|world_feedback|chat_requests|conversations|turns|deliveries)\b/

/** Those statements that make one of these tables, or an index on it. */
const only = (statements: string, tables: RegExp): string =>
  statements
    .split(";\n")
    .filter((statement) => tables.test(/^CREATE (?:TABLE \S+|.* ON \S+)/.exec(statement)?.[0] ?? ""))
    .join(";\n")

let all: Promise<Schemas> | undefined

export const schemas = (): Promise<Schemas> =>
  (all ??= Promise.all([make(Migrations.run("the database")), make(Effect.scoped(SqlJournal.make()))]).then(
    ([platform, journal]) => ({
      platform,
      journal,
      market: only(platform, market),
      claworld: only(platform, claworld)
    })
  ))
