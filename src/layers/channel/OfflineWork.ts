/**
 * The kinds of tasks that need no model: counting words, cleaning a text up, summing a table up, a page out of Markdown.
 * Plain rules over the task's words and its text files; what is none of these is said not to be done.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Toolbox, ToolResult } from "../../services/channel/Toolbox.ts"
import * as offlineTables from "./offlineTables.ts"
import * as offlineTexts from "./offlineTexts.ts"
import * as workText from "./workText.ts"

export interface Material {
  /** `text` where it stood in the description. */
  readonly name: string
  readonly text: string
}

export interface Made {
  /** Below output/. */
  readonly name: string
  readonly text: string
}

interface Kind {
  readonly asked: RegExp
  readonly takes: (material: Material) => boolean
  readonly make: (material: Material) => Made
  readonly words: (made: ReadonlyArray<Made>) => string
}

const plain = (name: string): string => name.replace(/\.[^.]*$/, "")
const isTable = ({ name, text }: Material): boolean =>
  /\.(?:csv|tsv)$/i.test(name) || /^[^\n]*[,;\t][^\n]*\n[^\n]*[,;\t]/.test(text)
const every = () => true
const named = (made: ReadonlyArray<Made>): string => made.map(({ name }) => name).join(", ")

/** The first that fits: from the narrow to the wide. */
const kinds: ReadonlyArray<Kind> = [
  {
    asked: /\bcsv\b|\btsv\b|\bspreadsheet\b|表格|数据汇总/i,
    takes: isTable,
    make: ({ name, text }) => ({ name: `${plain(name)}-summary.md`, text: offlineTables.summary(name, text) }),
    words: (made) => `The table is summed up, column by column: ${named(made)}.`
  },
  {
    asked:
      /markdown[\s\S]*\b(?:html|web ?page|page)\b|\bhtml\b[\s\S]*markdown|markdown[\s\S]*网页|网页[\s\S]*markdown/i,
    takes: every,
    make: ({ name, text }) => ({ name: `${plain(name)}.html`, text: offlineTexts.page(plain(name), text) }),
    words: (made) => `The Markdown is a page now, in one file without anything from elsewhere: ${named(made)}.`
  },
  {
    asked: /\bcount\w*\b[\s\S]{0,60}\b(?:words?|characters?|lines?)\b|\bword[ -]?counts?\b|字数|词频|统计/i,
    takes: every,
    make: ({ name, text }) => ({ name: `${plain(name)}-count.md`, text: offlineTexts.count(name, text) }),
    words: (made) => `Counted; the numbers are in ${named(made)}.`
  },
  {
    asked: /\bclean\w*\b|\btidy\b|\bwhite ?space\b|\btrailing spaces?\b|\bnormali[sz]e\b|清理|整理|去除空格/i,
    takes: every,
    make: ({ name, text }) => ({ name: name === "text" ? "text.txt" : name, text: offlineTexts.clean(text) }),
    words: (made) =>
      `Cleaned up: spaces at the ends of lines, repeated spaces and blank lines, line ends and invisible characters. See ${named(made)}.`
  }
]

/** The text that a description carries itself: in a fence, or after a line that says so. */
export const inline = (description: string): string | undefined => {
  const fence = /^(```+|~~~+)[^\n]*\n([\s\S]*?)\n\1\s*$/m.exec(description)?.[2]
  const after = /^[^\n]{0,60}\b(?:text|data|content|文本|内容|数据)\s*[:：][^\S\n]*\n([\s\S]+)$/im.exec(
    description
  )?.[1]
  const found = fence ?? after ?? /(?:^|\n)(?:文本|内容|数据)[:：]\s*\n?([\s\S]+)$/.exec(description)?.[1]
  return found === undefined || found.trim() === "" ? undefined : found
}

const cannot = (why: string): string => `${workText.notDone} ${why}`

/** What is made of what, without touching anything. A text alone: it cannot be done, and why. */
export const make = (
  task: workText.Parsed,
  inputs: ReadonlyArray<Material>
): { readonly said: string; readonly made: ReadonlyArray<Made> } => {
  const text = inline(task.description)
  const material = inputs.length > 0 ? inputs : text === undefined ? [] : [{ name: "text", text }]
  const asked = `${task.title}\n${text === undefined ? task.description : task.description.replace(text, "")}`
  const kind = kinds.find((one) => one.asked.test(asked))
  if (kind === undefined) {
    return {
      said: cannot(
        "this agent has no model; it counts words, cleans texts, sums up tables and makes pages of Markdown."
      ),
      made: []
    }
  }
  const taken = material.filter(kind.takes)
  if (taken.length === 0) {
    return { said: cannot("the task has no text or file that this could be done with."), made: [] }
  }
  const made = taken.map(kind.make)
  return { said: kind.words(made), made }
}

/** Of read_file, whose toolkit this agent does not load. */
const Page = Schema.Struct({ text: Schema.String, next_offset: Schema.NullOr(Schema.Finite) })
const readResult = Schema.decodeUnknownOption(Page)

/** The whole of a text file, page by page; `undefined` where it cannot be read. */
const read = Effect.fnUntraced(function* (toolbox: Toolbox, path: string) {
  let text = ""
  let offset: number | null = 0
  while (offset !== null) {
    const result: ToolResult = yield* toolbox.call("read_file", { path, offset })
    const page: Option.Option<typeof Page.Type> = result.isError ? Option.none() : readResult(result.value)
    if (Option.isNone(page)) return undefined
    text += page.value.text
    offset = page.value.next_offset
  }
  return text
})

const inputNames = (message: string): ReadonlyArray<string> =>
  message.split("\n").flatMap((line) => (line.startsWith("> input/") ? [line.slice("> ".length)] : []))

/** A work turn of the agent without a model: reads, makes, writes, and says what it made. */
export const perform = Effect.fnUntraced(function* (toolbox: Toolbox, message: string): Effect.fn.Return<string> {
  const at = message.lastIndexOf("\nFiles of the task, in the work folder:\n")
  const inputs: Array<Material> = []
  for (const path of at < 0 ? [] : inputNames(message.slice(at))) {
    const text = yield* read(toolbox, path)
    if (text !== undefined) inputs.push({ name: path.slice("input/".length), text })
  }
  const { made, said } = make(workText.parse(message), inputs)
  for (const { name, text } of made) {
    const written = yield* toolbox.call("write_file", { path: `output/${name}`, text })
    if (written.isError) return cannot(`${name} could not be written.`)
  }
  return said
})
