/**
 * The end of a reply: the one door to a terminal. First the journal, then the wire.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type { ConnectionError } from "../../services/channel/Connection.ts"
import { Journal } from "../../services/channel/Journal.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import type { Reply } from "./Reply.ts"
import type { ReplyStats } from "./ReplyStats.ts"
import type { ReplyWire } from "./ReplyWire.ts"

/**
 * Builds and sends the terminal, the first time it is called for a reply; after that it does nothing. `undefined` =
 * completed. Never fails. `restore` goes around the sending, where the caller is uninterruptible for the rest or
 * does not wait for it.
 */
export type Conclude = (
  reply: Reply,
  failure: Failure | undefined,
  restore?: (sending: Effect.Effect<void>) => Effect.Effect<void>
) => Effect.Effect<void>

export const make = Effect.fnUntraced(function* (
  stats: ReplyStats,
  wire: ReplyWire
): Effect.fn.Return<Conclude, never, Journal> {
  const journal = yield* Journal
  const clock = yield* Clock.Clock

  const unsent = (reply: Reply) => (error: ConnectionError) =>
    Effect.logWarning("The end of a reply could not be sent", error).pipe(reply.logged)

  const send = (reply: Reply, steps: ReadonlyArray<Step>): Effect.Effect<void> =>
    wire.finish(reply, steps).pipe(Effect.catch(unsent(reply)))

  /** Whether this end is the first one. An end that cannot be written is sent all the same: silence is worse. */
  const write = (reply: Reply): Effect.Effect<boolean> =>
    Effect.flatMap(journal.end(reply.responseId, reply.outcome), (first) =>
      first ? Effect.succeed(true) : Effect.map(journal.find(reply.responseId), (entry) => entry?.outcome === undefined)
    ).pipe(
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("How a reply ended could not be written down", cause).pipe(reply.logged), true)
      )
    )

  /**
   * The journal comes first: what is written there is what any repeat of the message and any start after a crash goes
   * by, and its first outcome stays. Sent first and written after, a crash in between would let the next start say
   * INTERRUPTED of a reply that the person has seen completed.
   */
  return (reply, failure, restore = identity) =>
    Effect.suspend(() => {
      if (reply.concluded) return Effect.void
      const at = clock.currentTimeMillisUnsafe()
      const seconds = Math.floor(at / 1000)
      reply.concluded = true
      reply.failure = failure
      reply.endedAt = at
      // Words that found no link go as one.
      const joined = wire.isOpen(reply) ? undefined : reply.log.join()
      const ending = failure === undefined ? reply.log.complete(seconds, reply.usage) : reply.log.fail(seconds, failure)
      const steps = joined === undefined ? ending : [joined, ...ending]
      stats.end(reply.ended)
      return Effect.flatMap(write(reply), (first) =>
        first
          ? restore(send(reply, steps))
          : Effect.logWarning("A reply had been ended elsewhere; this end is not sent").pipe(reply.logged)
      ).pipe(Effect.ensuring(Effect.sync(reply.tell)))
    }).pipe(Effect.catchCause((cause) => Effect.logError("The end of a reply failed", cause).pipe(reply.logged)))
})
