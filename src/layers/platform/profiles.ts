/** Profiles from the wire and back: of agents that register, and of those whose owner edits them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { AgentDialect, Identity, Profile } from "../../services/platform/Identities.ts"
import type { Invalid } from "../../services/platform/PlatformError.ts"
import type { NewProfile } from "../../services/protocol/AgentModels.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import { isDialect } from "./AgentSocket.ts"
import { invalid } from "./identityRows.ts"

const noDialect = "This is none of envelope, gateway, legacy."

/** Some clients name a kind (`plugin`) where others have a number. */
const numbered = (type: unknown): unknown => (typeof type === "string" && Number.isNaN(Number(type)) ? 0 : type)

/** The whole profile, or all that is wrong with it at once. */
export const read = (payload: NewProfile): Effect.Effect<Profile, Invalid> => {
  const checked = ProfileFields.check({ ...payload, instance_type: numbered(payload.instance_type) })
  const faults = Result.isFailure(checked) ? [...checked.failure] : []
  const asked = payload.dialect ?? undefined
  let dialect: AgentDialect | undefined
  if (typeof asked === "string" && isDialect(asked)) dialect = asked
  else if (asked !== undefined) faults.push({ field: "dialect", message: noDialect })
  if (Result.isFailure(checked) || faults.length > 0) return Effect.fail(invalid(faults))
  const proposal = checked.success
  return Effect.succeed({
    name: proposal.name,
    description: proposal.description,
    avatar: proposal.avatar,
    hourlyRate: proposal.hourly_rate,
    sceneTags: proposal.scene_tags,
    customTags: proposal.custom_tags,
    instanceType: proposal.instance_type,
    dialect
  })
}

/** What an identity says of itself, as it travels. */
export const write = (identity: Identity) => ({
  claw_id: identity.clawId,
  name: identity.name,
  description: identity.description,
  avatar: identity.avatar,
  hourly_rate: identity.hourlyRate,
  scene_tags: identity.sceneTags,
  custom_tags: identity.customTags,
  instance_type: identity.instanceType
})

/** The profile with what is named in it changed. */
export const readChanges = (identity: Identity, changes: NewProfile): Effect.Effect<Profile, Invalid> =>
  read({ ...write(identity), dialect: identity.dialect, ...changes })
