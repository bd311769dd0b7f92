/**
 * Ends what agents have open who were switched off, or whose keys were ended, past this process: by a command of the
 * operator, or in the very moment in which they connected.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Identities } from "../../services/platform/Identities.ts"
import * as Credential from "./Credential.ts"
import type { OpenAccess } from "./OpenAccess.ts"

/** Far longer than between two looks: what failed once, and clocks that differ, are made up for. */
const lookBack = 60_000

export const shutAgents = Effect.fnUntraced(function* (access: OpenAccess) {
  const identities = yield* Identities
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const { appKey } of yield* identities.shutSince(now - lookBack)) access.shut(Credential.holderOfAgent(appKey))
  })
  yield* look.pipe(
    Effect.catch((error) => Effect.logDebug("It could not be seen whether an agent was switched off", error.detail)),
    Effect.repeat(Schedule.spaced("5 seconds")),
    Effect.forkScoped
  )
})
