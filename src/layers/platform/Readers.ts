/** Who is told what: readers by person. Telling is a plain loop, no queue and no fiber for each reader. */
import type { FeedItem, Reader } from "../../services/platform/Broker.ts"

export interface Readers {
  readonly has: (userId: string) => boolean
  /** Until the function that comes back is called. */
  readonly watch: (userId: string, reader: Reader) => () => void
  readonly tell: (userId: string, item: FeedItem) => void
  readonly tellEveryone: (item: FeedItem) => void
  readonly count: () => number
}

export const make = (): Readers => {
  const byPerson = new Map<string, Set<Reader>>()
  let count = 0
  return {
    has: (userId) => byPerson.has(userId),
    watch: (userId, reader) => {
      let set = byPerson.get(userId)
      if (set === undefined) byPerson.set(userId, (set = new Set()))
      set.add(reader)
      count++
      return () => {
        const mine = byPerson.get(userId)
        if (mine === undefined || !mine.delete(reader)) return
        count--
        if (mine.size === 0) byPerson.delete(userId)
      }
    },
    tell: (userId, item) => {
      const set = byPerson.get(userId)
      if (set !== undefined) for (const reader of set) reader(item)
    },
    tellEveryone: (item) => {
      for (const set of byPerson.values()) for (const reader of set) reader(item)
    },
    count: () => count
  }
}
