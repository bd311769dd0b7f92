/**
 * How slow this machine is just now. A platform that needs seconds to come up, because others use the processors, would
 * be killed before it has done anything, and its readers would give up before they are served: nothing would be tried.
 * So moments and patience are reckoned in starts of the platform. The laws are the same at any pace.
 */

/** Milliseconds of a start on two free cores. */
const usual = 900
const slowest = 4

let factor = 1

/** The platform took so many milliseconds to come up. */
export const started = (took: number): void => {
  // One start says little: half of it is what was known before.
  factor = Math.min(slowest, Math.max(1, (factor + took / usual) / 2))
}

/** Milliseconds of the usual pace as they are at this one. */
export const paced = (millis: number): number => millis * factor

export const pace = (): number => factor
