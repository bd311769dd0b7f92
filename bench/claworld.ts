// Claworld's candidates: the index beside a full scan, which gives the same.
import { type Case, row } from "./cases.ts"
import { candidates } from "./claworld/candidates.ts"

const members = 100_000
const online = 20_000

const feed: Case = {
  name: "worlds/feed",
  title:
    "candidate feed of 10 in a world of 100,000 members, 20,000 online, words by Zipf's law: ms beside a full scan",
  run: async (_, say) => {
    const { feed, first, inMemory, scan } = await candidates(members, online)
    say(`feed ${feed.toFixed(2)}, full scan ${scan.toFixed(0)}, scan in memory ${inMemory.toFixed(1)} ms; same results`)
    say(`${first.toFixed(0)} ms for the first feed, which reads those who are online`)
    return [
      row("worlds/feed: ms against a full scan of the database", feed, scan, { most: 0.1 }),
      row("worlds/feed: ms against a scan of profiles in memory", feed, inMemory, { most: 0.25 })
    ]
  }
}

export const claworld: ReadonlyArray<Case> = [feed]
