/** Looks again and again for talks whose time has come: turns that take too long, requests nobody decided about. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Talks } from "../../../services/platform/Talks.ts"

/** A turn is 5 seconds at least. */
const every = "1 second"

/** Until the scope ends. What fails is tried again with the next round. */
export const run = Effect.gen(function* () {
  const talks = yield* Talks
  yield* talks.sweep.pipe(
    Effect.tap((moved) => (moved === 0 ? Effect.void : Effect.logDebug(`Time ended ${moved} talks or requests`))),
    Effect.catch((error) => Effect.logDebug("Talks whose time has come wait for now", error.detail)),
    Effect.schedule(Schedule.spaced(every)),
    Effect.forkScoped
  )
})
