/** The agents this platform knows, in SQL. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import { type AgentDialect, Identities, type Identity, type NewIdentity } from "../../services/platform/Identities.ts"
import { Invalid, NotFound, Unauthorized } from "../../services/platform/PlatformError.ts"
import * as names from "./names.ts"
import * as secrets from "./secrets.ts"
import { atEdge, toId, toNumber, toOptionalNumber, toText } from "./sqlStore.ts"

type Numeric = number | bigint | string

interface Row {
  readonly claw_id: string
  readonly app_key: string
  readonly owner_id: string | null
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly hourly_rate: Numeric
  readonly scene_tags: string
  readonly custom_tags: string
  readonly instance_type: Numeric
  readonly dialect: AgentDialect | null
  readonly created_at: Numeric
  readonly last_seen_at: Numeric | null
}

const toIdentity = (row: Row): Identity => ({
  clawId: row.claw_id,
  appKey: row.app_key,
  ownerId: row.owner_id ?? undefined,
  name: row.name,
  description: row.description,
  avatar: row.avatar,
  hourlyRate: toNumber(row.hourly_rate),
  sceneTags: JSON.parse(row.scene_tags),
  customTags: JSON.parse(row.custom_tags),
  instanceType: toNumber(row.instance_type),
  dialect: row.dialect ?? undefined,
  createdAt: toNumber(row.created_at),
  lastSeenAt: toOptionalNumber(row.last_seen_at)
})

const maxDescription = 2_000
const maxTags = 20
const maxTag = 32
const maxAvatarUrl = 2_048
const maxAvatarData = 64 * 1024
const maxPage = 200

const refuse = (param: string, detail: string) => Effect.fail(new Invalid({ detail, param }))

const checkTags = (tags: ReadonlyArray<string>, param: string) =>
  tags.length > maxTags
    ? refuse(param, `There are more than ${maxTags} tags. Keep the ones that say most.`)
    : Effect.forEach(tags, (text) => names.line({ text, param, what: "A tag", max: maxTag })).pipe(
        Effect.map((tags) => [...new Set(tags)])
      )

const checkAvatar = (avatar: string) => {
  if (avatar === "") return Effect.succeed(avatar)
  if (/^data:image\/[a-z0-9.+-]+[;,]/i.test(avatar)) {
    return avatar.length <= maxAvatarData
      ? Effect.succeed(avatar)
      : refuse("avatar", "The picture is larger than 64 KiB. Take a smaller one, or give an https address of it.")
  }
  return URL.canParse(avatar) && new URL(avatar).protocol === "https:" && avatar.length <= maxAvatarUrl
    ? Effect.succeed(avatar)
    : refuse("avatar", "The avatar is neither an https address nor an inline picture (data:image/...).")
}

const check = Effect.fnUntraced(function* (input: NewIdentity): Effect.fn.Return<NewIdentity, Invalid> {
  const name = yield* names.line({ text: input.name, param: "name", what: "The name", max: 64 })
  if (input.description.length > maxDescription) {
    return yield* refuse("description", "The description is longer than 2,000 characters. Shorten it.")
  }
  if (!Number.isFinite(input.hourlyRate) || input.hourlyRate < 0) {
    return yield* refuse("hourly_rate", "The hourly rate is not a number of 0 or more.")
  }
  if (!Number.isInteger(input.instanceType) || input.instanceType < 0 || input.instanceType > 0x7fff_ffff) {
    return yield* refuse("instance_type", "The instance type is not a whole number of 0 or more.")
  }
  return {
    ownerId: input.ownerId,
    name,
    description: toText(input.description).normalize("NFC"),
    avatar: yield* checkAvatar(input.avatar),
    hourlyRate: input.hourlyRate,
    sceneTags: yield* checkTags(input.sceneTags, "scene_tags"),
    customTags: yield* checkTags(input.customTags, "custom_tags"),
    instanceType: input.instanceType,
    dialect: input.dialect
  }
})

const unknownKey = new Unauthorized({
  detail: "The app key or its secret is not known here. Check both, or register the agent on this platform."
})
/** Compared with where there is no such key, so that the answer takes as long. */
const nobody = secrets.hash("")

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom

  const create: Identities["Service"]["create"] = Effect.fn("Identities.create")(function* (input) {
    const checked = yield* check(input)
    const appSecret = yield* secrets.draw(random, "")
    const identity: Identity = {
      ...checked,
      clawId: yield* secrets.drawId(random, "claw_"),
      appKey: yield* secrets.drawId(random, "ak_"),
      dialect: checked.dialect,
      createdAt: yield* Clock.currentTimeMillis,
      lastSeenAt: undefined
    }
    yield* sql`INSERT INTO identities ${sql.insert({
      claw_id: identity.clawId,
      app_key: identity.appKey,
      secret_hash: secrets.hash(appSecret),
      owner_id: identity.ownerId,
      name: identity.name,
      description: identity.description,
      avatar: identity.avatar,
      hourly_rate: identity.hourlyRate,
      scene_tags: JSON.stringify(identity.sceneTags),
      custom_tags: JSON.stringify(identity.customTags),
      instance_type: identity.instanceType,
      dialect: identity.dialect,
      created_at: identity.createdAt
    })}`
    return { identity, appSecret: Redacted.make(appSecret) }
  }, atEdge)

  const authenticate: Identities["Service"]["authenticate"] = Effect.fn("Identities.authenticate")(function* (
    appKey,
    appSecret
  ) {
    const [row] = yield* sql<
      Row & {
        readonly secret_hash: string
        readonly previous_hash: string | null
        readonly previous_until: Numeric | null
        readonly revoked_at: Numeric | null
      }
    >`SELECT * FROM identities WHERE app_key = ${toId(appKey)}`
    const secret = Redacted.value(appSecret)
    const now = yield* Clock.currentTimeMillis
    // Always both, so that the answer takes as long whatever there is, and says as little.
    const isPresent = secrets.matches(secret, row?.secret_hash ?? nobody)
    const isPrevious = secrets.matches(secret, row?.previous_hash ?? nobody)
    const isGood = isPresent || (isPrevious && (toOptionalNumber(row?.previous_until ?? null) ?? 0) > now)
    if (row === undefined || row.revoked_at !== null || !isGood) return yield* unknownKey
    return toIdentity(row)
  }, atEdge)

  const rotate: Identities["Service"]["rotate"] = Effect.fn("Identities.rotate")(function* (clawId, options) {
    const appSecret = yield* secrets.draw(random, "")
    const grace = Duration.toMillis(options?.grace ?? 0)
    const until = (yield* Clock.currentTimeMillis) + grace
    // What was revoked is not good again because there is a new secret, and has no grace.
    const [row] = yield* sql<Row>`UPDATE identities SET
        previous_hash = CASE WHEN ${grace > 0 ? 1 : 0} = 1 AND revoked_at IS NULL THEN secret_hash END,
        previous_until = ${until}, secret_hash = ${secrets.hash(appSecret)}, revoked_at = NULL
      WHERE claw_id = ${toId(clawId)} RETURNING *`
    if (row === undefined) return yield* new NotFound({ what: "agent" })
    return { identity: toIdentity(row), appSecret: Redacted.make(appSecret) }
  }, atEdge)

  const revoke: Identities["Service"]["revoke"] = Effect.fn("Identities.revoke")(function* (clawId) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<Row>`UPDATE identities SET revoked_at = ${now}, previous_hash = NULL, previous_until = NULL
      WHERE claw_id = ${toId(clawId)} RETURNING *`
    return row === undefined ? yield* new NotFound({ what: "agent" }) : toIdentity(row)
  }, atEdge)

  const find: Identities["Service"]["find"] = Effect.fn("Identities.find")(function* (clawId) {
    const [row] = yield* sql<Row>`SELECT * FROM identities WHERE claw_id = ${toId(clawId)}`
    return row === undefined ? yield* new NotFound({ what: "agent" }) : toIdentity(row)
  }, atEdge)

  const list: Identities["Service"]["list"] = Effect.fn("Identities.list")(function* (page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
    const rows =
      page.after === undefined
        ? yield* sql<Row>`SELECT * FROM identities ORDER BY name, claw_id LIMIT ${limit + 1}`
        : yield* sql<Row>`SELECT * FROM identities
            WHERE (name, claw_id) > (SELECT name, claw_id FROM identities WHERE claw_id = ${toId(page.after)})
            ORDER BY name, claw_id LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map(toIdentity)
    return { items, next: rows.length > limit ? items.at(-1)?.clawId : undefined }
  }, atEdge)

  const seen: Identities["Service"]["seen"] = Effect.fn("Identities.seen")(function* (clawId) {
    const now = yield* Clock.currentTimeMillis
    yield* sql`UPDATE identities SET last_seen_at = ${now} WHERE claw_id = ${toId(clawId)}`
  }, atEdge)

  return Identities.of({ create, authenticate, rotate, revoke, find, list, seen })
})

export const layer: Layer.Layer<Identities, never, SqlClient.SqlClient | SecureRandom.SecureRandom> = Layer.effect(
  Identities,
  make
)
