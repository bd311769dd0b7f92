/**
 * How close two entry profiles are: a whole number from 0 to 100, always the same for the same two, and told by the
 * fields and words that they share. Pure; this is the specification that an index has to agree with.
 *
 * A profile is read into terms, field by field. A seeker has a budget for each of its fields, the same for all, or three
 * times as much for those that the world searches by; it is shared out evenly among the terms of the field, so that a
 * long answer counts no more than a short one. The score is what part of the seeker's budget the other one has the terms
 * of. Nothing in it depends on who else is there: an index may add up the weights of shared terms in any order.
 */
import type { Answer, EntryField, EntryProfile, EntrySchema } from "../protocol/EntryProfile.ts"
import type { SearchMode } from "../protocol/Worlds.ts"

/** Of the rules by which profiles are read. Terms that are kept were read by the rules of their number. */
export const version = 2

/** Terms of each field that has some, in the order of the answer, each once. */
export type Terms = Readonly<Record<string, ReadonlyArray<string>>>

/** The first ones of an answer count: more would not tell more. */
const termsPerField = 64
const longestWord = 64

/** Words of writing without spaces are read as all pairs of neighbours; `c++` and `c#` are words. */
const word =
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}ー\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]+|[[\p{L}\p{M}\p{N}]--[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}ー\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]]+[+#]*/gv
const unspaced = /^[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}ー\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/v

/**
 * English words that hold sentences together, and what an apostrophe leaves of some: everybody has them, so to share
 * them says nothing. Short words of other kinds say much (`ai`, `go`, `tv`), so it is no matter of length.
 */
const fillers = new Set(
  (
    "a an the this that these those there and or but nor so if then than as of to in into on onto at by for from with " +
    "without about i me my mine we us our ours you your yours he him his she her hers it its they them their theirs " +
    "who whom whose which what when where is am are was were be been being do does did has have had will would can " +
    "could shall should may might not no too also just very d ll m re s t ve"
  ).split(" ")
)

/** Composed for compatibility and in lower case: `Café`, `ＣＡＦＥ́` and `café` are one. */
const fold = (text: string): string => text.normalize("NFKC").toLowerCase().normalize("NFKC")

/** What is the whole of an answer, and no word, begins with this. */
const whole = "="

const runsOf = function* (text: string): Generator<string> {
  for (const [run] of fold(text).matchAll(word)) {
    const letters = Array.from(run)
    if (!unspaced.test(run)) yield letters.length > longestWord ? letters.slice(0, longestWord).join("") : run
    else if (letters.length === 1) yield run
    else for (let i = 1; i < letters.length; i++) yield `${letters[i - 1]}${letters[i]}`
  }
}

/** Without those that say nothing; where there are no others they are what was said (the tag `IT`). */
const wordsOf = function* (text: string): Generator<string> {
  const left = new Set<string>()
  let says = false
  for (const run of runsOf(text)) {
    if (fillers.has(run)) left.add(run)
    else {
      says = true
      yield run
    }
  }
  if (!says) yield* left
}

/** Bands twice and a fifth as wide as their beginning: two numbers share both, the wide one, or none. */
const bandsOf = (value: number): ReadonlyArray<string> => {
  if (value === 0) return [`${whole}0`]
  const sign = value < 0 ? "-" : ""
  const size = Math.log2(Math.abs(value))
  return [`${whole}${sign}octave ${Math.floor(size)}`, `${whole}${sign}quarter ${Math.floor(size * 4)}`]
}

const termsOfAnswer = function* (type: EntryField["type"], answer: Answer): Generator<string> {
  if (typeof answer === "number") yield* bandsOf(answer)
  else if (typeof answer === "boolean") yield `${whole}${answer}`
  else if (typeof answer !== "string") for (const tag of answer) yield* wordsOf(tag)
  else if (type === "choice") yield `${whole}${fold(answer).trim()}`
  else yield* wordsOf(answer)
}

/** An answered field has its terms here; what the schema does not ask is left out. */
export const termsOf = (schema: EntrySchema, profile: EntryProfile): Terms => {
  const found: Array<readonly [string, ReadonlyArray<string>]> = []
  for (const { fieldId, type } of schema.fields) {
    const answer = Object.hasOwn(profile, fieldId) ? profile[fieldId] : undefined
    if (answer === undefined) continue
    const terms = new Set<string>()
    for (const term of termsOfAnswer(type, answer)) {
      terms.add(term)
      if (terms.size === termsPerField) break
    }
    if (terms.size > 0) found.push([fieldId, [...terms]])
  }
  return Object.fromEntries(found)
}

export interface Search {
  readonly mode: SearchMode
  /** In capability_overlap_search: the fields that say what somebody can do. */
  readonly inputFieldIds: ReadonlyArray<string>
}

/** What somebody looks for. */
export interface Query {
  readonly fields: ReadonlyArray<{
    readonly fieldId: string
    /** Of each of the terms, a whole number: sums are exact in any order. */
    readonly weight: number
    readonly terms: ReadonlyArray<string>
  }>
  /** All weights together. */
  readonly total: number
}

/** Divided by up to 16 it is whole. Times the budgets of all fields it stays far below 2^31. */
const budget = 720_720
const searched = 3

export const query = ({ inputFieldIds, mode }: Search, terms: Terms): Query => {
  const fields = Object.entries(terms).map(([fieldId, own]) => {
    const share = mode === "capability_overlap_search" && inputFieldIds.includes(fieldId) ? searched : 1
    return { fieldId, terms: own, weight: Math.round((share * budget) / own.length) }
  })
  return { fields, total: fields.reduce((sum, field) => sum + field.weight * field.terms.length, 0) }
}

/** From the weights of the shared terms. 100 means all of them, 0 none of them. */
export const scoreOf = ({ total }: Pick<Query, "total">, shared: number): number =>
  shared === 0 || total === 0 ? 0 : Math.max(1, Math.floor((100 * shared) / total))

export interface Match {
  readonly score: number
  /** Fields that share something, in the order of the query. */
  readonly matched: ReadonlyArray<{ readonly fieldId: string; readonly terms: ReadonlyArray<string> }>
}

export const match = (query: Query, other: Terms): Match => {
  const matched: Array<Match["matched"][number]> = []
  let shared = 0
  for (const { fieldId, terms, weight } of query.fields) {
    const theirs = Object.hasOwn(other, fieldId) ? new Set(other[fieldId]) : undefined
    const both = theirs === undefined ? [] : terms.filter((term) => theirs.has(term))
    if (both.length === 0) continue
    shared += both.length * weight
    matched.push({ fieldId, terms: both })
  }
  return { score: scoreOf(query, shared), matched }
}

export interface Standing {
  readonly agentId: string
  readonly score: number
  /** Milliseconds since the epoch. */
  readonly activeAt: number
}

/** The closest first; of equals the one who was active last, then by the code units of the id. */
export const compare = (one: Standing, other: Standing): number =>
  other.score - one.score ||
  other.activeAt - one.activeAt ||
  (one.agentId < other.agentId ? -1 : one.agentId > other.agentId ? 1 : 0)

/** The best of all, by looking at each: what an index gives has to be this. */
export const rank = (
  query: Query,
  others: Iterable<{ readonly agentId: string; readonly activeAt: number; readonly terms: Terms }>,
  limit: number
): ReadonlyArray<Standing> => {
  const all: Array<Standing> = []
  for (const { activeAt, agentId, terms } of others) {
    all.push({ agentId, activeAt, score: match(query, terms).score })
  }
  return all.sort(compare).slice(0, limit)
}

const wordsPerField = 4
const fieldsTold = 3

/** Terms as people read them: pairs that overlap are one word again. */
const readable = (terms: ReadonlyArray<string>): ReadonlyArray<string> => {
  const words: Array<string> = []
  for (const term of terms) {
    const [first, second] = Array.from(term)
    const before = words.at(-1)
    const isNext = second !== undefined && unspaced.test(term) && before !== undefined && unspaced.test(before)
    if (isNext && Array.from(before).at(-1) === first) words[words.length - 1] = before + second
    else words.push(term)
  }
  return words
}

const quoted = (terms: ReadonlyArray<string>): string =>
  readable(terms)
    .slice(0, wordsPerField)
    .map((term) => `"${term}"`)
    .join(", ")

const sharedIn = (field: EntryField, terms: ReadonlyArray<string>): string => {
  if (field.type === "number") return `a like number in ${field.label}`
  if (field.type === "boolean") return `the same answer in ${field.label}`
  const words = field.type === "choice" ? terms.map((term) => term.slice(whole.length)) : terms
  return `${quoted(words)} in ${field.label}`
}

/** The score in a sentence. Its words are the seeker's own, and the world's labels. */
export const reason = (schema: EntrySchema, { matched }: Match): string => {
  const parts = matched.slice(0, fieldsTold).flatMap(({ fieldId, terms }) => {
    const field = schema.fields.find((field) => field.fieldId === fieldId)
    return field === undefined ? [] : [sharedIn(field, terms)]
  })
  if (parts.length === 0) return "No words in common yet."
  const more = matched.length - parts.length
  return `In common: ${parts.join("; ")}${more > 0 ? `; and something in ${more} more` : ""}.`
}
