import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { readOnce } from "../../../../src/layers/platform/spentBytes.ts"

it.effect("law bounded: what was read of an upload is let go of before the next piece comes", () =>
  Effect.gen(function* () {
    const pieces = [1, 2, 3].map((fill) => new Uint8Array(8_192).fill(fill))
    const left: Array<number> = []
    const read: Array<number | undefined> = []
    yield* Stream.fromIterable(pieces, { chunkSize: 1 }).pipe(
      readOnce,
      Stream.runForEach((bytes) =>
        Effect.sync(() => {
          read.push(bytes.at(-1))
          left.push(pieces.filter(({ byteLength }) => byteLength > 0).length)
        })
      )
    )
    assert.deepStrictEqual(read, [1, 2, 3])
    assert.deepStrictEqual(left, [3, 2, 1])
  })
)

it.effect("what lies in a larger buffer stays: its neighbours may be wanted still", () =>
  Effect.gen(function* () {
    const whole = new Uint8Array(16_384).fill(7)
    const small = new Uint8Array(100).fill(7)
    yield* Stream.runDrain(readOnce(Stream.make(whole.subarray(0, 8_192), whole.subarray(8_192), small)))
    assert.strictEqual(whole.byteLength, 16_384)
    assert.strictEqual(small.at(0), 7)
  })
)
