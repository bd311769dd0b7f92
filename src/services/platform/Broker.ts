/**
 * The one door: every message to an agent, every event of a reply and every reader of one goes through here.
 * It knows which agents are on the line; what matters beyond the moment is in Sessions.
 *
 * Two doors are plain synchronous functions and not effects: an agent's frame coming in (`AgentSeat.update`) and an
 * item going out to a reader (`Reader`). They are called once per piece of text, where a fiber step costs more than
 * the work itself; whoever implements them must not block and must not throw.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Ack, AgentResume, Feature } from "../protocol/Control.ts"
import type { ReplyRoute, ReplyUpdate } from "../protocol/Dialect.ts"
import type { Step } from "../protocol/ReplyLog.ts"
import type { Invalid, LimitReached, NotFound, StoreError } from "./PlatformError.ts"
import type { AgentDialect, Identity } from "./Identities.ts"
import type { Exchange, NewExchange, Saying, Session } from "./Sessions.ts"

/** An agent's socket, as the broker sees it. */
export interface AgentLink {
  readonly identity: Identity
  readonly dialect: AgentDialect
  /** What both sides can do beyond the family's protocol. The greeting names it. */
  readonly features?: ReadonlySet<Feature> | undefined
  /** How this agent reached the platform, `http://host:port`: links to files begin with it. */
  readonly origin: string
  /** Writes frames in order; never blocks. `false` = the socket is gone or over its bound. */
  readonly send: (frames: ReadonlyArray<string>) => boolean
  /**
   * Once it has ended: whether because of a frame that was too large (1009), `ours` for the agent or one of `theirs` for
   * us. Absent: nobody can tell.
   */
  readonly tooLarge?: (() => "ours" | "theirs" | undefined) | undefined
  /** Ends the socket: 4001 replaced, 1001 going away ... */
  readonly close: (code: number, reason: string) => void
}

/**
 * What became of an agent's frame.
 * - `taken`: it belongs to a reply of this agent that is under way.
 * - `ended`: that reply had ended already (a late or repeated frame): nothing happens.
 * - `unknown`: no message of this agent fits it.
 * - `stale`: a newer connection of this agent has come: nothing that this one says is taken.
 */
export type Taken = "taken" | "ended" | "unknown" | "stale"

/** What an agent on the line may do. Only replies and sessions of its own. */
export interface AgentSeat {
  readonly update: (update: ReplyUpdate) => Taken
  /** `session.ack`: the message is in the agent's journal, it is not delivered again. */
  readonly acknowledge: (ack: Ack) => void
  /** `response.resume`: answered with how far the reply has come (`response.ack`). */
  readonly resume: (resume: AgentResume) => void
  readonly bind: (sessionId: string) => Effect.Effect<Session, NotFound | StoreError>
}

/** What people see of an agent's being there. Times are milliseconds since the epoch. */
export type Presence =
  | { readonly _tag: "OnLine"; readonly since: number }
  | { readonly _tag: "Away"; readonly since: number | undefined }

/** What concerns one person. All readers get the same object, so that it is encoded once. */
export type FeedItem =
  /** A reply moved on. With the terminal step, `exchange` is as it is stored. */
  | { readonly _tag: "Step"; readonly exchange: Exchange; readonly route: ReplyRoute; readonly step: Step }
  | { readonly _tag: "Accepted"; readonly exchange: Exchange; readonly agentAway: boolean }
  | { readonly _tag: "Status"; readonly exchange: Exchange; readonly status: "waiting" | "delivered" }
  | { readonly _tag: "Presence"; readonly clawId: string; readonly presence: Presence }
  | { readonly _tag: "SessionChanged"; readonly session: Session }
  | { readonly _tag: "SessionRemoved"; readonly userId: string; readonly sessionId: string }

export type Reader = (item: FeedItem) => void

export interface Submitted {
  readonly exchange: Exchange
  /** `false`: this message id was there already, nothing was started. */
  readonly fresh: boolean
  readonly agentAway: boolean
}

/**
 * What a follower of one reply gets: its steps, or once that the events of these numbers, both included, are not to be
 * had any more; after it comes nothing but the step that ends the reply, with the whole text.
 */
