/**
 * How much of a growing Markdown text can no longer change: everything up to the last blank line that stands outside
 * of a code fence. Lists and quotes may go on after a blank line, so a cut inside of one is allowed only where the
 * next line begins at the margin with something else.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const CONTINUES = /^(\s+\S|[-*+] |\d{1,9}[.)] |>|\|)/

export const settledLength = (text: string): number => {
  let fence: string | undefined
  let settled = 0
  let blank = false
  let at = 0
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1]
    if (fence !== undefined) {
      if (mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark)
        fence = undefined
    } else {
      if (blank && line.trim() !== "" && !CONTINUES.test(line)) settled = at
      if (mark !== undefined) fence = mark
    }
    blank = fence === undefined && line.trim() === ""
    at += line.length + 1
  }
  return settled
}
