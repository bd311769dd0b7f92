/** What waits for an agent: put onto its socket as far as its window reaches, back again when it leaves, or given up. */
import * as Effect from "effect/Effect"
import type { AgentLink } from "../../services/platform/Broker.ts"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import type { Exchange, Hold } from "../../services/platform/Sessions.ts"
import type { InboundRequest } from "../../services/protocol/Inbound.ts"
import { encodeRequest } from "../../services/protocol/PlatformFrame.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as AgentDesk from "./AgentDesk.ts"
import type { BrokerState, Desk, Reply } from "./BrokerState.ts"
import { agentAway, linkBroke } from "./interruptions.ts"
import * as LiveReply from "./LiveReply.ts"
import type { ReplyEnds } from "./ReplyEnds.ts"

export interface Mailbox {
  /** What waits goes out, oldest first. Whoever calls it has the desk's turn. */
  readonly deliverNow: (desk: Desk) => Effect.Effect<void, StoreError>
  /** The same, in turn; a mailbox that cannot be read is tried again. */
  readonly deliver: (desk: Desk) => Effect.Effect<void>
  /** Ends a reply; its place is free for what waits. */
  readonly end: (desk: Desk, reply: Reply, ending: LiveReply.Ending, by?: Hold) => Effect.Effect<void>
  /** What the agent had not begun goes back into the mailbox, with the same message ids. */
  readonly putBack: (desk: Desk) => Effect.Effect<ReadonlyArray<Reply>, StoreError>
  /** One of these, returned by a link that has ended, may be why: where that is certain, it ends in words. */
  readonly giveUpTooLarge: (desk: Desk, link: AgentLink, returned: ReadonlyArray<Reply>) => Effect.Effect<void>
  readonly tellReturned: (returned: ReadonlyArray<Reply>) => void
  /** An awaited message is given up after a while, unless its agent comes and gets it. */
  readonly giveUpLater: (responseId: string) => void
  readonly giveUp: (exchange: Exchange) => Effect.Effect<void>
}

const tooLarge: Failure = {
  code: "INVALID_REQUEST",
  message: "The message is larger than an agent takes at once. Send less, or send it as a file."
}

/** What an agent is told of a message. Files are named by an address that it can read with its key headers. */
const requestOf = (exchange: Exchange, link: AgentLink): InboundRequest => ({
  dialect: link.dialect,
  messageId: exchange.messageId,
  sessionId: exchange.sessionId,
  parts: exchange.parts.map((part) =>
    part.type === "input_text" || part.fileId === undefined
      ? part
      : { ...part, url: `${link.origin}/files/${part.fileId}` }
  ),
  skippedParts: 0,
  stream: exchange.stream,
  model: exchange.clawId,
  previousResponseId: exchange.previousResponseId,
  metadata: { ...exchange.metadata, user_id: exchange.userId }
})

