/**
 * What the agent of the crash run says: made from the question alone, so that whoever knows the question knows the
 * answer to the last character. Every piece has its number, so that a lost, doubled or moved one is seen.
 */
import { Chance } from "./Chance.ts"

export interface Piece {
  readonly text: string
  /** Milliseconds before it. */
  readonly pause: number
}

const words = [
  "Antwort",
  "réponse",
  "回答",
  "answer",
  "👩‍👩‍👧‍👦",
  "ответ",
  "🙂🏽",
  "line\nbreak",
  'quote "',
  "\\u0041"
] as const

export const piecesOf = (question: string): ReadonlyArray<Piece> => {
  const chance = new Chance(0).for(question)
  const count = chance.scale(1, 40)
  return Array.from({ length: count }, (_, index) => {
    const length = chance.scale(1, 12)
    const said = Array.from({ length }, () => chance.pick(words)).join(" ")
    return { text: `<${index}>${said}`, pause: chance.happens(0.6) ? chance.between(0, 45) : 0 }
  })
}

export const answerTo = (question: string): string =>
  piecesOf(question)
    .map(({ text }) => text)
    .join("")
