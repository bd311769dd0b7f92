/** Activations, in SQL. `redeem` is for Identities.register, within its transaction. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { type Activation, Activations } from "../../services/platform/Activations.ts"
import { LimitReached, NotFound, TokenRefused } from "../../services/platform/PlatformError.ts"
import * as secrets from "./secrets.ts"
import { atEdge, lockKey, toId, toNumber, toOptionalNumber } from "./sqlStore.ts"

type Numeric = number | bigint | string

interface Row {
  readonly activation_id: string
  readonly hint: string
  readonly created_at: Numeric
  readonly expires_at: Numeric
  readonly used_at: Numeric | null
  readonly claw_id: string | null
}

const toActivation = (row: Row): Activation => ({
  activationId: row.activation_id,
  hint: row.hint,
  createdAt: toNumber(row.created_at),
  expiresAt: toNumber(row.expires_at),
  usedAt: toOptionalNumber(row.used_at),
  clawId: row.claw_id ?? undefined
})

export const prefix = "cact_"
/** Of the token itself, prefix included. */
const hintLength = 9
const maxOpen = 20
/** How long it is told why a token is good no more. */
const memory = Duration.toMillis("1 day")

export interface Options {
  /** How long a token is good. 15 minutes by default. */
  readonly lifetime?: Duration.Input | undefined
}

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const lifetime = Duration.toMillis(options.lifetime ?? "15 minutes")

  const start: Activations["Service"]["start"] = Effect.fn("Activations.start")(function* (userId) {
    const token = yield* secrets.draw(random, prefix)
    const createdAt = yield* Clock.currentTimeMillis
    const activation: Activation = {
      activationId: yield* secrets.drawId(random, "act_"),
      hint: token.slice(0, hintLength),
      createdAt,
      expiresAt: createdAt + lifetime,
      usedAt: undefined,
      clawId: undefined
    }
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `activations ${userId}`)
        yield* sql`DELETE FROM activations WHERE expires_at <= ${createdAt - memory}`
        const [row] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM activations
          WHERE user_id = ${toId(userId)} AND used_at IS NULL AND expires_at > ${createdAt}`
        if (toNumber(row?.n ?? 0) >= maxOpen) {
          return yield* new LimitReached({
            detail: `You have ${maxOpen} activation tokens that nobody has used yet, which is the limit. Withdraw one, or wait until they end by themselves.`
          })
        }
        yield* sql`INSERT INTO activations ${sql.insert({
          activation_id: activation.activationId,
          user_id: userId,
          token_hash: secrets.hash(token),
          hint: activation.hint,
          created_at: createdAt,
          expires_at: activation.expiresAt
        })}`
      })
    )
    return { activation, token: Redacted.make(token) }
  }, atEdge)

  const list: Activations["Service"]["list"] = Effect.fn("Activations.list")(function* (userId) {
    const now = yield* Clock.currentTimeMillis
    const rows = yield* sql<Row>`SELECT activation_id, hint, created_at, expires_at, used_at, claw_id FROM activations
      WHERE user_id = ${toId(userId)} AND expires_at > ${now - memory} ORDER BY created_at DESC, activation_id LIMIT 100`
    return rows.map(toActivation)
  }, atEdge)

  const withdraw: Activations["Service"]["withdraw"] = Effect.fn("Activations.withdraw")(function* (userId, id) {
    const gone = yield* sql`DELETE FROM activations
      WHERE activation_id = ${toId(id)} AND user_id = ${toId(userId)} RETURNING activation_id`
    if (gone.length === 0) return yield* new NotFound({ what: "activation" })
  }, atEdge)

  return Activations.of({ start, list, withdraw })
})

/** Uses a token up for this agent and says whose it is. */
export const redeem = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  token: Redacted.Redacted<string>,
  clawId: string
) {
  const now = yield* Clock.currentTimeMillis
  const hash = secrets.hash(Redacted.value(token))
  // Of two that come at once the database lets one find it unused.
  const [used] = yield* sql<{ user_id: string }>`UPDATE activations SET used_at = ${now}, claw_id = ${clawId}
    WHERE token_hash = ${hash} AND used_at IS NULL AND expires_at > ${now} RETURNING user_id`
  if (used !== undefined) return used.user_id
  const [row] = yield* sql<{ used_at: Numeric | null }>`SELECT used_at FROM activations WHERE token_hash = ${hash}`
  return yield* new TokenRefused({ why: row === undefined ? "unknown" : row.used_at === null ? "expired" : "used" })
})

export const layer = (
  options?: Options
): Layer.Layer<Activations, never, SqlClient.SqlClient | SecureRandom.SecureRandom> =>
  Layer.effect(Activations, make(options))
