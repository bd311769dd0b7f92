/**
 * Bytes of the network let go of as soon as they are used. Otherwise each piece stays until the collector looks, which
 * it does after 64 MB of them: an upload would hold that much whatever its size (law bounded).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** A part of a larger buffer may have neighbours that are still wanted; the pool of small buffers has them always. */
const letGo = (bytes: Uint8Array): void => {
  const { buffer } = bytes
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return
  if (bytes.byteLength === buffer.byteLength && bytes.byteLength >= 4_096) buffer.transfer(0)
}

/**
 * Each piece is empty as soon as the next one is asked for: for readers that keep none, of a stream that nobody else
 * reads.
 */
export const readOnce = <E, R>(self: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.transformPull(self, (pull) =>
    Effect.sync(() => {
      let last: ReadonlyArray<Uint8Array> = []
      return Effect.suspend(() => {
        for (const bytes of last) letGo(bytes)
        last = []
        return Effect.tap(pull, (pieces) =>
          Effect.sync(() => {
            last = pieces
          })
        )
      })
    })
  )
