/** Looks again and again for tasks whose time has come: grabs that ran out, deadlines, reviews nobody made. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { TaskPool } from "../../services/platform/TaskPool.ts"

const every = "5 seconds"

/** Until the scope ends. What fails is tried again with the next round. */
export const run = Effect.gen(function* () {
  const pool = yield* TaskPool
  yield* pool.sweep.pipe(
    Effect.tap((moved) => (moved === 0 ? Effect.void : Effect.logDebug(`Time ended or opened ${moved} tasks`))),
    Effect.catch((error) => Effect.logDebug("Tasks whose time has come wait for now", error.detail)),
    Effect.schedule(Schedule.spaced(every)),
    Effect.forkScoped
  )
})
