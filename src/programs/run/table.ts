/** Columns for a terminal: as wide as what is in them, and one of them gives way where the line is too long. */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** Two columns wide in terminals (Unicode TR11: wide and fullwidth), and pictures. */
const wide =
  /^(?:\p{Emoji_Presentation}|.\uFE0F|[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u

const widthOfOne = (grapheme: string): number => (wide.test(grapheme) ? 2 : /^\p{M}/u.test(grapheme) ? 0 : 1)

export const width = (text: string): number => {
  let sum = 0
  for (const { segment } of segmenter.segment(text)) sum += widthOfOne(segment)
  return sum
}

/** At most so many columns, with an ellipsis in the last one where something is left out. */
export const fit = (text: string, columns: number): string => {
  if (width(text) <= columns) return text
  let kept = ""
  let sum = 0
  for (const { segment } of segmenter.segment(text)) {
    const next = widthOfOne(segment)
    if (sum + next > columns - 1) break
    kept += segment
    sum += next
  }
  return `${kept}…`
}

const pad = (text: string, columns: number): string => text + " ".repeat(Math.max(columns - width(text), 0))

export interface Options {
  readonly head: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  /** The column that gives way. */
  readonly gives: number
  /** Of the terminal; undefined where nobody looks on: then nothing is cut. */
  readonly columns: number | undefined
}

const gap = 2
const narrowest = 10

export const write = ({ columns, gives, head, rows }: Options): string => {
  const all = [head, ...rows]
  const widths = head.map((_, at) => Math.max(...all.map((row) => width(row[at] ?? ""))))
  const total = widths.reduce((sum, one) => sum + one, 0) + gap * (head.length - 1)
  const own = widths[gives] ?? 0
  if (columns !== undefined && total > columns) widths[gives] = Math.max(own - (total - columns), narrowest)
  return all
    .map((row) =>
      row
        .map((cell, at) => pad(fit(cell, widths[at] ?? 0), widths[at] ?? 0))
        .join(" ".repeat(gap))
        .trimEnd()
    )
    .join("\n")
}

/** How wide standard output is, where a person looks on. */
export const terminal = (): number | undefined => (process.stdout.isTTY === true ? process.stdout.columns : undefined)
