/** The agents this platform knows, in SQL. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { Identities } from "../../services/platform/Identities.ts"
import { Conflict, Forbidden, NotAdmitted, NotFound, Unauthorized } from "../../services/platform/PlatformError.ts"
import { check, columnsOf, type Row, toIdentity } from "./identityRows.ts"
import * as secrets from "./secrets.ts"
import { redeem } from "./SqlActivations.ts"
import { atEdge, lockKey, toId, toOptionalNumber } from "./sqlStore.ts"

const maxPage = 200
/** How long an attempt is remembered. */
const memory = Duration.toMillis("1 day")

const unknownKey = new Unauthorized({
  detail: "The app key or its secret is not known here. Check both, or register the agent on this platform."
})
const takenAlready = new Conflict({
  detail:
    "This registration went through before, and the key it gave out is in use or was changed since, so it is not shown again. No second agent was made. Go on with the profile that was written then; or give that agent a new secret on the platform's page; or register a new agent with a confirmation of its own."
})
const operatorsSwitch = new Forbidden({
  detail:
    "Whoever runs this platform switched this agent off, so only they can switch it on again. Ask them what it needs."
})
/** Compared with where there is no such key, so that the answer takes as long. */
const nobody = secrets.hash("")

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom

  const one = (rows: ReadonlyArray<Row>) => {
    const [row] = rows
    return row === undefined ? Effect.fail(new NotFound({ what: "agent" })) : Effect.succeed(toIdentity(row))
  }

  const register: Identities["Service"]["register"] = Effect.fn("Identities.register")(function* (input) {
    const { identity, token } = input
    const profile = yield* check(identity)
    const secret = yield* secrets.draw(random, "")
    const appSecret = Redacted.make(secret)
    const clawId = yield* secrets.drawId(random, "claw_")
    const appKey = yield* secrets.drawId(random, "ak_")
    const now = yield* Clock.currentTimeMillis

    const insert = Effect.gen(function* () {
      const owner_id = token === undefined ? identity.ownerId : yield* redeem(sql, token, clawId)
      const rows = yield* sql<Row>`INSERT INTO identities ${sql.insert({
        ...columnsOf(profile),
        claw_id: clawId,
        app_key: appKey,
        secret_hash: secrets.hash(secret),
        owner_id,
        created_at: now,
        approved_at: identity.isApproved === false ? null : now
      })} RETURNING *`
      return { identity: yield* Effect.orDie(one(rows)), appSecret, isAgain: false }
    })

    const { attempt } = input
    if (attempt === undefined) return yield* sql.withTransaction(insert)

    const attempt_hash = secrets.hash(Redacted.value(attempt))
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `attempt ${attempt_hash}`)
        yield* sql`DELETE FROM registrations WHERE created_at <= ${now - memory}`
        const [before] = yield* sql<{
          claw_id: string
        }>`SELECT claw_id FROM registrations WHERE attempt_hash = ${attempt_hash}`
        if (before === undefined) {
          const created = yield* insert
          yield* sql`INSERT INTO registrations ${sql.insert({ attempt_hash, claw_id: clawId, created_at: now })}`
          return created
        }
        // The secret that was answered then is not kept: another one, as long as nobody can hold the first.
        const [row] = yield* sql<Row>`UPDATE identities SET secret_hash = ${secrets.hash(secret)}
          WHERE claw_id = ${before.claw_id} AND taken_at IS NULL AND revoked_at IS NULL RETURNING *`
        return row === undefined ? yield* takenAlready : { identity: toIdentity(row), appSecret, isAgain: true }
      })
    )
  }, atEdge)

  const create: Identities["Service"]["create"] = (identity) =>
    register({ identity }).pipe(Effect.catchTag(["Conflict", "TokenRefused"], Effect.die))

  const authenticate: Identities["Service"]["authenticate"] = Effect.fn("Identities.authenticate")(function* (
    appKey,
    appSecret
  ) {
    const [row] = yield* sql<Row>`SELECT * FROM identities WHERE app_key = ${toId(appKey)}`
    const secret = Redacted.value(appSecret)
    const now = yield* Clock.currentTimeMillis
    // Always both, so that the answer takes as long whatever there is, and says as little.
    const isPresent = secrets.matches(secret, row?.secret_hash ?? nobody)
    const isPrevious = secrets.matches(secret, row?.previous_hash ?? nobody)
    const isGood = isPresent || (isPrevious && (toOptionalNumber(row?.previous_until ?? null) ?? 0) > now)
    if (row === undefined || row.revoked_at !== null || !isGood) return yield* unknownKey
    if (row.taken_at === null) {
      const hash = secrets.hash(secret)
      const taken = yield* sql`UPDATE identities SET taken_at = ${now}
        WHERE claw_id = ${row.claw_id} AND (secret_hash = ${hash} OR previous_hash = ${hash}) RETURNING claw_id`
      // A repeated registration has got another one in this very moment.
      if (taken.length === 0) return yield* unknownKey
    }
    const identity = toIdentity(row)
    return identity.standing === "approved" ? identity : yield* new NotAdmitted({ standing: identity.standing })
  }, atEdge)

  const edit: Identities["Service"]["edit"] = Effect.fn("Identities.edit")(function* (clawId, changes) {
    const id = toId(clawId)
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `agent ${id}`)
        const now = yield* Effect.flatMap(sql<Row>`SELECT * FROM identities WHERE claw_id = ${id}`, one)
        const profile = yield* check({ ...now, ...changes })
        return yield* Effect.flatMap(
          sql<Row>`UPDATE identities SET ${sql.update(columnsOf(profile))} WHERE claw_id = ${id} RETURNING *`,
          one
        )
      })
    )
  }, atEdge)

  const approve: Identities["Service"]["approve"] = Effect.fn("Identities.approve")(function* (clawId) {
    const now = yield* Clock.currentTimeMillis
    return yield* one(
      yield* sql<Row>`UPDATE identities SET approved_at = COALESCE(approved_at, ${now})
        WHERE claw_id = ${toId(clawId)} RETURNING *`
    )
  }, atEdge)

  const deactivate: Identities["Service"]["deactivate"] = Effect.fn("Identities.deactivate")(function* (clawId, by) {
    const now = yield* Clock.currentTimeMillis
    // The operator's word stands over the owner's, whoever came first.
    return yield* one(
      yield* sql<Row>`UPDATE identities SET inactive_at = ${now}, shut_at = ${now},
          inactive_by = CASE WHEN inactive_by = 'operator' THEN inactive_by ELSE ${by} END
        WHERE claw_id = ${toId(clawId)} RETURNING *`
    )
  }, atEdge)

  const activate: Identities["Service"]["activate"] = Effect.fn("Identities.activate")(function* (clawId, by) {
    const [row] = yield* sql<Row>`UPDATE identities SET inactive_at = NULL, inactive_by = NULL
      WHERE claw_id = ${toId(clawId)}
        ${sql.literal(by === "operator" ? "" : "AND (inactive_by IS NULL OR inactive_by = 'owner')")} RETURNING *`
    if (row !== undefined) return toIdentity(row)
    yield* find(clawId)
    return yield* operatorsSwitch
  }, atEdge)

  const shutSince: Identities["Service"]["shutSince"] = Effect.fn("Identities.shutSince")(function* (time) {
    const rows = yield* sql<Row>`SELECT * FROM identities
      WHERE shut_at >= ${time} AND (inactive_at IS NOT NULL OR revoked_at IS NOT NULL)`
    return rows.map(toIdentity)
  }, atEdge)

  const rotate: Identities["Service"]["rotate"] = Effect.fn("Identities.rotate")(function* (clawId, options) {
    const appSecret = yield* secrets.draw(random, "")
    const grace = Duration.toMillis(options?.grace ?? 0)
    const now = yield* Clock.currentTimeMillis
    // What was revoked is not good again because there is a new secret, and has no grace.
    const rows = yield* sql<Row>`UPDATE identities SET
        previous_hash = CASE WHEN ${grace > 0 ? 1 : 0} = 1 AND revoked_at IS NULL THEN secret_hash END,
        previous_until = ${now + grace}, secret_hash = ${secrets.hash(appSecret)}, revoked_at = NULL,
        taken_at = COALESCE(taken_at, ${now})
      WHERE claw_id = ${toId(clawId)} RETURNING *`
    return { identity: yield* one(rows), appSecret: Redacted.make(appSecret) }
  }, atEdge)

  const revoke: Identities["Service"]["revoke"] = Effect.fn("Identities.revoke")(function* (clawId) {
    const now = yield* Clock.currentTimeMillis
    return yield* one(
      yield* sql<Row>`UPDATE identities SET revoked_at = ${now}, shut_at = ${now},
          previous_hash = NULL, previous_until = NULL
        WHERE claw_id = ${toId(clawId)} RETURNING *`
    )
  }, atEdge)

  const find: Identities["Service"]["find"] = Effect.fn("Identities.find")(function* (clawId) {
    return yield* one(yield* sql<Row>`SELECT * FROM identities WHERE claw_id = ${toId(clawId)}`)
  }, atEdge)

  const list: Identities["Service"]["list"] = Effect.fn("Identities.list")(function* (page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
    const wanted = [
      ...(page.after === undefined
        ? []
        : [sql`(name, claw_id) > (SELECT name, claw_id FROM identities WHERE claw_id = ${toId(page.after)})`]),
      ...(page.ownerId === undefined ? [] : [sql`owner_id = ${toId(page.ownerId)}`]),
      ...(page.standing === "public" ? [sql`approved_at IS NOT NULL`] : []),
      ...(page.standing === "pending" ? [sql`approved_at IS NULL`] : [])
    ]
    const where = wanted.length === 0 ? sql.literal("") : sql`WHERE ${sql.and(wanted)}`
    const rows = yield* sql<Row>`SELECT * FROM identities ${where} ORDER BY name, claw_id LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map(toIdentity)
    return { items, next: rows.length > limit ? items.at(-1)?.clawId : undefined }
  }, atEdge)

  const seen: Identities["Service"]["seen"] = Effect.fn("Identities.seen")(function* (clawId) {
    const now = yield* Clock.currentTimeMillis
    yield* sql`UPDATE identities SET last_seen_at = ${now} WHERE claw_id = ${toId(clawId)}`
  }, atEdge)

  return Identities.of({
    create,
    register,
    authenticate,
    edit,
    approve,
    deactivate,
    activate,
    shutSince,
    rotate,
    revoke,
    find,
    list,
    seen
  })
})

export const layer: Layer.Layer<Identities, never, SqlClient.SqlClient | SecureRandom.SecureRandom> = Layer.effect(
  Identities,
  make
)
