/**
 * Activations: a signed-in person gets a token, an agent registers with it once, and the agent is that person's.
 * Tokens are kept hashed. What becomes of one when it is used is Identities.register's.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { LimitReached, NotFound, StoreError } from "./PlatformError.ts"

/** Times are milliseconds since the epoch. */
export interface Activation {
  readonly activationId: string
  /** The first characters of the token, enough to tell several apart. */
  readonly hint: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly usedAt: number | undefined
  /** The agent that was registered with it. */
  readonly clawId: string | undefined
}

export class Activations extends Context.Service<
  Activations,
  {
    /** The token is shown this once. */
    readonly start: (
      userId: string
    ) => Effect.Effect<
      { readonly activation: Activation; readonly token: Redacted.Redacted<string> },
      LimitReached | StoreError
    >
    /** Those that can still be used, and what became of the others within the last day. Newest first. */
    readonly list: (userId: string) => Effect.Effect<ReadonlyArray<Activation>, StoreError>
    /** Its token is good no more. An agent that was registered with it stays. */
    readonly withdraw: (userId: string, activationId: string) => Effect.Effect<void, NotFound | StoreError>
  }
>()("clawfiber/platform/Activations") {}
