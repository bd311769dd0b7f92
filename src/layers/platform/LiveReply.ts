/**
 * One reply under way, as the platform rebuilds it from an agent's frames: steps with sequence numbers of the
 * platform's own, whatever dialect the frames came in. Plain mutable state, touched once per piece of text.
 *
 * Deltas go on as they came; they are never cut anew. What comes in one turn of the event loop becomes one step.
 */
import { instructionsOf } from "./responsesInput.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import type { ReplyRoute, ReplyUpdate } from "../../services/protocol/Dialect.ts"
import { cutInto } from "../../services/protocol/Graphemes.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure, Usage } from "../../services/protocol/ResponseEvent.ts"

/** created, in_progress, output_item.added, content_part.added come before the first delta. */
export const firstDelta = 4

/** How a reply ended, as far as the agent said. */
export interface Ending {
  readonly text: string
  readonly failure: Failure | undefined
  readonly usage: Usage | undefined
}

export interface LiveReply {
  readonly exchange: Exchange
  readonly route: ReplyRoute
  readonly steps: Array<Step>
  /** Another process may have told of it before: a reader's numbers may be of that telling. */
  readonly toldBefore: boolean
  status: "delivered" | "answering"
  /** The agent's own id of this reply, once it said one. */
  agentResponseId: string | undefined
  /** The highest sequence number of the agent's, where its frames carry one: what comes again is left out. */
  agentSequence: number
  /** The number that the agent's next delta has, where its frames carry one. */
  nextDelta: number
  /** Deltas of the agent's were lost on the way: nothing is told on until it says the whole text. */
  lacks: boolean
  /** The agent has said the whole text, and this is it where it is not what readers have so far. */
  said: string | undefined
  whole: boolean
  /** What has come of the reply since it was begun a second time, perhaps cut into other deltas. */
  retold: string | undefined
  /** The agent has it in its journal: it is not delivered again. */
  acked: boolean
  /** The first of the numbers that the agent was last asked to send again. */
  askedFrom: number | undefined
  text: string
  sequence: number
  pending: Array<string>
  /** Nothing more is taken of it. */
  ended: boolean
  /** Unless the agent is heard of before, the reply ends as INTERRUPTED. Monotonic milliseconds. */
  deadline: number | undefined
}

/** What an exchange looks like to those who read its reply. */
export const routeOf = (exchange: Exchange): ReplyRoute => ({
  head: {
    responseId: exchange.responseId,
    itemId: `msg_${exchange.responseId.replace(/^resp_/, "")}`,
    createdAt: Math.floor(exchange.createdAt / 1000),
    model: exchange.clawId,
    metadata: { ...exchange.metadata, session_id: exchange.sessionId, message_id: exchange.messageId },
    previousResponseId: exchange.previousResponseId,
    instructions: instructionsOf(exchange.parts)
  },
  sessionId: exchange.sessionId,
  messageId: exchange.messageId,
  stream: exchange.stream
})

/** @param toldBefore By default: whether another connection had it before. */
export const make = (exchange: Exchange, toldBefore = exchange.epoch !== undefined): LiveReply => ({
  exchange,
  route: routeOf(exchange),
  steps: [],
  toldBefore,
  status: "delivered",
  agentResponseId: undefined,
  agentSequence: -1,
  nextDelta: firstDelta,
  lacks: false,
  said: undefined,
  whole: false,
  retold: undefined,
  acked: false,
  askedFrom: undefined,
  text: "",
  sequence: firstDelta,
  pending: [],
  ended: false,
  deadline: undefined
})

/** The first step of a reply, or undefined where it was taken before. */
export const open = (reply: LiveReply): Step | undefined => {
  if (reply.steps.length > 0) return undefined
  const step: Step = { _tag: "Opened", sequence: 0 }
  reply.steps.push(step)
  return step
}

/** Text that goes on; the step it becomes part of is made by `takePending`. */
const append = (reply: LiveReply, delta: string): void => {
  if (delta === "") return
  reply.pending.push(delta)
  reply.text += delta
}

/** A longer telling of the text: readers get what they lack of it. Where it is another one, they keep what they have. */
export const makeUp = (reply: LiveReply, text: string): void => {
  if (text.startsWith(reply.text)) append(reply, text.slice(reply.text.length))
}

/** A text too large for a frame is not repeated at the end: an empty one after deltas is missing, not another one. */
const whole = (text: string | undefined): string | undefined => (text === "" ? undefined : text)

const isEmptyText = (update: ReplyUpdate): boolean => update._tag === "TextDone" && update.text === ""

/**
 * The whole text, said by the agent. Where deltas are missing at its end they are made up for; where the text is
 * another one, the agent's last word counts and readers see it in `output_text.done`.
 */
const settle = (reply: LiveReply, text: string | undefined): void => {
  if (text === undefined) return
  reply.lacks = false
  reply.whole = true
  makeUp(reply, text)
  reply.text = text
}

/** A reply that failed may say less of its text than readers have: what they have stays. */
const settleFailed = (reply: LiveReply, text: string | undefined): void => {
  if (text === undefined || !reply.text.startsWith(text)) settle(reply, text)
}

/**
 * Frames that died with a socket are not said again, so the next delta may not follow the last one. Shown after a hole
 * it would be another text than the agent's (law stream), so it is kept back: the whole text makes up for it.
 */
const follows = (reply: LiveReply, sequence: number, before: number): boolean =>
  sequence === before + 1 || (reply.text === "" && sequence <= firstDelta)

/** The terminal is the fourth of four events after the last delta, and not all dialects say all of them. */
const lostAtEnd = (reply: LiveReply, sequence: number | undefined, before: number): boolean =>
  !reply.whole && sequence !== undefined && sequence > before + 1 && sequence - 3 > reply.nextDelta

