/**
 * Cuts text into pieces of at most so many characters, never inside a code point or a grapheme (a joined emoji, a
 * flag, a letter with its marks). Characters are counted as UTF-16 units, of which a text never has fewer than it
 * has code points, so both counts keep the bound.
 */

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const ZWJ = 0x200d

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

/**
 * Units that are a grapheme by themselves beside one another: Latin, common punctuation, CJK, kana, Hangul syllables.
 * None of them joins to its left or to its right (Unicode text segmentation, annex 29), CR LF apart.
 */
const isPlain = (unit: number): boolean =>
  unit < 0x300 ||
  (unit >= 0x4e00 && unit <= 0x9fff) ||
  (unit >= 0xac00 && unit <= 0xd7a3) ||
  (unit >= 0x3041 && unit <= 0x3096) ||
  (unit >= 0x30a1 && unit <= 0x30fa) ||
  (unit >= 0x3001 && unit <= 0x3029) ||
  (unit >= 0xff01 && unit <= 0xff60) ||
  (unit >= 0x2010 && unit <= 0x2027) ||
  (unit >= 0x3400 && unit <= 0x4dbf)

/** Where the piece that begins at `from` ends, given that more than `max` units follow. */
const cutAt = (text: string, from: number, max: number): number => {
  const end = from + max
  const before = text.charCodeAt(end - 1)
  const after = text.charCodeAt(end)
  if (isPlain(before) && isPlain(after) && !(before === 0x0d && after === 0x0a)) return end
  // Whether there is a boundary depends on what is to the left and on the one code point to the right.
  const index = segmenter.segment(text.slice(from, end + 2)).containing(max)?.index ?? max
  if (index > 0) return from + index
  // One grapheme that is longer than a piece may be: only code points can be kept whole.
  return isHigh(before) && isLow(after) ? end - 1 : end
}

/**
 * Appends the whole pieces of `text` to `out` and gives how far they reach. What follows fits into one piece, and may
 * still grow by what comes next. `max` is at least 2, so that any code point fits.
 */
export const cutWhole = (out: Array<string>, text: string, max: number): number => {
  let from = 0
  while (text.length - from > max) {
    const end = cutAt(text, from, max)
    out.push(text.slice(from, end))
    from = end
  }
  return from
}

/** Appends all pieces of `text` to `out`, the last one as short as it is. */
export const cutInto = (out: Array<string>, text: string, max: number): void => {
  const from = cutWhole(out, text, max)
  if (from < text.length) out.push(from === 0 ? text : text.slice(from))
}

/** How far back the beginning of a last grapheme is looked for: no grapheme that a person reads is as long. */
const lookBack = 256

/**
 * How much of `text` may leave now: what follows is half a code point, or a grapheme that announces by its last
 * joiner that more of it comes. At most `lookBack` units and half a code point stay behind.
 */
export const settledLength = (text: string): number => {
  let end = text.length
  if (end > 0 && isHigh(text.charCodeAt(end - 1))) end -= 1
  if (end === 0 || text.charCodeAt(end - 1) !== ZWJ) return end
  let from = end - 1
  const furthest = Math.max(0, end - lookBack)
  // A sure boundary to count from: flags pair up from the left.
  while (from > furthest && !(isPlain(text.charCodeAt(from)) && isPlain(text.charCodeAt(from - 1)))) from -= 1
  const index = segmenter.segment(text.slice(from, end)).containing(end - from - 1)?.index ?? 0
  // One that begins before what was looked at is longer than any piece, and is cut anyway.
  return index === 0 && from > 0 && from === furthest ? end : from + index
}
