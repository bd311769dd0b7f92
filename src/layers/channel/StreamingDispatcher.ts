/**
 * The dispatcher: understands what a frame asks for, lets the journal decide whether a message is new, and hands new
 * ones to `Replies`. What was answered before is answered from the journal, with the same response id and without the
 * agent (law once); what cannot be taken is refused in words.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { Connection } from "../../services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import { Journal, type Entry, JournalError, type MessageKey } from "../../services/channel/Journal.ts"
import {
  encodeAck,
  encodeAgentResume,
  readGap,
  readResponseAck,
  type ResponseAck
} from "../../services/protocol/Control.ts"
import type { BoundSession, Inbound, InboundRequest } from "../../services/protocol/Inbound.ts"
import { encodeErrorFrame } from "../../services/protocol/PlatformFrame.ts"
import { ReplyLog } from "../../services/protocol/ReplyLog.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as Answers from "./Answers.ts"
import type { Addressed } from "./Answers.ts"
import * as ChatTurn from "./chatTurn.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as Replies from "./Replies.ts"
import { Reply } from "./Reply.ts"
import * as Failures from "./replyFailures.ts"
import * as ReplyIds from "./ReplyIds.ts"

/** How often what the platform confirms is written down, in milliseconds. */
const confirmEvery = 1_000

/** How many ends of an earlier process the platform is asked about. */
const owedBound = 64

type Malformed = Extract<Inbound, { readonly _tag: "Malformed" }>

/**
 * The gateway's own error frame, for a request that names neither session nor message and so has nothing that an
 * answer could be addressed to. Only to what was surely meant as a request: noise is not answered with noise.
 */
const errorFrameFor = (malformed: Malformed): string | undefined => {
  const code =
    malformed.reason === "missing-session" || malformed.reason === "empty-input"
      ? "missing_required_parameter"
      : malformed.reason === "bad-field"
        ? "invalid_parameter"
        : undefined
  return malformed.dialect !== "gateway" || code === undefined
    ? undefined
    : encodeErrorFrame({ code, param: malformed.param, message: malformed.message })
}

/** As `receive` wrote it into the journal: there is no other writer, so its shape is known. */
const readRequest = (kept: string | undefined): InboundRequest | undefined =>
  kept === undefined ? undefined : Option.getOrUndefined(Option.liftThrowable((): InboundRequest => JSON.parse(kept))())

/** For an answer to a message of which there is only the entry in the journal. */
const addressedAs = (entry: Entry): Addressed => ({
  dialect: entry.dialect ?? "envelope",
  sessionId: entry.key.sessionId,
  messageId: entry.key.messageId,
  stream: true,
  metadata: {},
  previousResponseId: undefined
})

