/**
 * How fast the accounts of one process dial: one dial every so often, in the order in which they ask. A thousand that
 * start together, or that lost their platform together, come to it one after another and not at once.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** To be waited for before each dial. */
export type ConnectRate = Effect.Effect<void>

export const unlimited: ConnectRate = Effect.void

/**
 * The first goes at once. A busy event loop makes the gaps longer and never shorter: what is late is not made up for.
 *
 * @param perSecond Dials in a second, at most.
 */
export const make = (perSecond: number): Effect.Effect<ConnectRate> =>
  Effect.gen(function* () {
    const turn = yield* Semaphore.make(1)
    const runFork = Effect.runForkWith(yield* Effect.context<never>())
    const next = Effect.delay(turn.release(1), 1_000 / perSecond)
    return Effect.uninterruptibleMask((restore) => Effect.map(restore(turn.take(1)), () => void runFork(next)))
  })
