/** The lines in which two texts differ, as `diff -u` shows them, with what is secret left out. */

/** Lines around a change. */
const around = 3
/** Above this many lines the changed middle is shown as a whole: nobody reads more, and it stays quick. */
const maxLines = 2_000

type Line = readonly [mark: " " | "-" | "+", text: string]

const compare = (from: ReadonlyArray<string>, to: ReadonlyArray<string>): ReadonlyArray<Line> => {
  let head = 0
  while (head < from.length && head < to.length && from[head] === to[head]) head++
  let tail = 0
  while (tail < from.length - head && tail < to.length - head && from.at(-1 - tail) === to.at(-1 - tail)) tail++
  const a = from.slice(head, from.length - tail)
  const b = to.slice(head, to.length - tail)
  const same = (lines: ReadonlyArray<string>) => lines.map((line): Line => [" ", line])
  return [...same(from.slice(0, head)), ...middle(a, b), ...same(tail === 0 ? [] : from.slice(-tail))]
}

/** By the longest common run of lines. */
const middle = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): ReadonlyArray<Line> => {
  const gone = a.map((line): Line => ["-", line])
  const come = b.map((line): Line => ["+", line])
  if (a.length === 0 || b.length === 0 || a.length > maxLines || b.length > maxLines) return [...gone, ...come]
  const width = b.length + 1
  const lengths = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] =
        a[i] === b[j]
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0)
    }
  }
  const lines: Array<Line> = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i] ?? ""])
      i++
      j++
    } else if (
      j >= b.length ||
      (i < a.length && (lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0))
    ) {
      lines.push(["-", a[i] ?? ""])
      i++
    } else {
      lines.push(["+", b[j] ?? ""])
      j++
    }
  }
  return lines
}

const secret =
  /((?:"|')?[\w-]*(?:secret|token|password|credential|key)[\w-]*(?:"|')?\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gi

/** Nothing that opens a door is shown (law secret). */
const hidden = (line: string): string => line.replace(secret, '$1"(hidden)"')

/** Empty where nothing differs. */
export const lines = (from: string, to: string): ReadonlyArray<string> => {
  const all = compare(from.split(/\r?\n/), to.split(/\r?\n/))
  const near = all.map((_, at) => all.slice(Math.max(0, at - around), at + around + 1).some(([mark]) => mark !== " "))
  const shown: Array<string> = []
  for (const [at, [mark, text]] of all.entries()) {
    if (near[at] === true) shown.push(`${mark} ${hidden(text)}`.trimEnd())
    else if (near[at - 1] === true && at < all.length - 1 && near.slice(at).includes(true)) shown.push("  …")
  }
  while (shown.at(-1) === "") shown.pop()
  return shown
}
