/**
 * How fast the accounts of one process dial: one dial every so often, in the order in which they ask. A thousand that
 * start together, or that lost their platform together, come to it one after another and not at once.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Heartbeat from "./Heartbeat.ts"

/** To be waited for before each dial. */
export type ConnectRate = Effect.Effect<void>

export const unlimited: ConnectRate = Effect.void

/** @param perSecond Dials in a second, at most. The first goes at once. */
export const make = (perSecond: number): Effect.Effect<ConnectRate> =>
  Effect.map(Clock.Clock, (clock) => {
    const gap = 1_000 / perSecond
    let free = 0
    return Effect.suspend(() => {
      const now = Heartbeat.monotonicMillis(clock)
      const turn = Math.max(now, free)
      free = turn + gap
      return turn <= now ? Effect.void : Effect.sleep(turn - now)
    })
  })
