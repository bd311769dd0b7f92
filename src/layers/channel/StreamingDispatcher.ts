/**
 * The dispatcher: understands what a frame asks for, lets the journal decide whether a message is new, and hands new
 * ones to `Replies`. What was answered before is answered from the journal, with the same response id and without the
 * agent (law once); what cannot be taken is refused in words.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { Connection } from "../../services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import { Journal, type Entry, type JournalError } from "../../services/channel/Journal.ts"
import { encodeAck, readResponseAck } from "../../services/protocol/Control.ts"
import { dialects, type DialectName, type Encoder } from "../../services/protocol/Dialect.ts"
import type { BoundSession, Inbound, InboundRequest } from "../../services/protocol/Inbound.ts"
import { encodeErrorFrame } from "../../services/protocol/PlatformFrame.ts"
import { ReplyLog, type Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as ChatTurn from "./chatTurn.ts"
import * as Replies from "./Replies.ts"
import { Reply } from "./Reply.ts"
import * as Failures from "./replyFailures.ts"
import * as ReplyIds from "./ReplyIds.ts"

type Malformed = Extract<Inbound, { readonly _tag: "Malformed" }>

const seconds = (millis: number): number => Math.floor(millis / 1000)

const isStep = (step: Step | undefined): step is Step => step !== undefined

/** What an answer needs to know of the message it answers. */
interface Addressed {
  readonly dialect: DialectName
  readonly sessionId: string | undefined
  readonly messageId: string | undefined
  readonly stream: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly previousResponseId: string | undefined
}

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

