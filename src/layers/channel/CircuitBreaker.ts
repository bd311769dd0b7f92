/**
 * Leaves somebody alone who fails: after so many failures in a row no call is made for a while, then one is let through
 * to see. If that one goes well everything is as before; if not, the while begins anew.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export interface Options<E> {
  /** In a row, until it opens. 5 by default. */
  readonly failures?: number | undefined
  /** How long it stays open. 30 seconds by default. */
  readonly pause?: Duration.Input | undefined
  /** Which errors speak against the other side; every other one is an answer, and shows that it lives. */
  readonly counts: (error: E) => boolean
  /** What a call gets that is not made. `until` is milliseconds since the epoch. */
  readonly refuse: (until: number) => E
}

type State =
  | { readonly _tag: "Closed"; readonly failures: number }
  | { readonly _tag: "Open"; readonly until: number }
  /** One call is on its way to see. */
  | { readonly _tag: "HalfOpen"; readonly until: number }

export interface CircuitBreaker<E> {
  readonly guard: <A, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const make = <E>(options: Options<E>): CircuitBreaker<E> => {
  const most = options.failures ?? 5
  const pause = Duration.toMillis(options.pause ?? "30 seconds")
  let state: State = { _tag: "Closed", failures: 0 }

  const ended = (probe: boolean, failed: boolean, now: number): void => {
    if (!failed) {
      // What was sent before it opened says nothing of now.
      if (probe || state._tag === "Closed") state = { _tag: "Closed", failures: 0 }
      return
    }
    const failures = state._tag === "Closed" ? state.failures + 1 : most
    if (probe || (state._tag === "Closed" && failures >= most)) state = { _tag: "Open", until: now + pause }
    else if (state._tag === "Closed") state = { _tag: "Closed", failures }
  }

  return {
    guard: (call) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          if (state._tag === "HalfOpen") return yield* Effect.fail(options.refuse(state.until))
          if (state._tag === "Open" && now < state.until) return yield* Effect.fail(options.refuse(state.until))
          const probe = state._tag === "Open"
          if (probe) state = { _tag: "HalfOpen", until: now + pause }
          const exit = yield* Effect.exit(restore(call))
          const at = yield* Clock.currentTimeMillis
          if (Exit.isSuccess(exit)) ended(probe, false, at)
          else {
            const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")
            if (error !== undefined) ended(probe, options.counts(error.error), at)
            // Interrupted, or a fault of our own: nothing was learned, the next one may see.
            else if (probe) state = { _tag: "Open", until: at }
          }
          return yield* exit
        })
      )
  }
}
