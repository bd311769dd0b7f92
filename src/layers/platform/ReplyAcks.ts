/**
 * Tells agents that can resume how far the platform has their replies (`response.ack`): not for each event, but at
 * most every 50 ms, or after 64 events. The end of a reply is told at once by whoever has stored it.
 */
import * as Effect from "effect/Effect"
import { encodeResponseAck } from "../../services/protocol/Control.ts"
import type { AgentDesk } from "./AgentDesk.ts"
import * as LiveReply from "./LiveReply.ts"

const every = 64
const within = "50 millis"

export interface ReplyAcks {
  /** An event of this reply was taken. Called once per piece of text. */
  readonly took: (desk: AgentDesk, reply: LiveReply.LiveReply) => void
  /** It has ended: what was due of it is no longer. */
  readonly forget: (reply: LiveReply.LiveReply) => void
}

export const make = (fork: (effect: Effect.Effect<void>) => void): ReplyAcks => {
  const due = new Map<LiveReply.LiveReply, { readonly desk: AgentDesk; events: number }>()

  const tell = (desk: AgentDesk, reply: LiveReply.LiveReply): void => {
    if (desk.link?.features?.has("resume") !== true) return
    const sequence = LiveReply.lastTaken(reply)
    if (sequence < 0) return
    desk.link.send([encodeResponseAck({ responseId: reply.agentResponseId ?? reply.exchange.responseId, sequence })])
  }

  const tellAll = Effect.delay(
    Effect.sync(() => {
      for (const [reply, { desk }] of due) tell(desk, reply)
      due.clear()
    }),
    within
  )

  return {
    took: (desk, reply) => {
      const entry = due.get(reply)
      if (entry === undefined) {
        if (due.size === 0) fork(tellAll)
        due.set(reply, { desk, events: 1 })
      } else if (++entry.events >= every) {
        entry.events = 0
        tell(desk, reply)
      }
    },
    forget: (reply) => {
      due.delete(reply)
    }
  }
}
