/**
 * From producers of single pieces (async iterators, callbacks) to a Stream of batches. This is the hot path of every
 * reply: one stream step per piece costs more than everything else together, so the producer runs ahead in a plain
 * promise loop, pieces gather in an array, and the fiber takes all there is in one step.
 *
 * When the fiber is woken: for the first piece at once (the time to the first delta is what a person feels). After
 * that once a delta's worth waits, with `process.nextTick` called from a microtask, which Node runs when the microtasks
 * of this turn are done: everything an iterator yields without waiting for I/O is then one batch. Less than that waits
 * for more, for `linger` at most: a fiber woken for every few letters costs more than the letters.
 *
 * Law bounded: a producer that is ahead by `maxWaiting` characters is not pulled until the fiber has taken them.
 * Law stop: ending the stream aborts the signal and returns the iterator, and waits for neither.
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AgentError, ReplyPart } from "../../services/channel/AgentRuntime.ts"

/** What a producer may hand over: a piece of text, or a whole part. Empty text is left out. */
export type Piece = string | ReplyPart

/** In characters; an Activity or Usage part counts as one. */
export const defaultMaxWaiting = 64 * 1024

/** Characters that wake the fiber without waiting for more: what fills a delta. */
const worth = 50
/** Milliseconds that less may wait. */
const linger = 4

export interface Options {
  /** Characters that may wait before the producer is paused. 64 Ki by default. */
  readonly maxWaiting?: number | undefined
}

/** Where a producer puts its pieces. After `end`, `fail` or the end of the stream every call is ignored. */
export interface Sink<E> {
  /** `false`: enough waits; wait for `room()` before the next piece. */
  readonly push: (piece: Piece) => boolean
  readonly room: () => Promise<void>
  readonly end: () => void
  readonly fail: (error: E) => void
}

type Batch = [ReplyPart, ...Array<ReplyPart>]

const isBatch = (parts: ReadonlyArray<ReplyPart>): parts is Batch => parts.length > 0

/** A producer yielded something that is neither text nor a part of a reply. */
export class NotAPiece extends TypeError {
  constructor(value: unknown) {
    super(`a piece of a reply is a string, not ${value === null ? "null" : typeof value}`)
    this.name = "NotAPiece"
  }
}

const isPart = (value: object): value is ReplyPart =>
  "_tag" in value && (value._tag === "Text" || value._tag === "Activity" || value._tag === "Usage")

class Pump<E> implements Sink<E> {
  readonly controller = new AbortController()
  private readonly maxWaiting: number
  private readonly idle: Effect.Effect<Batch, E | Cause.Done>
  private waiting: Array<ReplyPart> = []
  private characters = 0
  private ended: Effect.Effect<never, E | Cause.Done> | undefined
  private consumer: ((effect: Effect.Effect<Batch, E | Cause.Done>) => void) | undefined
  private producer: (() => void) | undefined
  private started = false
  private wakeScheduled = false
  private timer: NodeJS.Timeout | undefined
  private lingering = false

  constructor(maxWaiting: number) {
    this.maxWaiting = maxWaiting
    this.idle = Effect.callback((resume) => {
      // A piece may have come since `pull` looked: between two operations a fiber may be made to wait.
      if (this.waiting.length > 0 || this.ended !== undefined) return resume(this.pull)
      this.consumer = resume
      return Effect.sync(() => {
        this.consumer = undefined
      })
    })
  }

  get done(): boolean {
    return this.ended !== undefined
  }

  readonly push = (piece: Piece): boolean => {
    if (this.ended !== undefined) return true
    if (typeof piece === "string") {
      if (piece.length === 0) return true
      this.waiting.push({ _tag: "Text", text: piece })
      this.characters += piece.length
    } else {
      if (typeof piece !== "object" || piece === null || !isPart(piece)) throw new NotAPiece(piece)
      if (piece._tag === "Text" && piece.text.length === 0) return true
      this.waiting.push(piece)
      this.characters += piece._tag === "Text" ? piece.text.length : 1
    }
    this.wake()
    return this.characters < this.maxWaiting
  }

  readonly room = (): Promise<void> =>
    new Promise((resolve) => {
      if (this.characters < this.maxWaiting || this.ended !== undefined) return resolve()
      this.producer = resolve
    })

  readonly end = (): void => this.finish(Cause.done())

  readonly fail = (error: E): void => this.finish(Effect.fail(error))

  readonly stop = (): void => {
    const running = this.ended === undefined
    this.ended ??= Cause.done()
    clearTimeout(this.timer)
    this.waiting = []
    this.producer?.()
    if (running) this.controller.abort()
  }

  readonly pull: Effect.Effect<Batch, E | Cause.Done> = Effect.suspend(() => {
    const batch = this.take()
    return batch === undefined ? (this.ended ?? this.idle) : Effect.succeed(batch)
  })

