/** A table out of a text, for a look at it: quotes, line breaks inside them, comma, semicolon or tab. Pure, bounded. */

export interface Table {
  readonly head: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  /** There is more than this. */
  readonly cut: boolean
}

export const limits = { rows: 200, columns: 40, cell: 500 } as const

const separators = [",", ";", "\t"] as const

/** The one that the first line has most of, outside of quotes. */
const separatorOf = (text: string): string => {
  const first = (text.split(/\r\n|[\n\r]/, 1)[0] ?? "").replaceAll(/"[^"]*"/g, "")
  const count = (separator: string) => first.split(separator).length
  return separators.reduce<string>((best, next) => (count(next) > count(best) ? next : best), ",")
}

export const read = (text: string): Table => {
  const source = text.replace(/^\uFEFF/, "")
  const separator = separatorOf(source)
  const rows: Array<Array<string>> = []
  let row: Array<string> = []
  let cell = ""
  let quoted = false
  let cut = false
  const endCell = () => {
    if (row.length < limits.columns) row.push(cell.length > limits.cell ? `${cell.slice(0, limits.cell)}…` : cell)
    else cut = true
    cell = ""
  }
  const endRow = () => {
    endCell()
    if (row.length > 1 || row[0] !== "") rows.push(row)
    row = []
  }
  for (let at = 0; at < source.length; at++) {
    if (rows.length > limits.rows) {
      cut = true
      break
    }
    const character = source.charAt(at)
    if (quoted) {
      if (character !== '"') cell += character
      else if (source.charAt(at + 1) === '"') {
        cell += '"'
        at += 1
      } else quoted = false
    } else if (character === '"' && cell === "") quoted = true
    else if (character === separator) endCell()
    else if (character === "\n" || character === "\r") {
      if (character === "\r" && source.charAt(at + 1) === "\n") at += 1
      endRow()
    } else cell += character
  }
  if (!cut && (cell !== "" || row.length > 0)) endRow()
  const [head = [], ...rest] = rows
  const width = Math.max(head.length, ...rest.map((each) => each.length))
  const filled = (each: ReadonlyArray<string>) => [...each, ...Array.from({ length: width - each.length }, () => "")]
  return { head: filled(head), rows: rest.slice(0, limits.rows).map(filled), cut }
}
