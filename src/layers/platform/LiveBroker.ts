/**
 * The broker of one platform process. Frames of agents and items for readers go through synchronously; whatever must
 * survive is written to Sessions first: a message is stored before it is delivered, a reply's end is stored before
 * anyone is told of it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as BrokerContract from "../../services/platform/Broker.ts"
import type { AgentLink, AgentSeat, Presence, Taken } from "../../services/platform/Broker.ts"
import * as Files from "../../services/platform/Files.ts"
import * as Identities from "../../services/platform/Identities.ts"
import { NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import {
  encodeAutoBound,
  encodeCancel,
  encodeErrorFrame,
  encodeRequest
} from "../../services/protocol/PlatformFrame.ts"
import type { InboundRequest } from "../../services/protocol/Inbound.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import { type Ack, type AgentResume, encodeGap, encodeResponseAck } from "../../services/protocol/Control.ts"
import type { ReplyUpdate } from "../../services/protocol/Dialect.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import * as AgentDesk from "./AgentDesk.ts"
import * as EndedReplies from "./EndedReplies.ts"
import * as followReply from "./followReply.ts"
import { agentAway, agentLeft, cancelled, notStored, platformStopped, replaced } from "./interruptions.ts"
import * as LiveReply from "./LiveReply.ts"
import * as Orphans from "./Orphans.ts"
import * as Readers from "./Readers.ts"
import * as ReplyAcks from "./ReplyAcks.ts"

type Desk = AgentDesk.AgentDesk
type Reply = LiveReply.LiveReply

export interface Options {
  /** How long a reply stays open after its agent's link ended. 60 seconds by default. */
  readonly grace?: Duration.Input | undefined
  /** How many messages an agent has at once, delivered or answering; the rest waits in its mailbox. 100 by default. */
  readonly window?: number | undefined
  /** The largest frame of an agent, in bytes: a message that makes a larger one ends as INVALID_REQUEST. 1 MiB by default. */
  readonly maxFrameBytes?: number | undefined
  /** The longest reply in characters; what is longer is stopped and ends as CALLBACK_ERROR. 32 Mi by default. */
  readonly maxReplyCharacters?: number | undefined
}

/** How an end is tried again that the database does not take: for about a minute. */
const untilStored = Schedule.exponential("50 millis").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(2)))),
  Schedule.upTo({ duration: "60 seconds" })
)

