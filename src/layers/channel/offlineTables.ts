/** Tables without a model: read as RFC 4180 has them, and summed up column by column. Pure. */

/** Rows of cells. The separator is the one that the first line has most of. */
export const parse = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const clean = text.replace(/^\uFEFF/, "")
  const first = clean.slice(0, clean.search(/[\r\n]|$/))
  const counts = [",", ";", "\t"].map((mark) => [mark, first.split(mark).length] as const)
  const separator = counts.toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? ","
  const rows: Array<Array<string>> = []
  let row: Array<string> = []
  let cell = ""
  let quoted = false
  for (let at = 0; at < clean.length; at++) {
    const one = clean.charAt(at)
    if (quoted) {
      if (one !== '"') cell += one
      else if (clean.charAt(at + 1) === '"') {
        cell += '"'
        at++
      } else quoted = false
    } else if (one === '"' && cell === "") quoted = true
    else if (one === separator) {
      row.push(cell)
      cell = ""
    } else if (one === "\n" || one === "\r") {
      if (one === "\r" && clean.charAt(at + 1) === "\n") at++
      row.push(cell)
      if (row.length > 1 || row[0] !== "") rows.push(row)
      row = []
      cell = ""
    } else cell += one
  }
  row.push(cell)
  if (row.length > 1 || row[0] !== "") rows.push(row)
  return rows
}

const shown = (text: string): string =>
  text
    .replace(/[\\|`<>]/g, "\\$&")
    .replace(/\s+/g, " ")
    .slice(0, 80)
    .toWellFormed()

const isNumber = (text: string): boolean => /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text)
/** At most six places, and none that say nothing. */
const rounded = (value: number): string => String(Number(value.toPrecision(12)))

const columnOf = (cells: ReadonlyArray<string>): string => {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== "")
  const values = new Set(filled)
  if (filled.length > 0 && filled.every(isNumber)) {
    let sum = 0
    let least = Infinity
    let most = -Infinity
    for (const value of filled.map(Number)) {
      sum += value
      least = Math.min(least, value)
      most = Math.max(most, value)
    }
    const mean = rounded(sum / filled.length)
    return `number | ${filled.length} | ${values.size} | sum ${rounded(sum)}, mean ${mean}, least ${rounded(least)}, most ${rounded(most)}`
  }
  const counts = new Map<string, number>()
  for (const cell of filled) counts.set(cell, (counts.get(cell) ?? 0) + 1)
  const often = [...counts]
    .toSorted(([one, times], [other, others]) => others - times || (one < other ? -1 : 1))
    .slice(0, 3)
    .map(([value, times]) => `${shown(value)} (${times})`)
  return `text | ${filled.length} | ${values.size} | ${often.join(", ")}`
}

/** Rows, columns and what stands in each, as Markdown. The first row names the columns. */
export const summary = (name: string, text: string): string => {
  const [head = [], ...rows] = parse(text)
  const ragged = rows.filter((row) => row.length !== head.length).length
  return [
    `# ${shown(name)}`,
    "",
    `${rows.length} rows, ${head.length} columns.${ragged === 0 ? "" : ` ${ragged} rows have more or fewer cells than the first line.`}`,
    "",
    "| Column | Kind | Filled | Different | Values |",
    "|---|---|---:|---:|---|",
    ...head.map(
      (title, at) => `| ${shown(title) || `column ${at + 1}`} | ${columnOf(rows.map((row) => row[at] ?? ""))} |`
    ),
    ""
  ].join("\n")
}
