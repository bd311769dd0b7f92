/** Frames that have come and wait to be consumed, bounded: past the limit the sockets are not read until it is empty. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Who stops and goes on reading. */
export interface Owner {
  readonly readingPaused: (paused: boolean) => void
  readonly runFork: <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>
}

type Handle = (frames: ReadonlyArray<string>) => Effect.Effect<void>

export class InboundQueue {
  /** Characters that may wait; one frame past it pauses. */
  readonly #limit: number
  readonly #owner: Owner
  #frames: [string, ...Array<string>] | undefined
  #characters = 0
  #paused = false
  #ended = false
  /** Called once, when there is something to take or nothing more will come. */
  #wake: (() => void) | undefined

  constructor(limit: number, owner: Owner) {
    this.#limit = limit
    this.#owner = owner
  }

  push(frame: string): void {
    if (this.#ended) return
    this.#characters += frame.length
    if (this.#frames === undefined) this.#frames = [frame]
    else this.#frames.push(frame)
    this.#rouse()
    if (this.#characters <= this.#limit) return
    // Told again for each frame past the limit: it may have come on a socket opened since.
    this.#paused = true
    this.#owner.readingPaused(true)
  }

  get end(): Effect.Effect<void> {
    return Effect.sync(() => {
      this.#ended = true
      this.#rouse()
    })
  }

  /** All that is there at once, then the next. */
  get stream(): Stream.Stream<string> {
    const pull: Effect.Effect<[string, ...Array<string>], Cause.Done> = Effect.suspend(() => {
      const frames = this.#take()
      if (frames !== undefined) return Effect.succeed(frames)
      if (this.#ended) return Cause.done()
      // What comes in the same turn is taken together.
      const woken = Effect.andThen(Effect.yieldNow, pull)
      return Effect.callback((resume) => {
        // A frame may have come since the look above: between two operations a fiber may be made to wait.
        if (this.#frames !== undefined || this.#ended) return resume(woken)
        this.#wake = () => resume(woken)
        return Effect.sync(() => {
          this.#wake = undefined
        })
      })
    })
    return Stream.fromPull(Effect.succeed(pull))
  }

  /** As the stream, in a fiber that is there only while there are frames, and ends with the scope. */
  consume(handle: Handle, scope: Scope.Scope): void {
    this.#wake = () => void this.#owner.runFork(Effect.forkIn(this.#work(handle, scope), scope))
    if (this.#frames !== undefined) this.#rouse()
  }

  #work(handle: Handle, scope: Scope.Scope): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        yield* Effect.yieldNow
        const frames = this.#take()
        if (frames === undefined) return this.consume(handle, scope)
        yield* handle(frames)
      }
    })
  }

  #rouse(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #take(): [string, ...Array<string>] | undefined {
    const frames = this.#frames
    this.#frames = undefined
    this.#characters = 0
    if (this.#paused) {
      this.#paused = false
      this.#owner.readingPaused(false)
    }
    return frames
  }
}
