/** Frames that have come and wait to be consumed, bounded: past the limit the sockets are not read until it is empty. */
import * as Effect from "effect/Effect"
import type * as Cause from "effect/Cause"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

export const make = Effect.fnUntraced(function* (options: {
  /** Characters that may wait; one frame past it pauses. */
  readonly limit: number
  readonly paused: (paused: boolean) => void
}) {
  const queue = yield* Queue.unbounded<string, Cause.Done>()
  let characters = 0
  let paused = false

  const taken = (): void => {
    characters = 0
    if (!paused) return
    paused = false
    options.paused(false)
  }

  return {
    push: (frame: string): void => {
      characters += frame.length
      Queue.offerUnsafe(queue, frame)
      if (characters <= options.limit) return
      // Told again for each frame past the limit: it may have come on a socket opened since.
      paused = true
      options.paused(true)
    },
    end: Effect.asVoid(Queue.end(queue)),
    /** All that is there at once, then the next. */
    stream: Stream.fromPull(
      Effect.succeed(
        Effect.map(Queue.takeAll(queue), (frames) => {
          taken()
          return frames
        })
      )
    )
  }
})
