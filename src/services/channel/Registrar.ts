/**
 * Gets an identity from the platform: `POST {INSTACLAW_PROFILE_CREATE_URL}`, then the profile on disk.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Profile, ProfileError } from "./ProfileStore.ts"

/** What an agent says of itself. */
export interface Proposal {
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly hourly_rate: number
  readonly instance_type: number
}

/** The platform said no, with its own words where it had some. */
export class RegistrationRefused extends Schema.TaggedError<RegistrationRefused>()("RegistrationRefused", {
  status: Schema.Finite,
  detail: Schema.String
}) {}
/** No answer, or one that is none of ours. The next attempt may go through. */
export class RegistrationFailed extends Schema.TaggedError<RegistrationFailed>()("RegistrationFailed", {
  detail: Schema.String
}) {}

/** The address is not one that a token or a key may travel to or from. Needs a person. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", {
  url: Schema.String
}) {}

export class RegistrarError extends Schema.TaggedError<RegistrarError>()("RegistrarError", {
  reason: Schema.Union([RegistrationRefused, RegistrationFailed, AddressRefused])
}) {
  get transient(): boolean {
    return this.reason._tag === "RegistrationFailed"
  }
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "RegistrationRefused":
        return `The platform refused the registration (${reason.status}): ${reason.detail}`
      case "RegistrationFailed":
        return `The registration did not go through: ${reason.detail}. Try again in a moment.`
      case "AddressRefused":
        return `${reason.url} is not encrypted and not on this machine: no key is asked for there. Use an https:// address.`
    }
  }
}

export class Registrar extends Context.Service<
  Registrar,
  {
    /** Registers and writes the profile; the activation token is used where there is one, and removed after. */
    readonly register: (proposal: Proposal) => Effect.Effect<Profile, RegistrarError | ProfileError>
  }
>()("clawfiber/channel/Registrar") {}
