/** The agents this platform knows. Secrets are kept hashed and compared in constant time. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type {
  Conflict,
  Forbidden,
  Invalid,
  NotAdmitted,
  NotFound,
  StoreError,
  TokenRefused,
  Unauthorized
} from "./PlatformError.ts"

export type AgentDialect = "envelope" | "gateway" | "legacy"

/**
 * - `approved`: it may come on the line.
 * - `pending`: whoever runs the platform has not let it in yet. Nobody but its owner sees it.
 * - `inactive`: switched off, approved or not.
 */
export type Standing = "approved" | "pending" | "inactive"

/** Who switched it off. What the operator switched off, its owner does not switch on. */
export type Switch = "owner" | "operator"

/** What an agent says of itself, and its owner may change. */
export interface Profile {
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly hourlyRate: number
  readonly sceneTags: ReadonlyArray<string>
  readonly customTags: ReadonlyArray<string>
  readonly instanceType: number
  /** How the platform writes to it where the connection does not say. */
  readonly dialect: AgentDialect | undefined
}

/** Times are milliseconds since the epoch. */
export interface Identity extends Profile {
  readonly clawId: string
  readonly appKey: string
  readonly ownerId: string | undefined
  readonly standing: Standing
  readonly inactiveBy: Switch | undefined
  /** No secret of it is good: a new one brings it back. */
  readonly isRevoked: boolean
  readonly createdAt: number
  readonly lastSeenAt: number | undefined
}

export interface NewIdentity extends Omit<Profile, "dialect"> {
  readonly ownerId: string | undefined
  readonly dialect?: AgentDialect | undefined
  /** `false`: it waits for whoever runs the platform. */
  readonly isApproved?: boolean | undefined
}

export interface Registration {
  readonly identity: NewIdentity
  /** An activation token: it is used up, and says whose the agent is. */
  readonly token?: Redacted.Redacted<string> | undefined
  /**
   * What tells this attempt from every other one: the same within a day is the same agent, with a new secret, unless
   * somebody holds one already. Not to be guessed: whoever names it gets the agent's secret.
   */
  readonly attempt?: Redacted.Redacted<string> | undefined
}

export interface Created {
  readonly identity: Identity
  /** 32 random bytes, shown this once. */
  readonly appSecret: Redacted.Redacted<string>
}

export class Identities extends Context.Service<
  Identities,
  {
    readonly create: (input: NewIdentity) => Effect.Effect<Created, Invalid | StoreError>
    /** All of it or nothing: of two that come with one token, one is registered. */
    readonly register: (
      input: Registration
    ) => Effect.Effect<
      Created & { /** The attempt was made before. */ readonly isAgain: boolean },
      Conflict | Invalid | TokenRefused | StoreError
    >
    readonly authenticate: (
      appKey: string,
      appSecret: Redacted.Redacted<string>
    ) => Effect.Effect<Identity, NotAdmitted | Unauthorized | StoreError>
    /** What is not named stays. */
    readonly edit: (
      clawId: string,
      changes: Partial<Profile>
    ) => Effect.Effect<Identity, Invalid | NotFound | StoreError>
    readonly approve: (clawId: string) => Effect.Effect<Identity, NotFound | StoreError>
    /** What is open under its keys is the caller's to end. */
    readonly deactivate: (clawId: string, by: Switch) => Effect.Effect<Identity, NotFound | StoreError>
    readonly activate: (clawId: string, by: Switch) => Effect.Effect<Identity, Forbidden | NotFound | StoreError>
    /** Agents that were switched off or whose keys ended since then, and still are. */
    readonly shutSince: (time: number) => Effect.Effect<ReadonlyArray<Identity>, StoreError>
    /**
     * A new secret, shown this once. The old one ends at once, or after `grace`. An agent whose keys were revoked comes
     * back with it.
     */
    readonly rotate: (
      clawId: string,
      options?: { readonly grace?: Duration.Input | undefined }
    ) => Effect.Effect<Created, NotFound | StoreError>
    /** No secret of this agent is good any more. What is open under one is the caller's to end. */
    readonly revoke: (clawId: string) => Effect.Effect<Identity, NotFound | StoreError>
    readonly find: (clawId: string) => Effect.Effect<Identity, NotFound | StoreError>
    /** By name, then id. `after` = the last claw id of the page before. */
    readonly list: (page: {
      readonly limit: number
      readonly after?: string | undefined
      /** Only those of this person. */
      readonly ownerId?: string | undefined
      /** Only those of this standing; `public`: all that others may see. */
      readonly standing?: "public" | "pending" | undefined
    }) => Effect.Effect<{ readonly items: ReadonlyArray<Identity>; readonly next: string | undefined }, StoreError>
    readonly seen: (clawId: string) => Effect.Effect<void, StoreError>
  }
>()("clawfiber/platform/Identities") {}
