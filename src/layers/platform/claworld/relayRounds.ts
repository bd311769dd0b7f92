/** What the relay looks at again and again: who is still heard, and what nobody pushed. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Talks } from "../../../services/platform/Talks.ts"
import type { WorldAgents } from "../../../services/platform/Worlds.ts"
import { closeCodes } from "../../../services/protocol/RelayFrame.ts"
import type { Seat } from "./relaySeats.ts"

/** Milliseconds. */
export interface Times {
  /** From the open socket to the auth frame. */
  readonly auth: number
  /** How long an agent counts as online after it was last said to be. Said again after a third of that. */
  readonly lease: number
  /** How long after the last pong or frame an agent is still said to be online. Sockets are pinged every 30 seconds. */
  readonly silence: number
  /** How often it is looked for what was pushed by nobody. */
  readonly poll: number
}
export const defaultTimes: Times = { auth: 10_000, lease: 45_000, silence: 45_000, poll: 5_000 }

export interface Parts {
  readonly seats: ReadonlyMap<string, Seat>
  readonly agents: WorldAgents["Service"]
  readonly talks: Talks["Service"]
  readonly times: Times
  readonly now: () => number
  readonly pull: (seat: Seat) => Effect.Effect<void>
}

/** Ticks within a third of a lease. */
const ticks = 15

/** Until the scope ends. */
export const run = Effect.fnUntraced(function* ({ agents, now, pull, seats, talks, times }: Parts) {
  const again = times.lease / 3

  /** Those who are heard stay online, some at each tick, so that nobody waits for all of them at once. */
  const stay = Effect.gen(function* () {
    const most = Math.max(100, Math.ceil((seats.size * 2) / ticks))
    const due: Array<Seat> = []
    for (const seat of seats.values()) {
      if (now() - seat.saidAt < again || now() - seat.heardAt > times.silence) continue
      due.push(seat)
      if (due.length >= most) break
    }
    if (due.length === 0) return
    const replaced = yield* agents.stay(due, now() + times.lease)
    for (const seat of due) seat.saidAt = now()
    for (const agentId of replaced) {
      seats.get(agentId)?.ws.close(closeCodes.stale, "a newer connection of this agent is at another process")
    }
  }).pipe(Effect.catch((error) => Effect.logDebug("Presence is said again in a moment", error.detail)))

  /** What came to be and was pushed by nobody: of another process whose word was lost. */
  const catchUp = Effect.gen(function* () {
    if (seats.size === 0) return
    const missed = new Set<Seat>()
    for (const { agentId, deliveryId } of yield* talks.untaken(now() - times.poll)) {
      const seat = seats.get(agentId)
      if (seat !== undefined && !seat.hasMore && !seat.inHand.has(deliveryId)) missed.add(seat)
    }
    for (const seat of missed) yield* pull(seat)
  }).pipe(Effect.catch((error) => Effect.logDebug("Deliveries wait for now", error.detail)))

  yield* Effect.forkScoped(Effect.repeat(stay, Schedule.spaced(`${Math.ceil(again / ticks)} millis`)))
  yield* Effect.forkScoped(Effect.repeat(catchUp, Schedule.spaced(`${times.poll} millis`)))
})
