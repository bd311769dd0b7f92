/** How long to wait before the next attempt. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { ResolvedSettings } from "./ConnectionOptions.ts"

/** 1 s, 2 s, 4 s ... at most the cap, plus a random part so that a thousand agents do not come back at once. */
export const schedule = (
  settings: Pick<ResolvedSettings, "backoffBase" | "backoffCap" | "backoffJitter">
): Schedule.Schedule<Duration.Duration> =>
  Schedule.exponential(settings.backoffBase).pipe(
    Schedule.modifyDelay(({ duration }) =>
      Effect.map(Random.next, (chance) =>
        Duration.millis(
          Math.min(Duration.toMillis(duration), settings.backoffCap) + Math.floor(chance * settings.backoffJitter)
        )
      )
    )
  )
