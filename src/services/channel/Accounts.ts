/**
 * The accounts of this process: each with its own identity, connection, limits and state, and all of them over one
 * journal. Who shows or steers them (control page, command line, host) goes through here.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Connection } from "./Connection.ts"
import type { Dispatcher } from "./Dispatcher.ts"
import type { Profile } from "./ProfileStore.ts"
import type { Registrar } from "./Registrar.ts"

/** The key is of another host than the one that would be dialed. `root` is the folder of the key. */
export class ForeignHost extends Schema.TaggedError<ForeignHost>()("ForeignHost", {
  root: Schema.String,
  issuer: Schema.String,
  platform: Schema.String
}) {}
/** Another process is on the line with this profile. `owner` is for people: "process 4711 on host". */
export class InUse extends Schema.TaggedError<InUse>()("InUse", { owner: Schema.String }) {}
/** Another account of this process has the same key: the two would take the line from each other. */
export class SameKey extends Schema.TaggedError<SameKey>()("SameKey", { account: Schema.String }) {}
/** The folder of the account cannot be used, or the agent cannot be made. `detail` is whole sentences for people. */
export class Unready extends Schema.TaggedError<Unready>()("Unready", { detail: Schema.String }) {}

/** Why an account with credentials has no line. Needs a person, but is tried again now and then all the same. */
export class LineFault extends Schema.TaggedError<LineFault>()("LineFault", {
  reason: Schema.Union([ForeignHost, InUse, SameKey, Unready])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "ForeignHost":
        return `The key in ${reason.root} was issued by ${reason.issuer}, and ${reason.platform} is another host: it is not sent there. If you trust that host with it, add --trust-host.`
      case "InUse":
        return `${reason.owner} is on the line with this profile already. Stop it first.`
      case "SameKey":
        return `The account ${reason.account} has the same key, and two with one key would take the line from each other. Give this one a profile of its own.`
      case "Unready":
        return reason.detail
    }
  }
}

/** An account on the line, or on its way there: exists as long as these credentials do. */
export interface Line {
  /** With the descriptions that hold now; other credentials are another line. */
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
  /** Why there is no line although there could be one (a key of another host, another process ...), in a sentence. */
  readonly fault: SubscriptionRef.SubscriptionRef<string | undefined>
  /** Who answers: "offline agent", "gpt-5 at api.openai.com". */
  readonly agent: { readonly description: string; readonly model: string }
  /** A person mended something: looks for credentials, and tries a line that had a fault again. */
  readonly retry: Effect.Effect<void>
}

export class Accounts extends Context.Service<
  Accounts,
  {
    readonly all: SubscriptionRef.SubscriptionRef<ReadonlyArray<Account>>
    readonly get: (id: string) => Effect.Effect<Option.Option<Account>>
  }
>()("clawfiber/channel/Accounts") {}
