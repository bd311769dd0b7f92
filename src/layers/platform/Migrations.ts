/**
 * The platform's schema, step by step, for SQLite and Postgres alike: unquoted lower-case names, TEXT, INTEGER (four
 * bytes suffice), BIGINT (milliseconds, byte counts), DOUBLE PRECISION. A released step never changes.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { DatabaseError } from "../sql/DatabaseError.ts"
import * as Migrate from "../sql/Migrate.ts"

const identities = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE identities (
    claw_id TEXT PRIMARY KEY,
    app_key TEXT NOT NULL UNIQUE,
    secret_hash TEXT NOT NULL,
    owner_id TEXT,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    avatar TEXT NOT NULL,
    hourly_rate DOUBLE PRECISION NOT NULL,
    scene_tags TEXT NOT NULL,
    custom_tags TEXT NOT NULL,
    instance_type INTEGER NOT NULL,
    dialect TEXT,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT
  )`
  yield* sql`CREATE INDEX identities_by_name ON identities (name, claw_id)`
})

const people = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)`
  yield* sql`CREATE TABLE people (
    user_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
  )`
  yield* sql`CREATE TABLE tickets (
    ticket_hash TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX tickets_by_expiry ON tickets (expires_at)`
  yield* sql`CREATE TABLE api_keys (
    key_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
  )`
  yield* sql`CREATE INDEX api_keys_by_person ON api_keys (user_id, created_at)`
})

const sessions = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE sessions (
    session_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    claw_id TEXT NOT NULL REFERENCES identities (claw_id),
    title TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX sessions_by_person ON sessions (user_id, updated_at)`
  yield* sql`CREATE INDEX sessions_by_agent ON sessions (claw_id, updated_at)`
  // Each database's own counter: the numbers only grow and none is given twice, also after a removal.
  const ordinal = sql.onDialectOrElse({
    pg: () => sql.literal("BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    orElse: () => sql.literal("INTEGER PRIMARY KEY AUTOINCREMENT")
  })
  yield* sql`CREATE TABLE exchanges (
    ordinal ${ordinal},
    session_id TEXT NOT NULL REFERENCES sessions (session_id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    response_id TEXT NOT NULL UNIQUE,
    previous_response_id TEXT,
    claw_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    parts TEXT NOT NULL,
    stream INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    status TEXT NOT NULL,
    reply_text TEXT NOT NULL,
    failure_code TEXT,
    failure_message TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (session_id, message_id)
  )`
  yield* sql`CREATE INDEX exchanges_of_session ON exchanges (session_id, ordinal)`
  // Only what has not ended: the mailbox of each agent. Without the status, so that a step forward touches no index.
  yield* sql`CREATE INDEX exchanges_open ON exchanges (claw_id, ordinal) WHERE ended_at IS NULL`
})

const files = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE files (
    file_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    session_id TEXT,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX files_of_person ON files (user_id)`
  yield* sql`CREATE INDEX files_of_session ON files (session_id)`
})

/**
 * How many connections an agent has had: only the newest one may write (Sessions.attach). And which of them began a
 * reply.
 */
const epochs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE identities ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0`
  yield* sql`ALTER TABLE exchanges ADD COLUMN epoch BIGINT`
})

/**
 * Agents' keys that are changed or ended: the hash of the secret before and until when it is still good. And people
 * whom another issuer knows: `name` is then that issuer and its subject, which nobody can sign in by, `display` is what
 * others see.
 */
const keys = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE identities ADD COLUMN previous_hash TEXT`
  yield* sql`ALTER TABLE identities ADD COLUMN previous_until BIGINT`
  yield* sql`ALTER TABLE identities ADD COLUMN revoked_at BIGINT`
  yield* sql`ALTER TABLE people ADD COLUMN display TEXT`
})

/**
 * Whether an agent may come on the line: `approved_at` NULL waits for whoever runs the platform, `inactive_at` is
 * switched off. `shut_at`: when it was last switched off or its keys ended, for whoever has to end what is open.
 * `taken_at`: since when somebody holds its secret, so that a registration that is repeated gets no other one. All of
 * before were let in and used.
 *
 * Activations: who a registration's token makes the owner. Registrations: which agent an attempt (its hash) led to.
 */
const standing = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`ALTER TABLE identities ADD COLUMN approved_at BIGINT`
  yield* sql`ALTER TABLE identities ADD COLUMN inactive_at BIGINT`
  yield* sql`ALTER TABLE identities ADD COLUMN inactive_by TEXT`
  yield* sql`ALTER TABLE identities ADD COLUMN shut_at BIGINT`
  yield* sql`ALTER TABLE identities ADD COLUMN taken_at BIGINT`
  yield* sql`UPDATE identities SET approved_at = created_at, taken_at = created_at`
  yield* sql`CREATE INDEX identities_of_person ON identities (owner_id, name, claw_id)`
  yield* sql`CREATE INDEX identities_shut ON identities (shut_at) WHERE shut_at IS NOT NULL`
  yield* sql`CREATE TABLE activations (
    activation_id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    claw_id TEXT
  )`
  yield* sql`CREATE INDEX activations_of_person ON activations (user_id, created_at)`
  yield* sql`CREATE TABLE registrations (
    attempt_hash TEXT PRIMARY KEY,
    claw_id TEXT NOT NULL REFERENCES identities (claw_id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX registrations_by_age ON registrations (created_at)`
})

export const migrations = {
  "0001_identities": identities,
  "0002_people": people,
  "0003_sessions": sessions,
  "0004_files": files,
  "0005_epochs": epochs,
  "0006_keys": keys,
  "0007_standing": standing
}

type Step = (typeof migrations)[keyof typeof migrations]

const numberOf = (name: string): number => Number.parseInt(name, 10)

/** The number of the newest step. */
export const newest = Math.max(...Object.keys(migrations).map(numberOf))

/** The steps that a database of this number has had. */
export const upTo = (number: number): Readonly<Record<string, Step>> =>
  Object.fromEntries(Object.entries<Step>(migrations).filter(([name]) => numberOf(name) <= number))

/** `database`: the name that sentences for the operator use. */
export const run = (database: string): Effect.Effect<void, DatabaseError, SqlClient.SqlClient> =>
  Migrate.run({ database, migrations })
