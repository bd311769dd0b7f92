/** How much of a session is kept, and what goes first: the oldest, in whole exchanges. */
import type { Said } from "../../services/channel/Transcripts.ts"

export interface Bounds {
  /** Messages kept of one session. */
  readonly maxMessages: number
  /** Characters kept of one session. */
  readonly maxCharacters: number
}

export const defaultBounds: Bounds = { maxMessages: 40, maxCharacters: 60_000 }

/** One message alone may not push everything else out. */
const shortened = (said: Said, limit: number): Said =>
  said.text.length <= limit ? said : { ...said, text: `${said.text.slice(0, Math.max(0, limit - 2)).toWellFormed()} …` }

/** The newest messages within the bounds, beginning with one of the user's. */
export const bounded = (messages: ReadonlyArray<Said>, bounds: Bounds): ReadonlyArray<Said> => {
  const kept: Array<Said> = []
  let characters = 0
  for (const message of messages.toReversed()) {
    const said = shortened(message, Math.floor(bounds.maxCharacters / 2))
    characters += said.text.length
    if (kept.length >= bounds.maxMessages || characters > bounds.maxCharacters) break
    kept.push(said)
  }
  const newestLast = kept.reverse()
  const first = newestLast.findIndex((said) => said.role === "user")
  return first === -1 ? [] : newestLast.slice(first)
}
