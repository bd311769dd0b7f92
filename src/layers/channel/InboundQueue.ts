/** Frames that have come and wait to be consumed, bounded: past the limit the sockets are not read until it is empty. */
import * as Effect from "effect/Effect"
import type * as Cause from "effect/Cause"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

/** Who stops and goes on reading. */
export interface Owner {
  readonly readingPaused: (paused: boolean) => void
}

export class InboundQueue {
  readonly #queue: Queue.Queue<string, Cause.Done>
  /** Characters that may wait; one frame past it pauses. */
  readonly #limit: number
  readonly #owner: Owner
  #characters = 0
  #paused = false

  constructor(queue: Queue.Queue<string, Cause.Done>, limit: number, owner: Owner) {
    this.#queue = queue
    this.#limit = limit
    this.#owner = owner
  }

  push(frame: string): void {
    this.#characters += frame.length
    Queue.offerUnsafe(this.#queue, frame)
    if (this.#characters <= this.#limit) return
    // Told again for each frame past the limit: it may have come on a socket opened since.
    this.#paused = true
    this.#owner.readingPaused(true)
  }

  get end(): Effect.Effect<void> {
    return Effect.asVoid(Queue.end(this.#queue))
  }

  /** All that is there at once, then the next. */
  get stream(): Stream.Stream<string> {
    return Stream.fromPull(
      Effect.succeed(
        Effect.map(Queue.takeAll(this.#queue), (frames) => {
          this.#taken()
          return frames
        })
      )
    )
  }

  #taken(): void {
    this.#characters = 0
    if (!this.#paused) return
    this.#paused = false
    this.#owner.readingPaused(false)
  }
}
