/** Agents on the line: how one comes and goes, and what its frames do to its replies. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { AgentLink, AgentSeat, Broker, Taken } from "../../services/platform/Broker.ts"
import { StoreError } from "../../services/platform/PlatformError.ts"
import type * as Sessions from "../../services/platform/Sessions.ts"
import { type Ack, type AgentResume, encodeGap, encodeResponseAck } from "../../services/protocol/Control.ts"
import type { ReplyUpdate } from "../../services/protocol/Dialect.ts"
import { encodeAutoBound } from "../../services/protocol/PlatformFrame.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as AgentDesk from "./AgentDesk.ts"
import { type BrokerState, type Desk, presenceOf, resumes, tellCancelled } from "./BrokerState.ts"
import * as LiveReply from "./LiveReply.ts"
import type { Mailbox } from "./Mailbox.ts"
import { replace, sayEnded } from "./ReplyEnds.ts"

const tooLong: Failure = {
  code: "CALLBACK_ERROR",
  message: "The answer is longer than the platform keeps, so it was stopped there. Ask for less at once."
}

/** Sessions as their agent is told of them. */
export const boundTo = (clawId: string, sessions: ReadonlyArray<Sessions.Session>) => ({
  sessions: sessions.map(({ sessionId, userId }) => ({ sessionId, userId, assistantId: clawId })),
  senderType: "assistant",
  senderId: clawId
})

