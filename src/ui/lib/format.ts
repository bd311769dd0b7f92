/** Numbers and times as people of the page's language write them. */

/** As exact as it tells something: 0.04, 0.3, 12. */
export const seconds = (ms: number, language: string): string => {
  const digits = ms < 95 ? 2 : ms < 9_950 ? 1 : 0
  return new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(
    Math.max(0, ms) / 1000
  )
}

export const whole = (value: number, language: string): string => new Intl.NumberFormat(language).format(value)

export const bytes = (size: number, language: string): string => {
  const [value, unit] =
    size < 1024 ? [size, "B"] : size < 1024 * 1024 ? [size / 1024, "KB"] : [size / (1024 * 1024), "MB"]
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 && unit !== "B" ? 1 : 0 }).format(value)} ${unit}`
}

const sameDay = (a: Date, b: Date): boolean =>
  a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate()

/** Today: 14:02. This year: Nov 20, 14:02. Else with the year. */
export const moment = (at: number, now: number, language: string): string => {
  const date = new Date(at)
  const today = new Date(now)
  const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }
  if (sameDay(date, today)) return new Intl.DateTimeFormat(language, time).format(date)
  const day: Intl.DateTimeFormatOptions = { month: "short", day: "numeric" }
  return new Intl.DateTimeFormat(language, {
    ...day,
    ...time,
    ...(date.getFullYear() === today.getFullYear() ? {} : { year: "numeric" })
  }).format(date)
}

export const median = (values: ReadonlyArray<number>): number | undefined => {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Characters as a person counts them. Past a few thousand the exact count costs more than it tells. */
export const characters = (text: string): number => {
  if (text.length > 4_000) return text.length
  let count = 0
  for (const _ of segmenter.segment(text)) count++
  return count
}

/** The beginning of a text on one line, never cut inside a character. */
export const beginning = (text: string, limit: number): string => {
  const line = text
    .slice(0, limit * 16)
    .replaceAll(/\s+/g, " ")
    .trim()
  let out = ""
  let count = 0
  for (const { segment } of segmenter.segment(line)) {
    if (count++ >= limit) return `${out}…`
    out += segment
  }
  return out
}
