/**
 * A talk between two agents as a pure step function: a state and what happened give the next state and what is to be
 * delivered. Whoever keeps it applies it in the transaction that stores both (laws turn-order, hands).
 *
 * The one who asked says the first words (turn 1); then the word goes to and fro. A silence takes a turn and passes the
 * word on; two in a row end the talk. It ends as its policy says: by raised hands, after `maxTurns` turns, or when a
 * turn takes `turnTimeoutMs` or longer, whether or not anybody looks at the clock in between: words that come too late
 * end it as well.
 */
import type {
  ConversationStatus,
  EndReason,
  EpisodePolicy,
  KickoffStatus,
  RaiseHandMode,
  SilenceReason
} from "../protocol/Worlds.ts"

export type Side = "requester" | "peer"
export const otherSide = (side: Side): Side => (side === "requester" ? "peer" : "requester")

export interface Talk {
  readonly policy: EpisodePolicy
  readonly status: ConversationStatus
  readonly kickoff: KickoffStatus
  /** Turns taken. The next one has this number and one. */
  readonly turn: number
  /** Whose word it is; nobody's where it is over, or where nobody was asked for first words yet. */
  readonly speaker: Side | undefined
  readonly hands: Readonly<Record<Side, boolean>>
  /** Silences in a row. */
  readonly silences: number
  /** Milliseconds since the epoch: when the present turn has taken too long, or nobody waits for first words any more. */
  readonly dueAt: number | undefined
  readonly endReason: EndReason | undefined
}

export type Happening =
  /** The agent whose word it is said something. `turn`: the number of the turn that it answers with. */
  | {
      readonly _tag: "Said"
      readonly by: Side
      readonly turn: number
      readonly text: string
      readonly raisedHand: boolean
      readonly at: number
    }
  | {
      readonly _tag: "KeptSilent"
      readonly by: Side
      readonly turn: number
      readonly reason: SilenceReason
      readonly at: number
    }
  /** The one who asked came online: its agent can be asked for the first words now. */
  | { readonly _tag: "RequesterCame"; readonly at: number }
  | { readonly _tag: "TimedOut"; readonly turn: number; readonly at: number }
  | { readonly _tag: "Stopped"; readonly reason: "blocked" | "operator" | "left" }
  /** What was said last is in the other one's hands, or too old for it. */
  | { readonly _tag: "LastWordsTaken" }

export type Outcome =
  /** Say the first words: turn 1. */
  | { readonly _tag: "AskOpener" }
  /** The other one's words, to be answered with turn `turn`. Empty text: it kept silent, or only raised its hand. */
  | { readonly _tag: "PassOn"; readonly to: Side; readonly turn: number; readonly text: string }
  /** The last words, or that it is over: nothing is to be answered. */
  | { readonly _tag: "Notify"; readonly to: Side; readonly text: string; readonly reason: EndReason }

export interface Step {
  readonly talk: Talk
  readonly outcomes: ReadonlyArray<Outcome>
}

/** After a request was accepted. */
export const open = (
  policy: EpisodePolicy,
  options: {
    readonly hasOpening: boolean
    readonly requesterIsOnline: boolean
    readonly at: number
    /** When the request runs out. Waiting for somebody who is offline is no turn: it ends with this. */
    readonly expiresAt: number
  }
): Step => {
  const { at, expiresAt, hasOpening, requesterIsOnline } = options
  const talk: Talk = {
    policy,
    status: hasOpening ? "opening" : "silent",
    kickoff: !hasOpening ? "skipped" : requesterIsOnline ? "sent" : "queued",
    turn: 0,
    speaker: hasOpening && requesterIsOnline ? "requester" : undefined,
    hands: { requester: false, peer: false },
    silences: 0,
    dueAt: hasOpening && requesterIsOnline ? at + policy.turnTimeoutMs : expiresAt,
    endReason: undefined
  }
  return { talk, outcomes: talk.kickoff === "sent" ? [{ _tag: "AskOpener" }] : [] }
}

/** It was accepted without first words, and nobody has said any since: another request may bring them. */
export const isUnspoken = (talk: Talk): boolean => talk.status === "silent" && talk.kickoff === "skipped"

export const isOver = (talk: Talk): boolean =>
  talk.status === "ending" || talk.status === "ended" || talk.status === "kickoff_failed"

