/** What the templates of the enveloped dialects share. */

/** JSON text as it stands inside a JSON string. */
export const inString = (json: string): string => JSON.stringify(json).slice(1, -1)

/** ISO 8601 of unix seconds. A time that no calendar knows becomes the epoch: an encoder never throws. */
export const isoOf = (seconds: number): string => {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? "1970-01-01T00:00:00.000Z" : date.toISOString()
}
