/** What the templates of the enveloped dialects share. */

/** JSON text as it stands inside a JSON string. */
export const inString = (json: string): string => JSON.stringify(json).slice(1, -1)

/** What JSON escapes, or may have to: quotes, backslashes, control characters, halves of code points. */
// oxlint-disable-next-line no-control-regex
const special = /["\\\u0000-\u001f\ud800-\udfff]/

/**
 * A delta as JSON. Most deltas are plain words, and looking for what would need an escape costs a fraction of
 * JSON.stringify; the rest goes its way.
 */
export const quoted = (delta: string): string => (special.test(delta) ? JSON.stringify(delta) : `"${delta}"`)

/** The same as it stands inside a JSON string. */
export const quotedInString = (delta: string): string =>
  special.test(delta) ? inString(JSON.stringify(delta)) : `\\"${delta}\\"`

/** ISO 8601 of unix seconds. A time that no calendar knows becomes the epoch: an encoder never throws. */
export const isoOf = (seconds: number): string => {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? "1970-01-01T00:00:00.000Z" : date.toISOString()
}
