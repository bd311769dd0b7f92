/** The fields of a proposal as a command line writes them. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { InvalidProposal, RegistrarError } from "../../services/channel/Registrar.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"

export interface Flags {
  readonly name: Option.Option<string>
  readonly description: Option.Option<string>
  readonly avatar: Option.Option<string>
  readonly tags: Option.Option<string>
  readonly customTags: Option.Option<string>
  readonly rate: Option.Option<string>
  readonly type: Option.Option<string>
}

export type Field = keyof ProfileFields.Proposal

/** A proposal that nobody has checked yet. */
export type Draft = { readonly [K in Field]: unknown }

const blank: Draft = {
  name: "",
  description: "",
  avatar: "",
  scene_tags: [],
  custom_tags: [],
  hourly_rate: 0,
  instance_type: 0
}

const flags: Readonly<Record<Field, string>> = {
  name: "--name",
  description: "--description",
  avatar: "--avatar",
  scene_tags: "--tags",
  custom_tags: "--custom-tags",
  hourly_rate: "--rate",
  instance_type: "--type"
}

const isField = (field: string): field is Field => Object.hasOwn(flags, field)

export const flagName = (field: string): string => (isField(field) ? flags[field] : field)

/** What was typed, as the field's value: lists are words with commas between them. */
export const read = (field: Field, text: string): unknown =>
  field === "scene_tags" || field === "custom_tags"
    ? text.split(/[,，、]/u).flatMap((tag) => (tag.trim() === "" ? [] : [tag.trim()]))
    : text.trim()

/** As one would type it. */
export const write = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : String(value))

/** What the flags say over what was proposed. */
export const merge = (base: Draft | undefined, given: Flags): Draft => {
  const said: Partial<Record<Field, unknown>> = {}
  const take = (field: Field, value: Option.Option<string>): void => {
    if (Option.isSome(value)) said[field] = read(field, value.value)
  }
  take("name", given.name)
  take("description", given.description)
  take("avatar", given.avatar)
  take("scene_tags", given.tags)
  take("custom_tags", given.customTags)
  take("hourly_rate", given.rate)
  take("instance_type", given.type)
  return { ...blank, ...base, ...said }
}

export const checked = (draft: Draft): Effect.Effect<ProfileFields.Proposal, RegistrarError> =>
  Result.match(ProfileFields.check(draft), {
    onFailure: (faults) => Effect.fail(new RegistrarError({ reason: new InvalidProposal({ faults }) })),
    onSuccess: (proposal) => Effect.succeed(proposal)
  })

/** What is wrong with this field of the draft. */
export const faultOf = (draft: Draft, field: Field): string | undefined => {
  const result = ProfileFields.check(draft)
  return Result.isSuccess(result) ? undefined : result.failure.find((fault) => fault.field === field)?.message
}
