/**
 * The text of `profile.json`, `.activate_session` and `pending.json`, as pure functions. Reading is tolerant: unknown keys are
 * kept, missing descriptive fields get their empty value, numbers that came as text are numbers again. What cannot be
 * used is told by the names of the fields and never by their values, since those may be secrets.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Pending, Profile } from "../../services/channel/ProfileStore.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import { isRecord } from "../../services/protocol/Wire.ts"

/** A profile is a few hundred bytes; past this the file is something else. */
export const MAX_BYTES = 1024 * 1024

const maybe = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullishOr(schema))

const Identifier = Schema.Union([Schema.NonEmptyString, Schema.Finite])
const Text = maybe(Schema.String)
const Amount = maybe(Schema.Union([Schema.Finite, Schema.FiniteFromString]))
const Tags = maybe(Schema.Array(Schema.Union([Schema.String, Schema.Finite])))

const known = {
  app_key: Schema.NonEmptyString,
  app_secret: Schema.NonEmptyString,
  claw_id: Identifier,
  name: Text,
  description: Text,
  avatar: Text,
  hourly_rate: Amount,
  scene_tags: Tags,
  custom_tags: Tags,
  instance_type: maybe(Schema.Union([Schema.Finite, Schema.String])),
  origin: maybe(Schema.String)
}

/** Whether two profiles connect as the same agent at the same place; their words may differ. */
export const sameCredentials = (one: Profile, other: Profile): boolean =>
  one.app_key === other.app_key &&
  Redacted.value(one.app_secret) === Redacted.value(other.app_secret) &&
  one.claw_id === other.claw_id &&
  one.origin === other.origin

/** Whether a key is one of the profile's own. */
export const isField = (key: string): boolean => Object.hasOwn(known, key)

const decodeProfile = Schema.decodeUnknownResult(Schema.Struct(known), { errors: "all" })

const decodeToken = Schema.decodeUnknownResult(Schema.Struct({ session_token: Schema.NonEmptyString }))

const decodeWaiting = Schema.decodeUnknownResult(
  Schema.Struct({
    proposal_id: Schema.NonEmptyString,
    proposed_at: Schema.Finite,
    attempt: maybe(Schema.NonEmptyString),
    confirmed: maybe(Schema.Boolean),
    proposal: Schema.Unknown
  }),
  { errors: "all" }
)

const standardIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const faultyFields = (error: Schema.SchemaError): string => {
  const fields = new Set<string>()
  for (const issue of standardIssues(error.issue).issues) {
    const first = issue.path?.[0]
    if (first !== undefined) fields.add(String(typeof first === "object" ? first.key : first))
  }
  return `${[...fields].join(", ")} ${fields.size > 1 ? "are" : "is"} missing or of the wrong kind`
}

/** The whole text of a file as a JSON object, or why it is none. */
const parseObject = (text: string): Result.Result<Readonly<Record<string, unknown>>, string> => {
  const bare = text.replace(/^\uFEFF/, "")
  if (bare.trim() === "") return Result.fail("the file is empty")
  return Result.flatMap(
    Result.try({
      try: (): unknown => JSON.parse(bare),
      // The parser's own message repeats a piece of the text, which may be a secret.
      catch: () => "it is not whole JSON (cut off, or not JSON at all)"
    }),
    (value) => (isRecord(value) ? Result.succeed({ ...value }) : Result.fail("it holds no JSON object"))
  )
}

/** Reads the fields of a profile out of an object: of the file, or of the platform's answer. */
export const fromRecord = (record: Readonly<Record<string, unknown>>): Result.Result<Profile, string> =>
  Result.map(Result.mapError(decodeProfile(record), faultyFields), (fields) => {
    const extra: Record<string, unknown> = {}
    for (const key of Object.keys(record)) if (!isField(key)) extra[key] = record[key]
    return {
      app_key: fields.app_key,
      app_secret: Redacted.make(fields.app_secret, { label: "app_secret" }),
      claw_id: String(fields.claw_id),
      name: fields.name ?? "",
      description: fields.description ?? "",
      avatar: fields.avatar ?? "",
      hourly_rate: fields.hourly_rate ?? 0,
      scene_tags: (fields.scene_tags ?? []).map(String),
      custom_tags: (fields.custom_tags ?? []).map(String),
      instance_type: fields.instance_type ?? 0,
      origin: fields.origin ?? undefined,
      extra
    }
  })

export const decode = (text: string): Result.Result<Profile, string> => Result.flatMap(parseObject(text), fromRecord)

/** The seed's fields in the seed's order, then ours, then whatever else was there. */
export const encode = (profile: Profile): string =>
  JSON.stringify(
    {
      app_key: profile.app_key,
      app_secret: Redacted.value(profile.app_secret),
      name: profile.name,
      description: profile.description,
      avatar: profile.avatar,
      claw_id: profile.claw_id,
      hourly_rate: profile.hourly_rate,
      scene_tags: profile.scene_tags,
      custom_tags: profile.custom_tags,
      instance_type: profile.instance_type,
      origin: profile.origin,
      ...profile.extra
    },
    undefined,
    2
  ) + "\n"

export const decodeActivation = (text: string): Result.Result<Redacted.Redacted<string>, string> =>
  Result.flatMap(parseObject(text), (record) =>
    Result.mapBoth(decodeToken(record), {
      onFailure: faultyFields,
      onSuccess: (fields) => Redacted.make(fields.session_token, { label: "session_token" })
    })
  )

export const encodeActivation = (token: Redacted.Redacted<string>): string =>
  JSON.stringify({ session_token: Redacted.value(token) }, undefined, 2) + "\n"

/** What is proposed is checked again: the file may be older than the bounds, or somebody wrote in it. */
export const decodePending = (text: string): Result.Result<Pending, string> =>
  Result.gen(function* () {
    const fields = yield* Result.mapError(decodeWaiting(yield* parseObject(text)), faultyFields)
    const proposal = yield* Result.mapError(ProfileFields.check(fields.proposal), ProfileFields.inWords)
    const attempt = fields.attempt ?? undefined
    return {
      proposalId: fields.proposal_id,
      proposal,
      proposedAt: fields.proposed_at,
      attempt,
      confirmed: fields.confirmed === true && attempt !== undefined
    }
  })

export const encodePending = (pending: Pending): string =>
  JSON.stringify(
    {
      proposal_id: pending.proposalId,
      proposed_at: pending.proposedAt,
      attempt: pending.attempt,
      confirmed: pending.confirmed,
      proposal: pending.proposal
    },
    undefined,
    2
  ) + "\n"
