/** A finding as a line for a person, or as an event. */
import * as Output from "../../Output.ts"
import type { Finding } from "./Finding.ts"

const marks = { good: ["✓", 32], bad: ["✗", 31], unknown: ["?", 33] } as const

export const print = (json: boolean) => (finding: Finding) => {
  if (json) return Output.event(finding)
  const [mark, color] = marks[finding.state]
  const word = `${mark} ${finding.state.padEnd(7)}`
  const check = finding.account === undefined ? finding.check : `${finding.check} (${finding.account})`
  return Output.line(
    `${Output.colors("stdout") ? `\u001b[${color}m${word}\u001b[0m` : word}  ${check.padEnd(11)}  ${finding.text}`
  )
}
