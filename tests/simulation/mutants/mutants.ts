/**
 * Bugs planted one at a time into a copy of the sources, to see whether the simulation can be trusted: each has to be
 * caught, by the law that it breaks.
 */
import { talks } from "./bugs/claworld.ts"
import { line } from "./bugs/line.ts"
import { market } from "./bugs/market.ts"
import { replies } from "./bugs/replies.ts"
import { trust } from "./bugs/trust.ts"
import type { Mutant } from "./jobs.ts"

/** What users of such connectors suffer from, by the numbers of the protocol's notes, part C. */
export const complaints: ReadonlyArray<string> = [
  "duplicate replies: both block and final, after a late acknowledgement, after a reconnect",
  "replies lost on reconnect, because they hold the dead socket",
  "cumulative text taken for a delta, or a snapshot that restarts shorter",
  "text before a tool call lost; the first words taken for all",
  "messages in memory lost by a restart, or replayed",
  "zombie links: nothing arrives, and the status says connected",
  "two sockets for one account; a stop during the backoff still reconnects",
  "heartbeats that kill a healthy link while the event loop is busy; timers leaked by each reconnect; a close while still connecting that brings the process down",
  "stop or abort ignored; one hung turn blocks its session",
  "a closed schema: a key of a newer version makes the program refuse to start",
  "failures that end in silence",
  "chunks that cut an emoji in two, or half characters"
]

export const mutants: ReadonlyArray<Mutant> = [...replies, ...line, ...trust, ...market, ...talks]
