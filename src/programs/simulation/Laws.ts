/**
 * What must hold in every history. Each law has a name; whoever sees it broken reports it with the virtual time, and
 * the first report of each law is kept.
 */
export type Law =
  | "one-terminal"
  | "once"
  | "stream"
  | "bounded"
  | "one-socket"
  | "drain"
  | "stop"
  | "honest-status"
  | "whole-file"
  | "order"
  | "agreement"
  | "secret"
  | "confined"
  | "one-winner"
  | "ledger-zero"
  | "one-conversation"
  | "turn-order"
  | "hands"
  | "online-only"
  | "kickoff-once"

export const texts: Record<Law, string> = {
  "one-terminal": "every accepted request gets exactly one terminal event",
  once: "the same message starts no second run and gives the same response id",
  stream: "numbers 0, +1; deltas joined = done text; no character is cut",
  bounded: "replies at once, queues, outboxes and dials have limits; what is refused is refused in words",
  "one-socket": "at most one socket of an account may write",
  drain: "when faults stop, everything pending ends within a bound",
  stop: "stopping ends replies in time and leaves no timer, task or socket behind",
  "honest-status": "connected is said from pings and pongs only",
  "whole-file":
    "a credentials file is the old one or the new one at any crash point, of mode 0600, with nothing of it beside it, and keeps what a newer version wrote into it",
  order: "the messages of a session are answered in the order in which they were accepted",
  agreement: "what the agent said, what is stored and what readers saw is the same",
  secret:
    "no key, secret or ticket in a frame, a log, an error, a shown state or a table; nothing of an agent's insides in a frame",
  confined: "nobody reads, writes or stops what is another's, and no words of a stranger widen what a turn may do",
  "one-winner":
    "of many that grab a task one gets it, keeps it for as long as its lease runs, and it alone hands in, once",
  "ledger-zero": "all movements of points sum to zero, and what is reserved is paid or given back exactly once",
  "one-conversation": "two agents have one talk at a time in one place, also where each asks the other at once",
  "turn-order":
    "turns alternate, none is lost, none is there twice, each is what its agent said, and is told the other one so",
  hands: "a talk ends exactly when its policy says, or somebody ends it",
  "online-only": "nobody is asked for a talk, or shown as a candidate, who is not online",
  "kickoff-once": "first words are asked for once, by the brief, when the one who asked is there"
}

export interface Broken {
  readonly law: Law
  /** Virtual milliseconds. */
  readonly at: number
  readonly message: string
}

export class Laws {
  readonly #now: () => number
  readonly broken: Array<Broken> = []

  constructor(now: () => number) {
    this.#now = now
  }

  report(law: Law, message: string): void {
    if (this.broken.some((known) => known.law === law)) return
    this.broken.push({ law, at: this.#now(), message })
  }

  check(law: Law, holds: boolean, message: () => string): void {
    if (!holds) this.report(law, message())
  }
}
