/**
 * The platform speaks English; here are its sentences in the page's language. A sentence is known whole or not at all:
 * what an agent or a stranger wrote stays as it is, also what looks like a part of one.
 *
 * Templates: `{{#count}}` is a number, `{{name}}` any text, `{{>thing}}` one of the phrases of that name or, where there
 * are none, another sentence. Values are put in as they are, and never read as templates.
 */
import { agents, profile, registering } from "./sentences/agents.ts"
import { doors, files, messages, people, replies } from "./sentences/chat.ts"
import { market } from "./sentences/market.ts"
import { phrases, spans } from "./sentences/phrases.ts"
import { control, line, places, work } from "./sentences/program.ts"
import { answers, composed, fields, named, talks, worlds } from "./sentences/worlds.ts"

type Table = Readonly<Record<string, string>>

/** No sentence of the platform is longer; nothing is looked for in what is. UTF-16 units. */
const longest = 4_000
/** A sentence in a sentence in a sentence. */
const deepest = 3

const number = /^-?\d[\d,.]{0,40}(?:e[+-]?\d{1,3})?$/

interface Hole {
  readonly kind: "" | "#" | ">"
  readonly name: string
}

interface Template {
  /** What stands before, between and after the holes. */
  readonly literals: ReadonlyArray<string>
  readonly holes: ReadonlyArray<Hole>
  /** Texts and the names of holes, in turn. */
  readonly said: ReadonlyArray<string>
}

interface Book {
  readonly exact: ReadonlyMap<string, string>
  readonly templates: ReadonlyArray<Template>
}

type Entry = readonly [english: string, chinese: string]

const phrasesOf: ReadonlyMap<string, ReadonlyArray<Entry>> = new Map(
  Object.entries({ ...phrases, span: spans }).map(([name, table]) => [name, Object.entries(table)])
)

/** With each of its phrases in its place: what is left to be found are numbers, texts and whole sentences. */
const spread = ([english, chinese]: Entry): ReadonlyArray<Entry> => {
  for (const [, name = ""] of english.matchAll(/\{\{>(\w+)\}\}/g)) {
    const choices = phrasesOf.get(name)
    if (choices === undefined) continue
    return choices.flatMap(([part, said]) =>
      spread([english.replace(`{{>${name}}}`, () => part), chinese.replace(`{{${name}}}`, () => said)])
    )
  }
  return [[english, chinese]]
}

const compile = ([english, chinese]: Entry): Template => {
  const parts = english.split(/\{\{([#>]?)(\w+)\}\}/)
  const literals = parts.filter((_, at) => at % 3 === 0)
  const holes = literals.slice(1).map((_, at): Hole => {
    const kind = parts[at * 3 + 1]
    return { kind: kind === "#" || kind === ">" ? kind : "", name: parts[at * 3 + 2] ?? "" }
  })
  return { literals, holes, said: chinese.split(/\{\{(\w+)\}\}/) }
}

/** The world's label of a question, and what is wrong with the answer to it. */
const labelled: Table = {
  ...Object.fromEntries(
    Object.entries(answers).map(([english, chinese]) => [`{{label}} ${english}.`, `“{{label}}”${chinese}。`])
  ),
  "{{label}}: nothing can be at least {{#least}} and at most {{#most}}.":
    "“{{label}}”：不可能同时不小于 {{least}} 又不大于 {{most}}。"
}

const all = (tables: ReadonlyArray<Table>): ReadonlyArray<Entry> =>
  tables.flatMap((table) => Object.entries(table)).flatMap(spread)

/** What anybody's sentence may be looked up in: each begins with words of its own, or with a number. */
export const sentences: ReadonlyArray<Entry> = all([
  doors,
  people,
  files,
  messages,
  replies,
  market,
  worlds,
  talks,
  fields,
  composed,
  profile,
  agents,
  registering,
  control,
  line,
  work
])
/** Begin with a value of whoever it is about. */
export const begun: ReadonlyArray<Entry> = all([labelled, named, places])

const bookOf = (entries: ReadonlyArray<Entry>): Book => ({
  exact: new Map(entries.filter(([english]) => !english.includes("{{"))),
  templates: entries.filter(([english]) => english.includes("{{")).map(compile)
})

const anybodys = bookOf(sentences)
const platforms = bookOf(begun)

/** The values that the holes stand for, each as short as it can be; in time that grows with the text's length. */
const valuesOf = ({ literals }: Template, text: string): ReadonlyArray<string> | undefined => {
  const head = literals[0] ?? ""
  const tail = literals.at(-1) ?? ""
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined
  const end = text.length - tail.length
  const values: Array<string> = []
  let from = head.length
  for (const literal of literals.slice(1, -1)) {
    const at = text.indexOf(literal, from + 1)
    if (at === -1 || at + literal.length > end) return undefined
    values.push(text.slice(from, at))
    from = at + literal.length
  }
  return from < end ? [...values, text.slice(from, end)] : undefined
}

const fill = (template: Template, text: string, depth: number): string | undefined => {
  const values = valuesOf(template, text)
  if (values === undefined) return undefined
  const filled = new Map<string, string>()
  for (const [at, { kind, name }] of template.holes.entries()) {
    const value = values[at] ?? ""
    if (kind === "#" && !number.test(value)) return undefined
    filled.set(name, kind === ">" ? (find(anybodys, value, depth + 1) ?? value) : value)
  }
  return template.said.map((part, at) => (at % 2 === 0 ? part : (filled.get(part) ?? ""))).join("")
}

const find = ({ exact, templates }: Book, text: string, depth: number): string | undefined => {
  const whole = exact.get(text)
  if (whole !== undefined || depth > deepest) return whole
  for (const template of templates) {
    const found = fill(template, text, depth)
    if (found !== undefined) return found
  }
  return undefined
}

const said = (sentence: string, language: string, books: ReadonlyArray<Book>): string => {
  if (!language.startsWith("zh") || sentence.length > longest) return sentence
  for (const book of books) {
    const found = find(book, sentence, 0)
    if (found !== undefined) return found
  }
  return sentence
}

/** Whoever said it: the sentence in the language, where it is one of the platform's; otherwise as it came. */
export const inLanguage = (sentence: string, language: string): string => said(sentence, language, [anybodys])

/** What the platform or the operator's program itself says of a field, a file or an address. */
export const fromPlatform = (sentence: string, language: string): string =>
  said(sentence, language, [anybodys, platforms])

/** A sentence that is still foreign to who reads the page: none of its letters are of their script. */
export const isForeign = (sentence: string, language: string): boolean =>
  language.startsWith("zh") && sentence !== "" && !/\p{Script=Han}/u.test(sentence)
