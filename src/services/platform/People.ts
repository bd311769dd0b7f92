/** The people of this platform: sign-in, tokens, one-use tickets for a browser's socket, long-lived keys for /v1. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Invalid, LimitReached, NotFound, StoreError, Unauthorized } from "./PlatformError.ts"

export interface Person {
  readonly userId: string
  readonly name: string
  readonly createdAt: number
}

export interface ApiKey {
  readonly keyId: string
  readonly name: string
  /** The first characters, enough to tell keys apart. */
  readonly hint: string
  readonly createdAt: number
  readonly lastUsedAt: number | undefined
}

export class People extends Context.Service<
  People,
  {
    /** The same name is the same person (local sign-in, loopback only: the caller checks that). */
    readonly signIn: (
      name: string
    ) => Effect.Effect<{ readonly person: Person; readonly token: Redacted.Redacted<string> }, Invalid | StoreError>
    /** A token of sign-in or a long-lived key. */
    readonly authenticate: (bearer: Redacted.Redacted<string>) => Effect.Effect<Person, Unauthorized | StoreError>
    /** Good for one socket within 90 s. */
    readonly issueTicket: (userId: string) => Effect.Effect<Redacted.Redacted<string>, StoreError>
    readonly redeemTicket: (ticket: Redacted.Redacted<string>) => Effect.Effect<Person, Unauthorized | StoreError>
    /** Shown this once. */
    readonly createKey: (
      userId: string,
      name: string
    ) => Effect.Effect<
      { readonly key: ApiKey; readonly secret: Redacted.Redacted<string> },
      Invalid | LimitReached | StoreError
    >
    readonly listKeys: (userId: string) => Effect.Effect<ReadonlyArray<ApiKey>, StoreError>
    /**
     * Ends a key, and the tickets that the person has not used yet: one of them may have been got with it. `hash` is
     * the key's (SHA-256, hex): what is open under it is the caller's to end.
     */
    readonly revokeKey: (
      userId: string,
      keyId: string
    ) => Effect.Effect<{ readonly hash: string }, NotFound | StoreError>
  }
>()("clawfiber/platform/People") {}
