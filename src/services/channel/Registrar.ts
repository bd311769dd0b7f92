/**
 * The identity of one account, from nothing to registered: looks for credentials, lets the agent propose, waits for a
 * person, registers, writes the profile. One registration at a time, across processes too.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import { FieldFault } from "../protocol/ProfileFields.ts"
import { ProfileApiError } from "./ProfileApi.ts"
import { type Profile, ProfileError } from "./ProfileStore.ts"
import type { RegistrationState } from "./Registration.ts"

/** What was said is no profile: the faults are by field. */
export class InvalidProposal extends Schema.TaggedError<InvalidProposal>()("InvalidProposal", {
  faults: Schema.Array(FieldFault)
}) {}
/** There is nothing to confirm or cancel: none was proposed, or another one took its place, or it was cancelled. */
export class NothingPending extends Schema.TaggedError<NothingPending>()("NothingPending", {
  detail: Schema.String
}) {}
/** Somebody confirms at this moment: here, or another process (`owner` names it). */
export class Busy extends Schema.TaggedError<Busy>()("Busy", { owner: Schema.String }) {}
/** There is an identity already. */
export class AlreadyRegistered extends Schema.TaggedError<AlreadyRegistered>()("AlreadyRegistered", {
  clawId: Schema.String
}) {}

export class RegistrarError extends Schema.TaggedError<RegistrarError>()("RegistrarError", {
  reason: Schema.Union([InvalidProposal, NothingPending, Busy, AlreadyRegistered, ProfileApiError, ProfileError])
}) {
  get transient(): boolean {
    const reason = this.reason
    switch (reason._tag) {
      case "Busy":
        return true
      case "ProfileApiError":
      case "ProfileError":
        return reason.transient
      default:
        return false
    }
  }
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "InvalidProposal":
        return `This cannot be registered. ${reason.faults.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join(" ")}`
      case "NothingPending":
        return reason.detail
      case "Busy":
        return `A registration is under way already (${reason.owner}). Wait for its end.`
      case "AlreadyRegistered":
        return `This agent is registered already, as ${reason.clawId}. Remove its profile first if it shall become another one.`
      case "ProfileApiError":
      case "ProfileError":
        return reason.message
    }
  }
}

export class Registrar extends Context.Service<
  Registrar,
  {
    readonly state: SubscriptionRef.SubscriptionRef<RegistrationState>
    /**
     * The profile there is now and every time it becomes another one, in its keys or in its words: `None` when the file
     * is gone. What is on the line follows this and nothing else. A file that cannot be read changes nothing.
     */
    readonly profile: Stream.Stream<Option.Option<Profile>>
    /**
     * The same told to one, who keeps no fiber for it, until the function returned is called. Only where there may be a
     * thousand registrars.
     */
    readonly follow?: ((each: (profile: Option.Option<Profile>) => void) => () => void) | undefined
    /** Leaves a proposal for a person to confirm; one that waits already is replaced. Answers its id. */
    readonly propose: (proposal: unknown) => Effect.Effect<{ readonly proposalId: string }, RegistrarError>
    /**
     * A person (or a script with the right to) confirms, perhaps with other values than were proposed. Without a
     * proposal that waits, `proposal` alone is registered. Fails with Busy where two confirm at once.
     */
    readonly submit: (input: {
      readonly proposalId?: string | undefined
      readonly proposal?: unknown
    }) => Effect.Effect<Profile, RegistrarError>
    /**
     * Not like this: the proposal is dropped, or the agent is stopped that is about to make one, and after a while it
     * proposes again. What was confirmed already cannot be cancelled any more: Busy.
     */
    readonly cancel: (input: { readonly proposalId?: string | undefined }) => Effect.Effect<void, RegistrarError>
    /** Looks at once instead of at the next interval; also leaves `coolingDown` and the wait after a setback. */
    readonly look: Effect.Effect<void>
  }
>()("clawfiber/channel/Registrar") {}
