/**
 * One reply as it grows. Whatever arrives twice, too early or too late, the text is each piece once and in order, and
 * the first end stays.
 */
import type { Exchange, Failure } from "./model.ts"
import { isEnded, shownText } from "./model.ts"

/** What names the exchange that an event belongs to: the response id, or before it is known the message's. */
export interface Ref {
  readonly responseId: string | undefined
  readonly sessionId: string | undefined
  readonly messageId: string | undefined
}

export type ReplyEvent = { readonly ref: Ref; readonly at: number } &
  /** In the mailbox, or with the agent. It may go back into the mailbox when the agent leaves before it began. */
  (
    | { readonly type: "status"; readonly status: "waiting" | "delivered" }
    | { readonly type: "created" }
    /** The numbers of the pieces so far say nothing any more: the reply is told anew, perhaps in other pieces. */
    | { readonly type: "gap" }
    /** `from`: where it stands for several pieces, the number of the first; `sequence` is that of the last. */
    | {
        readonly type: "delta"
        readonly from?: number | undefined
        readonly sequence: number | undefined
        readonly delta: string
      }
    | { readonly type: "text"; readonly text: string }
    | { readonly type: "completed"; readonly text: string | undefined }
    | { readonly type: "failed"; readonly text: string | undefined; readonly failure: Failure }
    /** The platform did not take the message: nothing has been asked of the agent. */
    | { readonly type: "refused"; readonly failure: Failure }
  )

/** created, in_progress, item added, part added come before the first piece of a canonical stream. */
export const FIRST_DELTA = 4

const grow = (exchange: Exchange, delta: string, at: number): Exchange => ({
  ...exchange,
  phase: "answering",
  text: exchange.text + delta,
  firstWordsAt: exchange.firstWordsAt ?? at
})

const piece = (
  exchange: Exchange,
  { from, last }: { readonly from: number | undefined; readonly last: number | undefined },
  delta: string,
  at: number
): Exchange => {
  if (exchange.settled) return exchange
  if (from === undefined || last === undefined) return grow(exchange, delta, at)
  const next = exchange.next ?? Math.min(FIRST_DELTA, from)
  if (from < next || exchange.ahead.has(from)) return exchange
  if (from > next) {
    return { ...exchange, next, phase: "answering", ahead: new Map(exchange.ahead).set(from, { last, delta }) }
  }
  let grown = grow(exchange, delta, at)
  let after = last + 1
  if (grown.ahead.size > 0) {
    const ahead = new Map(grown.ahead)
    for (let held = ahead.get(after); held !== undefined; held = ahead.get(after)) {
      ahead.delete(after)
      grown = grow(grown, held.delta, at)
      after = held.last + 1
    }
    grown = { ...grown, ahead }
  }
  return { ...grown, next: after }
}

/** What was read stays on the screen until the new telling has caught up with it. */
const anew = (exchange: Exchange): Exchange =>
  exchange.settled || (exchange.text === "" && exchange.ahead.size === 0)
    ? exchange
    : { ...exchange, text: "", snapshot: shownText(exchange), next: undefined, ahead: new Map() }

const end = (exchange: Exchange, at: number, text: string | undefined, failure: Failure | undefined): Exchange => ({
  ...exchange,
  phase: failure === undefined ? "completed" : "failed",
  text: text === undefined || text === "" ? exchange.text : text,
  firstWordsAt: exchange.firstWordsAt ?? (text === undefined || text === "" ? undefined : at),
  failure,
  settled: true,
  ahead: new Map(),
  endedAt: at
})

export const step = (exchange: Exchange, event: ReplyEvent): Exchange => {
  if (isEnded(exchange)) return exchange
  const known =
    exchange.responseId === undefined && event.ref.responseId !== undefined
      ? { ...exchange, responseId: event.ref.responseId }
      : exchange
  switch (event.type) {
    case "status":
      return known.phase === "answering" ? known : { ...known, phase: event.status, failure: undefined }
    case "created":
      return { ...anew(known), phase: "answering", failure: undefined }
    case "gap":
      return anew(known)
    case "delta":
      return piece(known, { from: event.from ?? event.sequence, last: event.sequence }, event.delta, event.at)
    case "text":
      // Too long to be said a second time: the pieces are all there is.
      if (event.text === "" && known.text !== "") return known
      return {
        ...known,
        phase: "answering",
        text: event.text,
        settled: true,
        ahead: new Map(),
        firstWordsAt: known.firstWordsAt ?? (event.text === "" ? undefined : event.at)
      }
    case "completed":
      return end(known, event.at, event.text, undefined)
    case "failed":
      return end(known, event.at, event.text, event.failure)
    case "refused":
      return known.phase === "sending" || known.phase === "unsent"
        ? { ...known, phase: "unsent", failure: event.failure }
        : known
  }
}

/** Is a piece missing that has to be asked for? */
export const hasHole = (exchange: Exchange): boolean => exchange.ahead.size > 0 && !exchange.settled

/** What this page and the platform each know of one exchange, joined. The platform's end wins over a beginning here. */
export const reconcile = (mine: Exchange, theirs: Exchange): Exchange => {
  const base = {
    ...mine,
    parts: theirs.parts,
    responseId: theirs.responseId ?? mine.responseId,
    createdAt: theirs.createdAt
  }
  if (isEnded(mine)) return base
  if (isEnded(theirs)) {
    return {
      ...base,
      phase: theirs.phase,
      text: theirs.text === "" && theirs.phase === "failed" ? mine.text : theirs.text,
      failure: theirs.failure,
      settled: true,
      ahead: new Map(),
      endedAt: theirs.endedAt
    }
  }
  const order = { unsent: 0, sending: 1, waiting: 2, delivered: 3, answering: 4, completed: 5, failed: 5 } as const
  // A message that went back into the mailbox (the agent left) waits again, unless words have come.
  const phase =
    order[theirs.phase] > order[mine.phase] || (mine.phase === "delivered" && theirs.phase === "waiting")
      ? theirs.phase
      : mine.phase
  return { ...base, phase, snapshot: theirs.snapshot, failure: undefined }
}
