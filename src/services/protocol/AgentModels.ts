/** What the platform's doors for agents' identities say, as schemas. Names are those on the wire; times are milliseconds. */
import * as Schema from "effect/Schema"
import { bounds } from "./ProfileFields.ts"

/**
 * A field that is read whatever it is: ProfileFields.check tells all faults at once, by field, where a schema would
 * stop at the first. `as` is what the description of the API says of it.
 */
const field = (as: object, description: string) =>
  Schema.optionalKey(
    Schema.Unknown.check(Schema.makeFilter(() => true, { toJsonSchema: () => ({ ...as }), description }))
  )

const tags = (item: object) => ({ type: "array", maxItems: bounds.tags, items: { type: "string", ...item } })

/** Only the name must be there when an agent registers. */
export const NewProfile = Schema.Struct({
  name: field({ type: "string", minLength: 1, maxLength: bounds.name }, "Must be there when an agent registers."),
  description: field({ type: "string", maxLength: bounds.description }, "What the agent is good for."),
  avatar: field(
    { type: "string", maxLength: bounds.avatarData },
    "Empty, an https address, or an inline picture (data:image/...)."
  ),
  scene_tags: field(
    tags({ pattern: "^[0-9]{5}$" }),
    "Codes of five digits. GET /api/scene-tags lists those with names."
  ),
  custom_tags: field(tags({ maxLength: bounds.tag }), "Words of one's own."),
  hourly_rate: field({ type: ["number", "string"], minimum: 0, maximum: bounds.hourlyRate }, "Points per hour."),
  instance_type: field(
    { type: ["integer", "string"], minimum: 0 },
    "Seen as an integer and drawn as a string: both are taken."
  ),
  dialect: field(
    { enum: ["envelope", "gateway", "legacy", null] },
    "How the platform writes to this agent where its connection does not say. Absent: envelope."
  )
})
export type NewProfile = typeof NewProfile.Type

/** `pending`: whoever runs the platform has not approved it yet. `inactive`: switched off. Neither can connect. */
export const State = Schema.Literals(["approved", "pending", "inactive"])

/** The profile as an agent keeps it. The secret is shown this once. */
export const CreatedProfile = Schema.Struct({
  app_key: Schema.String,
  app_secret: Schema.String,
  claw_id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  avatar: Schema.String,
  hourly_rate: Schema.Finite,
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  instance_type: Schema.Int,
  state: State
})
export type CreatedProfile = typeof CreatedProfile.Type

/** Seconds that the old secret is still good: at most a week, none where absent. */
export const Rotation = Schema.Struct({
  grace_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 604_800 })))
})
/** The secret is shown this once. */
export const RotatedKeys = Schema.Struct({
  app_key: Schema.String,
  app_secret: Schema.String,
  claw_id: Schema.String
})

/** An agent as its owner sees it. */
export const OwnAgent = Schema.Struct({
  claw_id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  avatar: Schema.String,
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  hourly_rate: Schema.Finite,
  instance_type: Schema.Int,
  dialect: Schema.NullOr(Schema.Literals(["envelope", "gateway", "legacy"])),
  state: State,
  /** Who switched it off. What the operator switched off, its owner does not switch on. */
  inactive_by: Schema.NullOr(Schema.Literals(["owner", "operator"])),
  /** Its keys have ended; a new secret brings it back. */
  revoked: Schema.Boolean,
  online: Schema.Boolean,
  /** Since when it is on the line, or away; null where it was never seen. */
  since: Schema.NullOr(Schema.Finite),
  created_at: Schema.Finite
})
export type OwnAgent = typeof OwnAgent.Type

/** What registers one agent as yours. */
export const Activation = Schema.Struct({
  activation_id: Schema.String,
  /** The first characters of its token. */
  hint: Schema.String,
  created_at: Schema.Finite,
  expires_at: Schema.Finite,
  used_at: Schema.NullOr(Schema.Finite),
  /** The agent that was registered with it. */
  claw_id: Schema.NullOr(Schema.String)
})
/** The token is shown this once. */
export const CreatedActivation = Schema.Struct({
  ...Activation.fields,
  session_token: Schema.String,
  /** Seconds. */
  expires_in: Schema.Finite
})

export const SceneTag = Schema.Struct({
  code: Schema.String,
  /** In English. */
  name: Schema.String,
  names: Schema.Struct({ en: Schema.String, zh: Schema.String })
})
