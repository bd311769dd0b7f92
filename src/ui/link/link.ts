/** The page's own line to the platform, as data, and the pure table of how one state follows from another. */

export type LinkState =
  /** Not wanted: nobody is signed in. */
  | { readonly phase: "idle" }
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "open" }
  /** Lost or refused; the next try is at `retryAt`. */
  | { readonly phase: "waiting"; readonly attempt: number; readonly retryAt: number }
  /** The platform no longer knows this sign-in: needs a person. */
  | { readonly phase: "signed-out" }

export type LinkEvent =
  | { readonly type: "start" }
  | { readonly type: "opened" }
  /** `jitter` is 0..1. `stableFor` = how long the link had been open, in ms. */
  | { readonly type: "lost"; readonly at: number; readonly jitter: number; readonly stableFor: number }
  | { readonly type: "refused" }
  /** The time has come, the network is back, or the person says so. */
  | { readonly type: "try" }
  | { readonly type: "stop" }

const FIRST_WAIT = 1_000
const LONGEST_WAIT = 30_000
/** A link that held this long starts its waits anew. */
export const STABLE = 10_000

export const waitFor = (attempt: number, jitter: number): number =>
  Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, attempt - 1)) + Math.floor(jitter * 1_000)

export const next = (state: LinkState, event: LinkEvent): LinkState => {
  switch (event.type) {
    case "start":
      return state.phase === "idle" || state.phase === "signed-out" ? { phase: "connecting", attempt: 1 } : state
    case "stop":
      return { phase: "idle" }
    case "refused":
      return state.phase === "idle" ? state : { phase: "signed-out" }
    case "opened":
      return state.phase === "connecting" ? { phase: "open" } : state
    case "try":
      return state.phase === "waiting" ? { phase: "connecting", attempt: state.attempt + 1 } : state
    case "lost": {
      if (state.phase !== "open" && state.phase !== "connecting") return state
      const attempt = state.phase === "connecting" ? state.attempt : event.stableFor >= STABLE ? 1 : 2
      return { phase: "waiting", attempt, retryAt: event.at + waitFor(attempt, event.jitter) }
    }
  }
}