  private take(): Batch | undefined {
    const batch = this.waiting
    if (!isBatch(batch)) return undefined
    this.waiting = []
    this.characters = 0
    const producer = this.producer
    if (producer !== undefined) {
      this.producer = undefined
      producer()
    }
    return batch
  }

  private finish(ended: Effect.Effect<never, E | Cause.Done>): void {
    if (this.ended !== undefined) return
    this.ended = ended
    this.wake()
  }

  private wake(): void {
    if (this.consumer === undefined || this.wakeScheduled) return
    if (this.started && this.ended === undefined && this.characters < Math.min(worth, this.maxWaiting)) {
      // One timer for the life of the pump: it may find nothing to do.
      if (this.timer === undefined) this.timer = setTimeout(this.wakeNow, linger)
      else if (!this.lingering) this.timer.refresh()
      this.lingering = true
    } else if (this.started) {
      this.wakeScheduled = true
      process.nextTick(this.wakeNow)
    } else {
      this.started = true
      this.wakeNow()
    }
  }

  private readonly wakeNow = (): void => {
    this.wakeScheduled = false
    this.lingering = false
    const resume = this.consumer
    if (resume === undefined) return
    const batch = this.take()
    const next = batch === undefined ? this.ended : Effect.succeed(batch)
    if (next === undefined) return
    this.consumer = undefined
    resume(next)
  }
}

/**
 * A stream from a producer that pushes. `start` runs when the stream is first pulled and must not throw; `signal` is
 * aborted when the stream ends before the producer did. `push` throws `NotAPiece` on a value that is no piece.
 */
export const fromPush = <E>(
  start: (sink: Sink<E>, signal: AbortSignal) => void,
  options?: Options
): Stream.Stream<ReplyPart, E> =>
  Stream.fromChannel(
    Channel.fromTransform((_upstream, scope) =>
      Effect.suspend(() => {
        const pump = new Pump<E>(options?.maxWaiting ?? defaultMaxWaiting)
        start(pump, pump.controller.signal)
        return Effect.as(Scope.addFinalizer(scope, Effect.sync(pump.stop)), pump.pull)
      })
    )
  )

const ignore = (): void => {}

/** Text as a whole, pieces that are there, or pieces that come. */
export type Pieces = string | Iterable<Piece> | AsyncIterable<Piece>

/**
 * A stream from whatever yields pieces. What the iterable throws, and what `make` throws or rejects with, becomes
 * `onError(cause)` after the pieces that came before it.
 */
export const fromPieces = <E = AgentError>(
  make: (signal: AbortSignal) => Pieces | PromiseLike<Pieces>,
  onError: (cause: unknown) => E,
  options?: Options
): Stream.Stream<ReplyPart, E> =>
  fromPush<E>((sink, signal) => {
    void drain(make, sink, signal).then(sink.end, (cause: unknown) => sink.fail(onError(cause)))
  }, options)

/** `fromPieces` for what is always an async iterable. */
export const fromAsyncIterable: <E = AgentError>(
  makeIterable: (signal: AbortSignal) => AsyncIterable<Piece> | PromiseLike<AsyncIterable<Piece>>,
  onError: (cause: unknown) => E,
  options?: Options
) => Stream.Stream<ReplyPart, E> = fromPieces

const isThenable = (made: unknown): made is PromiseLike<unknown> =>
  typeof made === "object" && made !== null && "then" in made && typeof made.then === "function"

const iteratorOf = (made: unknown): AsyncIterator<Piece> | Iterator<Piece> => {
  if (typeof made === "string") return [made][Symbol.iterator]()
  if (typeof made === "object" && made !== null) {
    // What untyped code returns is looked at before it is believed.
    const source = made as Partial<AsyncIterable<Piece> & Iterable<Piece>>
    const asynchronous = source[Symbol.asyncIterator]?.()
    const iterator = asynchronous ?? source[Symbol.iterator]?.()
    if (iterator !== undefined) return iterator
  }
  throw new NotAPiece(made)
}

const drain = async <E>(
  make: (signal: AbortSignal) => Pieces | PromiseLike<Pieces>,
  sink: Sink<E>,
  signal: AbortSignal
): Promise<void> => {
  const made = make(signal)
  const iterator = iteratorOf(isThenable(made) ? await made : made)
  // A generator that is inside next() takes the call to return() when next() settles, which may be never: nobody waits.
  const giveBack = (): void => {
    void (async () => iterator.return?.())().catch(ignore)
  }
  if (signal.aborted) return giveBack()
  signal.addEventListener("abort", giveBack, { once: true })
  for (;;) {
    // A plain iterator answers at once, and is spared the turn of the microtask queue that an await costs.
    const next = iterator.next()
    const result = isThenable(next) ? await next : next
    if (result.done === true || signal.aborted) return
    try {
      if (!sink.push(result.value)) await sink.room()
      // Whoever took the piece may have had enough.
      if (signal.aborted) return
    } catch (cause) {
      giveBack()
      throw cause
    }
  }
}
