/** Counting and turning text as a reader sees it: characters are grapheme clusters, words what the language calls so. */
import type { Language } from "./OfflineCommand.ts"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })
const wordsOf: Readonly<Record<Language, Intl.Segmenter>> = {
  en: new Intl.Segmenter("en", { granularity: "word" }),
  zh: new Intl.Segmenter("zh", { granularity: "word" })
}

export interface Statistics {
  readonly characters: number
  readonly words: number
  readonly lines: number
}

/** Segmenting is slow: past this many code units the rest of a text is counted in code points and by white space. */
const exactly = 100_000

export const statistics = (text: string, language: Language): Statistics => {
  const lines = text === "" ? 0 : text.replace(/\r?\n$/, "").split("\n").length
  if (text.length > exactly) {
    return { characters: [...text].length, words: text.match(/\S+/g)?.length ?? 0, lines }
  }
  let characters = 0
  for (const _ of graphemes.segment(text)) characters++
  let words = 0
  for (const { isWordLike } of wordsOf[language].segment(text)) if (isWordLike === true) words++
  return { characters, words, lines }
}

/** "1 line", "2 lines". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

export const reversed = (text: string): string =>
  Array.from(graphemes.segment(text), ({ segment }) => segment)
    .reverse()
    .join("")

/** At most `limit` code units, cut at a character, with a mark where something is missing. */
export const shortened = (text: string, limit: number): string =>
  text.length <= limit
    ? text
    : `${text
        .slice(0, limit)
        .replace(/[\uD800-\uDBFF]$/, "")
        .trimEnd()} …`

/**
 * The smallest pieces worth sending: a word with the space behind it, a character or two of Chinese. Joined they are
 * the text.
 */
export const units = (text: string): ReadonlyArray<string> =>
  text.match(/\p{Script=Han}{1,2}\p{P}*|[^\s\p{Script=Han}]{1,40}\s*|\s+/gu) ?? []