export const make = (state: BrokerState, { endNow, letGo }: ReplyEnds): Mailbox => {
  const { awaited, counts, readers, sessions, underWay } = state

  const deliverNow: Mailbox["deliverNow"] = Effect.fnUntraced(function* (desk: Desk) {
    while (desk.link !== undefined && desk.hold !== undefined && desk.emptyAt !== desk.mail && !state.stopping) {
      const { hold, link, mail } = desk
      const room = state.window - (desk.replies?.size ?? 0)
      if (room <= 0) return
      const waiting = yield* sessions.waiting(desk.clawId, room)
      let moved = 0
      for (const exchange of waiting) {
        if (underWay.has(exchange.responseId)) continue
        const toldBefore = exchange.epoch !== undefined && !AgentDesk.wasPutBack(desk, exchange.responseId)
        const reply = LiveReply.make(exchange, toldBefore)
        const frame = encodeRequest(requestOf(exchange, link))
        // It would end the agent's socket, and be delivered again as soon as the agent is back: for ever.
        if (Buffer.byteLength(frame) > state.maxFrameBytes) {
          yield* endNow(desk, reply, { text: "", failure: tooLarge, usage: undefined })
          moved++
          continue
        }
        AgentDesk.add(desk, reply)
        underWay.set(exchange.responseId, { desk, reply })
        if (desk.link !== link || !link.send([frame])) {
          AgentDesk.putBack(desk, reply)
          underWay.delete(exchange.responseId)
          return
        }
        moved++
        counts.delivered++
        const waiting = awaited.get(exchange.responseId)
        if (waiting !== undefined) waiting.deadline = undefined
        const stale = yield* hold.advance(exchange.responseId, "delivered").pipe(
          Effect.as(false),
          Effect.catchTag("StaleEpoch", () => Effect.succeed(true))
        )
        if (stale) return letGo(desk, reply)
        readers.tell(exchange.userId, {
          _tag: "Status",
          exchange: { ...exchange, status: "delivered" },
          status: "delivered"
        })
      }
      if (waiting.length < room) desk.emptyAt = mail
      else if (moved === 0) return
    }
  })

  const deliver: Mailbox["deliver"] = (desk) =>
    Effect.suspend(() => (desk.link === undefined ? Effect.void : desk.turn.withPermit(deliverNow(desk)))).pipe(
      Effect.catch((error) => {
        state.stuck.add(desk)
        return Effect.logWarning("A mailbox could not be read; it is tried again", error)
      })
    )

  const end: Mailbox["end"] = (desk, reply, ending, by) =>
    Effect.andThen(endNow(desk, reply, ending, by), deliver(desk))

  const giveUpLater: Mailbox["giveUpLater"] = (responseId) => {
    const waiting = awaited.get(responseId)
    if (waiting !== undefined) waiting.deadline = state.elapsed() + state.grace
  }

  const putBack: Mailbox["putBack"] = Effect.fnUntraced(function* (desk: Desk) {
    const returned: Array<Reply> = []
    const kept: Array<Reply> = []
    for (const reply of desk.replies?.values() ?? []) {
      if (reply.status !== "delivered" || reply.ended) continue
      // What is in the agent's journal is not delivered again, where that is still the agent's word.
      if (reply.acked && desk.link?.features?.has("ack") !== false) kept.push(reply)
      else returned.push(reply)
    }
    for (const reply of returned) {
      AgentDesk.putBack(desk, reply)
      underWay.delete(reply.exchange.responseId)
      giveUpLater(reply.exchange.responseId)
    }
    desk.mail++
    if (desk.hold !== undefined) {
      // A newer connection elsewhere has seen to them itself.
      const { advance, requeue } = desk.hold
      yield* Effect.andThen(
        requeue,
        Effect.forEach(kept, ({ exchange }) => advance(exchange.responseId, "delivered"), { discard: true })
      ).pipe(Effect.catchTag("StaleEpoch", () => Effect.void))
    }
    return returned
  })

  const giveUp: Mailbox["giveUp"] = (exchange) => {
    const { clawId, responseId } = exchange
    const desk = state.deskOf(clawId)
    awaited.delete(responseId)
    return desk.turn
      .withPermit(
        Effect.gen(function* () {
          // It may be with the agent in another process.
          if (underWay.has(responseId) || (yield* sessions.findExchange(responseId)).status !== "waiting") return
          yield* endNow(desk, LiveReply.make(exchange), { text: "", failure: agentAway, usage: undefined })
        })
      )
      .pipe(Effect.catch((error) => Effect.logDebug("A message that nobody waits for could not be given up", error)))
  }

  const giveUpTooLarge: Mailbox["giveUpTooLarge"] = (desk, link, returned) =>
    Effect.suspend(() => {
      const whose = link.tooLarge?.()
      const certain = whose === undefined ? undefined : AgentDesk.suspect(desk, returned, whose)
      return certain === undefined
        ? Effect.void
        : endNow(desk, LiveReply.make(certain.exchange), { text: "", failure: linkBroke, usage: undefined })
    })

  const tellReturned: Mailbox["tellReturned"] = (returned) => {
    for (const { exchange } of returned) readers.tell(exchange.userId, { _tag: "Status", exchange, status: "waiting" })
  }

  return { deliverNow, deliver, end, putBack, giveUpTooLarge, tellReturned, giveUpLater, giveUp }
}