const lost: Failure = {
  code: "INTERRUPTED",
  message: "A part of the answer was lost on its way to the platform, and the agent does not say it again. Ask again."
}

/**
 * The numbers of deltas that an agent that can resume has sent and that did not arrive, where this update comes after
 * them: it is not taken then, they and it come again. The whole text needs no deltas before it.
 */
export const missingBefore = (
  reply: LiveReply,
  update: ReplyUpdate
): { readonly from: number; readonly to: number } | undefined => {
  const { nextDelta: from } = reply
  const { sequence } = update
  if (sequence === undefined || reply.whole) return undefined
  const first =
    update._tag === "Delta"
      ? sequence
      : update._tag === "Completed" && whole(update.text) === undefined && reply.said === undefined
        ? sequence - 3
        : // It says no text of its own in some dialects; taken, it would hide the deltas that come again.
          update._tag === "Progress" && update.type === "response.content_part.done" && reply.said === undefined
          ? sequence - 1
          : from
  return first > from ? { from, to: first - 1 } : undefined
}

/** The last number of the agent's that is taken; -1 = nothing of it has come. */
export const lastTaken = (reply: LiveReply): number => (reply.agentSequence < 0 ? -1 : reply.nextDelta - 1)

/** Readers get what is new in it. */
const retell = (reply: LiveReply, update: Extract<ReplyUpdate, { _tag: "Delta" }>, before: number): undefined => {
  if (update.sequence !== undefined) {
    if (update.sequence !== before + 1 && update.sequence > firstDelta) reply.lacks = true
    reply.nextDelta = update.sequence + 1
  }
  if (reply.lacks) return
  reply.retold += update.delta
  makeUp(reply, reply.retold ?? "")
}

/**
 * Takes one update. An ending comes back where this was the last one.
 *
 * @param canonical The agent numbers as the canonical stream does, so that deltas are told by their numbers alone.
 */
export const take = (reply: LiveReply, update: ReplyUpdate, canonical = false): Ending | undefined => {
  if (canonical && (update._tag === "Progress" || isEmptyText(update))) return undefined
  if (update._tag === "Opened" && update.sequence !== undefined && reply.agentSequence >= update.sequence) {
    // A repeat out of the agent's memory: its numbers say nothing of the deltas that came before.
    reply.retold = ""
    reply.agentSequence = update.sequence
    reply.nextDelta = firstDelta
    return undefined
  }
  const before = reply.agentSequence
  if (update.sequence !== undefined) {
    // What says how it ended counts whatever its number: an agent that crashed does not know how far it had come.
    const says = update._tag === "TextDone" || update._tag === "Completed" || update._tag === "Failed"
    if (update.sequence <= before && !says) return undefined
    reply.agentSequence = Math.max(before, update.sequence)
  }
  switch (update._tag) {
    case "Opened":
    case "Progress":
      return undefined
    case "Delta":
      if (reply.retold !== undefined) return retell(reply, update, before)
      if (update.sequence !== undefined) {
        if (!follows(reply, update.sequence, before)) reply.lacks = true
        reply.nextDelta = update.sequence + 1
      }
      if (!reply.lacks) append(reply, update.delta)
      return undefined
    case "TextDone":
      if (isEmptyText(update)) return undefined
      // Where it takes something back, only the end tells whether it is meant.
      if (update.text.startsWith(reply.text)) settle(reply, update.text)
      else reply.said = update.text
      return undefined
    case "Completed":
      settle(reply, whole(update.text) ?? reply.said)
      if (reply.lacks || (whole(update.text) === undefined && lostAtEnd(reply, update.sequence, before))) {
        return { text: reply.text, failure: lost, usage: undefined }
      }
      return { text: reply.text, failure: undefined, usage: undefined }
    case "Failed":
      settleFailed(reply, whole(update.text) ?? reply.said)
      return { text: reply.text, failure: update.failure, usage: undefined }
  }
}

/** What came since the last call, as one step. */
export const takePending = (reply: LiveReply): Step | undefined => {
  if (reply.pending.length === 0) return undefined
  const step: Step = { _tag: "Deltas", sequence: reply.sequence, deltas: reply.pending }
  reply.sequence += reply.pending.length
  reply.pending = []
  reply.steps.push(step)
  return step
}

/** The terminal step. `completedAt` in milliseconds. */
export const close = (sequence: number, ending: Ending, completedAt: number): Step =>
  ending.failure === undefined
    ? {
        _tag: "Completed",
        sequence,
        text: ending.text,
        completedAt: Math.floor(completedAt / 1000),
        usage: ending.usage
      }
    : {
        _tag: "Failed",
        sequence,
        text: ending.text,
        completedAt: Math.floor(completedAt / 1000),
        failure: ending.failure
      }

/** Characters of a stored text in one delta: readers have limits for a frame. */
const longestStored = 64 * 1024

/** The steps of a reply that has ended, from what is stored. */
export const stored = (exchange: Exchange): ReadonlyArray<Step> => {
  const steps: Array<Step> = [{ _tag: "Opened", sequence: 0 }]
  let sequence = firstDelta
  if (exchange.replyText !== "") {
    const deltas: Array<string> = []
    cutInto(deltas, exchange.replyText, longestStored)
    steps.push({ _tag: "Deltas", sequence, deltas })
    sequence += deltas.length
  }
  steps.push(
    close(
      sequence,
      { text: exchange.replyText, failure: exchange.failure, usage: undefined },
      exchange.endedAt ?? exchange.createdAt
    )
  )
  return steps
}
