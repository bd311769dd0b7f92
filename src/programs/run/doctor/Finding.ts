/** What one look of `doctor` found. */
export interface Finding {
  readonly check: string
  readonly state: "good" | "bad" | "unknown"
  /** What was found, and, where it is not good, what to do. */
  readonly text: string
  /** Where it is about one of several accounts. */
  readonly account?: string | undefined
}

const finding =
  (state: Finding["state"]) =>
  (check: string, text: string): Finding => ({ check, state, text })

export const good = finding("good")
export const bad = finding("bad")
export const unknown = finding("unknown")
