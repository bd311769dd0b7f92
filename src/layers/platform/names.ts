/** Texts that people give and others see: what is taken, what is cut, in one place. */
import * as Effect from "effect/Effect"
import { Invalid } from "../../services/platform/PlatformError.ts"

/** Control characters, and those that turn the reading direction of what follows. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069\u2028\u2029]/u

/** Half of a pair of surrogates is no character, and no database keeps it. */
const isWellFormed = (text: string): boolean => text.isWellFormed()

const charactersOf = (text: string): number => {
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** Trimmed and composed (NFC), so that what looks alike is alike. */
export const line = (input: {
  readonly text: string
  readonly param: string
  readonly what: string
  readonly max: number
}): Effect.Effect<string, Invalid> => {
  const text = input.text.trim().normalize("NFC")
  const refuse = (detail: string) => Effect.fail(new Invalid({ detail, param: input.param }))
  if (text === "") return refuse(`${input.what} is empty. Give it 1 to ${input.max} characters.`)
  if (charactersOf(text) > input.max) {
    return refuse(`${input.what} is longer than ${input.max} characters. Shorten it.`)
  }
  if (unprintable.test(text) || !isWellFormed(text)) {
    return refuse(`${input.what} contains characters that cannot be shown. Remove them.`)
  }
  return Effect.succeed(text)
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** At most `max` UTF-16 units, never cut inside a letter with its accents or a joined emoji. */
export const cut = (text: string, max: number): string => {
  if (text.length <= max) return text
  let end = 0
  // One letter more than fits decides; the rest need not be looked at.
  for (const { segment, index } of segmenter.segment(text.slice(0, max * 4))) {
    if (index + segment.length > max) break
    end = index + segment.length
  }
  return text.slice(0, end)
}
