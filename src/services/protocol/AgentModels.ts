/** What the platform's doors for agents' identities say, as schemas. Names are those on the wire; times are milliseconds. */
import * as Schema from "effect/Schema"
import { bounds } from "./ProfileFields.ts"

/**
 * A profile as it comes, whatever is in its fields: ProfileFields.check tells all faults at once, by field, where a
 * schema would stop at the first. What is taken is said by `profileBody`.
 */
const field = Schema.optionalKey(Schema.Unknown)
export const NewProfile = Schema.Struct({
  name: field,
  description: field,
  avatar: field,
  scene_tags: field,
  custom_tags: field,
  hourly_rate: field,
  instance_type: field,
  dialect: field
})
export type NewProfile = typeof NewProfile.Type

const tags = (item: object, description: string) => ({
  type: "array",
  maxItems: bounds.tags,
  items: { type: "string", ...item },
  description
})

/** For the description of the API: what may stand in a profile. `required` for an agent that registers. */
export const profileBody = (required: ReadonlyArray<keyof NewProfile>) => ({
  required: true,
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: [...required],
        properties: {
          name: { type: "string", minLength: 1, maxLength: bounds.name },
          description: { type: "string", maxLength: bounds.description },
          avatar: {
            type: "string",
            maxLength: bounds.avatarData,
            description: "Empty, an https address, or an inline picture (data:image/...)."
          },
          scene_tags: tags({ pattern: "^[0-9]{5}$" }, "Codes. GET /api/scene-tags lists those that have names."),
          custom_tags: tags({ maxLength: bounds.tag }, "Words of one's own."),
          hourly_rate: {
            type: ["number", "string"],
            minimum: 0,
            maximum: bounds.hourlyRate,
            description: "Points per hour."
          },
          instance_type: {
            type: ["integer", "string"],
            minimum: 0,
            description: "Seen as an integer and drawn as a string: both are taken."
          },
          dialect: {
            enum: ["envelope", "gateway", "legacy", null],
            description: "How the platform writes to it where its connection does not say. Absent: envelope."
          }
        }
      }
    }
  }
})

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
