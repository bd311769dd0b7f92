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

/**
 * The market. Points are whole hundredths. Of a task: `fencing` counts its grabs; `lease_until` is set while somebody
 * holds it, `review_until` while its deliverable waits to be looked at; `held_at` is when it was grabbed; the attempts
 * are hashes of idempotency keys, `post_body` of what was posted with one.
 *
 * The ledger: two entries for each movement. Accounts are `user:`, `agent:`, `escrow:` (one for each task) and `mint:`
 * (one for each account that was given points), so that no row is everybody's. `seq` counts an account's entries.
 *
 * Artifacts: files that agents hand in; their bytes lie under their `sha256`.
 */
const market = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    creator_id TEXT NOT NULL,
    category TEXT NOT NULL,
    bounty BIGINT NOT NULL,
    deadline BIGINT,
    status TEXT NOT NULL,
    review TEXT,
    claw_id TEXT,
    fencing BIGINT NOT NULL,
    lease_until BIGINT,
    review_until BIGINT,
    held_at BIGINT,
    started_at BIGINT,
    finished_at BIGINT,
    delivered_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    post_attempt TEXT,
    post_body TEXT,
    grab_attempt TEXT,
    deliver_attempt TEXT,
    accept_attempt TEXT,
    archive_id TEXT,
    input_files TEXT NOT NULL,
    return_reason TEXT,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    result_description TEXT,
    UNIQUE (creator_id, post_attempt)
  )`
  // With all that a page is chosen by, so that its place is found in the index alone.
  yield* sql`CREATE INDEX tasks_open ON tasks (created_at, task_id, deadline) WHERE status = 'available'`
  yield* sql`CREATE INDEX tasks_open_in ON tasks (category, created_at, task_id, deadline) WHERE status = 'available'`
  yield* sql`CREATE INDEX tasks_of_person ON tasks (creator_id, created_at, task_id)`
  yield* sql`CREATE INDEX tasks_unfinished ON tasks (creator_id) WHERE finished_at IS NULL`
  yield* sql`CREATE INDEX tasks_held ON tasks (claw_id) WHERE lease_until IS NOT NULL`
  yield* sql`CREATE INDEX tasks_leases ON tasks (lease_until) WHERE lease_until IS NOT NULL`
  yield* sql`CREATE INDEX tasks_reviews ON tasks (review_until) WHERE review_until IS NOT NULL`
  yield* sql`CREATE INDEX tasks_deadlines ON tasks (deadline) WHERE finished_at IS NULL AND deadline IS NOT NULL`
  yield* sql`CREATE TABLE accounts (account TEXT PRIMARY KEY, balance BIGINT NOT NULL, entries BIGINT NOT NULL)`
  yield* sql`CREATE TABLE ledger (
    entry_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    seq BIGINT NOT NULL,
    counter TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    task_id TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (account, seq)
  )`
  yield* sql`CREATE TABLE artifacts (
    artifact_id TEXT PRIMARY KEY,
    claw_id TEXT NOT NULL,
    task_id TEXT,
    session_id TEXT,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    entries TEXT,
    attempt TEXT,
    created_at BIGINT NOT NULL,
    UNIQUE (claw_id, attempt)
  )`
  yield* sql`CREATE INDEX artifacts_of_task ON artifacts (task_id)`
  yield* sql`CREATE INDEX artifacts_by_content ON artifacts (sha256)`
})

/**
 * Claworld's places and who is in them.
 *
 * `changed`, of agents and memberships, is a number drawn from `counters` by the transaction that changes the row, which
 * keeps that counter until it ends: the numbers are in the order of the commits, so whoever has read up to one has seen
 * all below it (claworld/changes).
 *
 * An agent is online until `online_until`; `epoch` counts its connections. Of a world: `made_by` is who made it, for the
 * limit on that, `rules` is what it asks and says, as JSON, `hotness` and `member_count` are kept as it changes. Of a
 * membership: `terms` are the words of its profile as the matching compares them, read by the rules of `matching`; one
 * that is over has `left_at` and no profile any more. Drafts: which fields earlier rounds of an entry had answered.
 */
const claworld = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)`
  yield* sql`CREATE TABLE world_agents (
    agent_id TEXT PRIMARY KEY,
    agent_code TEXT NOT NULL,
    domain TEXT NOT NULL,
    display_name TEXT NOT NULL,
    owner_id TEXT,
    token_hash TEXT NOT NULL UNIQUE,
    discoverable INTEGER NOT NULL,
    contactable INTEGER NOT NULL,
    epoch BIGINT NOT NULL,
    online_until BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (agent_code, domain)
  )`
  yield* sql`CREATE INDEX world_agents_of_person ON world_agents (owner_id, display_name, agent_id)`
  yield* sql`CREATE INDEX world_agents_by_change ON world_agents (changed)`
  yield* sql`CREATE TABLE blocks (
    agent_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    other_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (agent_id, other_id)
  )`
  yield* sql`CREATE INDEX blocks_of_other ON blocks (other_id, agent_id)`
  yield* sql`CREATE TABLE worlds (
    world_id TEXT PRIMARY KEY,
    made_by TEXT NOT NULL,
    is_enabled INTEGER NOT NULL,
    display_name TEXT NOT NULL,
    summary TEXT NOT NULL,
    category TEXT NOT NULL,
    admins TEXT NOT NULL,
    rules TEXT NOT NULL,
    hotness BIGINT NOT NULL,
    member_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX worlds_hot ON worlds (hotness, created_at, world_id) WHERE is_enabled = 1`
  yield* sql`CREATE INDEX worlds_latest ON worlds (created_at, world_id) WHERE is_enabled = 1`
  yield* sql`CREATE INDEX worlds_of_maker ON worlds (made_by, created_at)`
  yield* sql`CREATE TABLE memberships (
    world_id TEXT NOT NULL REFERENCES worlds (world_id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    profile TEXT NOT NULL,
    terms TEXT NOT NULL,
    matching INTEGER NOT NULL,
    joined_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    left_at BIGINT,
    changed BIGINT NOT NULL,
    PRIMARY KEY (world_id, agent_id)
  )`
  yield* sql`CREATE INDEX memberships_of_agent ON memberships (agent_id, world_id)`
  yield* sql`CREATE INDEX memberships_by_change ON memberships (world_id, changed)`
  yield* sql`CREATE INDEX memberships_by_activity ON memberships (world_id, active_at) WHERE left_at IS NULL`
  yield* sql`CREATE INDEX memberships_by_joining ON memberships (world_id, joined_at, agent_id) WHERE left_at IS NULL`
  yield* sql`CREATE TABLE drafts (
    world_id TEXT NOT NULL REFERENCES worlds (world_id) ON DELETE CASCADE,
    agent_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    fields TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (world_id, agent_id)
  )`
  yield* sql`CREATE TABLE world_feedback (
    feedback_id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    category TEXT NOT NULL,
    impact TEXT NOT NULL,
    title TEXT NOT NULL,
    details TEXT NOT NULL,
    world_id TEXT,
    session_id TEXT,
    tags TEXT NOT NULL,
    created_at BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX world_feedback_by_age ON world_feedback (created_at, feedback_id)`
  yield* sql`CREATE INDEX world_feedback_of_agent ON world_feedback (agent_id, created_at)`
})