export type Followed =
  | { readonly _tag: "Step"; readonly route: ReplyRoute; readonly step: Step }
  | { readonly _tag: "Gap"; readonly from: number; readonly to: number }

/**
 * A reply as this process tells it. Sequence numbers belong to one telling: an agent that goes on with a reply at
 * another process may cut it otherwise.
 */
export interface Told {
  readonly route: ReplyRoute
  readonly steps: ReadonlyArray<Step>
  /** Another process may have told of it before: a reader's numbers may be of that telling. */
  readonly toldBefore: boolean
}

export interface UnderWay extends Told {
  readonly exchange: Exchange
  readonly status: "delivered" | "answering"
  readonly text: string
}

export class Broker extends Context.Service<
  Broker,
  {
    /**
     * An agent comes on the line for the scope's life: it is greeted, an older link of the same account is closed
     * with 4001 (law one-socket), and what waits in its mailbox is delivered in order, with the same message ids.
     */
    readonly attach: (link: AgentLink) => Effect.Effect<AgentSeat, StoreError, Scope.Scope>
    readonly presence: (clawId: string) => Effect.Effect<Presence>
    /** A session was made: its agent, if it is on the line here, hears of it before the first message in it. */
    readonly sessionMade: (session: Session) => void
    /** Accepts a message for its agent: files bound, stored, then delivered or kept in the mailbox. */
    readonly submit: (
      input: NewExchange,
      options?: {
        /**
         * Somebody holds a line open for the answer: a reply that has not begun ends as INTERRUPTED once its agent has
         * been away for as long as a reply stays open without it. Without, it waits in the mailbox.
         */
        readonly awaited?: boolean | undefined
      }
    ) => Effect.Effect<Submitted, Invalid | NotFound | LimitReached | StoreError>
    /** An agent says something by itself: stored, then told to its person's readers. */
    readonly say: (
      saying: Saying
    ) => Effect.Effect<
      { readonly exchange: Exchange; readonly fresh: boolean },
      Invalid | NotFound | LimitReached | StoreError
    >
    /** Ends a reply of this person's as CANCELLED and tells the agent. One that has ended stays as it is. */
    readonly cancel: (userId: string, responseId: string) => Effect.Effect<Exchange, NotFound | StoreError>
    /** Cancels all that is under way in a session of this person's: it is about to be removed. */
    readonly abandon: (userId: string, sessionId: string) => Effect.Effect<void, NotFound | StoreError>
    /**
     * The steps of one reply, live, each once; ends after the terminal. For a reply that has ended, its steps as they
     * follow from what is stored. Fails with LimitReached where the reader is too slow.
     *
     * @param after The last sequence number that the reader has; steps of which it has a part come whole. -1, the
     * default: it has nothing.
     */
    readonly follow: (
      responseId: string,
      after?: number
    ) => Stream.Stream<Followed, NotFound | LimitReached | StoreError>
    /** A reply under way as it stands this moment. What comes after it comes to the readers. */
    readonly peek: (responseId: string) => UnderWay | undefined
    /** The steps of a reply that is under way, or ended a moment ago: with the numbers that readers have seen. */
    readonly told: (responseId: string) => Told | undefined
    /** Everything that concerns one person, live, until the function that comes back is called. */
    readonly watch: (userId: string, reader: Reader) => () => void
    /** Tells a person's readers. */
    readonly notify: (userId: string, item: FeedItem) => void
    /** Ends what is under way as INTERRUPTED, so that everyone is told before the sockets close (law stop). */
    readonly drain: Effect.Effect<void>
    readonly counts: Effect.Effect<BrokerCounts>
  }
>()("clawfiber/platform/Broker") {}

export interface BrokerCounts {
  readonly agentsOnLine: number
  readonly readers: number
  /** Delivered or answering. */
  readonly repliesUnderWay: number
  /** Since the start. */
  readonly messagesAccepted: number
  readonly messagesDelivered: number
  readonly repliesCompleted: number
  readonly repliesFailed: number
  readonly deltas: number
}
