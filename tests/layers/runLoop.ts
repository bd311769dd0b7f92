/** The run loop makes a fiber wait after so many operations, between any two of them. Tried here with few. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/** Operations until others have their turn. With two a fiber gets nowhere. */
export const budgets = [3, 4, 5, 6, 7, 8, 9, 11, 16, 23] as const

export const within =
  (budget: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(self, Scheduler.MaxOpsBeforeYield, budget)

/** So many turns of others. */
export const turns = (times: number): Effect.Effect<void> =>
  times === 0 ? Effect.void : Effect.asVoid(Effect.repeat(Effect.yieldNow, { times: times - 1 }))

/** What it came to, within far more turns than any of it takes. */
export const outcomeOf = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  for (let turn = 0; turn < 2_000; turn++) {
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return exit._tag === "Success" ? exit.value : String(exit.cause)
    yield* Effect.yieldNow
  }
  return "waits for ever"
})