/**
 * Claworld's talks. A request is `pending` at most once for a key (the pair and its world), a conversation under way at
 * most once (law one-conversation). `attempt` is the hash of an idempotency key. Of a conversation: `speaker` is whose
 * word it is, `due_at` when that takes too long. A turn is there once by its number (law turn-order); so is what is
 * delivered for it (law kickoff-once). Of a delivery: `turn` is the number that its answer will have, `open` is 1 until
 * it is answered or nobody waits for it any more.
 */
const talks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE chat_requests (
    chat_request_id TEXT PRIMARY KEY,
    conversation_key TEXT NOT NULL,
    requester_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    target_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    world_id TEXT,
    opening_message TEXT,
    policy TEXT NOT NULL,
    status TEXT NOT NULL,
    conversation_id TEXT,
    attempt TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    UNIQUE (requester_id, attempt)
  )`
  yield* sql`CREATE UNIQUE INDEX chat_requests_pending ON chat_requests (conversation_key) WHERE status = 'pending'`
  yield* sql`CREATE INDEX chat_requests_out ON chat_requests (requester_id, created_at, chat_request_id)`
  yield* sql`CREATE INDEX chat_requests_in ON chat_requests (target_id, created_at, chat_request_id)`
  yield* sql`CREATE INDEX chat_requests_expiring ON chat_requests (expires_at) WHERE status = 'pending'`
  yield* sql`CREATE TABLE conversations (
    conversation_id TEXT PRIMARY KEY,
    conversation_key TEXT NOT NULL,
    chat_request_id TEXT NOT NULL,
    world_id TEXT,
    requester_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    peer_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    policy TEXT NOT NULL,
    status TEXT NOT NULL,
    kickoff TEXT NOT NULL,
    turn BIGINT NOT NULL,
    speaker TEXT,
    requester_hand INTEGER NOT NULL,
    peer_hand INTEGER NOT NULL,
    silences BIGINT NOT NULL,
    due_at BIGINT,
    end_reason TEXT,
    started_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
  )`
  yield* sql`CREATE UNIQUE INDEX conversations_open ON conversations (conversation_key)
    WHERE status IN ('opening', 'active', 'silent')`
  yield* sql`CREATE INDEX conversations_by_key ON conversations (conversation_key, started_at, conversation_id)`
  yield* sql`CREATE INDEX conversations_of_requester ON conversations (requester_id, started_at, conversation_id)`
  yield* sql`CREATE INDEX conversations_of_peer ON conversations (peer_id, started_at, conversation_id)`
  yield* sql`CREATE INDEX conversations_of_world ON conversations (world_id, started_at) WHERE world_id IS NOT NULL`
  yield* sql`CREATE INDEX conversations_due ON conversations (due_at) WHERE due_at IS NOT NULL`
  yield* sql`CREATE INDEX conversations_queued ON conversations (requester_id) WHERE kickoff = 'queued'`
  yield* sql`CREATE TABLE turns (
    conversation_id TEXT NOT NULL REFERENCES conversations (conversation_id) ON DELETE CASCADE,
    turn BIGINT NOT NULL,
    from_id TEXT NOT NULL,
    text TEXT NOT NULL,
    raised_hand INTEGER NOT NULL,
    silence TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, turn)
  )`
  yield* sql`CREATE TABLE deliveries (
    delivery_id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES world_agents (agent_id) ON DELETE CASCADE,
    conversation_id TEXT NOT NULL REFERENCES conversations (conversation_id) ON DELETE CASCADE,
    type TEXT NOT NULL,
    turn BIGINT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (conversation_id, turn, type, agent_id)
  )`
  yield* sql`CREATE INDEX deliveries_open ON deliveries (agent_id, created_at, delivery_id) WHERE open = 1`
  yield* sql`CREATE INDEX deliveries_open_of ON deliveries (conversation_id) WHERE open = 1`
  yield* sql`CREATE INDEX deliveries_notices ON deliveries (created_at) WHERE open = 1 AND type = 'notice'`
})

export const migrations = {
  "0001_identities": identities,
  "0002_people": people,
  "0003_sessions": sessions,
  "0004_files": files,
  "0005_epochs": epochs,
  "0006_keys": keys,
  "0007_standing": standing,
  "0008_market": market,
  "0009_claworld": claworld,
  "0010_talks": talks
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
