/**
 * Between the replies and the connection: what a reply says goes out while there is a link, is held back while there
 * is none, and is sent again where the platform says that it did not arrive.
 *
 * Toward a platform with the feature `resume` every step is kept until the platform has confirmed the terminal, so at
 * most the reply's own text a second time. After each greeting the platform is asked how far it has each reply, and
 * nothing of it is sent until the answer: then all that follows, whatever the old socket still had, each once. Of a
 * reply that has ended there nothing more is sent; how it ended here is for the journal alone.
 *
 * Toward any other platform nothing that a socket has taken is ever sent again. Words that come while there is no link
 * go as one delta when there is one, longer than others: a person who waited wants to see them, not to see them typed.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Connection, type ConnectionError, type ConnectionState } from "../../services/channel/Connection.ts"
import { encodeAgentResume, type Gap, type ResponseAck } from "../../services/protocol/Control.ts"
import { isTerminal, type Step, stepsAfter } from "../../services/protocol/ReplyLog.ts"
import type { Reply } from "./Reply.ts"
import { shortEnd } from "./shortEnd.ts"

/** Ended replies whose terminal is not confirmed. Past it the oldest is let go; the journal knows how it ended. */
const keptBound = 1_000

/** Characters that one reply may hold back. Past it they take their place in the outbox, which is bounded. */
const heldBound = 256 * 1024

/** How long a platform that has agreed to it may take to greet, and then to say how far it has a reply. */
const patience = Duration.seconds(10)

export interface ReplyWire {
  /** May what this reply says be sent now? */
  readonly isOpen: (reply: Reply) => boolean
  /** Keeps text until it can be sent. A step: too much is held, this must stand in line. */
  readonly hold: (reply: Reply, text: string) => Step | undefined
  /** Hands a step over. Not to be interrupted: half a step would leave a hole in the text. */
  readonly send: (reply: Reply, step: Step) => Effect.Effect<void, ConnectionError>
  /** The last steps. May be interrupted: whoever stops does not wait for a full outbox. */
  readonly finish: (reply: Reply, steps: ReadonlyArray<Step>) => Effect.Effect<void, ConnectionError>
  /** A new link is there, and this is what the platform agreed to. */
  readonly greeted: (features: ReadonlySet<string>) => Effect.Effect<void>
  /** How far the platform has a reply. `over`: it has ended there, while it goes on here. */
  readonly acknowledged: (ack: ResponseAck) => Effect.Effect<"unknown" | "taken" | "over">
  /** Sends again what did not arrive. `false`: nothing is known here of this reply. */
  readonly missing: (gap: Gap) => Effect.Effect<boolean>
  /**
   * The message came again. `true`: its reply is known here and is coming, or its end is, with the numbers that it had
   * from the beginning. Said again out of the journal it would have others, and the platform would take two for one.
   */
  readonly again: (responseId: string) => Effect.Effect<boolean>
}

/** Nothing is sent until somebody has mended it, and then everything can be. */
const waitsForAPerson = ({ reason, transient }: ConnectionError): boolean =>
  !transient && reason._tag !== "Closed" && reason._tag !== "FrameTooLarge"

const isUp = (state: ConnectionState): boolean => state.phase === "connected" || state.phase === "suspect"

const hasEnded = (steps: ReadonlyArray<Step>): boolean => {
  const last = steps.at(-1)
  return last !== undefined && isTerminal(last)
}

/** The number of the last event so far, -1 before the first. */
const lastOf = (steps: ReadonlyArray<Step>): number => {
  const last = steps.at(-1)
  if (last === undefined) return -1
  return last.sequence + (last._tag === "Deltas" ? last.deltas.length - 1 : 3)
}

