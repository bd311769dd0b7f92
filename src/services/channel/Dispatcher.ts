/**
 * From a message understood to a reply sent: accept once, wait for a place, run the agent, log, encode, send. At most
 * so many at once, one session's messages in order, every failure in words.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Inbound } from "../protocol/Inbound.ts"
import type { Failure, FailureCode } from "../protocol/ResponseEvent.ts"

/** One reply under way. Times are milliseconds since the epoch. */
export interface InFlight {
  readonly responseId: string
  readonly sessionId: string | undefined
  readonly messageId: string | undefined
  readonly acceptedAt: number
  /** Undefined while it waits for a place. */
  readonly startedAt: number | undefined
  readonly firstDeltaAt: number | undefined
  readonly characters: number
}

/** A reply that ended. */
export interface Ended extends InFlight {
  readonly endedAt: number
  /** Undefined = completed. */
  readonly failure: Failure | undefined
}

/** Counts since the start. */
export interface DispatcherStats {
  /** Requests that were new. */
  readonly accepted: number
  /** Requests that were seen before: answered from the journal, or already under way. */
  readonly repeated: number
  /** Requests turned away without entry in the journal: malformed, or the journal could not be written. */
  readonly refused: number
  readonly completed: number
  readonly failed: Readonly<Record<FailureCode, number>>
  /** Milliseconds from acceptance to the first text sent. */
  readonly firstDelta: { readonly count: number; readonly totalMillis: number; readonly maxMillis: number }
  readonly running: number
  readonly waiting: number
}

export interface DispatcherOptions {
  readonly accountId: string
  /** MAX_CONCURRENT_REQUESTS, 10 by default. */
  readonly maxConcurrent: number
  /** Requests that may wait for a place; the next one fails with RATE_LIMIT. */
  readonly maxQueued: number
  /** SDK_REQUEST_TIMEOUT, 12 hours by default: the outer limit of one reply, waiting for a place included. */
  readonly requestTimeout: Duration.Input
  /** A reply without text or activity for so long ends as TIMEOUT. 10 minutes by default. */
  readonly stallTimeout: Duration.Input
  /** How long replies under way may go on when stopping; then they end as INTERRUPTED. */
  readonly grace: Duration.Input
  /** Longest delta in characters: 50 by the seed. */
  readonly deltaSize: number
  /**
   * The longest reply in characters; a longer one is stopped and ends as CALLBACK_ERROR (law bounded). What is longer
   * than one frame may be can never be ended well, since the end repeats the text. No limit by default.
   */
  readonly maxReplyCharacters?: number | undefined
  /** Answers in this dialect whatever the request came in. Undefined = as it came. */
  readonly dialect: "envelope" | "gateway" | "legacy" | undefined
  readonly systemPrompt: string | undefined
  /**
   * What a crash cut off longer ago than this is ended in the journal only: a word about it days later helps nobody.
   * 1 hour by default.
   */
  readonly staleAfter?: Duration.Input | undefined
  /**
   * `if-silent`: a message that a crash cut off before any text was shown is run again, once. `never` by default: what
   * an agent does besides writing is not known here, and might be done twice.
   */
  readonly rerunInterrupted?: "never" | "if-silent" | undefined
}

export class Dispatcher extends Context.Service<
  Dispatcher,
  {
    /**
     * Takes one understood frame: a request is accepted (or refused in words), a cancel ends its reply, everything
     * else that concerns replies is dealt with. Returns as soon as that is decided; replies run on their own.
     */
    readonly handle: (inbound: Inbound) => Effect.Effect<void>
    /** Ends one reply as CANCELLED. `false` where there is none such. */
    readonly cancel: (target: {
      readonly responseId?: string | undefined
      readonly messageId?: string | undefined
      readonly sessionId?: string | undefined
    }) => Effect.Effect<boolean>
    readonly inFlight: Effect.Effect<ReadonlyArray<InFlight>>
    /** The last hundred, newest first. */
    readonly recent: Effect.Effect<ReadonlyArray<Ended>>
    readonly stats: Effect.Effect<DispatcherStats>
    /**
     * Ends what an earlier process accepted and did not finish, as INTERRUPTED and in words (law one-terminal), stale
     * ones in the journal alone; runs again what the options say. To be called once, before the first `handle`. Gives
     * the number of replies ended.
     */
    readonly recover: Effect.Effect<number>
    /** Takes nothing new, waits for replies under way up to the grace period, ends the rest as INTERRUPTED. */
    readonly drain: Effect.Effect<void>
  }
>()("clawfiber/channel/Dispatcher") {}
