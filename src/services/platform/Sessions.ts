/**
 * Conversations between a person and an agent, their messages, and the mailbox of what an agent has not yet got.
 * Nothing that matters lives only in memory. Times are milliseconds since the epoch.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Part } from "../protocol/Inbound.ts"
import type { Failure } from "../protocol/ResponseEvent.ts"
import type { Invalid, LimitReached, NotFound, StaleEpoch, StoreError } from "./PlatformError.ts"

export interface Session {
  readonly sessionId: string
  readonly userId: string
  readonly clawId: string
  /** Empty until the first message or a rename gives one. */
  readonly title: string
  readonly createdAt: number
  readonly updatedAt: number
}

/**
 * One exchange: what a person asked and what came of it. Without `parts` nobody asked: the agent spoke by itself.
 * - `waiting`: in the mailbox, the agent has not got it.
 * - `delivered`: written to the agent's socket, no reply yet.
 * - `answering`: the reply has begun.
 */
export type ExchangeStatus = "waiting" | "delivered" | "answering" | "completed" | "failed"

export interface Exchange {
  /** The person's idempotency key within the session; the same id goes to the agent. */
  readonly messageId: string
  readonly sessionId: string
  readonly clawId: string
  readonly userId: string
  /** Counts up per platform: the order of everything. */
  readonly ordinal: number
  /** The platform's own id of the reply, known from the moment of acceptance. */
  readonly responseId: string
  readonly previousResponseId: string | undefined
  readonly parts: ReadonlyArray<Part>
  readonly stream: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly status: ExchangeStatus
  /** Which connection of its agent had it last (`Hold.epoch`). Absent: none had it yet. */
  readonly epoch?: number | undefined
  /** Kept only when the reply ended (completed: the answer; failed: what had come). */
  readonly replyText: string
  readonly failure: Failure | undefined
  readonly createdAt: number
  readonly endedAt: number | undefined
}

export interface NewExchange {
  readonly sessionId: string
  readonly userId: string
  readonly messageId: string
  readonly previousResponseId: string | undefined
  readonly parts: ReadonlyArray<Part>
  readonly stream: boolean
  readonly metadata: Readonly<Record<string, string>>
}

/** What an agent says by itself, without having been asked. */
export interface Saying {
  readonly clawId: string
  readonly sessionId: string
  /** The agent's idempotency key within the session. */
  readonly messageId: string
  readonly text: string
}

/** Somebody who has a conversation with an agent. */
export interface Correspondent {
  readonly userId: string
  readonly name: string
  /** The one that was used last. */
  readonly session: Session
}

/** How a reply ended: without `failure`, completed. */
export interface Result {
  readonly text: string
  readonly failure: Failure | undefined
}

/**
 * What one connection of an agent may write: messages of its own agent, and nothing any more once a newer connection
 * of that agent was attached, in this process or in another one over the same database.
 */
export interface Hold {
  /** Counts the connections of this agent, 1, 2, 3 ... */
  readonly epoch: number
  readonly advance: (
    responseId: string,
    status: "delivered" | "answering"
  ) => Effect.Effect<void, StaleEpoch | StoreError>
  readonly requeue: Effect.Effect<number, StaleEpoch | StoreError>
  /** Takes over what connections before this one had begun and not ended, and says which, oldest first. */
  readonly adopt: Effect.Effect<ReadonlyArray<Exchange>, StaleEpoch | StoreError>
  readonly end: (responseId: string, result: Result) => Effect.Effect<boolean, StaleEpoch | StoreError>
  /**
   * Ends as failed what this connection or one before it had begun, also once it is stale: nobody else will. What a
   * newer one has begun, or has yet to get, stays as it is: `false`.
   */
  readonly abandon: (responseId: string, failure: Failure) => Effect.Effect<boolean, StoreError>
}

