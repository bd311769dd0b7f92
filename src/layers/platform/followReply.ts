/** One reply as a stream of steps, from its beginning: live, or from what is stored. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Followed } from "../../services/platform/Broker.ts"
import { LimitReached, type NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import type { Sessions } from "../../services/platform/Sessions.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import * as LiveReply from "./LiveReply.ts"
import type { Readers } from "./Readers.ts"

/** Steps that a slow follower may be behind. */
const bound = 4096

const tooSlow =
  "This reader is too slow: more than four thousand pieces of the answer wait for it. Read it again from the start."

const hasEnded = (status: string): boolean => status === "completed" || status === "failed"

export const make =
  (sessions: Sessions["Service"], readers: Readers, stepsOf: (responseId: string) => ReadonlyArray<Step> | undefined) =>
  (responseId: string): Stream.Stream<Followed, NotFound | LimitReached | StoreError> =>
    Stream.callback<Followed, NotFound | LimitReached | StoreError>((queue) =>
      Effect.gen(function* () {
        const exchange = yield* sessions.findExchange(responseId)
        const route = LiveReply.routeOf(exchange)
        let closed = false
        const offer = (step: Step): void => {
          if (closed) return
          if (Queue.sizeUnsafe(queue) >= bound) {
            closed = true
            Queue.failCauseUnsafe(queue, Cause.fail(new LimitReached({ detail: tooSlow })))
            return
          }
          Queue.offerUnsafe(queue, { route, step })
          if (step._tag === "Completed" || step._tag === "Failed") {
            closed = true
            Queue.endUnsafe(queue)
          }
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            // In one turn: what came so far, and everything from here on.
            for (const step of stepsOf(responseId) ?? []) offer(step)
            return readers.watch(exchange.userId, (item) => {
              if (item._tag === "Step" && item.exchange.responseId === responseId) offer(item.step)
            })
          }),
          (stop) => Effect.sync(stop)
        )
        if (stepsOf(responseId) !== undefined) return
        // It waits for its agent, or it ended: perhaps just now, while this reader was put in place.
        const now = yield* sessions.findExchange(responseId)
        if (hasEnded(now.status)) LiveReply.stored(now).forEach(offer)
      }).pipe(Effect.catchCause((cause) => Effect.sync(() => Queue.failCauseUnsafe(queue, cause))))
    )
