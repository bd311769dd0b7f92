/** A busy hour and its replies, as pictures and measures of the page need them. */
import type { AccountView } from "../../src/services/channel/Control.ts"
import type { DispatcherStats, Ended, InFlight } from "../../src/services/channel/Dispatcher.ts"
import { noStats } from "../layers/channel/control/scripted.ts"

export const someReplies = (now: number): { readonly inFlight: Array<InFlight>; readonly recent: Array<Ended> } => ({
  inFlight: [
    {
      responseId: "resp_run",
      sessionId: "sess_7f3a19c2d4e5",
      messageId: "m9",
      acceptedAt: now - 2_300,
      startedAt: now - 2_200,
      firstDeltaAt: now - 1_900,
      characters: 318
    },
    {
      responseId: "resp_wait",
      sessionId: "sess_0b11aa20c9d1",
      messageId: "m8",
      acceptedAt: now - 600,
      startedAt: undefined,
      firstDeltaAt: undefined,
      characters: 0
    }
  ],
  recent: Array.from({ length: 30 }, (_, index): Ended => {
    const acceptedAt = now - (index + 1) * 97_000
    const failed = index === 3 || index === 17
    return {
      responseId: `resp_${index}`,
      sessionId: `sess_${((index * 7919) % 65_536).toString(16).padStart(4, "0")}c2d4e5`,
      messageId: `m_${index}`,
      acceptedAt,
      startedAt: acceptedAt + 20,
      firstDeltaAt: failed ? undefined : acceptedAt + 300 + ((index * 137) % 700),
      characters: failed ? 0 : 400 + ((index * 911) % 2_400),
      endedAt: acceptedAt + 1_800 + ((index * 311) % 5_000),
      failure: failed
        ? index === 3
          ? { code: "RATE_LIMIT", message: "The model answered 429; the person was told to wait 20 s." }
          : { code: "CANCELLED", message: "The reply was stopped." }
        : undefined
    }
  })
})

/** Sixty minutes with a slow stretch, two failures and a reconnect. */
export const busyHour = (now: number): AccountView["samples"] =>
  Array.from({ length: 60 }, (_, minute) => minute)
    .filter((minute) => minute % 7 !== 3)
    .map((minute) => {
      const slow = Math.max(0, 1 - Math.abs(minute - 38) / 5) * 1_400
      const mean = Math.round(320 + ((minute * 53) % 17) * 12 + slow)
      return {
        at: Math.floor((now - (59 - minute) * 60_000) / 10_000) * 10_000,
        completed: 1 + ((minute * 5) % 4),
        failed: minute === 37 || minute === 39 ? 1 : 0,
        first_delta_ms: mean,
        first_delta_max_ms: Math.round(mean * (1.1 + ((minute * 3) % 5) / 10)),
        reconnects: minute === 40 ? 1 : 0
      }
    })

export const stats: DispatcherStats = {
  ...noStats,
  accepted: 134,
  completed: 130,
  failed: { ...noStats.failed, RATE_LIMIT: 1, CANCELLED: 1 },
  running: 1,
  waiting: 1
}
