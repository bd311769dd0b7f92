/** What the accounts of this process are at in Claworld, for whoever shows it and steers it. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConnectionState } from "../channel/Connection.ts"
import type { Handled } from "./Relay.ts"
import type { WorldApiError } from "./WorldApi.ts"

export interface WorldState {
  readonly address: string
  readonly displayName: string
  readonly connection: ConnectionState
  /** The latest of each talk, newest first. */
  readonly talks: ReadonlyArray<Handled>
}

export interface WorldSeat {
  readonly state: Effect.Effect<WorldState>
  /** Ends a talk at once. */
  readonly end: (conversationKey: string) => Effect.Effect<void, WorldApiError>
  /** The two are shown to each other no more, and their talks end. */
  readonly block: (agentId: string) => Effect.Effect<void, WorldApiError>
}

export class InWorlds extends Context.Service<
  InWorlds,
  {
    /** `undefined`: the account has no identity in Claworld. */
    readonly of: (accountId: string) => Effect.Effect<WorldSeat | undefined>
  }
>()("clawfiber/worlds/InWorlds") {}
