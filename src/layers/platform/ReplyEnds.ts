/** How a reply ends: stored first, then told, once, and by whoever may still write it (laws one-terminal, one-socket). */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { AgentLink } from "../../services/platform/Broker.ts"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import type * as Sessions from "../../services/platform/Sessions.ts"
import { encodeResponseAck } from "../../services/protocol/Control.ts"
import { encodeErrorFrame } from "../../services/protocol/PlatformFrame.ts"
import * as AgentDesk from "./AgentDesk.ts"
import { type BrokerState, type Desk, type Reply, resumes } from "./BrokerState.ts"
import { cancelled, notStored, replaced } from "./interruptions.ts"
import * as LiveReply from "./LiveReply.ts"

export interface ReplyEnds {
  /**
   * Stores how a reply ended, then tells. What the database refuses for good is told as a failure. `by`: the agent's
   * own connection ends it; without, the platform does.
   */
  readonly endNow: (desk: Desk, reply: Reply, ending: LiveReply.Ending, by?: Sessions.Hold) => Effect.Effect<void>
  /** Takes a reply off the desk that a newer connection, elsewhere, has to give. */
  readonly letGo: (desk: Desk, reply: Reply) => void
}

/**
 * How an end is tried again that the database does not take: for about a minute. Attempts are counted, not time: what
 * a schedule takes for time is the wall clock, which may be set forward meanwhile.
 */
export const untilStored = Schedule.exponential("50 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(2)))),
  Schedule.upTo({ times: 35 })
)

/** Says once why nothing of this connection is taken any more, and ends it. */
export const replace = (link: AgentLink | undefined): void => {
  if (resumes(link)) {
    const message = "A newer connection of this agent has come, so nothing that this one says is taken any more."
    link.send([encodeErrorFrame({ type: "conflict", code: "stale_epoch", message })])
  }
  link?.close(4001, "replaced by a newer connection")
}

export const sayEnded = (link: AgentLink | undefined, responseId: string, sequence: number): void => {
  if (resumes(link)) link.send([encodeResponseAck({ responseId, sequence, status: "ended" })])
}

export const make = (state: BrokerState): ReplyEnds => {
  const { acks, awaited, counts, endedReplies, sessions, underWay } = state

  const endingOfStored = (responseId: string): Effect.Effect<LiveReply.Ending | undefined, StoreError> =>
    sessions.findExchange(responseId).pipe(
      Effect.map((exchange) =>
        exchange.endedAt === undefined
          ? undefined
          : { text: exchange.replyText, failure: exchange.failure, usage: undefined }
      ),
      Effect.catchTag("NotFound", () => Effect.succeed({ text: "", failure: cancelled, usage: undefined }))
    )

  /** Stores an ending, unless there is one: then that one counts. Undefined: the reply is another connection's by now. */
  const store = (
    desk: Desk,
    responseId: string,
    ending: LiveReply.Ending,
    by: Sessions.Hold | undefined
  ): Effect.Effect<LiveReply.Ending | undefined, StoreError> => {
    const orStored = (first: boolean, own: LiveReply.Ending) =>
      first ? Effect.succeed<LiveReply.Ending | undefined>(own) : endingOfStored(responseId)
    if (by === undefined) {
      return Effect.flatMap(sessions.end(responseId, ending), (first) => orStored(first, ending))
    }
    return by.end(responseId, ending).pipe(
      Effect.flatMap((first) => orStored(first, ending)),
      Effect.catchTag("StaleEpoch", () =>
        Effect.gen(function* () {
          // The newer connection may be of this process: one that comes here right now has the desk's turn.
          const newest = yield* desk.turn.withPermit(Effect.sync(() => desk.hold))
          if (newest !== by) return yield* store(desk, responseId, ending, newest)
          const first = yield* by.abandon(responseId, replaced)
          return yield* orStored(first, { text: "", failure: replaced, usage: undefined })
        })
      )
    )
  }

  /** For as long as this process lives. */
  const storeLate = (responseId: string, told: LiveReply.Ending): Effect.Effect<void> =>
    sessions
      .end(responseId, told)
      .pipe(Effect.retry({ while: () => !state.stopping, schedule: Schedule.spaced("2 seconds") }), Effect.ignore)

  const letGo: ReplyEnds["letGo"] = (desk, reply) => {
    AgentDesk.putBack(desk, reply)
    underWay.delete(reply.exchange.responseId)
    state.forgetPending(reply)
    replace(desk.link)
  }

  const endNow: ReplyEnds["endNow"] = (desk, reply, ending, by) => {
    // Before anything waits: frames that come from here on find a reply that has ended.
    reply.ended = true
    state.openReply(reply)
    state.flush(reply)
    state.forgetPending(reply)
    const { responseId } = reply.exchange
    return store(desk, responseId, ending, by).pipe(
      // Told and not stored, it would end otherwise after a restart: so a disk that is full for a while is waited for.
      Effect.retry({ while: () => !state.stopping, schedule: untilStored }),
      Effect.catch((error) => {
        const told = { ...ending, failure: notStored }
        // What a restart finds has to be what was told.
        state.fork(storeLate(responseId, told))
        return Effect.as(Effect.logError("The end of a reply could not be stored", error), told)
      }),
      Effect.map((final) => {
        if (final === undefined) return letGo(desk, reply)
        // Law stream: another end may have been stored first, with text that nobody was told here.
        LiveReply.makeUp(reply, final.text)
        state.flush(reply)
        const now = state.now()
        const step = LiveReply.close(reply.sequence, final, now)
        reply.steps.push(step)
        AgentDesk.finish(desk, reply)
        underWay.delete(responseId)
        awaited.delete(responseId)
        acks.forget(reply)
        const { route, steps, toldBefore } = reply
        state.tellNeighbours(reply.exchange)
        endedReplies.keep(responseId, { route, steps, toldBefore, text: final.text })
        if (reply.agentResponseId !== undefined) sayEnded(desk.link, reply.agentResponseId, reply.agentSequence)
        if (final.failure === undefined) counts.completed++
        else counts.failed++
        state.publish(reply, step, {
          ...reply.exchange,
          status: final.failure === undefined ? "completed" : "failed",
          replyText: final.text,
          failure: final.failure,
          endedAt: now
        })
      })
    )
  }

  return { endNow, letGo }
}
