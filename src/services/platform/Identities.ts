/** The agents this platform knows. Secrets are kept hashed and compared in constant time. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Invalid, NotFound, StoreError, Unauthorized } from "./PlatformError.ts"

export type AgentDialect = "envelope" | "gateway" | "legacy"

/** Times are milliseconds since the epoch. */
export interface Identity {
  readonly clawId: string
  readonly appKey: string
  readonly ownerId: string | undefined
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly hourlyRate: number
  readonly sceneTags: ReadonlyArray<string>
  readonly customTags: ReadonlyArray<string>
  readonly instanceType: number
  /** How the platform writes to it where the connection does not say. */
  readonly dialect: AgentDialect | undefined
  readonly createdAt: number
  readonly lastSeenAt: number | undefined
}

export interface NewIdentity {
  readonly ownerId: string | undefined
  readonly name: string
  readonly description: string
  readonly avatar: string
  readonly hourlyRate: number
  readonly sceneTags: ReadonlyArray<string>
  readonly customTags: ReadonlyArray<string>
  readonly instanceType: number
  readonly dialect?: AgentDialect | undefined
}

export class Identities extends Context.Service<
  Identities,
  {
    /** 32 random bytes of secret, shown this once. */
    readonly create: (
      input: NewIdentity
    ) => Effect.Effect<
      { readonly identity: Identity; readonly appSecret: Redacted.Redacted<string> },
      Invalid | StoreError
    >
    readonly authenticate: (
      appKey: string,
      appSecret: Redacted.Redacted<string>
    ) => Effect.Effect<Identity, Unauthorized | StoreError>
    /**
     * A new secret, shown this once. The old one ends at once, or after `grace`. An agent whose keys were revoked comes
     * back with it.
     */
    readonly rotate: (
      clawId: string,
      options?: { readonly grace?: Duration.Input | undefined }
    ) => Effect.Effect<
      { readonly identity: Identity; readonly appSecret: Redacted.Redacted<string> },
      NotFound | StoreError
    >
    /** No secret of this agent is good any more. What is open under one is the caller's to end. */
    readonly revoke: (clawId: string) => Effect.Effect<Identity, NotFound | StoreError>
    readonly find: (clawId: string) => Effect.Effect<Identity, NotFound | StoreError>
    /** By name, then id. `after` = the last claw id of the page before. */
    readonly list: (page: {
      readonly limit: number
      readonly after?: string | undefined
    }) => Effect.Effect<{ readonly items: ReadonlyArray<Identity>; readonly next: string | undefined }, StoreError>
    readonly seen: (clawId: string) => Effect.Effect<void, StoreError>
  }
>()("clawfiber/platform/Identities") {}