export class Sessions extends Context.Service<
  Sessions,
  {
    readonly create: (userId: string, clawId: string) => Effect.Effect<Session, NotFound | StoreError>
    /** The person's own; NotFound for anyone else's. */
    readonly find: (userId: string, sessionId: string) => Effect.Effect<Session, NotFound | StoreError>
    /** The agent's own; NotFound for another agent's. */
    readonly findForAgent: (clawId: string, sessionId: string) => Effect.Effect<Session, NotFound | StoreError>
    /** Last used first (a message of the person's is a use), the first 1,000. */
    readonly list: (userId: string, clawId?: string) => Effect.Effect<ReadonlyArray<Session>, StoreError>
    readonly listForAgent: (clawId: string, limit: number) => Effect.Effect<ReadonlyArray<Session>, StoreError>
    /** The people an agent has conversations with, last used first. */
    readonly correspondents: (clawId: string, limit: number) => Effect.Effect<ReadonlyArray<Correspondent>, StoreError>
    /**
     * The conversation of this person with this agent that was used last; but the one in which the agent said something
     * under this message id, if it did (law once).
     */
    readonly latestWith: (
      clawId: string,
      userId: string,
      messageId?: string
    ) => Effect.Effect<Session, NotFound | StoreError>
    /**
     * An agent says something by itself: an exchange without a question (`parts` empty), which ends as it begins. The
     * same message id again gives the first one back, `fresh: false` (law once). LimitReached: it has said there what
     * it may within a day. Invalid: an empty text, one that is too long, or the id of a person's message.
     */
    readonly say: (
      saying: Saying
    ) => Effect.Effect<
      { readonly exchange: Exchange; readonly fresh: boolean },
      Invalid | NotFound | LimitReached | StoreError
    >
    readonly rename: (
      userId: string,
      sessionId: string,
      title: string
    ) => Effect.Effect<Session, Invalid | NotFound | StoreError>
    /** With all its exchanges. */
    readonly remove: (userId: string, sessionId: string) => Effect.Effect<void, NotFound | StoreError>

    /**
     * Stores a message as `waiting`; the same (session, message id) again returns the first one, `fresh: false`.
     * Invalid: an id that no database keeps (NUL, half a character).
     */
    readonly accept: (
      input: NewExchange
    ) => Effect.Effect<
      { readonly exchange: Exchange; readonly fresh: boolean },
      Invalid | NotFound | LimitReached | StoreError
    >
    /** Oldest first: what an agent that returns has to get. Expired ones are ended as failed and left out. */
    readonly waiting: (clawId: string, limit: number) => Effect.Effect<ReadonlyArray<Exchange>, StoreError>
    /** A connection of this agent has come: from now on older ones write nothing. */
    readonly attach: (clawId: string) => Effect.Effect<Hold, NotFound | StoreError>
    /** Only forwards: waiting → delivered → answering. For the platform's own hand; a connection uses its `Hold`. */
    readonly advance: (responseId: string, status: "delivered" | "answering") => Effect.Effect<void, StoreError>
    /** Delivered but not begun, at the moment an agent's connection ends: back into the mailbox, same message id. */
    readonly requeue: (clawId: string) => Effect.Effect<number, StoreError>
    /** The first end stays; `false` where it had ended already. */
    readonly end: (responseId: string, result: Result) => Effect.Effect<boolean, StoreError>
    readonly findExchange: (responseId: string) => Effect.Effect<Exchange, NotFound | StoreError>
    readonly findByMessage: (sessionId: string, messageId: string) => Effect.Effect<Exchange, NotFound | StoreError>
    /**
     * Newest first from `before` (an ordinal, exclusive): `limit` of them, fewer where they hold millions of
     * characters. `next` is the `before` of the page that follows, where there is one.
     */
    readonly history: (
      sessionId: string,
      page: { readonly limit: number; readonly before?: number | undefined }
    ) => Effect.Effect<{ readonly items: ReadonlyArray<Exchange>; readonly next: number | undefined }, StoreError>
    /** Not ended, of this agent, oldest first: to be ended as INTERRUPTED or watched after a restart. */
    readonly open: (clawId: string) => Effect.Effect<ReadonlyArray<Exchange>, StoreError>
    /** How many wait for this agent. */
    readonly countWaiting: (clawId: string) => Effect.Effect<number, StoreError>
    /**
     * Ends every message, of any agent, that has waited too long, and says which, in order. Readers above never see
     * such a message as waiting; this is for who has to tell those that watch (call it from time to time).
     */
    readonly expire: Effect.Effect<ReadonlyArray<Exchange>, StoreError>
  }
>()("clawfiber/platform/Sessions") {}
