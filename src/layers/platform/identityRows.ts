/** Rows of agents, and what may stand in them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { AgentDialect, Identity, Profile, Standing, Switch } from "../../services/platform/Identities.ts"
import { Invalid } from "../../services/platform/PlatformError.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import { toNumber, toOptionalNumber, toText } from "./sqlStore.ts"

export type Numeric = number | bigint | string

export interface Row {
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
  readonly secret_hash: string
  readonly previous_hash: string | null
  readonly previous_until: Numeric | null
  readonly revoked_at: Numeric | null
  readonly approved_at: Numeric | null
  readonly inactive_at: Numeric | null
  readonly inactive_by: Switch | null
  readonly taken_at: Numeric | null
}

const standingOf = (row: Row): Standing =>
  row.inactive_at !== null ? "inactive" : row.approved_at === null ? "pending" : "approved"

export const toIdentity = (row: Row): Identity => ({
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
  standing: standingOf(row),
  inactiveBy: row.inactive_by ?? undefined,
  isRevoked: row.revoked_at !== null,
  createdAt: toNumber(row.created_at),
  lastSeenAt: toOptionalNumber(row.last_seen_at)
})

/** The columns of what an agent says of itself. */
export const columnsOf = (profile: Profile) => ({
  name: profile.name,
  description: profile.description,
  avatar: profile.avatar,
  hourly_rate: profile.hourlyRate,
  scene_tags: JSON.stringify(profile.sceneTags),
  custom_tags: JSON.stringify(profile.customTags),
  instance_type: profile.instanceType,
  dialect: profile.dialect ?? null
})

export const invalid = (fields: ReadonlyArray<ProfileFields.FieldFault>): Invalid =>
  new Invalid({ detail: ProfileFields.inWords(fields), param: fields[0]?.field, fields })

/** ProfileFields.check, as every side of the wire does it, and what no database keeps made to be kept. */
export const check = (
  input: Omit<Profile, "dialect"> & { readonly dialect?: AgentDialect | undefined }
): Effect.Effect<Profile, Invalid> => {
  const checked = ProfileFields.check({
    name: input.name,
    description: input.description,
    avatar: input.avatar,
    scene_tags: input.sceneTags,
    custom_tags: input.customTags,
    hourly_rate: input.hourlyRate,
    instance_type: input.instanceType
  })
  if (Result.isFailure(checked)) return Effect.fail(invalid(checked.failure))
  const proposal = checked.success
  return Effect.succeed({
    name: proposal.name,
    description: toText(proposal.description),
    avatar: toText(proposal.avatar),
    hourlyRate: proposal.hourly_rate,
    sceneTags: proposal.scene_tags,
    customTags: proposal.custom_tags,
    instanceType: proposal.instance_type,
    dialect: input.dialect
  })
}
