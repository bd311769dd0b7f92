/**
 * A Markdown text in blocks that can be read one by one: a growing reply then costs its last block per frame of the
 * screen, not the whole. A cut stands after a blank line outside of a code fence, and only where the next line begins
 * at the margin with something that does not go on with a list, a quote or a table.
 */
const FENCE = /^ {0,3}(`{3,}|~{3,})/
const CONTINUES = /^(\s+\S|[-*+] |\d{1,9}[.)] |>|\|)/
/** The last line may still become such a one. */
const MAY_CONTINUE = /^(\s|[-*+]$|\d{1,9}[.)]?$)/
/** `[name]: address` and footnotes are meant for the whole text: it is then read as a whole. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m

export const blocksOf = (text: string): ReadonlyArray<string> => {
  if (DEFINITION.test(text)) return [text]
  const blocks: Array<string> = []
  let fence: string | undefined
  let begun = 0
  let blank = false
  let at = 0
  for (const line of text.split("\n")) {
    const mark = FENCE.exec(line)?.[1]
    if (fence === undefined) {
      const last = at + line.length === text.length
      if (blank && line.trim() !== "" && !CONTINUES.test(line) && !(last && MAY_CONTINUE.test(line))) {
        blocks.push(text.slice(begun, at))
        begun = at
      }
      if (mark !== undefined) fence = mark
    } else if (mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length && line.trim() === mark) {
      fence = undefined
    }
    blank = fence === undefined && line.trim() === ""
    at += line.length + 1
  }
  blocks.push(text.slice(begun))
  return blocks
}
