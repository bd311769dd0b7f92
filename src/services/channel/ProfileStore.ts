/**
 * Who this agent is: `.insta/config/profile.json`, as the seed keeps it, and what leads there: the activation token and
 * the proposal that waits for a person.
 * Law whole-file: at any crash point a file is the old one or the new one, mode 0600 in a 0700 folder.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Proposal } from "../protocol/ProfileFields.ts"

/**
 * The seed's fields. Unknown keys of a file are kept when it is written again. `instance_type` is read as integer or
 * string. `origin` is ours: the origin (scheme, host, port) that issued the key, which is sent nowhere else.
 */
export interface Profile {
  readonly app_key: string
  readonly app_secret: Redacted.Redacted<string>
  readonly claw_id: string
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly hourly_rate: number
  readonly scene_tags: ReadonlyArray<string>
  readonly custom_tags: ReadonlyArray<string>
  readonly instance_type: number | string
  readonly origin: string | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

/** A proposal that waits for a person, or whose registration is under way: `.insta/pending.json`. No secret is in it. */
export interface Pending {
  /** Names this proposal; a confirmation of another one is refused. */
  readonly proposalId: string
  /** As it was proposed, or as a person confirmed it last. */
  readonly proposal: Proposal
  /** Milliseconds since the epoch. */
  readonly proposedAt: number
  /**
   * The idempotency key of the last confirmation, for as long as nobody knows what came of it: the platform may have
   * made an identity and its answer may be lost. The next confirmation goes under the same key, so that there is one
   * identity and not two, even if it is then the one of the words before.
   */
  readonly attempt: string | undefined
  /** A person has confirmed, and the outcome was not seen: whoever finds this finishes it. Then `attempt` is there. */
  readonly confirmed: boolean
}

/** What one process does at a time: to let the agent propose, and to touch what is proposed or register it. */
export type Exclusive = "proposing" | "registration"

/** The file is there but cannot be used. `path` is relative to the working folder. */
export class ProfileDamaged extends Schema.TaggedError<ProfileDamaged>()("ProfileDamaged", {
  path: Schema.String,
  detail: Schema.String
}) {}
/** Someone else owns the file. */
export class ForeignOwner extends Schema.TaggedError<ForeignOwner>()("ForeignOwner", { path: Schema.String }) {}
/** The disk said no. */
export class StorageFailed extends Schema.TaggedError<StorageFailed>()("StorageFailed", {
  path: Schema.String,
  detail: Schema.String
}) {}
/** Another process writes at this moment. */
export class Locked extends Schema.TaggedError<Locked>()("Locked", { path: Schema.String, owner: Schema.String }) {}

export type ProfileReason = ProfileDamaged | ForeignOwner | StorageFailed | Locked

export class ProfileError extends Schema.TaggedError<ProfileError>()("ProfileError", {
  reason: Schema.Union([ProfileDamaged, ForeignOwner, StorageFailed, Locked])
}) {
  get transient(): boolean {
    return this.reason._tag === "Locked"
  }
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "ProfileDamaged":
        return `${reason.path} cannot be used: ${reason.detail}. Mend it, or move it away and register again.`
      case "ForeignOwner":
        return `${reason.path} belongs to another user of this machine and is not trusted. Take ownership of it, or move it away.`
      case "StorageFailed":
        return `${reason.path} cannot be read or written: ${reason.detail}.`
      case "Locked":
        return `${reason.path} is being written by another process (${reason.owner}). Try again in a moment.`
    }
  }
}

export class ProfileStore extends Context.Service<
  ProfileStore,
  {
    readonly load: Effect.Effect<Option.Option<Profile>, ProfileError>
    /** Writes the whole file; what was there before stays until the new one is complete. */
    readonly save: (profile: Profile) => Effect.Effect<void, ProfileError>
    readonly remove: Effect.Effect<void, ProfileError>
    /** `.insta/.activate_session`. */
    readonly activationToken: Effect.Effect<Option.Option<Redacted.Redacted<string>>, ProfileError>
    readonly saveActivationToken: (token: Redacted.Redacted<string>) => Effect.Effect<void, ProfileError>
    readonly clearActivationToken: Effect.Effect<void, ProfileError>
    /** A damaged one is dropped, which the log says. */
    readonly pending: Effect.Effect<Option.Option<Pending>, ProfileError>
    /** Whole, like the profile. Held under `exclusive("registration")`. */
    readonly savePending: (pending: Pending) => Effect.Effect<void, ProfileError>
    readonly clearPending: Effect.Effect<void, ProfileError>
    /**
     * At least one element after each change by whomever, of the `profile` alone, or of `all` with what is proposed and
     * the token. `onReady` is called once it listens. Ends when the folder is taken away, or comes anew. A hint and no
     * more: whoever reads it begins again in a while, and looks now and then as well.
     */
    readonly watch: (
      what: "profile" | "all",
      options?: { readonly onReady?: (() => void) | undefined }
    ) => Stream.Stream<void, ProfileError>
    /**
     * Holds, for the scope's life, what one process at a time may do; fails at once with Locked where another one does.
     * A dead owner's lock is taken over. `check` fails once it is no longer ours.
     */
    readonly exclusive: (
      what: Exclusive
    ) => Effect.Effect<{ readonly check: Effect.Effect<void, ProfileError> }, ProfileError, Scope.Scope>
  }
>()("clawfiber/channel/ProfileStore") {}