export const make = Effect.fnUntraced(function* (
  options: DispatcherOptions
): Effect.fn.Return<
  Dispatcher["Service"],
  never,
  Connection | Journal | AgentRuntime | SecureRandom.SecureRandom | Scope.Scope
> {
  const connection = yield* Connection
  const journal = yield* Journal
  const runtime = yield* AgentRuntime
  const clock = yield* Clock.Clock
  const nextId = yield* ReplyIds.make
  const replies = yield* Replies.make(options)
  const { accountId } = options
  const { stats } = replies

  let bound: ReadonlyMap<string, BoundSession> = new Map()
  let features: ReadonlySet<string> = new Set()

  const logged = Effect.annotateLogs({ account: accountId })

  const encoderFor = (
    asked: Addressed,
    ids: { readonly responseId: string; readonly itemId: string },
    createdAt: number
  ): Encoder =>
    dialects[options.dialect ?? asked.dialect].encoder({
      head: {
        responseId: ids.responseId,
        itemId: ids.itemId,
        createdAt: seconds(createdAt),
        model: runtime.model,
        metadata: asked.metadata,
        previousResponseId: asked.previousResponseId
      },
      sessionId: asked.sessionId,
      messageId: asked.messageId,
      stream: asked.stream
    })

  /** For what is not a running reply. Where the platform cannot be told, the log is. */
  const say = (frames: ReadonlyArray<string>): Effect.Effect<void> =>
    frames.length === 0
      ? Effect.void
      : connection
          .send(frames)
          .pipe(Effect.catch((error) => logged(Effect.logWarning("An answer could not be sent", error))))

  /** A failure for a message that the journal does not hold: nothing was begun for it. */
  const refuse = Effect.fnUntraced(function* (asked: Addressed, failure: Failure) {
    const id = yield* nextId
    const at = clock.currentTimeMillisUnsafe()
    stats.refused++
    const encode = encoderFor(asked, { responseId: `resp_${id}`, itemId: `msg_${id}` }, at)
    yield* say(new ReplyLog().fail(seconds(at), failure).flatMap(encode))
  })

  /** The whole reply again, in the dialect asked for now, with the ids and the words of the first time. */
  const repeat = (asked: Addressed, entry: Entry): Effect.Effect<void> => {
    const { outcome } = entry
    if (outcome === undefined) return Effect.void
    const encode = encoderFor(asked, entry, entry.acceptedAt)
    const log = new ReplyLog({ maxDelta: options.deltaSize })
    const at = seconds(entry.endedAt ?? entry.acceptedAt)
    const begun = [log.open(), log.push(outcome.text)].filter(isStep)
    const end = outcome._tag === "Completed" ? log.complete(at) : log.fail(at, outcome.failure)
    return say([...begun, ...end].flatMap(encode))
  }

  /** What an earlier process left behind: ended once, in the journal first, so that no two starts say it twice. */
  const abandon = Effect.fnUntraced(function* (asked: Addressed, entry: Entry) {
    const first = yield* journal.end(entry.responseId, { _tag: "Failed", text: "", failure: Failures.crashed })
    if (!first) return false
    const at = seconds(clock.currentTimeMillisUnsafe())
    // Goes on from what the other side has; what it had shown beyond that is not known any more.
    const confirmed = entry.confirmedSequence
    const steps: ReadonlyArray<Step> =
      confirmed === undefined
        ? new ReplyLog().fail(at, Failures.crashed)
        : [{ _tag: "Failed", sequence: confirmed + 1, text: "", completedAt: at, failure: Failures.crashed }]
    yield* say(steps.flatMap(encoderFor(asked, entry, entry.acceptedAt)))
    return true
  })

  const known = (asked: Addressed, entry: Entry) => {
    stats.repeated++
    if (entry.outcome !== undefined) return repeat(asked, entry)
    // Under way here: its reply is coming. Under way nowhere: the process that had it is gone.
    return replies.get(entry.responseId) === undefined ? abandon(asked, entry) : Effect.void
  }

  const receive = (request: InboundRequest): Effect.Effect<void> =>
    // From the entry in the journal to the place in the queue nothing may come between: a message accepted and not
    // admitted would be answered by nobody.
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const id = yield* nextId
        const { messageId, sessionId } = request
        const acceptance = yield* journal.accept(
          { accountId, sessionId, messageId },
          { responseId: `resp_${id}`, itemId: `msg_${id}`, dialect: options.dialect ?? request.dialect }
        )
        const ack =
          messageId !== undefined && features.has("ack") ? say([encodeAck({ messageId, sessionId })]) : Effect.void
        if (acceptance._tag === "Known") {
          return yield* restore(Effect.andThen(ack, known(request, acceptance.entry)))
        }
        stats.accepted++
        const { entry } = acceptance
        const reply = new Reply({
          turn: ChatTurn.make(
            options,
            request,
            entry.responseId,
            sessionId === undefined ? undefined : bound.get(sessionId)
          ),
          log: new ReplyLog({ maxDelta: options.deltaSize }),
          encode: encoderFor(request, entry, entry.acceptedAt),
          acceptedAt: entry.acceptedAt
        })
        yield* replies.admit(reply, restore)
        yield* restore(ack)
      })
    ).pipe(
      Effect.catch((error) =>
        Effect.andThen(
          logged(Effect.logError("A message was not taken", error)),
          refuse(request, Failures.notJournaled)
        )
      )
    )

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

  const control = (inbound: Extract<Inbound, { readonly _tag: "Control" }>) => {
    const ack = inbound.type === "response.ack" ? readResponseAck(inbound.frame) : undefined
    return ack === undefined
      ? logged(Effect.logDebug(`Control frame ${inbound.type.slice(0, 60)} needs nothing done`))
      : journal.confirm(ack.responseId, ack.sequence)
  }

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
        return Effect.suspend(() => {
          bound = new Map(inbound.sessions.map((session) => [session.sessionId, session]))
          features = new Set(inbound.features)
          return logged(Effect.logDebug(`The platform greets: ${inbound.sessions.length} sessions are bound`))
        })
      case "Disconnect":
        return Effect.andThen(
          logged(Effect.logInfo("The platform will close this link; a new one is dialled first")),
          connection.renew
        )
      case "PeerError":
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

  const recover = Effect.gen(function* () {
    let ended = 0
    for (const entry of yield* journal.unfinished(accountId)) {
      if (replies.get(entry.responseId) !== undefined) continue
      const { messageId, sessionId } = entry.key
      const asked: Addressed = {
        dialect: entry.dialect ?? "envelope",
        sessionId,
        messageId,
        stream: true,
        metadata: {},
        previousResponseId: undefined
      }
      if (yield* abandon(asked, entry)) ended++
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