export const make = Effect.fnUntraced(function* (
  running: ReadonlyMap<string, Reply>
): Effect.fn.Return<ReplyWire, never, Connection | Scope.Scope> {
  const connection = yield* Connection
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context<never>())

  /** Ended, terminal not confirmed, oldest first. */
  const unconfirmed = new Map<string, Reply>()
  const holding = new Set<Reply>()
  let resumes = false
  /** Counts greetings. */
  let greetings = 0
  let watching = false

  const isOpen = (reply: Reply): boolean =>
    reply.awaiting === undefined && isUp(SubscriptionRef.getUnsafe(connection.state))

  const keep = (reply: Reply): void => {
    unconfirmed.set(reply.responseId, reply)
    for (const responseId of unconfirmed.keys()) {
      if (unconfirmed.size <= keptBound) break
      unconfirmed.delete(responseId)
    }
  }

  const put = (reply: Reply, frames: ReadonlyArray<string>): Effect.Effect<void, ConnectionError> => {
    if (frames.length === 0) return Effect.void
    reply.sending++
    return Effect.uninterruptible(Effect.ensuring(connection.send(frames), reply.sent))
  }

  const send: ReplyWire["send"] = (reply, step) => {
    reply.steps.push(step)
    // With the answer to the question how far it has come.
    return reply.awaiting === undefined ? put(reply, reply.encode(step)) : Effect.void
  }

  /** The last of these steps are the reply's last. */
  const orShort =
    (
      reply: Reply,
      steps: ReadonlyArray<Step>,
      send: (frames: ReadonlyArray<string>) => Effect.Effect<void, ConnectionError>
    ) =>
    (error: ConnectionError): Effect.Effect<void, ConnectionError> => {
      const short = shortEnd(steps, reply.encode, error)
      if (short === undefined) return Effect.fail(error)
      reply.steps.splice(-1, 1, ...short.slice(-1))
      return send(short.flatMap(reply.encode))
    }

  const finish: ReplyWire["finish"] = (reply, steps) =>
    Effect.suspend(() => {
      for (const step of steps) reply.steps.push(step)
      if (resumes && reply.awaiting !== "nothing") keep(reply)
      if (reply.awaiting !== undefined) return Effect.void
      return connection.send(steps.flatMap(reply.encode)).pipe(
        Effect.catch(orShort(reply, steps, (frames) => connection.send(frames))),
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (!waitsForAPerson(error)) return
            reply.refused = steps
            keep(reply)
          })
        )
      )
    })

  const said = (reply: Reply) => (error: ConnectionError) =>
    Effect.logWarning("A part of a reply could not be sent", error).pipe(reply.logged)

  /** What was held goes, as far as there is a link. */
  const release = (): void => {
    for (const reply of holding) {
      if (!reply.concluded && !isOpen(reply)) continue
      holding.delete(reply)
      // One that has ended took along what was held.
      const step = reply.log.join()
      if (step !== undefined) runFork(send(reply, step).pipe(Effect.catch(said(reply))))
    }
  }

  /** Waits for a link as long as words wait for one. */
  const watch = Effect.gen(function* () {
    while (holding.size > 0) {
      const seen = greetings
      yield* SubscriptionRef.changes(connection.state).pipe(Stream.filter(isUp), Stream.take(1), Stream.runDrain)
      // Its greeting comes with the link, and says where to go on.
      if (resumes && seen === greetings) yield* clock.sleep(patience)
      release()
      // What is left waits for an answer of the platform's, or for another link.
      if (holding.size > 0) yield* clock.sleep(patience)
    }
    // In one step with the look: between two operations a fiber may be made to wait, and words may come to be held.
    watching = false
  })

  const hold: ReplyWire["hold"] = (reply, text) => {
    reply.log.hold(text)
    if (reply.log.waiting > heldBound) return reply.log.join()
    holding.add(reply)
    if (!watching) {
      watching = true
      // There may never be a link again: it does not outlive what it waits for (law stop).
      Fiber.runIn(runFork(watch), scope)
    }
    return undefined
  }

  const find = (responseId: string): Reply | undefined => running.get(responseId) ?? unconfirmed.get(responseId)

  const question = (reply: Reply): string => {
    reply.awaiting = "answer"
    reply.asked++
    reply.unanswered++
    const { messageId, sessionId } = reply.turn
    return encodeAgentResume({ responseId: reply.responseId, from: 0, messageId, sessionId })
  }

  /** Everything after this number, and from then on as it comes. */
  const goOn = (reply: Reply, sequence: number): Effect.Effect<void> => {
    reply.awaiting = undefined
    reply.refused = undefined
    holding.delete(reply)
    const joined = reply.log.join()
    if (joined !== undefined) reply.steps.push(joined)
    const rest = stepsAfter(reply.steps, sequence)
    return put(reply, rest.flatMap(reply.encode)).pipe(
      Effect.catch(orShort(reply, rest, (frames) => put(reply, frames))),
      Effect.catch(said(reply))
    )
  }

  const all = (): ReadonlyArray<Reply> => [
    ...unconfirmed.values(),
    ...Array.from(running.values()).filter((reply) => !unconfirmed.has(reply.responseId))
  ]

  /** A platform that agreed and does not answer: what it is known to have is what it is taken to have. */
  const unanswered = (replies: ReadonlyArray<readonly [Reply, number]>, greeting: number) =>
    Effect.andThen(
      // A moment more, where this timer is late itself: the answer may lie there unread.
      Effect.andThen(clock.sleep(patience), clock.sleep(Duration.millis(1))),
      Effect.suspend(() =>
        Effect.forEach(
          replies.filter(
            ([reply, asked]) => greeting === greetings && reply.asked === asked && reply.awaiting === "answer"
          ),
          ([reply]) => goOn(reply, reply.confirmed),
          { discard: true }
        )
      )
    )

  const ask = (replies: ReadonlyArray<Reply>): Effect.Effect<void> => {
    if (replies.length === 0) return Effect.void
    const questions = replies.map(question)
    const asked = replies.map((reply) => [reply, reply.asked] as const)
    // It does not outlive what it waits for (law stop).
    Fiber.runIn(runFork(unanswered(asked, greetings)), scope)
    return connection
      .send(questions)
      .pipe(Effect.catch((error) => Effect.logWarning("The replies under way could not be resumed", error)))
  }

  /** Ends that the connection would not take, toward a platform that does not ask for them. */
  const sayRefused = Effect.suspend(() =>
    Effect.forEach(
      Array.from(unconfirmed.values()),
      (reply) => {
        const { refused } = reply
        reply.refused = undefined
        return refused === undefined ? Effect.void : put(reply, refused.flatMap(reply.encode))
      },
      { discard: true }
    )
  ).pipe(Effect.catch((error) => Effect.logWarning("The ends of replies could not be sent", error)))

  const greeted: ReplyWire["greeted"] = (features) =>
    Effect.suspend(() => {
      resumes = features.has("resume")
      greetings++
      const replies = all()
      for (const reply of replies) reply.unanswered = 0
      if (resumes) return ask(replies)
      for (const reply of replies) reply.awaiting = undefined
      return Effect.map(sayRefused, () => {
        unconfirmed.clear()
        release()
      })
    })

  const acknowledged: ReplyWire["acknowledged"] = (ack) =>
    Effect.suspend(() => {
      const reply = find(ack.responseId)
      if (reply === undefined) return Effect.succeed("unknown")
      const { responseId } = reply
      // Asked twice, answered twice: the message may have come in between, so only the last answer says how it stands.
      const isAnswer = ack.status === "open" || ack.status === "unknown"
      if (isAnswer && reply.unanswered > 0 && --reply.unanswered > 0) return Effect.succeed("taken")
      if (ack.status === "unknown") {
        // It may come out of the mailbox yet; one that has ended is then repeated out of the journal.
        reply.awaiting = "message"
        unconfirmed.delete(responseId)
        return Effect.succeed("taken")
      }
      if (ack.status === "ended") {
        // Not its end either: words before it may never have gone out, and an end with them would leave a hole.
        reply.awaiting = "nothing"
        unconfirmed.delete(responseId)
        return Effect.succeed(reply.concluded ? "taken" : "over")
      }
      reply.confirmed = Math.max(reply.confirmed, ack.sequence)
      if (hasEnded(reply.steps) && ack.sequence >= lastOf(reply.steps)) {
        reply.awaiting = undefined
        unconfirmed.delete(responseId)
        return Effect.succeed("taken")
      }
      // Only the answer itself: one sent by itself may have crossed the question, and says less.
      if (ack.status === undefined || reply.awaiting === undefined) return Effect.succeed("taken")
      return Effect.as(goOn(reply, ack.sequence), "taken")
    })

  return {
    isOpen,
    hold,
    send,
    finish,
    greeted,
    acknowledged,
    missing: (gap) =>
      Effect.suspend(() => {
        const reply = find(gap.responseId)
        if (reply === undefined) return Effect.succeed(false)
        return Effect.as(reply.awaiting === undefined ? goOn(reply, gap.from - 1) : Effect.void, true)
      }),
    again: (responseId) =>
      Effect.suspend(() => {
        const reply = find(responseId)
        if (reply === undefined || (reply.told && !unconfirmed.has(responseId))) return Effect.succeed(false)
        return Effect.as(resumes ? ask([reply]) : Effect.void, true)
      })
  }
})
