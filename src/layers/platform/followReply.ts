/**
 * One reply as a stream of steps, from its beginning or a number on: live, or from what is stored. Pulled: each pull takes all that
 * has come since the last one, so a follower that is slow gets long arrays and can join what is in them.
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Followed, Told } from "../../services/platform/Broker.ts"
import { LimitReached, type NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import type { Sessions } from "../../services/platform/Sessions.ts"
import type { ReplyRoute } from "../../services/protocol/Dialect.ts"
import { eventCount, isTerminal, type Step, stepsAfter } from "../../services/protocol/ReplyLog.ts"
import * as LiveReply from "./LiveReply.ts"
import * as readerNumbers from "./readerNumbers.ts"
import type { Readers } from "./Readers.ts"

/** Characters that a follower may be behind. */
const bound = 8 * 1024 * 1024
/** What a step weighs beside its text. */
const stepWeight = 64

const tooSlow = new LimitReached({
  detail: "This reader is too slow: more of the answer waits for it than is kept. Read on from the last event you have."
})

const hasEnded = (status: string): boolean => status === "completed" || status === "failed"

const weightOf = (step: Step): number =>
  step._tag === "Deltas" ? step.deltas.reduce((sum, delta) => sum + delta.length, stepWeight) : stepWeight

type Batch = [Followed, ...Array<Followed>]
type Pulled = Effect.Effect<Batch, LimitReached | Cause.Done>

const isBatch = (steps: ReadonlyArray<Followed>): steps is Batch => steps.length > 0

/** Steps that wait for one follower, and the follower that waits for steps. */
class Follower {
  /** The last number that it has, or that waits for it. */
  #last: number
  /** The telling whose numbers these are; undefined as long as any would do. */
  #telling: ReplyRoute | undefined
  /** Its numbers are of a telling that nobody goes on with: it gets the end alone. */
  #isCut = false
  #waiting: Array<Followed> = []
  #weight = 0
  #ended: Effect.Effect<never, LimitReached | Cause.Done> | undefined
  #consumer: ((pulled: Pulled) => void) | undefined

  constructor(after: number) {
    this.#last = after
  }

  /** What is told here so far: from now on it goes by these numbers, if its own are of the same telling. */
  begin(told: Told | undefined): void {
    if (!readerNumbers.hold(told, this.#last)) this.#cut()
    else this.#telling = told?.route
    if (told !== undefined) this.catchUp(told.route, told.steps)
  }

  /** What is kept anyway, however slow this follower is. */
  catchUp(route: ReplyRoute, steps: ReadonlyArray<Step>): void {
    for (const step of steps) this.#take(route, step)
  }

  readonly offer = (route: ReplyRoute, step: Step): void => {
    this.#weight += weightOf(step)
    this.#take(route, step)
  }

  #cut(): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#push({ _tag: "Gap", ...readerNumbers.gapAfter(this.#last) })
  }

  #take(route: ReplyRoute, step: Step): void {
    if (this.#ended !== undefined) return
    if (route !== this.#telling) {
      if (this.#last < LiveReply.firstDelta) this.#telling = route
      else this.#cut()
    }
    if (this.#isCut) {
      if (isTerminal(step)) this.#push({ _tag: "Step", route, step: readerNumbers.endAfter(step, this.#last) })
      return
    }
    const rest = step.sequence > this.#last ? [step] : stepsAfter([step], this.#last)
    this.#last = Math.max(this.#last, step.sequence + eventCount(step) - 1)
    for (const step of rest) this.#push({ _tag: "Step", route, step })
    // Who has the end already is not kept waiting for another one.
    if (rest.length === 0 && isTerminal(step)) {
      this.#ended = Cause.done()
      this.#wake()
    }
  }

  #push(item: Followed): void {
    this.#waiting.push(item)
    if (this.#weight > bound && this.#consumer === undefined) {
      // Nothing is kept for it any more, even if it never reads again.
      this.#waiting = []
      this.#ended = Effect.fail(tooSlow)
    } else if (item._tag === "Step" && isTerminal(item.step)) {
      this.#ended = Cause.done()
    }
    this.#wake()
  }

  #wake(): void {
    const consumer = this.#consumer
    if (consumer === undefined) return
    this.#consumer = undefined
    consumer(this.pull)
  }

  readonly pull: Pulled = Effect.suspend((): Pulled => {
    const batch = this.#waiting
    if (isBatch(batch)) {
      this.#waiting = []
      this.#weight = 0
      return Effect.succeed(batch)
    }
    return this.#ended ?? this.#wait
  })

  readonly #wait: Pulled = Effect.callback((resume) => {
    // Something may have come since the look above: between two operations a fiber may be made to wait.
    if (this.#waiting.length > 0 || this.#ended !== undefined) return resume(this.pull)
    this.#consumer = resume
    return Effect.sync(() => {
      this.#consumer = undefined
    })
  })
}

/** It may be answered, and end, in another process over the same database: nobody tells of that here. */
const lookAgain = (
  sessions: Sessions["Service"],
  toldOf: ToldOf,
  responseId: string,
  follower: Follower
): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (toldOf(responseId) !== undefined) return
    const now = yield* sessions.findExchange(responseId)
    if (!hasEnded(now.status) || toldOf(responseId) !== undefined) return
    follower.catchUp(LiveReply.routeOf(now), LiveReply.stored(now))
  }).pipe(Effect.ignore, Effect.delay("10 seconds"), Effect.forever)

/** Of a reply under way here, or ended here a moment ago. */
type ToldOf = (responseId: string) => Told | undefined

export const make =
  (sessions: Sessions["Service"], readers: Readers, toldOf: ToldOf) =>
  (responseId: string, after = -1): Stream.Stream<Followed, NotFound | LimitReached | StoreError> =>
    Stream.fromChannel(
      Channel.fromTransform((_upstream, scope) =>
        Effect.gen(function* () {
          const exchange = yield* sessions.findExchange(responseId)
          const follower = new Follower(after)
          // In one turn: what came so far, and everything from here on.
          follower.begin(toldOf(responseId))
          const stop = readers.watch(exchange.userId, (item) => {
            if (item._tag === "Step" && item.exchange.responseId === responseId) follower.offer(item.route, item.step)
          })
          yield* Scope.addFinalizer(scope, Effect.sync(stop))
          yield* Effect.forkIn(lookAgain(sessions, toldOf, responseId, follower), scope)
          if (toldOf(responseId) !== undefined) return follower
          // It waits for its agent, or it ended: perhaps just now, while this reader was put in place.
          const now = yield* sessions.findExchange(responseId)
          if (hasEnded(now.status)) follower.catchUp(LiveReply.routeOf(now), LiveReply.stored(now))
          return follower
        }).pipe(Effect.map((follower) => follower.pull))
      )
    )
