/**
 * One reply under way, as the platform rebuilds it from an agent's frames: steps with sequence numbers of the
 * platform's own, whatever dialect the frames came in. Plain mutable state, touched once per piece of text.
 *
 * Deltas go on as they came; they are never cut anew. What comes in one turn of the event loop becomes one step.
 */
import type { Exchange } from "../../services/platform/Sessions.ts"
import type { ReplyRoute, ReplyUpdate } from "../../services/protocol/Dialect.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure, Usage } from "../../services/protocol/ResponseEvent.ts"

/** created, in_progress, output_item.added, content_part.added come before the first delta. */
const firstDelta = 4

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
  status: "delivered" | "answering"
  /** The agent's own id of this reply, once it said one. */
  agentResponseId: string | undefined
  /** The highest sequence number of the agent's, where its frames carry one: what comes again is left out. */
  agentSequence: number
  text: string
  sequence: number
  pending: Array<string>
  /** Nothing more is taken of it. */
  ended: boolean
  /** Unless the agent is heard of before, the reply ends as INTERRUPTED. Milliseconds since the epoch. */
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
    previousResponseId: exchange.previousResponseId
  },
  sessionId: exchange.sessionId,
  messageId: exchange.messageId,
  stream: exchange.stream
})

export const make = (exchange: Exchange): LiveReply => ({
  exchange,
  route: routeOf(exchange),
  steps: [],
  status: "delivered",
  agentResponseId: undefined,
  agentSequence: -1,
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

/**
 * The whole text, said by the agent. Where deltas are missing at its end they are made up for; where the text is
 * another one, the agent's last word counts and readers see it in `output_text.done`.
 */
const settle = (reply: LiveReply, text: string | undefined): void => {
  if (text === undefined || text === reply.text) return
  if (text.startsWith(reply.text)) append(reply, text.slice(reply.text.length))
  else reply.text = text
}

/** Takes one update. An ending comes back where this was the last one. */
export const take = (reply: LiveReply, update: ReplyUpdate): Ending | undefined => {
  if (update.sequence !== undefined) {
    if (update.sequence <= reply.agentSequence) return undefined
    reply.agentSequence = update.sequence
  }
  switch (update._tag) {
    case "Opened":
    case "Progress":
      return undefined
    case "Delta":
      append(reply, update.delta)
      return undefined
    case "TextDone":
      settle(reply, update.text)
      return undefined
    case "Completed":
      settle(reply, update.text)
      return { text: reply.text, failure: undefined, usage: undefined }
    case "Failed":
      settle(reply, update.text)
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

/** The steps of a reply that has ended, from what is stored. */
export const stored = (exchange: Exchange): ReadonlyArray<Step> => {
  const steps: Array<Step> = [{ _tag: "Opened", sequence: 0 }]
  let sequence = firstDelta
  if (exchange.replyText !== "") {
    steps.push({ _tag: "Deltas", sequence, deltas: [exchange.replyText] })
    sequence++
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
