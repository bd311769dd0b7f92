/** Strangers' words for a person's eyes, on a terminal or in an error: bounded, and nothing in them that is not seen. */

/** No control or invisible characters but the ends of lines, no more than so many. */
export const tame = (text: string, most: number): string => {
  const clean = text.replace(/[^\P{C}\n]/gu, "").trim()
  return (clean.length > most ? `${clean.slice(0, most)}…` : clean).toWellFormed()
}

/** The same in one line. */
export const line = (text: string, most: number): string => tame(text.replace(/\s+/gu, " "), most)
