/**
 * Is the other side still there? Asked by pings and told by pongs, never guessed from how recent a message is.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface HeartbeatOptions {
  /** Milliseconds between two pings. INSTACLAW_HEARTBEAT_INTERVAL. */
  readonly heartbeatInterval: number
  /** Milliseconds without a pong or a frame after which the link is suspect. INSTACLAW_TIMEOUT_THRESHOLD. */
  readonly timeoutThreshold: number
  /** So many pings in a row without a pong end the link. */
  readonly missedLimit: number
  /** Milliseconds after which a link counts as stable. */
  readonly stableAfter: number
}

/** What the socket's callbacks write down and the heartbeat reads. Times are monotonic milliseconds. */
export interface Pulse {
  /** When a pong or a frame came last. */
  heardAt: number
  /** A pong has come since the last ping. */
  answered: boolean
  /** Pings in a row without a pong. */
  missed: number
  suspect: boolean
  /** Reading is paused by ourselves, so no pong can be heard and none is missed. */
  paused: boolean
}

export interface HeartbeatActions {
  readonly beat: () => void
  readonly suspected: () => void
  readonly stable: () => void
  /** Resumes at the end of the present turn, after what the network holds for us was read. */
  readonly defer: (task: () => void) => void
}

/** Elapsed time, which no correction of the wall clock can bend. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

/**
 * Runs as long as the link lives; its value is the number of pings that had no answer, and then the link is dead.
 *
 * A busy event loop must not kill a healthy link: pongs may lie unread in the kernel while our timer is late. So what
 * has arrived is read before judging, and a tick that comes late counts nothing: it only asks again.
 */
export const run = Effect.fnUntraced(function* (
  pulse: Pulse,
  options: HeartbeatOptions,
  actions: HeartbeatActions
): Effect.fn.Return<number> {
  const clock = yield* Clock.Clock
  const tolerance = Math.min(1000, options.heartbeatInterval / 2)
  const arrived = Effect.callback<void>((resume) => actions.defer(() => resume(Effect.void)))
  let now = monotonicMillis(clock)
  let pingDue = now + options.heartbeatInterval
  let stableDue = now + options.stableAfter
  // One sum for the sleep and for the judgement: a difference would be rounded otherwise, and never be due.
  const suspectDue = () => (pulse.suspect ? Number.POSITIVE_INFINITY : pulse.heardAt + options.timeoutThreshold)
  while (true) {
    const due = Math.min(pingDue, suspectDue(), stableDue)
    if (due > now) yield* Effect.sleep(Math.ceil(due - now))
    const late = monotonicMillis(clock) - due
    yield* arrived
    now = monotonicMillis(clock)
    if (now >= stableDue) {
      stableDue = Number.POSITIVE_INFINITY
      actions.stable()
    }
    let ask = false
    if (now >= suspectDue()) {
      pulse.suspect = true
      actions.suspected()
      ask = true
    }
    if (now >= pingDue) {
      if (!pulse.answered && !pulse.paused && late <= tolerance) {
        pulse.missed += 1
        if (pulse.missed >= options.missedLimit) return pulse.missed
      }
      pingDue = now + options.heartbeatInterval
      pulse.answered = false
      ask = true
    }
    if (ask) actions.beat()
  }
})