export const make = Effect.fnUntraced(function* (
  options: DispatcherOptions
): Effect.fn.Return<
  Dispatcher["Service"],
  never,
  Connection | Journal | AgentRuntime | SecureRandom.SecureRandom | Scope.Scope
> {
  const connection = yield* Connection
  const journal = yield* Journal
  const { stops = () => false } = yield* AgentRuntime
  const nextId = yield* ReplyIds.make
  const { abandon, encoderFor, repeat, say, ...answers } = yield* Answers.make(options, nextId)
  const replies = yield* Replies.make(options)
  const { accountId } = options
  const clock = yield* Clock.Clock
  const rerun = options.rerunInterrupted === "if-silent"
  const staleAfter = Duration.toMillis(options.staleAfter ?? "1 hour")
  const { stats, wire } = replies

  let bound: ReadonlyMap<string, BoundSession> = new Map()
  let features: ReadonlySet<string> = new Set()
  /**
   * Ends that are in the journal, and that an earlier process may have said to a link that was dying: by response id.
   * Of each the platform is asked, after every greeting until it answers, whether it is still waited for.
   */
  const owed = new Map<string, MessageKey>()
  /** The socket whose greeting `features` are from. */
  let greetedBy: number | undefined

  const logged = Effect.annotateLogs({ account: accountId })

  const refuse = (asked: Addressed, failure: Failure): Effect.Effect<void> =>
    Effect.suspend(() => {
      stats.refused++
      return answers.refuse(asked, failure)
    })

  const owe = (responseId: string, key: MessageKey): void => {
    owed.set(responseId, key)
    for (const oldest of owed.keys()) {
      if (owed.size <= owedBound) break
      owed.delete(oldest)
    }
  }

  const known = (asked: Addressed, entry: Entry) => {
    stats.repeated++
    return Effect.flatMap(wire.again(entry.responseId), (coming) => {
      if (coming) return Effect.void
      // Under way nowhere: the process that had it is gone.
      if (entry.outcome === undefined) return abandon(asked, entry)
      // This link may break before all of it has gone out.
      if (features.has("resume")) owe(entry.responseId, entry.key)
      return repeat(asked, entry)
    })
  }

  const makeReply = (request: InboundRequest, entry: Entry): Reply =>
    new Reply({
      turn: ChatTurn.make(
        options,
        request,
        entry.responseId,
        request.sessionId === undefined ? undefined : bound.get(request.sessionId)
      ),
      log: new ReplyLog({ maxDelta: options.deltaSize }),
      encode: encoderFor(request, entry, entry.acceptedAt),
      acceptedAt: entry.acceptedAt,
      bornAt: Heartbeat.monotonicMillis(clock)
    })

  const stopAll = (sessionKey: string): void => {
    const others = replies.all().filter(({ turn, undecided }) => undecided && turn.sessionKey === sessionKey)
    // Those that wait come first, so that none of them begins for a moment.
    for (const other of others) if (other.startedAt === undefined) replies.end(other, Failures.cancelled)
    for (const other of others) replies.end(other, Failures.cancelled)
  }

  /** Who came last, until it has its place. */
  let latest: Deferred.Deferred<void> | undefined

  /** A turn in the order of arrival, drawn at the first step: what a fiber does later may be overtaken by another. */
  const drawTurn = () => {
    const before = latest
    const own = Deferred.makeUnsafe<void>()
    latest = own
    /** Nobody has come since: who comes from here on, perhaps out of the run that begins now, waits for nobody. */
    const leave = (): void => {
      if (latest === own) latest = undefined
    }
    return {
      before,
      leave,
      passOn: (): void => {
        leave()
        Deferred.doneUnsafe(own, Exit.void)
      }
    }
  }

  const receive = (request: InboundRequest): Effect.Effect<void> => {
    const turn = drawTurn()
    // From the entry in the journal to the place in the queue nothing may come between: a message accepted and not
    // admitted would be answered by nobody.
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const id = yield* nextId
        const { messageId, sessionId } = request
        const acceptance = yield* journal
          .accept(
            { accountId, sessionId, messageId },
            {
              responseId: `resp_${id}`,
              itemId: `msg_${id}`,
              dialect: options.dialect ?? request.dialect,
              request: rerun ? JSON.stringify(request) : undefined
            }
          )
          .pipe(Effect.catchDefect((defect) => new JournalError({ detail: String(defect), transient: false })))
        const ack =
          messageId !== undefined && features.has("ack") ? say([encodeAck({ messageId, sessionId })]) : Effect.void
        // Most find nobody before them by now.
        if (turn.before !== undefined && !Deferred.isDoneUnsafe(turn.before)) yield* Deferred.await(turn.before)
        if (acceptance._tag === "Known") {
          turn.passOn()
          return yield* restore(Effect.andThen(ack, known(request, acceptance.entry)))
        }
        stats.accepted++
        const reply = makeReply(request, acceptance.entry)
        if (stops(request.parts)) stopAll(reply.turn.sessionKey)
        turn.leave()
        const refused = replies.admit(reply, restore)
        turn.passOn()
        yield* refused
        yield* restore(ack)
      })
    ).pipe(
      Effect.ensuring(Effect.sync(turn.passOn)),
      Effect.catch((error) =>
        Effect.andThen(
          logged(Effect.logError("A message was not taken", error)),
          refuse(request, Failures.notJournaled)
        )
      )
    )
  }

  const malformed = (inbound: Malformed): Effect.Effect<void> => {
    const { dialect, message, messageId, sessionId } = inbound
    const failure: Failure = { code: "INVALID_REQUEST", message }
    const asked: Addressed = {
      dialect,
      sessionId,
      messageId,
      stream: true,
      metadata: {},
      previousResponseId: undefined
    }
    const frame = errorFrameFor(inbound)
    const answer =
      messageId !== undefined || sessionId !== undefined
        ? refuse(asked, failure)
        : Effect.suspend(() => {
            stats.refused++
            return frame === undefined ? Effect.void : say([frame])
          })
    return Effect.andThen(
      logged(Effect.logWarning(`A frame could not be understood (${inbound.reason}): ${message}`)),
      answer
    )
  }

  const cancel: Dispatcher["Service"]["cancel"] = ({ messageId, responseId, sessionId }) =>
    Effect.sync(() => {
      if (messageId === undefined && responseId === undefined && sessionId === undefined) return false
      const reply = replies
        .all()
        .find(
          (reply) =>
            reply.undecided &&
            (responseId === undefined || reply.responseId === responseId) &&
            (messageId === undefined || reply.turn.messageId === messageId) &&
            (sessionId === undefined || reply.turn.sessionId === sessionId)
        )
      return reply !== undefined && replies.end(reply, Failures.cancelled)
    })

  /** Only an earlier end of the program asks how far it had come, and not to the letter: it is not written each time. */
  const confirm = (ack: ResponseAck) => {
    const reply = replies.get(ack.responseId)
    const at = Heartbeat.monotonicMillis(clock)
    if (ack.sequence < 0) return Effect.void
    if (reply !== undefined) {
      if (reply.concluded || at - reply.confirmedAt < confirmEvery) return Effect.void
      reply.confirmedAt = at
    }
    return journal.confirm(ack.responseId, ack.sequence)
  }

  const owedAnswered = Effect.fnUntraced(function* (ack: ResponseAck) {
    if (ack.status !== "open") return void owed.delete(ack.responseId)
    const entry = yield* journal.find(ack.responseId)
    if (entry !== undefined) yield* repeat(addressedAs(entry), entry)
  })

  const acknowledged = (ack: ResponseAck): Effect.Effect<void, JournalError> => {
    if (ack.status !== undefined && owed.has(ack.responseId)) return owedAnswered(ack)
    return Effect.flatMap(wire.acknowledged(ack), (known) => {
      const reply = replies.get(ack.responseId)
      // An end that only the journal still has.
      if (known === "unknown" && reply === undefined && ack.status === "open") return owedAnswered(ack)
      // Cancelled, or given up, while there was no link to say so on: nobody waits for it.
      if (known === "over" && reply !== undefined) replies.end(reply, Failures.cancelled)
      return known === "taken" && reply === undefined ? Effect.void : confirm(ack)
    })
  }

  const control = (inbound: Extract<Inbound, { readonly _tag: "Control" }>) => {
    const ack = inbound.type === "response.ack" ? readResponseAck(inbound.frame) : undefined
    if (ack !== undefined) return acknowledged(ack)
    const gap = inbound.type === "response.gap" ? readGap(inbound.frame) : undefined
    if (gap !== undefined) return Effect.asVoid(wire.missing(gap))
    return logged(Effect.logDebug(`Control frame ${inbound.type.slice(0, 60)} needs nothing done`))
  }

  const askOwed = Effect.suspend(() =>
    features.has("resume")
      ? say(
          Array.from(owed, ([responseId, { messageId, sessionId }]) =>
            encodeAgentResume({ responseId, from: 0, messageId, sessionId })
          )
        )
      : Effect.void
  )

  /** The greeting of a link names its features or its epoch; the answer to a bind names neither, and adds to it. */
  const greeted = (greeting: Extract<Inbound, { readonly _tag: "AutoBound" }>) =>
    Effect.suspend(() => {
      const sessions = new Map(greeting.sessions.map((session) => [session.sessionId, session]))
      const whole = greeting.epoch !== undefined || greeting.features.length > 0
      bound = whole ? sessions : new Map([...bound, ...sessions])
      const said = logged(Effect.logDebug(`The platform greets: ${greeting.sessions.length} sessions are bound`))
      const { generation } = SubscriptionRef.getUnsafe(connection.state)
      if (!whole && generation === greetedBy) return said
      greetedBy = generation
      features = new Set(greeting.features)
      return Effect.all([said, wire.greeted(features), askOwed], { discard: true })
    })

  const react = (inbound: Inbound) => {
    switch (inbound._tag) {
      case "Request":
        return inbound.request.parts.length > 0
          ? receive(inbound.request)
          : refuse(inbound.request, {
              code: "INVALID_REQUEST",
              message: "The message holds nothing that this agent can read. Send a text, a file or an image."
            })
      case "Malformed":
        return malformed(inbound)
      case "Cancel":
        return Effect.flatMap(cancel(inbound), (found) =>
          found ? Effect.void : logged(Effect.logDebug("A cancel came for no reply under way"))
        )
      case "AutoBound":
        return greeted(inbound)
      case "Disconnect":
        // The connection has understood it already: asked for here, and perhaps late, it would dial past the backoff.
        return logged(Effect.logInfo("The platform will close this link; a new one is dialled first"))
      case "PeerError":
        // Of a socket that gave way to a newer one of ours.
        if (inbound.code === "stale_epoch") return logged(Effect.logDebug(inbound.message))
        return logged(
          Effect.logWarning(`The platform reports ${inbound.code}: ${inbound.message}`).pipe(
            Effect.annotateLogs({ param: inbound.param })
          )
        )
      case "Control":
        return control(inbound)
      case "Echo":
        return Effect.void
    }
  }

  /** Once: it counts as begun before it is, or a message that brings the program down would do so for ever. */
  const runAgain = (entry: Entry, request: InboundRequest) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.andThen(journal.begin(entry.responseId), replies.admit(makeReply(request, entry), restore))
    )

  const recover = Effect.gen(function* () {
    let ended = 0
    const now = clock.currentTimeMillisUnsafe()
    for (const entry of yield* journal.unfinished(accountId)) {
      if (replies.get(entry.responseId) !== undefined) continue
      const stale = now - (entry.aliveAt ?? entry.acceptedAt) > staleAfter
      const request = rerun && !stale && entry.begun !== true ? readRequest(entry.request) : undefined
      if (request !== undefined) {
        yield* runAgain(entry, request)
        continue
      }
      if (yield* abandon(addressedAs(entry), entry, stale)) ended++
    }
    for (const { endedAt, key, responseId } of yield* journal.recent(accountId, owedBound)) {
      if (endedAt !== undefined && now - endedAt <= staleAfter && key.messageId !== undefined) owe(responseId, key)
    }
    return ended
  }).pipe(
    Effect.catch((error) =>
      Effect.as(logged(Effect.logError("What an earlier run left unfinished could not be ended", error)), 0)
    )
  )

  return Dispatcher.of({
    handle: (inbound) =>
      Effect.suspend((): Effect.Effect<unknown, JournalError> => react(inbound)).pipe(
        Effect.asVoid,
        Effect.catchCause((cause) =>
          Cause.hasInterrupts(cause)
            ? Effect.interrupt
            : logged(Effect.logError("A frame could not be dealt with", cause))
        )
      ),
    cancel,
    inFlight: Effect.sync(() => replies.all().map((reply) => reply.inFlight)),
    recent: Effect.sync(() => stats.recent),
    stats: Effect.sync(() => stats.snapshot({ running: replies.running(), waiting: replies.waiting() })),
    recover,
    drain: replies.drain
  })
})

export const layer = (
  options: DispatcherOptions
): Layer.Layer<Dispatcher, never, Connection | Journal | AgentRuntime | SecureRandom.SecureRandom> =>
  Layer.effect(Dispatcher, make(options))
