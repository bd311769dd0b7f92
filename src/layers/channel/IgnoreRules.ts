/**
 * What a `.gitignore` leaves out (gitignore(5)), matched without regular expressions: the file is a stranger's, and no
 * pattern may take longer than its length times that of the name. A class like `[a-z]` counts as any one character,
 * which leaves out more, never less.
 */

interface Rule {
  /** The folder of the `.gitignore`, relative to the root, `""` for the root itself. */
  readonly base: string
  readonly negated: boolean
  readonly folderOnly: boolean
  /** By segments of the path. `**` stands for any number of them. */
  readonly segments: ReadonlyArray<string>
}

export type Rules = ReadonlyArray<Rule>

export const none: Rules = []

const maxRules = 1_000
const maxPattern = 300

const parseLine = (base: string, line: string): Rule | undefined => {
  const text = line.endsWith("\\ ") ? line : line.trimEnd()
  if (text === "" || text.startsWith("#") || text.length > maxPattern) return undefined
  const negated = text.startsWith("!")
  const pattern = (negated ? text.slice(1) : text).replace(/^\\(?=[#!])/, "").replace(/\[[^\]]{0,100}\]/g, "?")
  const folderOnly = pattern.endsWith("/")
  const path = folderOnly ? pattern.slice(0, -1) : pattern
  const anchored = path.includes("/")
  const segments = path.split("/").filter((segment) => segment !== "")
  return segments.length === 0
    ? undefined
    : { base, negated, folderOnly, segments: anchored ? segments : ["**", ...segments] }
}

/** Later rules win, so those of a deeper folder come after those above it. */
export const add = (rules: Rules, base: string, text: string): Rules => [
  ...rules,
  ...text
    .split(/\r?\n/)
    .slice(0, maxRules)
    .flatMap((line) => parseLine(base, line) ?? [])
]

/** Greedy, and back to the last star only: enough, since a later star can do all that an earlier one could. */
const matches = <A>(
  pattern: ReadonlyArray<A>,
  subject: ReadonlyArray<A>,
  isStar: (one: A) => boolean,
  equal: (one: A, other: A) => boolean
): boolean => {
  let at = 0
  let star = -1
  let taken = 0
  let index = 0
  while (index < subject.length) {
    const wanted = pattern[at]
    const given = subject[index]
    if (wanted !== undefined && isStar(wanted)) {
      star = at++
      taken = index
    } else if (wanted !== undefined && given !== undefined && equal(wanted, given)) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++taken
    } else return false
  }
  return pattern.slice(at).every(isStar)
}

const segmentMatches = (pattern: string, name: string): boolean =>
  pattern === name ||
  (/[*?\\]/.test(pattern) &&
    matches(
      [...pattern.replace(/\\(?=.)/g, "")],
      [...name],
      (one) => one === "*",
      (one, other) => one === "?" || one === other
    ))

/** `path` is relative to the root, with `/`. Folders above it are thought to have been asked for already. */
export const ignores = (rules: Rules, path: string, isFolder: boolean): boolean => {
  let ignored = false
  for (const rule of rules) {
    if (rule.negated !== ignored || (rule.folderOnly && !isFolder)) continue
    if (rule.base !== "" && !path.startsWith(`${rule.base}/`)) continue
    const relative = (rule.base === "" ? path : path.slice(rule.base.length + 1)).split("/")
    if (matches(rule.segments, relative, (one) => one === "**", segmentMatches)) ignored = !rule.negated
  }
  return ignored
}
