/** The people of this platform, in SQL. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { type ApiKey, People, type Person } from "../../services/platform/People.ts"
import { LimitReached, NotFound, type StoreError, Unauthorized } from "../../services/platform/PlatformError.ts"
import { type Claims, ExternalIssuer } from "../../services/platform/ExternalIssuer.ts"
import * as names from "./names.ts"
import * as secrets from "./secrets.ts"
import { atEdge, lockKey, toId, toNumber, toOptionalNumber, toText } from "./sqlStore.ts"
import * as tokens from "./tokens.ts"

type Numeric = number | bigint | string

interface PersonRow {
  readonly user_id: string
  readonly name: string
  /** Of people whom another issuer knows; `name` is then not for reading. */
  readonly display: string | null
  readonly created_at: Numeric
}

interface KeyRow {
  readonly key_id: string
  readonly name: string
  readonly hint: string
  readonly created_at: Numeric
  readonly last_used_at: Numeric | null
}

const toPerson = (row: PersonRow): Person => ({
  userId: row.user_id,
  name: row.display ?? row.name,
  createdAt: toNumber(row.created_at)
})

const toKey = (row: KeyRow): ApiKey => ({
  keyId: row.key_id,
  name: row.name,
  hint: row.hint,
  createdAt: toNumber(row.created_at),
  lastUsedAt: toOptionalNumber(row.last_used_at)
})

const ticketLifetime = 90_000
const maxKeys = 20
/** Of the key itself, prefix included. */
const hintLength = 8
const usePrecision = 60_000

const unknownKey = new Unauthorized({
  detail: "This key is not known here, or it was revoked. Make a new one under your keys."
})
const unknownTicket = new Unauthorized({
  detail:
    "This ticket is used up, too old or not known. Ask for a new one: it is good for one connection within 90 seconds."
})
const unknownPerson = new Unauthorized({ detail: "This sign-in is of somebody not known here. Sign in again." })