export const make = (state: BrokerState, mailbox: Mailbox): Broker["Service"]["attach"] => {
  const { acks, counts, fork, identities, readers, sessions, underWay } = state
  const { deliverNow, end, putBack, tellReturned } = mailbox

  const hold = (clawId: string): Effect.Effect<Sessions.Hold, StoreError> =>
    Effect.catchTag(sessions.attach(clawId), "NotFound", () =>
      Effect.fail(new StoreError({ detail: `${clawId} was removed while it was connected`, transient: false }))
    )

  const setDeadlines = (desk: Desk): void => {
    const deadline = state.elapsed() + state.grace
    for (const reply of desk.replies?.values() ?? []) {
      if (reply.status === "answering" || reply.acked) reply.deadline = deadline
    }
  }

  const announce = (desk: Desk): void =>
    readers.tellEveryone({ _tag: "Presence", clawId: desk.clawId, presence: presenceOf(desk) })

  const leave = (desk: Desk, link: AgentLink): Effect.Effect<void> =>
    desk.turn.withPermit(
      Effect.suspend(() => {
        if (desk.link !== link) {
          const { replaced } = desk
          const whose = replaced?.link === link ? link.tooLarge?.() : undefined
          // It is with the agent again: counted, and ended should it come back once more.
          if (replaced !== undefined && whose !== undefined) AgentDesk.suspect(desk, replaced.returned, whose)
          if (replaced?.link === link) desk.replaced = undefined
          return Effect.void
        }
        desk.link = undefined
        desk.since = state.now()
        counts.onLine--
        setDeadlines(desk)
        announce(desk)
        return Effect.andThen(
          Effect.flatMap(putBack(desk), (returned) => {
            tellReturned(returned)
            return mailbox.giveUpTooLarge(desk, link, returned)
          }),
          identities.seen(desk.clawId)
        ).pipe(
          Effect.catch((error) => Effect.logWarning("Messages of an agent that left stay marked as delivered", error))
        )
      })
    )

  const update = (desk: Desk, received: ReplyUpdate): Taken => {
    const found = AgentDesk.find(desk, received.ref)
    if (typeof found === "string") {
      // Its own end comes again and again until it hears that it is known.
      const last = received._tag === "Completed" || received._tag === "Failed"
      if (found === "ended" && last && received.ref.responseId !== undefined) {
        sayEnded(desk.link, received.ref.responseId, received.sequence ?? -1)
      }
      return found
    }
    if (found.ended) return "ended"
    found.deadline = undefined
    if (resumes(desk.link)) {
      const missing = LiveReply.missingBefore(found, received)
      if (missing !== undefined) {
        if (found.askedFrom === missing.from) return "taken"
        found.askedFrom = missing.from
        const responseId = found.agentResponseId ?? found.exchange.responseId
        desk.link.send([encodeGap({ responseId, ...missing })])
        return "taken"
      }
      acks.took(desk, found)
    }
    if (found.status === "delivered" && desk.hold !== undefined) {
      found.status = "answering"
      fork(
        desk.hold.advance(found.exchange.responseId, "answering").pipe(
          // Its end, which comes by itself, finds out whose the reply is.
          Effect.catchTag("StaleEpoch", () => Effect.sync(() => replace(desk.link))),
          Effect.catch((error) => Effect.logWarning("A reply could not be marked as begun", error))
        )
      )
    }
    state.openReply(found)
    const ending = LiveReply.take(found, received, resumes(desk.link))
    if (ending !== undefined) fork(end(desk, found, ending, desk.hold))
    else if (found.text.length > state.maxReplyCharacters) {
      // Law bounded: it is kept here until it ends, and an agent that never ends would take the platform's memory.
      tellCancelled(desk, found)
      fork(end(desk, found, { text: found.text, failure: tooLong, usage: undefined }, desk.hold))
    } else if (found.pending.length > 0) state.flushSoon(found)
    return "taken"
  }

  const acknowledge = (desk: Desk, ack: Ack): void => {
    const found = AgentDesk.find(desk, ack)
    if (typeof found !== "string") found.acked = true
  }

  const resume = (desk: Desk, { messageId, responseId, sessionId }: AgentResume): Effect.Effect<void> => {
    const found = AgentDesk.find(desk, { responseId, messageId, sessionId })
    const answer = (sequence: number, status: "open" | "ended" | "unknown") =>
      Effect.sync(() => void desk.link?.send([encodeResponseAck({ responseId, sequence, status })]))
    if (typeof found !== "string") {
      found.deadline = undefined
      found.askedFrom = undefined
      // One whose end is being stored is answered when it is.
      return found.ended ? Effect.void : answer(LiveReply.lastTaken(found), "open")
    }
    if (found === "ended") return answer(-1, "ended")
    if (sessionId === undefined || messageId === undefined) return answer(-1, "unknown")
    return sessions.findByMessage(sessionId, messageId).pipe(
      Effect.map(({ clawId, endedAt }) => clawId === desk.clawId && endedAt !== undefined),
      // Asked again after the next reconnect.
      Effect.orElseSucceed(() => false),
      Effect.flatMap((over) => answer(-1, over ? "ended" : "unknown"))
    )
  }

  /**
   * What connections before this one had begun goes on with this one: an agent that can resume says all of it again,
   * and of any other the end is waited for.
   */
  const adopt = Effect.fnUntraced(function* (desk: Desk, link: AgentLink, own: Sessions.Hold) {
    const begun = resumes(link)
      ? yield* Effect.catchTag(own.adopt, "StaleEpoch", () => Effect.succeed([]))
      : (yield* sessions.open(desk.clawId)).filter((exchange) => exchange.status === "answering")
    for (const exchange of begun) {
      if (underWay.has(exchange.responseId)) continue
      const reply = LiveReply.make(exchange)
      reply.status = "answering"
      AgentDesk.add(desk, reply)
      underWay.set(exchange.responseId, { desk, reply })
    }
  })

  return Effect.fn("Broker.attach")(function* (link) {
    const clawId = link.identity.clawId
    const desk = state.deskOf(clawId)
    // Not Effect.addFinalizer: it would keep this span, and the stacks in it, for as long as the agent is there.
    yield* Scope.addFinalizer(
      yield* Effect.scope,
      Effect.suspend(() => leave(desk, link))
    )
    yield* desk.turn.withPermit(
      Effect.gen(function* () {
        // Gone before it had a seat: whoever is on the line stays there.
        if (!link.send([])) return
        const own = yield* sessions.listForAgent(clawId, 1000)
        const mine = yield* hold(clawId)
        const greeted = link.send([
          encodeAutoBound({
            ...boundTo(clawId, own),
            ...(link.features === undefined || link.features.size === 0
              ? undefined
              : { features: [...link.features], epoch: mine.epoch })
          })
        ])
        const older = desk.link
        if (!greeted) {
          // The older one goes on, under the number that was drawn.
          if (older !== undefined) desk.hold = mine
          return
        }
        desk.hold = mine
        desk.link = link
        if (older === undefined) {
          desk.since = state.now()
          counts.onLine++
          announce(desk)
        } else {
          replace(older)
        }
        yield* adopt(desk, link, mine)
        setDeadlines(desk)
        const returned = yield* putBack(desk)
        tellReturned(returned)
        if (older !== undefined && returned.length > 0) desk.replaced = { link: older, returned }
        yield* identities.seen(clawId)
        yield* deliverNow(desk)
      })
    )
    const seat: AgentSeat = {
      // What an older connection still says when a newer one has its seat is heard no more (law one-socket).
      update: (received) => (desk.link === link ? update(desk, received) : "stale"),
      acknowledge: (ack) => {
        if (desk.link === link) acknowledge(desk, ack)
      },
      resume: (asked) => {
        if (desk.link === link) fork(resume(desk, asked))
      },
      bind: (sessionId) => sessions.findForAgent(clawId, sessionId)
    }
    return seat
  })
}
