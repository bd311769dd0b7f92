/** What a suite does with the run's Postgres: a database or a schema of its own. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { inject } from "vitest"
import type { DatabaseError } from "../../src/layers/sql/DatabaseError.ts"
import * as Migrate from "../../src/layers/sql/Migrate.ts"
import * as PostgresClient from "../../src/layers/sql/PostgresClient.ts"
import type { Postgres } from "./setup.ts"

const answer = await fetch(inject("postgresDoor"))
const found = (await answer.json()) as Postgres

/** Why it is not there. Undefined: it is. */
export const missing: string | undefined = "missing" in found ? found.missing : undefined

if (missing !== undefined) {
  process.stderr.write(`\nNOT TRIED ON POSTGRES, which does not run on this machine: ${missing}\n\n`)
}

/** Its address, where it is there. */
export const url = "url" in found ? found.url : "postgres://missing"

const draw = (prefix: string) => `${prefix}_${SecureRandom.uuidV4Unsafe().replaceAll("-", "")}`

export const client = (
  parameters?: Readonly<Record<string, string>>,
  address: string = url
): Layer.Layer<SqlClient.SqlClient, DatabaseError> =>
  Layer.fresh(PostgresClient.layer({ url: Redacted.make(address), maxConnections: 4, parameters }))

const admin = <A, E>(body: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.orDie(Effect.scoped(Effect.provide(body, client())))

/** Empty, and gone with the scope: the quick way. */
export const schema: Layer.Layer<SqlClient.SqlClient, DatabaseError> = Layer.unwrap(
  Effect.sync(() => {
    const name = draw("s")
    const own = Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.acquireRelease(sql`CREATE SCHEMA ${sql(name)}`, () => Effect.ignore(sql`DROP SCHEMA ${sql(name)} CASCADE`))
    )
    return Layer.effectDiscard(Effect.orDie(own)).pipe(Layer.provideMerge(client({ search_path: name })))
  })
)

/** Empties every table of the schema that has held a row, but for that of the migrations, and counts from 1 again. */
const empty = Effect.flatMap(
  SqlClient.SqlClient,
  (sql) =>
    sql`DO ${sql.literal(`$$
  DECLARE relation record;
  BEGIN
    SET LOCAL session_replication_role = replica;
    FOR relation IN
      SELECT oid::regclass AS name, relkind FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace
        AND (relkind = 'S' OR relkind = 'r' AND relname <> '${Migrate.table}' AND pg_relation_size(oid) > 0)
    LOOP
      IF relation.relkind = 'S' THEN
        PERFORM setval(relation.name, 1, false);
      ELSE
        EXECUTE format('DELETE FROM %s', relation.name);
      END IF;
    END LOOP;
  END $$`)}`
)

/** Schemas that are empty but for their tables. */
const emptied: Array<string> = []

/**
 * Empty of rows, with or without the platform's tables, and emptied with the scope for the next one: to make and drop
 * these tables takes longer than most tests. Not for a test that changes tables.
 */
export const stores: Layer.Layer<SqlClient.SqlClient, DatabaseError> = Layer.unwrap(
  Effect.sync(() => {
    const known = emptied.pop()
    const name = known ?? draw("s")
    const own = Effect.flatMap(SqlClient.SqlClient, (sql) =>
      Effect.acquireRelease(known === undefined ? Effect.asVoid(sql`CREATE SCHEMA ${sql(name)}`) : Effect.void, () =>
        Effect.ignore(Effect.andThen(empty, () => Effect.sync(() => emptied.push(name))))
      )
    )
    return Layer.effectDiscard(Effect.orDie(own)).pipe(Layer.provideMerge(client({ search_path: name })))
  })
)

/** The address of a database of one's own, gone with the scope: for what looks at more than its own tables. */
export const database = Effect.gen(function* () {
  const name = draw("d")
  yield* Effect.acquireRelease(
    admin(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`CREATE DATABASE ${sql(name)}`)),
    () => admin(Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DROP DATABASE ${sql(name)} WITH (FORCE)`))
  )
  return url.replace(/\/postgres$/, `/${name}`)
})
