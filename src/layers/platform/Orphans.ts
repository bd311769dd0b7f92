/**
 * What an earlier process left open. Another process may still be at it, so nothing of it is touched at the start: it
 * is ended, or put back into the mailbox, once its agent has been seen by nobody for as long as a reply stays open
 * without its agent. An agent that comes back here before that goes on with it: then it is no orphan any more.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Identities } from "../../services/platform/Identities.ts"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import type { Exchange, Sessions } from "../../services/platform/Sessions.ts"

interface Orphan {
  readonly exchange: Exchange
  /** Monotonic milliseconds. */
  deadline: number
}

export interface Orphans {
  /** Looks for them. Once, at the start. */
  readonly find: Effect.Effect<void, StoreError>
  /** Whether there are any. */
  readonly some: () => boolean
  /** Looks after those whose time has come. */
  readonly sweep: Effect.Effect<void, StoreError>
}

export const make = (given: {
  readonly sessions: Sessions["Service"]
  readonly identities: Identities["Service"]
  /** Milliseconds. */
  readonly grace: number
  readonly elapsed: () => number
  /** Is it under way in this process? */
  readonly isHere: (responseId: string) => boolean
  /** Its time is over: nobody answers it. */
  readonly abandoned: (exchange: Exchange) => Effect.Effect<void, StoreError>
}): Orphans => {
  const { elapsed, grace, identities, sessions } = given
  const orphans = new Map<string, Orphan>()

  const find = Effect.gen(function* () {
    let after: string | undefined
    do {
      const page = yield* identities.list({ limit: 200, after })
      for (const { clawId } of page.items) {
        for (const exchange of yield* sessions.open(clawId)) {
          if (exchange.status === "waiting") continue
          orphans.set(exchange.responseId, { exchange, deadline: elapsed() + grace })
        }
      }
      after = page.next
    } while (after !== undefined)
  }).pipe(Effect.withSpan("Orphans.find"))

  const lastSeen = (clawId: string) =>
    identities.find(clawId).pipe(
      Effect.map((identity) => identity.lastSeenAt),
      Effect.catchTag("NotFound", () => Effect.undefined)
    )

  const sweep = Effect.gen(function* () {
    const now = elapsed()
    const wall = yield* Clock.currentTimeMillis
    for (const [responseId, orphan] of orphans) {
      if (given.isHere(responseId)) {
        orphans.delete(responseId)
        continue
      }
      if (orphan.deadline > now) continue
      const seen = yield* lastSeen(orphan.exchange.clawId)
      if (seen !== undefined && wall - seen < grace) {
        orphan.deadline = now + grace
        continue
      }
      orphans.delete(responseId)
      yield* given.abandoned(orphan.exchange)
    }
  })

  return { find, some: () => orphans.size > 0, sweep }
}
