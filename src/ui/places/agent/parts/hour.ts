/** The last hour as figures and as points of a picture. Pure. */
import type { Sample } from "../../../../services/channel/Control.ts"

export const HOUR = 3_600_000

export interface Figures {
  readonly replies: number
  readonly failed: number
  readonly reconnects: number
  /** Milliseconds. Undefined where nobody got words. */
  readonly mean: number | undefined
  readonly max: number | undefined
}

export const figuresOf = (samples: ReadonlyArray<Sample>): Figures => {
  let replies = 0
  let failed = 0
  let reconnects = 0
  let total = 0
  let weight = 0
  let max: number | undefined
  for (const sample of samples) {
    const ended = sample.completed + sample.failed
    replies += ended
    failed += sample.failed
    reconnects += sample.reconnects
    if (sample.first_delta_ms !== null) {
      // How many began to speak is not said; about as many as ended.
      const count = Math.max(1, ended)
      total += sample.first_delta_ms * count
      weight += count
    }
    const longest = sample.first_delta_max_ms ?? sample.first_delta_ms
    if (longest !== null) max = Math.max(max ?? 0, longest)
  }
  return { replies, failed, reconnects, mean: weight === 0 ? undefined : total / weight, max }
}

const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8]

/** The smallest round number that nothing exceeds, in milliseconds. */
export const ceilingOf = (largest: number): number => {
  for (let power = 100; power < 1e9; power *= 10) {
    for (const step of steps) if (step * power >= largest) return step * power
  }
  return largest
}
