/**
 * The one door: every message to an agent, every event of a reply and every reader of one goes through here.
 * It knows which agents are on the line; what matters beyond the moment is in Sessions.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { ReplyUpdate } from "../protocol/Dialect.ts"
import type { ResponseEvent } from "../protocol/ResponseEvent.ts"
import type { Forbidden, LimitReached, NotFound, StoreError } from "./PlatformError.ts"
import type { AgentDialect, Identity } from "./Identities.ts"
import type { Exchange, NewExchange, Session } from "./Sessions.ts"

/** An agent's socket, as the broker sees it. */
export interface AgentLink {
  readonly identity: Identity
  readonly dialect: AgentDialect
  /** Writes frames in order; never blocks. `false` = the socket is gone or over its bound. */
  readonly send: (frames: ReadonlyArray<string>) => boolean
  /** Ends the socket: 4001 replaced, 1001 going away ... */
  readonly close: (code: number, reason: string) => void
}

/** What people see of an agent's being there. */
export type Presence =
  | { readonly _tag: "OnLine"; readonly since: number }
  | { readonly _tag: "Away"; readonly since: number | undefined }

export class Broker extends Context.Service<
  Broker,
  {
    /**
     * An agent comes on the line for the scope's life. An older link of the same account is closed with 4001 (law
     * one-socket). What waits in its mailbox is delivered in order, with the same message ids.
     */
    readonly attach: (
      link: AgentLink
    ) => Effect.Effect<
      {
        readonly sessions: ReadonlyArray<Session>
        /** One understood frame of the agent's. Only replies and sessions of its own. */
        readonly update: (update: ReplyUpdate) => Effect.Effect<void, NotFound | StoreError>
        readonly bind: (sessionId: string) => Effect.Effect<Session, NotFound | StoreError>
      },
      StoreError,
      Scope.Scope
    >
    readonly presence: (clawId: string) => Effect.Effect<Presence>
    /** Accepts a message for its agent: stored, then delivered or kept in the mailbox. */
    readonly submit: (
      input: NewExchange
    ) => Effect.Effect<
      { readonly exchange: Exchange; readonly fresh: boolean; readonly agentAway: boolean },
      NotFound | Forbidden | LimitReached | StoreError
    >
    readonly cancel: (userId: string, responseId: string) => Effect.Effect<Exchange, NotFound | StoreError>
    /**
     * The canonical events of one reply from the beginning, live, each once; ends after the terminal. For a reply
     * that has ended, its events as they follow from what is stored.
     */
    readonly events: (responseId: string) => Stream.Stream<ResponseEvent, NotFound | StoreError>
    /** Everything that concerns one person, live: events of their replies, presence of agents. */
    readonly feed: (userId: string) => Stream.Stream<FeedItem>
    readonly onLine: Effect.Effect<number>
  }
>()("clawfiber/platform/Broker") {}

export type FeedItem =
  | { readonly _tag: "Event"; readonly exchange: Exchange; readonly event: ResponseEvent }
  | { readonly _tag: "Presence"; readonly clawId: string; readonly presence: Presence }
  | { readonly _tag: "Exchange"; readonly exchange: Exchange }