/** What signs the tokens: drawn at the first start and kept, so that a restart signs nobody out. */
const signingSecret = Effect.fnUntraced(function* (random: SecureRandom.SecureRandom["Service"]) {
  const sql = yield* SqlClient.SqlClient
  const drawn = yield* secrets.draw(random, "")
  yield* sql`INSERT INTO settings ${sql.insert({ name: "token_secret", value: drawn })} ON CONFLICT (name) DO NOTHING`
  const [row] = yield* sql<{ value: string }>`SELECT value FROM settings WHERE name = 'token_secret'`
  return Redacted.make(row?.value ?? drawn)
})

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const external = yield* ExternalIssuer
  const issuer = tokens.make(yield* atEdge(signingSecret(random)))

  const signIn: People["Service"]["signIn"] = Effect.fn("People.signIn")(function* (input) {
    const name = yield* names.line({ text: input, param: "name", what: "The name", max: 64 })
    const userId = yield* secrets.drawId(random, "user_")
    const now = yield* Clock.currentTimeMillis
    const select = sql<PersonRow>`SELECT user_id, name, display, created_at FROM people WHERE name = ${name}`
    let [row] = yield* select
    if (row === undefined) {
      yield* sql`INSERT INTO people ${sql.insert({ user_id: userId, name, created_at: now })}
        ON CONFLICT (name) DO NOTHING`
      row = (yield* select)[0]
    }
    const person = row === undefined ? { userId, name, createdAt: now } : toPerson(row)
    return { person, token: yield* issuer.issue(person.userId) }
  }, atEdge)

  const byId = Effect.fnUntraced(function* (userId: string) {
    const [row] =
      yield* sql<PersonRow>`SELECT user_id, name, display, created_at FROM people WHERE user_id = ${toId(userId)}`
    return row === undefined ? yield* unknownPerson : toPerson(row)
  })

  const byKey = Effect.fnUntraced(function* (key: string) {
    const [row] = yield* sql<
      PersonRow & { readonly key_id: string; readonly last_used_at: Numeric | null }
    >`SELECT p.user_id, p.name, p.display, p.created_at, k.key_id, k.last_used_at FROM api_keys k
      JOIN people p ON p.user_id = k.user_id WHERE k.key_hash = ${secrets.hash(key)}`
    if (row === undefined) return yield* unknownKey
    const now = yield* Clock.currentTimeMillis
    const last = toOptionalNumber(row.last_used_at)
    if (last === undefined || now - last >= usePrecision) {
      // Nobody is shut out because a note could not be taken.
      yield* sql`UPDATE api_keys SET last_used_at = ${now} WHERE key_id = ${row.key_id}`.pipe(
        Effect.catch((error) => Effect.logDebug("The last use of a key was not noted", error.message))
      )
    }
    return toPerson(row)
  })

  const byClaims = Effect.fnUntraced(function* (claims: Claims) {
    // No name that anybody signs in by holds this character (names.line).
    const name = toText(`\u001f${claims.issuer}\u001f${claims.subject}`)
    const display = names.cut(claims.name, 64)
    const select = sql<PersonRow>`SELECT user_id, name, display, created_at FROM people WHERE name = ${name}`
    const [known] = yield* select
    if (known !== undefined && known.display === display) return toPerson(known)
    const user_id = yield* secrets.drawId(random, "user_")
    const created_at = yield* Clock.currentTimeMillis
    yield* sql`INSERT INTO people ${sql.insert({ user_id, name, display, created_at })}
      ON CONFLICT (name) DO UPDATE SET display = excluded.display`
    const [row] = yield* select
    return row === undefined ? yield* unknownPerson : toPerson(row)
  })

  const authenticate: People["Service"]["authenticate"] = Effect.fn("People.authenticate")(function* (bearer) {
    const value = Redacted.value(bearer)
    if (value.startsWith("ck_")) return yield* byKey(value)
    if (external?.issued(bearer) === true) return yield* byClaims(yield* external.verify(bearer))
    return yield* byId(yield* issuer.verify(bearer))
  }, atEdge)

  const issueTicket: People["Service"]["issueTicket"] = Effect.fn("People.issueTicket")(function* (userId) {
    const ticket = yield* secrets.draw(random, "ct_")
    const now = yield* Clock.currentTimeMillis
    yield* sql`DELETE FROM tickets WHERE expires_at <= ${now}`
    yield* sql`INSERT INTO tickets ${sql.insert({
      ticket_hash: secrets.hash(ticket),
      user_id: userId,
      expires_at: now + ticketLifetime
    })}`
    return Redacted.make(ticket)
  }, atEdge)

  const redeemTicket: People["Service"]["redeemTicket"] = Effect.fn("People.redeemTicket")(function* (ticket) {
    const now = yield* Clock.currentTimeMillis
    // Taking it out is using it: of two that come at once one finds nothing.
    const [row] = yield* sql<{ user_id: string; expires_at: Numeric }>`DELETE FROM tickets
      WHERE ticket_hash = ${secrets.hash(Redacted.value(ticket))} RETURNING user_id, expires_at`
    if (row === undefined || toNumber(row.expires_at) <= now) return yield* unknownTicket
    return yield* byId(row.user_id)
  }, atEdge)

  const createKey: People["Service"]["createKey"] = Effect.fn("People.createKey")(function* (userId, label) {
    const name = yield* names.line({ text: label, param: "name", what: "The name of the key", max: 64 })
    const secret = yield* secrets.draw(random, "ck_")
    const key: ApiKey = {
      keyId: yield* secrets.drawId(random, "key_"),
      name,
      hint: secret.slice(0, hintLength),
      createdAt: yield* Clock.currentTimeMillis,
      lastUsedAt: undefined
    }
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `keys ${userId}`)
        const [row] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM api_keys WHERE user_id = ${toId(userId)}`
        if (toNumber(row?.n ?? 0) >= maxKeys) {
          return yield* new LimitReached({
            detail: `You have ${maxKeys} keys, which is the limit. Revoke one that you no longer use.`
          })
        }
        yield* sql`INSERT INTO api_keys ${sql.insert({
          key_id: key.keyId,
          user_id: userId,
          key_hash: secrets.hash(secret),
          name,
          hint: key.hint,
          created_at: key.createdAt
        })}`
      })
    )
    return { key, secret: Redacted.make(secret) }
  }, atEdge)

  const listKeys: People["Service"]["listKeys"] = Effect.fn("People.listKeys")(function* (userId) {
    const rows = yield* sql<KeyRow>`SELECT key_id, name, hint, created_at, last_used_at FROM api_keys
      WHERE user_id = ${toId(userId)} ORDER BY created_at, key_id`
    return rows.map(toKey)
  }, atEdge)

  const revokeKey: People["Service"]["revokeKey"] = Effect.fn("People.revokeKey")(function* (userId, keyId) {
    const [row] = yield* sql<{
      key_hash: string
    }>`DELETE FROM api_keys WHERE key_id = ${toId(keyId)} AND user_id = ${toId(userId)} RETURNING key_hash`
    if (row === undefined) return yield* new NotFound({ what: "key" })
    yield* sql`DELETE FROM tickets WHERE user_id = ${toId(userId)}`
    return { hash: row.key_hash }
  }, atEdge)

  return People.of({ signIn, authenticate, issueTicket, redeemTicket, createKey, listKeys, revokeKey })
})

export const layer: Layer.Layer<People, StoreError, SqlClient.SqlClient | SecureRandom.SecureRandom> = Layer.effect(
  People,
  make
)
