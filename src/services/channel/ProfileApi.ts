/**
 * The platform's door for identities, as the agent's side calls it: `POST {INSTACLAW_PROFILE_CREATE_URL}`. Answers the
 * keys; writing them down is the Registrar's.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { FieldFault, type Proposal } from "../protocol/ProfileFields.ts"
import type { Profile } from "./ProfileStore.ts"

/**
 * The platform said no, with its own words where it had some. `fields` names what it did not take, where it said so;
 * `token` is true where the activation token itself was refused (used, expired, someone else's).
 */
export class RegistrationRefused extends Schema.TaggedError<RegistrationRefused>()("RegistrationRefused", {
  status: Schema.Finite,
  detail: Schema.String,
  fields: Schema.Array(FieldFault),
  token: Schema.Boolean
}) {}
/** No answer, or one that is none of ours. The next attempt may go through. */
export class RegistrationFailed extends Schema.TaggedError<RegistrationFailed>()("RegistrationFailed", {
  detail: Schema.String
}) {}
/** The address is not one that a token or a key may travel to or from. Needs a person. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", { url: Schema.String }) {}

const sentence = (text: string): string => (/[.!?。！？]$/u.test(text) ? text : `${text}.`)

export class ProfileApiError extends Schema.TaggedError<ProfileApiError>()("ProfileApiError", {
  reason: Schema.Union([RegistrationRefused, RegistrationFailed, AddressRefused])
}) {
  get transient(): boolean {
    return this.reason._tag === "RegistrationFailed"
  }
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "RegistrationRefused":
        return reason.token
          ? `The platform wants an activation token that is good (${reason.status}): ${sentence(reason.detail)} Start an activation on its page, and hand over the token with clawfiber register --token TOKEN.`
          : `The platform refused the registration (${reason.status}): ${reason.detail}`
      case "RegistrationFailed":
        return `The registration did not go through: ${reason.detail}. Try again in a moment.`
      case "AddressRefused":
        return `${reason.url} is not encrypted and not on this machine: no key is asked for there. Use an https:// address.`
    }
  }
}

export class ProfileApi extends Context.Service<
  ProfileApi,
  {
    /**
     * Registers what is proposed. `attempt` is the idempotency key of this confirmation: after a crash between the
     * platform's answer and the profile on disk, the same key asks for the same identity instead of a second one,
     * where the platform knows it.
     */
    readonly create: (input: {
      readonly proposal: Proposal
      readonly token: Option.Option<Redacted.Redacted<string>>
      readonly attempt: string
    }) => Effect.Effect<Profile, ProfileApiError>
  }
>()("clawfiber/channel/ProfileApi") {}
