/**
 * The accounts of this process: each with its own identity, connection, limits and state, and all of them over one
 * journal. Who shows or steers them (control page, command line, host) goes through here.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Connection } from "./Connection.ts"
import type { Dispatcher } from "./Dispatcher.ts"
import type { Profile } from "./ProfileStore.ts"
import type { Registrar } from "./Registrar.ts"

/** An account on the line, or on its way there: exists as long as these credentials do. */
export interface Line {
  readonly profile: Profile
  readonly url: URL
  readonly connection: Connection["Service"]
  readonly dispatcher: Dispatcher["Service"]
}

export interface Account {
  /** `default`, or the name of its folder under `.insta/accounts`. */
  readonly id: string
  readonly registrar: Registrar["Service"]
  /** `None` while there are no credentials; a changed key gives another line, a removed file none. */
  readonly line: SubscriptionRef.SubscriptionRef<Option.Option<Line>>
  /** Why there are credentials but no line (a key of another host, a damaged file ...), in a sentence. */
  readonly fault: SubscriptionRef.SubscriptionRef<string | undefined>
  /** Who answers: "offline agent", "gpt-5 at api.openai.com". */
  readonly agent: { readonly description: string; readonly model: string }
}

export class Accounts extends Context.Service<
  Accounts,
  {
    readonly all: SubscriptionRef.SubscriptionRef<ReadonlyArray<Account>>
    readonly get: (id: string) => Effect.Effect<Option.Option<Account>>
  }
>()("clawfiber/channel/Accounts") {}
