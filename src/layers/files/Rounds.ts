/** Small things that many have to do every so often, done by one fiber instead of one for each. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Rounds {
  /** Until the function returned is called. */
  readonly join: (task: Effect.Effect<void>) => () => void
}

/** As long as the scope lives. A few at once; the next round begins so long after the one before has ended. */
export const make = (every: Duration.Input): Effect.Effect<Rounds, never, Scope.Scope> =>
  Effect.gen(function* () {
    const tasks = new Set<Effect.Effect<void>>()
    const round = Effect.suspend(() => Effect.forEach([...tasks], (task) => task, { discard: true, concurrency: 8 }))
    yield* Effect.forkScoped(Effect.forever(Effect.delay(round, every), { disableYield: true }))
    return {
      join: (task) => {
        tasks.add(task)
        return () => void tasks.delete(task)
      }
    }
  })
