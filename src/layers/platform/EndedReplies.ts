/**
 * Replies that ended a moment ago, as they were told: a reader whose line broke near the end goes on with the same
 * numbers. Bounded; past it a reader gets the text as it is stored.
 */
import type { Told } from "../../services/platform/Broker.ts"

/** Characters of text, and replies. */
const characters = 4 * 1024 * 1024
const replies = 512

interface Kept extends Told {
  readonly text: string
}

export interface EndedReplies {
  readonly keep: (responseId: string, told: Kept) => void
  readonly get: (responseId: string) => Told | undefined
}

export const make = (): EndedReplies => {
  const kept = new Map<string, Kept>()
  let size = 0
  return {
    keep: (responseId, told) => {
      kept.set(responseId, told)
      size += told.text.length
      for (const [oldest, { text }] of kept) {
        if (size <= characters && kept.size <= replies) break
        kept.delete(oldest)
        size -= text.length
      }
    },
    get: (responseId) => kept.get(responseId)
  }
}