/** Law hands: whether these hands end the talk. */
export const handsEnd = (mode: RaiseHandMode, hands: Readonly<Record<Side, boolean>>): boolean => {
  switch (mode) {
    case "dual_raise_hand":
      return hands.requester && hands.peer
    case "either_raise_hand":
      return hands.requester || hands.peer
    case "single_raise_hand":
      return hands.requester
  }
}

const unchanged = (talk: Talk): Step => ({ talk, outcomes: [] })

const end = (talk: Talk, reason: EndReason, outcomes: ReadonlyArray<Outcome>): Step => ({
  talk: {
    ...talk,
    // Nobody is left to be told: it is over at once.
    status: outcomes.length === 0 ? "ended" : "ending",
    speaker: undefined,
    dueAt: undefined,
    endReason: reason
  },
  outcomes
})

const both = (reason: EndReason): ReadonlyArray<Outcome> => [
  { _tag: "Notify", to: "requester", text: "", reason },
  { _tag: "Notify", to: "peer", text: "", reason }
]

const failKickoff = (talk: Talk): Step => ({
  talk: { ...talk, status: "kickoff_failed", kickoff: "failed", speaker: undefined, dueAt: undefined },
  outcomes: []
})

/** A turn was taken by `by`, who said `text` or nothing. */
const taken = (talk: Talk, by: Side, text: string, isSilence: boolean, at: number): Step => {
  const turn = talk.turn + 1
  const silences = isSilence ? talk.silences + 1 : 0
  const to = otherSide(by)
  const next: Talk = {
    ...talk,
    turn,
    silences,
    kickoff: "established",
    status: isSilence ? "silent" : "active",
    speaker: to,
    dueAt: at + talk.policy.turnTimeoutMs
  }
  const last = (reason: EndReason) => end(next, reason, [{ _tag: "Notify", to, text, reason }])
  if (handsEnd(talk.policy.raiseHandPolicy.mode, talk.hands)) return last("hands")
  if (turn >= talk.policy.maxTurns) return last("max_turns")
  if (silences >= 2) return last("silence")
  return { talk: next, outcomes: [{ _tag: "PassOn", to, turn: turn + 1, text }] }
}

/** Law turn-order: one answer to each turn, by the one whose word it is. */
const isHeard = (talk: Talk, { by, turn }: { readonly by: Side; readonly turn: number }): boolean =>
  !isOver(talk) && talk.speaker === by && turn === talk.turn + 1

const isLate = (talk: Talk, at: number): boolean => talk.dueAt !== undefined && at >= talk.dueAt

const timeOut = (talk: Talk): Step => {
  if (talk.turn > 0) return end(talk, "turn_timeout", both("turn_timeout"))
  // Nobody was to say anything: what never began ends without a word.
  return isUnspoken(talk) ? end(talk, "silence", []) : failKickoff(talk)
}

export const step = (talk: Talk, happening: Happening): Step => {
  switch (happening._tag) {
    case "Said": {
      if (!isHeard(talk, happening)) return unchanged(talk)
      if (isLate(talk, happening.at)) return timeOut(talk)
      const hands = happening.raisedHand ? { ...talk.hands, [happening.by]: true } : talk.hands
      return taken({ ...talk, hands }, happening.by, happening.text, false, happening.at)
    }
    case "KeptSilent": {
      if (!isHeard(talk, happening)) return unchanged(talk)
      if (isLate(talk, happening.at)) return timeOut(talk)
      return talk.turn === 0 ? failKickoff(talk) : taken(talk, happening.by, "", true, happening.at)
    }
    case "RequesterCame":
      return talk.status === "opening" && talk.kickoff === "queued"
        ? {
            talk: { ...talk, kickoff: "sent", speaker: "requester", dueAt: happening.at + talk.policy.turnTimeoutMs },
            outcomes: [{ _tag: "AskOpener" }]
          }
        : unchanged(talk)
    case "TimedOut":
      return isOver(talk) || happening.turn !== talk.turn + 1 || !isLate(talk, happening.at)
        ? unchanged(talk)
        : timeOut(talk)
    case "Stopped": {
      if (isOver(talk)) return unchanged(talk)
      if (talk.turn > 0) return end(talk, happening.reason, both(happening.reason))
      // First words that were asked for are waited for no more.
      return end(talk.kickoff === "skipped" ? talk : { ...talk, kickoff: "failed" }, happening.reason, [])
    }
    case "LastWordsTaken":
      return talk.status === "ending" ? unchanged({ ...talk, status: "ended" }) : unchanged(talk)
  }
}
