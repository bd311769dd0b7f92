/**
 * The broker of one platform process. Frames of agents and items for readers go through synchronously; whatever must
 * survive is written to Sessions first: a message is stored before it is delivered, a reply's end is stored before
 * anyone is told of it.
 *
 * Its parts: `BrokerState` (what all share), `agentSeats` (an agent's coming, going and frames), `Mailbox` (what waits
 * for it), `ReplyEnds` (how a reply ends). Here: what people ask for, and what time does.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as BrokerContract from "../../services/platform/Broker.ts"
import * as Files from "../../services/platform/Files.ts"
import type * as Identities from "../../services/platform/Identities.ts"
import { NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import type * as Sessions from "../../services/platform/Sessions.ts"
import { encodeAutoBound } from "../../services/protocol/PlatformFrame.ts"
import * as AgentDesk from "./AgentDesk.ts"
import * as agentSeats from "./agentSeats.ts"
import { boundTo } from "./agentSeats.ts"
import * as BrokerState from "./BrokerState.ts"
import * as followReply from "./followReply.ts"
import { agentLeft, cancelled, platformStopped } from "./interruptions.ts"
import * as LiveReply from "./LiveReply.ts"
import * as Mailbox from "./Mailbox.ts"
import * as Orphans from "./Orphans.ts"
import * as ReplyEnds from "./ReplyEnds.ts"

export type Options = BrokerState.Options

export const make = Effect.fnUntraced(function* (options: Options) {
  const files = yield* Files.Files
  const state = yield* BrokerState.make(options)
  const { awaited, counts, desks, elapsed, endedReplies, grace, identities, readers, sessions, underWay } = state
  const { tell } = readers
  const ends = ReplyEnds.make(state)
  const { endNow } = ends
  const mailbox = Mailbox.make(state, ends)
  const { deliver, end, giveUp, giveUpLater } = mailbox
  const { deskOf } = state
  let seenAt = 0

  const sessionMade: BrokerContract.Broker["Service"]["sessionMade"] = (session) => {
    const desk = desks.get(session.clawId)
    if (desk === undefined) return
    // In turn: one that comes right now may have been greeted without it. Its first message is delivered after this.
    const say = Effect.sync(() => void desk.link?.send([encodeAutoBound(boundTo(session.clawId, [session]))]))
    state.fork(desk.turn.withPermit(say))
  }

  const submit: BrokerContract.Broker["Service"]["submit"] = Effect.fn("Broker.submit")(function* (input, options) {
    const session = yield* sessions.find(input.userId, input.sessionId)
    const fileIds = input.parts.flatMap((part) =>
      part.type !== "input_text" && part.fileId !== undefined ? [part.fileId] : []
    )
    if (fileIds.length > 0) yield* files.bind(input.userId, input.sessionId, fileIds)
    const { exchange, fresh } = yield* sessions.accept(input)
    // Only now: an agent that came while the message was stored has looked into its mailbox already.
    const desk = desks.get(session.clawId)
    const agentAway = desk?.link === undefined
    if (fresh) {
      counts.accepted++
      if (desk !== undefined) desk.mail++
      tell(input.userId, { _tag: "Accepted", exchange, agentAway })
      if (options?.awaited === true) {
        awaited.set(exchange.responseId, { exchange, deadline: undefined })
        giveUpLater(exchange.responseId)
      }
      if (desk !== undefined) yield* deliver(desk)
      // Its first message gave it a title.
      if (session.title === "" && readers.has(input.userId)) {
        yield* sessions.find(input.userId, input.sessionId).pipe(
          Effect.map((titled) => tell(input.userId, { _tag: "SessionChanged", session: titled })),
          Effect.ignore
        )
      }
    }
    return { exchange, fresh, agentAway }
  })

  const cancel: BrokerContract.Broker["Service"]["cancel"] = Effect.fn("Broker.cancel")(function* (userId, responseId) {
    const exchange = yield* sessions.findExchange(responseId)
    if (exchange.userId !== userId) return yield* new NotFound({ what: "reply" })
    if (exchange.status === "completed" || exchange.status === "failed") return exchange
    const desk = deskOf(exchange.clawId)
    const ending = { failure: cancelled, usage: undefined }
    const live = underWay.get(responseId)
    if (live === undefined) {
      // In the mailbox: its delivery may be under way right now, so it waits its turn.
      yield* desk.turn.withPermit(
        Effect.suspend(() =>
          underWay.has(responseId) ? Effect.void : endNow(desk, LiveReply.make(exchange), { ...ending, text: "" })
        )
      )
    }
    const reply = underWay.get(responseId)?.reply
    if (reply !== undefined && !reply.ended) {
      BrokerState.tellCancelled(desk, reply)
      yield* end(desk, reply, { ...ending, text: reply.text })
    }
    return yield* sessions.findExchange(responseId)
  })

  const abandon: BrokerContract.Broker["Service"]["abandon"] = Effect.fn("Broker.abandon")(
    function* (userId, sessionId) {
      yield* sessions.find(userId, sessionId)
      const own = [...underWay.values()].filter(({ reply }) => reply.exchange.sessionId === sessionId)
      yield* Effect.forEach(own, ({ reply }) => cancel(userId, reply.exchange.responseId), { discard: true })
    }
  )

  /** Other processes over the same database see by it that replies of this agent are looked after here. */
  const showPresence = Effect.suspend(() =>
    Effect.forEach(
      new Set(Array.from(underWay.values(), ({ desk }) => desk).filter((desk) => desk.link !== undefined)),
      (desk) => identities.seen(desk.clawId),
      { discard: true }
    )
  ).pipe(Effect.catch((error) => Effect.logDebug("That agents are here could not be written down", error)))

  /** What is stored of a reply that has ended, for readers that saw nothing of it here. */
  const tellStored = (exchange: Exchange): void => {
    const route = LiveReply.routeOf(exchange)
    // Nobody has asked for it, so nobody knows of it.
    if (exchange.parts.length === 0) tell(exchange.userId, { _tag: "Accepted", exchange, agentAway: false })
    for (const step of LiveReply.stored(exchange)) tell(exchange.userId, { _tag: "Step", exchange, route, step })
  }

  const say: BrokerContract.Broker["Service"]["say"] = Effect.fn("Broker.say")(function* (saying) {
    const said = yield* sessions.say(saying)
    if (said.fresh) {
      tellStored(said.exchange)
      state.tellNeighbours(said.exchange)
    }
    return said
  })

  const hear = Stream.runForEach(state.heard, ({ responseId, userId }) =>
    Effect.suspend(() => {
      const isHere = (): boolean => underWay.has(responseId) || endedReplies.get(responseId) !== undefined
      if (!readers.has(userId) || isHere()) return Effect.void
      return Effect.map(sessions.findExchange(responseId), (exchange) => {
        if (exchange.endedAt !== undefined && !isHere()) tellStored(exchange)
      })
    }).pipe(Effect.catch((error) => Effect.logDebug("A reply that ended elsewhere could not be read", error)))
  )

  const orphans = Orphans.make({
    sessions,
    identities,
    grace,
    elapsed,
    isHere: (responseId) => underWay.has(responseId),
    abandoned: Effect.fnUntraced(function* (exchange) {
      const desk = deskOf(exchange.clawId)
      if (exchange.status === "delivered") {
        const away = Effect.suspend(() => (desk.link === undefined ? sessions.requeue(desk.clawId) : Effect.void))
        yield* desk.turn.withPermit(Effect.asVoid(away))
        return
      }
      const ending = { text: exchange.replyText, failure: platformStopped }
      if (!(yield* sessions.end(exchange.responseId, ending))) return
      AgentDesk.rememberEnding(desk, exchange)
      const ended: Exchange = { ...exchange, ...ending, status: "failed", endedAt: state.now() }
      state.tellNeighbours(ended)
      tellStored(ended)
    })
  })

  const sweep = Effect.suspend(() => {
    const now = elapsed()
    const late: Array<Effect.Effect<void>> = []
    for (const { desk, reply } of underWay.values()) {
      if (reply.deadline === undefined || reply.deadline > now || reply.ended) continue
      late.push(end(desk, reply, { text: reply.text, failure: agentLeft, usage: undefined }, desk.hold))
    }
    for (const { deadline, exchange } of awaited.values()) {
      if (deadline !== undefined && deadline <= now) late.push(giveUp(exchange))
    }
    if (now - seenAt >= grace / 3) {
      seenAt = now
      late.push(showPresence)
    }
    if (orphans.some()) {
      late.push(orphans.sweep.pipe(Effect.catch((error) => Effect.logWarning("What was left open waits on", error))))
    }
    for (const desk of state.stuck) late.push(deliver(desk))
    state.stuck.clear()
    return late.length === 0 ? Effect.void : Effect.all(late, { discard: true })
  })

  /** What waited too long in a mailbox ends, and its person is told. */
  const expire = Effect.suspend(() => sessions.expire).pipe(
    Effect.map((expired) => {
      for (const exchange of expired) {
        if (!readers.has(exchange.userId) || underWay.has(exchange.responseId)) continue
        tellStored(exchange)
      }
    }),
    Effect.catch((error) => Effect.logWarning("Old messages could not be looked for", error))
  )

  const drain = Effect.suspend(() => {
    state.stopping = true
    const ends: Array<Effect.Effect<void>> = []
    for (const { desk, reply } of underWay.values()) {
      if (reply.status !== "answering" || reply.ended) continue
      ends.push(endNow(desk, reply, { text: reply.text, failure: platformStopped, usage: undefined }))
    }
    return Effect.andThen(Effect.all(ends, { discard: true }), state.settled)
  }).pipe(Effect.withSpan("Broker.drain"))

  yield* orphans.find
  yield* Effect.forkScoped(hear)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(sweep, Effect.sleep("1 second")), { disableYield: true }))
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(expire, Effect.sleep("1 minute")), { disableYield: true }))

  const told: BrokerContract.Broker["Service"]["told"] = (responseId) =>
    underWay.get(responseId)?.reply ?? endedReplies.get(responseId)

  return BrokerContract.Broker.of({
    attach: agentSeats.make(state, mailbox),
    presence: (clawId) => Effect.sync(() => BrokerState.presenceOf(desks.get(clawId))),
    sessionMade,
    submit,
    say,
    cancel,
    abandon,
    follow: followReply.make(sessions, readers, told),
    peek: (responseId) => underWay.get(responseId)?.reply,
    told,
    watch: readers.watch,
    notify: tell,
    drain,
    counts: Effect.sync(() => ({
      agentsOnLine: counts.onLine,
      readers: readers.count(),
      repliesUnderWay: underWay.size,
      messagesAccepted: counts.accepted,
      messagesDelivered: counts.delivered,
      repliesCompleted: counts.completed,
      repliesFailed: counts.failed,
      deltas: counts.deltas
    }))
  })
})

/** The database must answer at the start: what a process before left open is ended first. */
export const layer = (
  options: Options = {}
): Layer.Layer<BrokerContract.Broker, StoreError, Sessions.Sessions | Identities.Identities | Files.Files> =>
  Layer.effect(BrokerContract.Broker, make(options))