const tooLong: Failure = {
  code: "CALLBACK_ERROR",
  message: "The answer is longer than the platform keeps, so it was stopped there. Ask for less at once."
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

export const make = Effect.fnUntraced(function* (options: Options) {
  const sessions = yield* Sessions.Sessions
  const identities = yield* Identities.Identities
  const files = yield* Files.Files
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const grace = Duration.toMillis(options.grace ?? "60 seconds")
  const window = options.window ?? 100
  const maxFrameBytes = options.maxFrameBytes ?? 1024 * 1024
  const maxReplyCharacters = options.maxReplyCharacters ?? 32 * 1024 * 1024
  const runFork = Effect.runForkWith(yield* Effect.context<never>())

  const desks = new Map<string, Desk>()
  const readers = Readers.make()
  const { tell, tellEveryone } = readers
  const dirty = new Set<Reply>()
  /** Where a running reply is: response id → its desk. */
  const underWay = new Map<string, { readonly desk: Desk; readonly reply: Reply }>()
  /** Desks whose mailbox could not be read. */
  const stuck = new Set<Desk>()
  const background = new Set<Fiber.Fiber<void>>()
  /** Messages that somebody holds a line open for, and when they are given up unless they are under way. */
  const awaited = new Map<string, { readonly exchange: Exchange; deadline: number | undefined }>()
  const endedReplies = EndedReplies.make()
  const counts = { accepted: 0, delivered: 0, completed: 0, failed: 0, deltas: 0, onLine: 0 }
  const state = { stopping: false, seenAt: 0 }

  /** Runs what a synchronous door set off, for as long as the broker lives. */
  const fork = (effect: Effect.Effect<void>): void => {
    const fiber = Fiber.runIn(runFork(effect), scope)
    background.add(fiber)
    fiber.addObserver(() => background.delete(fiber))
  }

  const acks = ReplyAcks.make((effect) => void Fiber.runIn(runFork(effect), scope))

  const resumes = (link: AgentLink | undefined): link is AgentLink => link?.features?.has("resume") === true

  const deskOf = (clawId: string): Desk => {
    let desk = desks.get(clawId)
    if (desk === undefined) desks.set(clawId, (desk = AgentDesk.make(clawId)))
    return desk
  }

  /** Monotonic milliseconds: no correction of the wall clock shortens or lengthens a wait. */
  const elapsed = (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

  const presenceOf = (desk: Desk | undefined): Presence =>
    desk?.link !== undefined && desk.since !== undefined
      ? { _tag: "OnLine", since: desk.since }
      : { _tag: "Away", since: desk?.since }

  const publish = (reply: Reply, step: Step, exchange: Exchange = reply.exchange): void => {
    if (readers.has(exchange.userId)) tell(exchange.userId, { _tag: "Step", exchange, route: reply.route, step })
  }

  const flush = (reply: Reply): void => {
    const step = LiveReply.takePending(reply)
    if (step === undefined) return
    counts.deltas += step._tag === "Deltas" ? step.deltas.length : 0
    publish(reply, step)
  }

  const flushAll = (): void => {
    for (const reply of dirty) flush(reply)
    dirty.clear()
  }

  /** All deltas that come in one turn of the event loop go on as one step; the first one waits for nothing. */
  const flushSoon = (reply: Reply): void => {
    if (dirty.size === 0) queueMicrotask(flushAll)
    dirty.add(reply)
  }

  const tellCancelled = (desk: Desk, { agentResponseId, exchange }: Reply): void => {
    desk.link?.send([
      encodeCancel({
        responseId: agentResponseId ?? exchange.responseId,
        messageId: exchange.messageId,
        sessionId: exchange.sessionId
      })
    ])
  }

  const openReply = (reply: Reply): void => {
    const step = LiveReply.open(reply)
    if (step !== undefined) publish(reply, step)
  }

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

  const hold = (clawId: string): Effect.Effect<Sessions.Hold, StoreError> =>
    Effect.catchTag(sessions.attach(clawId), "NotFound", () =>
      Effect.fail(new StoreError({ detail: `${clawId} was removed while it was connected`, transient: false }))
    )

  /** Says once why nothing of this connection is taken any more, and ends it. */
  const replace = (link: AgentLink | undefined): void => {
    if (resumes(link)) {
      const message = "A newer connection of this agent has come, so nothing that this one says is taken any more."
      link.send([encodeErrorFrame({ type: "conflict", code: "stale_epoch", message })])
    }
    link?.close(4001, "replaced by a newer connection")
  }

  /** Takes a reply off the desk that a newer connection, elsewhere, has to give. */
  const letGo = (desk: Desk, reply: Reply): void => {
    AgentDesk.putBack(desk, reply)
    underWay.delete(reply.exchange.responseId)
    dirty.delete(reply)
    replace(desk.link)
  }

  const sayEnded = (link: AgentLink | undefined, responseId: string, sequence: number): void => {
    if (resumes(link)) link.send([encodeResponseAck({ responseId, sequence, status: "ended" })])
  }

  /**
   * Stores how a reply ended, then tells. What the database refuses for good is told as a failure. `by`: the agent's
   * own connection ends it; without, the platform does.
   */
  const endNow = (desk: Desk, reply: Reply, ending: LiveReply.Ending, by?: Sessions.Hold): Effect.Effect<void> => {
    // Before anything waits: frames that come from here on find a reply that has ended.
    reply.ended = true
    openReply(reply)
    flush(reply)
    dirty.delete(reply)
    const { responseId } = reply.exchange
    return store(desk, responseId, ending, by).pipe(
      // Told and not stored, it would end otherwise after a restart: so a disk that is full for a while is waited for.
      Effect.retry({ while: () => !state.stopping, schedule: untilStored }),
      Effect.catch((error) =>
        Effect.as(Effect.logError("The end of a reply could not be stored", error), {
          ...ending,
          failure: notStored
        })
      ),
      Effect.map((final) => {
        if (final === undefined) return letGo(desk, reply)
        const now = clock.currentTimeMillisUnsafe()
        const step = LiveReply.close(reply.sequence, final, now)
        reply.steps.push(step)
        AgentDesk.finish(desk, reply)
        underWay.delete(responseId)
        awaited.delete(responseId)
        acks.forget(reply)
        endedReplies.keep(responseId, { route: reply.route, steps: reply.steps, text: final.text })
        if (reply.agentResponseId !== undefined) sayEnded(desk.link, reply.agentResponseId, reply.agentSequence)
        if (final.failure === undefined) counts.completed++
        else counts.failed++
        publish(reply, step, {
          ...reply.exchange,
          status: final.failure === undefined ? "completed" : "failed",
          replyText: final.text,
          failure: final.failure,
          endedAt: now
        })
      })
    )
  }

  const end = (desk: Desk, reply: Reply, ending: LiveReply.Ending, by?: Sessions.Hold): Effect.Effect<void> =>
    Effect.andThen(endNow(desk, reply, ending, by), deliver(desk))

  /** Puts what waits onto the agent's socket, oldest first, as far as its window reaches. One at a time per desk. */
  const deliverNow = Effect.fnUntraced(function* (desk: Desk) {
    while (desk.link !== undefined && desk.hold !== undefined && desk.emptyAt !== desk.mail && !state.stopping) {
      const { hold, link, mail } = desk
      const room = window - (desk.replies?.size ?? 0)
      if (room <= 0) return
      const waiting = yield* sessions.waiting(desk.clawId, room)
      let moved = 0
      for (const exchange of waiting) {
        if (underWay.has(exchange.responseId)) continue
        const reply = LiveReply.make(exchange)
        const frame = encodeRequest(requestOf(exchange, link))
        // It would end the agent's socket, and be delivered again as soon as the agent is back: for ever.
        if (Buffer.byteLength(frame) > maxFrameBytes) {
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
        tell(exchange.userId, {
          _tag: "Status",
          exchange: { ...exchange, status: "delivered" },
          status: "delivered"
        })
      }
      if (waiting.length < room) desk.emptyAt = mail
      else if (moved === 0) return
    }
  })

  const deliver = (desk: Desk): Effect.Effect<void> =>
    Effect.suspend(() => (desk.link === undefined ? Effect.void : desk.turn.withPermit(deliverNow(desk)))).pipe(
      Effect.catch((error) => {
        stuck.add(desk)
        return Effect.logWarning("A mailbox could not be read; it is tried again", error)
      })
    )

  /** What the agent had not begun goes back into the mailbox, with the same message ids. */
  const putBack = Effect.fnUntraced(function* (desk: Desk) {
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

  /** Unless its agent comes and gets it. */
  const giveUpLater = (responseId: string): void => {
    const waiting = awaited.get(responseId)
    if (waiting !== undefined) waiting.deadline = elapsed() + grace
  }

  const giveUp = (exchange: Exchange): Effect.Effect<void> => {
    const { clawId, responseId } = exchange
    const desk = deskOf(clawId)
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

  const tellReturned = (returned: ReadonlyArray<Reply>): void => {
    for (const { exchange } of returned) tell(exchange.userId, { _tag: "Status", exchange, status: "waiting" })
  }

  const setDeadlines = (desk: Desk): void => {
    const deadline = elapsed() + grace
    for (const reply of desk.replies?.values() ?? []) {
      if (reply.status === "answering" || reply.acked) reply.deadline = deadline
    }
  }

  const announce = (desk: Desk): void =>
    tellEveryone({ _tag: "Presence", clawId: desk.clawId, presence: presenceOf(desk) })

  const leave = (desk: Desk, link: AgentLink): Effect.Effect<void> =>
    desk.turn.withPermit(
      Effect.suspend(() => {
        if (desk.link !== link) return Effect.void
        desk.link = undefined
        desk.since = clock.currentTimeMillisUnsafe()
        counts.onLine--
        setDeadlines(desk)
        announce(desk)
        return Effect.andThen(
          Effect.tap(putBack(desk), (returned) => Effect.sync(() => tellReturned(returned))),
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
    openReply(found)
    const ending = LiveReply.take(found, received, resumes(desk.link))
    if (ending !== undefined) fork(end(desk, found, ending, desk.hold))
    else if (found.text.length > maxReplyCharacters) {
      // Law bounded: it is kept here until it ends, and an agent that never ends would take the platform's memory.
      tellCancelled(desk, found)
      fork(end(desk, found, { text: found.text, failure: tooLong, usage: undefined }, desk.hold))
    } else if (found.pending.length > 0) flushSoon(found)
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

  const attach: BrokerContract.Broker["Service"]["attach"] = Effect.fn("Broker.attach")(function* (link) {
    const clawId = link.identity.clawId
    const desk = deskOf(clawId)
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
            sessions: own.map((session) => ({
              sessionId: session.sessionId,
              userId: session.userId,
              assistantId: session.clawId
            })),
            senderType: "assistant",
            senderId: clawId,
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
          desk.since = clock.currentTimeMillisUnsafe()
          counts.onLine++
          announce(desk)
        } else {
          replace(older)
        }
        yield* adopt(desk, link, mine)
        setDeadlines(desk)
        tellReturned(yield* putBack(desk))
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
      tellCancelled(desk, reply)
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
      const ended: Exchange = { ...exchange, ...ending, status: "failed", endedAt: clock.currentTimeMillisUnsafe() }
      const route = LiveReply.routeOf(ended)
      for (const step of LiveReply.stored(ended)) tell(ended.userId, { _tag: "Step", exchange: ended, route, step })
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
    if (now - state.seenAt >= grace / 3) {
      state.seenAt = now
      late.push(showPresence)
    }
    late.push(orphans.sweep.pipe(Effect.catch((error) => Effect.logWarning("What was left open waits on", error))))
    for (const desk of stuck) late.push(deliver(desk))
    stuck.clear()
    return Effect.all(late, { discard: true })
  })

  /** What waited too long in a mailbox ends, and its person is told. */
  const expire = Effect.suspend(() => sessions.expire).pipe(
    Effect.map((expired) => {
      for (const exchange of expired) {
        if (!readers.has(exchange.userId) || underWay.has(exchange.responseId)) continue
        const route = LiveReply.routeOf(exchange)
        for (const step of LiveReply.stored(exchange)) tell(exchange.userId, { _tag: "Step", exchange, route, step })
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
    return Effect.andThen(
      Effect.all(ends, { discard: true }),
      Effect.suspend(() => Fiber.awaitAll(background))
    )
  }).pipe(Effect.asVoid, Effect.withSpan("Broker.drain"))

  yield* orphans.find
  yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 second")))
  yield* Effect.forkScoped(Effect.repeat(expire, Schedule.spaced("1 minute")))

  const told: BrokerContract.Broker["Service"]["told"] = (responseId) =>
    underWay.get(responseId)?.reply ?? endedReplies.get(responseId)

  return BrokerContract.Broker.of({
    attach,
    presence: (clawId) => Effect.sync(() => presenceOf(desks.get(clawId))),
    submit,
    cancel,
    abandon,
    follow: followReply.make(sessions, readers, (responseId) => told(responseId)?.steps),
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
