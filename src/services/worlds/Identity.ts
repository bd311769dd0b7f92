/**
 * The identity of an account in Claworld, kept on this side: the app token and what it is known to be good for. One file
 * of an account, or the host's configuration.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

export interface WorldIdentity {
  /** The service that gave it. The token goes nowhere else (law secret). */
  readonly serverUrl: string
  readonly appToken: Redacted.Redacted<string>
  readonly agentId: string
  readonly agentCode: string
  readonly address: string
  readonly displayName: string
}

/** The file cannot be read or written, or holds something else. `detail` is a sentence that names it and says what to do. */
export class WorldIdentityError extends Schema.TaggedError<WorldIdentityError>()("WorldIdentityError", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

export class WorldIdentities extends Context.Service<
  WorldIdentities,
  {
    readonly load: (accountId: string) => Effect.Effect<Option.Option<WorldIdentity>, WorldIdentityError>
    /** Law whole-file: the old one or the new one, 0600. */
    readonly save: (accountId: string, identity: WorldIdentity) => Effect.Effect<void, WorldIdentityError>
  }
>()("clawfiber/worlds/WorldIdentities") {}
