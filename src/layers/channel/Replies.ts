/**
 * Runs replies: a place for each, the agent, the log, the wire, one end.
 *
 * Who runs when: `Lanes` keeps the order within a session, a Semaphore the number of places (law bounded). The fronts
 * of all sessions wait for a place in the order in which they came, so that a session that sends much is served once
 * per round and does not starve the others.
 *
 * Where the time goes: one fiber per reply, and per array that the runtime gives one log push, one encode and one
 * send. Nothing here costs per delta. The first words go at once; after them only full deltas, and what is left over
 * when the agent pauses for `pause`. Time limits are kept by one watchdog for all replies, not by timers of each.
 *
 * Who ends a reply (law one-terminal): its own run, or a decision from outside (cancel, timeout, stop) that is written
 * into `verdict` first. Whoever comes first to `conclude` builds the terminal; the second finds it done. A runtime
 * that ignores its interruption delays neither the terminal nor, past `patience`, the next message.
 */
import type * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { AgentRuntime, type AgentError, type ReplyPart } from "../../services/channel/AgentRuntime.ts"
import type { Connection, ConnectionError } from "../../services/channel/Connection.ts"
import type { DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import { Journal } from "../../services/channel/Journal.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as Heartbeat from "./Heartbeat.ts"
import { Lanes } from "./Lanes.ts"
import type { Reply } from "./Reply.ts"
import * as ReplyEnd from "./ReplyEnd.ts"
import * as Failures from "./replyFailures.ts"
import { ReplyStats } from "./ReplyStats.ts"
import * as ReplyWire from "./ReplyWire.ts"

/** How long an agent may take to stop before its place is given to the next one. */
const patience = Duration.seconds(5)

/**
 * How long the last words of an agent in the middle of speaking may wait for more, so that a fast one is not sent in
 * frames of a few letters. Far below what a person notices.
 */
const pause = Duration.millis(8)

export interface Replies {
  readonly stats: ReplyStats
  readonly wire: ReplyWire.ReplyWire
  readonly get: (responseId: string) => Reply | undefined
  /** Not yet ended, in order of acceptance. */
  readonly all: () => ReadonlyArray<Reply>
  readonly running: () => number
  readonly waiting: () => number
  /**
   * Begins the reply, lets it wait, or ends it at once in words. Not to be interrupted, but for the sending of those
   * words (`restore`), which may have to wait for the outbox.
   */
  readonly admit: (
    reply: Reply,
    restore: <A, E>(sending: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ) => Effect.Effect<void>
  /** Decides from outside how it ends. `false` where that is decided already. */
  readonly end: (reply: Reply, failure: Failure) => boolean
  readonly drain: Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (
  options: DispatcherOptions
): Effect.fn.Return<Replies, never, Connection | Journal | AgentRuntime | Scope.Scope> {
  const journal = yield* Journal
  const runtime = yield* AgentRuntime
  const clock = yield* Clock.Clock
  const context = yield* Effect.context<never>()
  const runFork = Effect.runForkWith(context)
  const runSync = Effect.runSyncWith(context)
  const limit = Duration.toMillis(options.requestTimeout)
  const stall = Duration.toMillis(options.stallTimeout)

  const maxConcurrent = Math.max(1, options.maxConcurrent)
  const maxCharacters = options.maxReplyCharacters ?? Infinity
  const places = yield* Semaphore.make(maxConcurrent)
  const lanes = new Lanes<Reply>()
  const replies = new Map<string, Reply>()
  const stats = new ReplyStats()
  const wire = yield* ReplyWire.make(replies)
  const conclude = yield* ReplyEnd.make(stats, wire)
  const idlers = new Set<() => void>()
  const due: Array<Reply> = []
  /** Replies with words that wait for more. */
  const gathering = new Set<Reply>()
  let running = 0
  let starting = false
  let draining = false
  let gaveUp = false
  let watchdog: Fiber.Fiber<void> | undefined

  const now = () => clock.currentTimeMillisUnsafe()
  /** For time limits: a correction of the wall clock must neither end a reply nor keep it alive. */
  const elapsed = () => Heartbeat.monotonicMillis(clock)

  // ---- the wire ----

  /** The agent may have paused: what its replies still hold is shown. */
  const flush = Effect.gen(function* () {
    yield* clock.sleep(pause)
    const replies = [...gathering]
    gathering.clear()
    for (const reply of replies) {
      // One whose frames stand in line has the outbox full; its words go with the next ones, or with its end.
      if (reply.sending > 0 || reply.concluded) continue
      const step = wire.isOpen(reply) ? reply.log.flush() : wire.hold(reply, "")
      // Where this cannot be sent the run finds out by itself, with its own next frames.
      if (step !== undefined) runFork(Effect.ignore(wire.send(reply, step)))
    }
  })

  const gather = (reply: Reply): void => {
    if (gathering.size === 0) runFork(flush)
    gathering.add(reply)
  }

  // ---- the run ----

  const release = (reply: Reply): void => {
    if (!replies.delete(reply.responseId)) return
    if (reply.startedAt !== undefined) {
      running--
      runSync(places.release(1))
    }
    if (reply.front) {
      const next = lanes.done(reply.turn.sessionKey)
      if (next !== undefined) begin(next)
    }
    if (replies.size > 0) return
    for (const wake of idlers) wake()
  }

  const take = (reply: Reply, parts: Arr.NonEmptyReadonlyArray<ReplyPart>): Effect.Effect<void, ConnectionError> => {
    // An agent that goes on after its end was decided speaks to nobody.
    if (reply.verdict !== undefined) return Effect.void
    const at = now()
    reply.lastActivityAt = elapsed()
    let text = ""
    for (const part of parts) {
      if (part._tag === "Text") text += part.text
      else if (part._tag === "Usage") reply.usage = part.usage
    }
    if (text === "") return Effect.void
    // Law bounded, for an agent that does not stop by itself.
    if (reply.characters + text.length > maxCharacters) {
      end(reply, Failures.tooLong)
      return Effect.void
    }
    if (reply.firstDeltaAt !== undefined) {
      reply.characters += text.length
      const open = wire.isOpen(reply)
      const step = open ? reply.log.gather(text) : wire.hold(reply, text)
      if (open) gather(reply)
      return step === undefined ? Effect.void : wire.send(reply, step)
    }
    reply.firstDeltaAt = at
    stats.firstDelta(at - reply.acceptedAt)
    return options.rerunInterrupted === "if-silent"
      ? Effect.flatMap(writeBegun(reply), () => (reply.verdict === undefined ? sayFirst(reply, text) : Effect.void))
      : sayFirst(reply, text)
  }

  const sayFirst = (reply: Reply, text: string): Effect.Effect<void, ConnectionError> => {
    reply.characters += text.length
    const step = wire.isOpen(reply) ? reply.log.push(text) : wire.hold(reply, text)
    return step === undefined ? Effect.void : wire.send(reply, step)
  }

  /** Before it is shown. Where that fails a crash might have it shown twice; the text is worth more. */
  const writeBegun = (reply: Reply): Effect.Effect<void> =>
    journal
      .begin(reply.responseId)
      .pipe(
        Effect.catch((error) =>
          reply.logged(Effect.logWarning("That a reply has begun could not be written down", error))
        )
      )

  const settle = (reply: Reply, exit: Exit.Exit<void, AgentError | ConnectionError>): Effect.Effect<void> => {
    // Whoever decided also gives the place on.
    if (reply.verdict !== undefined) return conclude(reply, reply.verdict)
    const ended = Exit.isSuccess(exit)
      ? conclude(reply, undefined)
      : Effect.andThen(explain(reply, exit.cause), conclude(reply, Failures.fromCause(exit.cause)))
    return Effect.map(ended, () => release(reply))
  }

  const explain = (reply: Reply, cause: Cause.Cause<AgentError | ConnectionError>) =>
    Effect.logWarning("A reply failed", cause).pipe(reply.logged)

  /** Waits for a place. Taking it and knowing that it is taken is one step, so that none is lost on the way. */
  const place = (reply: Reply): Effect.Effect<void> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.map(restore(places.take(1)), () => {
        running++
        reply.startedAt = now()
        reply.lastActivityAt = elapsed()
      })
    )

  const run = (reply: Reply): Effect.Effect<void, AgentError | ConnectionError> =>
    Effect.onExit(
      Effect.withFiber((fiber) => {
        reply.fiber = fiber
        return Effect.flatMap(place(reply), () =>
          // In progress is said now, not with the first text: a person sees that the agent is at work.
          Effect.flatMap(wire.send(reply, reply.log.open()), () =>
            Stream.runForEachArray(runtime.reply(reply.turn), (parts) => take(reply, parts))
          )
        )
      }),
      (exit) => settle(reply, exit)
    )

  /** In a loop of its own: an agent that answers at once would otherwise call itself as deep as the queue is long. */
  const begin = (next: Reply): void => {
    next.front = true
    due.push(next)
    if (starting) return
    starting = true
    for (let reply = due.shift(); reply !== undefined; reply = due.shift()) {
      if (reply.undecided) runFork(run(reply))
    }
    starting = false
  }

  const stop = Effect.fnUntraced(function* (reply: Reply, failure: Failure) {
    const fiber = reply.fiber
    if (fiber === undefined) {
      lanes.remove(reply.turn.sessionKey, reply)
      yield* conclude(reply, failure)
      return release(reply)
    }
    fiber.interruptUnsafe()
    for (;;) {
      if (reply.sending === 0) yield* conclude(reply, failure)
      const stopped = yield* Effect.timeoutOption(Fiber.await(fiber), patience)
      if (Option.isSome(stopped)) break
      if (!reply.concluded) continue
      yield* Effect.logWarning("The agent does not stop; its place is given to the next one").pipe(reply.logged)
      break
    }
    release(reply)
  })

  const end = (reply: Reply, failure: Failure): boolean => {
    if (!reply.undecided) return false
    reply.verdict = failure
    runFork(stop(reply, failure))
    return true
  }

  /** Those that wait come first, so that no place becomes free for them. */
  const endAll = (over: ReadonlyArray<readonly [Reply, Failure]>): void => {
    for (const [reply, failure] of over) if (reply.startedAt === undefined) end(reply, failure)
    for (const [reply, failure] of over) end(reply, failure)
  }

  // ---- time ----

  /**
   * Ends what is due and sleeps until the next reply can be. A reply that begins while it sleeps is never due earlier
   * than that: each waits its own full time from now, and the sleep ends before a full time from an earlier now.
   */
  const watch = Effect.gen(function* () {
    while (replies.size > 0) {
      const at = elapsed()
      let next = at + Math.min(limit, stall)
      const over: Array<readonly [Reply, Failure]> = []
      for (const reply of replies.values()) {
        if (!reply.undecided) continue
        const late = reply.bornAt + limit
        const silent = reply.startedAt === undefined ? Infinity : reply.lastActivityAt + stall
        if (late <= at) over.push([reply, Failures.tooLate(limit)])
        else if (silent <= at) over.push([reply, Failures.stalled(stall)])
        else next = Math.min(next, late, silent)
      }
      endAll(over)
      yield* clock.sleep(Duration.millis(Math.max(1, next - at)))
    }
    watchdog = undefined
  })

  // ---- the door ----

  const admit: Replies["admit"] = (reply, restore) => {
    if (draining) return conclude(reply, Failures.stopping, restore)
    const key = reply.turn.sessionKey
    // A front beyond the places waits like one behind another.
    const waits = lanes.has(key) || lanes.size >= maxConcurrent
    if (waits && replies.size - running >= options.maxQueued) return conclude(reply, Failures.queueFull, restore)
    replies.set(reply.responseId, reply)
    watchdog ??= runFork(watch)
    if (lanes.offer(key, reply)) begin(reply)
    return Effect.void
  }

  const idle = Effect.callback<void>((resume) => {
    if (replies.size === 0) return resume(Effect.void)
    const wake = () => {
      idlers.delete(wake)
      resume(Effect.void)
    }
    idlers.add(wake)
    return Effect.sync(() => idlers.delete(wake))
  })

  const idleWithin = (duration: Duration.Input) => Effect.map(Effect.timeoutOption(idle, duration), Option.isSome)

  const aside = (sending: Effect.Effect<void>): Effect.Effect<void> => Effect.sync(() => void runFork(sending))

  const drain = Effect.gen(function* () {
    draining = true
    // It was waited for once: who stops the program asks, and so does the end of its scope.
    if (gaveUp || replies.size === 0 || (yield* idleWithin(options.grace))) return
    endAll(Array.from(replies.values(), (reply) => [reply, Failures.stopping]))
    // A full outbox or an agent that does not stop must not hold up the stop.
    if (!(yield* idleWithin(Duration.sum(patience, Duration.seconds(1))))) {
      gaveUp = true
      const left = [...replies.values()]
      yield* Effect.logWarning(`${left.length} replies could not be ended in time`)
      // Their words stand in line, and may go out yet or not: that they have ended is written down now.
      yield* Effect.forEach(left, (reply) => conclude(reply, reply.verdict ?? Failures.stopping, aside), {
        discard: true
      })
    }
  })

  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      drain,
      Effect.suspend(() => (watchdog === undefined ? Effect.void : Fiber.interrupt(watchdog)))
    )
  )

  return {
    stats,
    wire,
    get: (responseId) => replies.get(responseId),
    all: () => [...replies.values()].filter((reply) => !reply.concluded),
    running: () => running,
    waiting: () => replies.size - running,
    admit,
    end,
    drain
  }
})
