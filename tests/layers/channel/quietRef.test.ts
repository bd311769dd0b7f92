/** A QuietRef is a SubscriptionRef to whoever has it as one, before and after somebody subscribes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { QuietRef } from "../../../src/layers/channel/QuietRef.ts"

/** Until everyone who waits for something has it. */
const settle = Effect.repeat(Effect.yieldNow, { times: 20 })

describe("a ref that hardly anybody looks at", () => {
  it.effect("tells a subscriber the value that there is, and every one after it, however it is set", () =>
    Effect.gen(function* () {
      const ref = new QuietRef(1)
      assert.isTrue(SubscriptionRef.isSubscriptionRef(ref))
      ref.put(2)
      const seen = yield* Effect.forkChild(Stream.runCollect(Stream.take(SubscriptionRef.changes(ref), 4)))
      yield* settle
      ref.put(3)
      yield* SubscriptionRef.set(ref, 4)
      yield* SubscriptionRef.update(ref, (value) => value + 1)
      assert.deepStrictEqual(yield* Fiber.join(seen), [2, 3, 4, 5])
      assert.strictEqual(SubscriptionRef.getUnsafe(ref), 5)
    })
  )

  it.effect("tells a second subscriber what was put last, not what it began with", () =>
    Effect.gen(function* () {
      const ref = new QuietRef("a")
      yield* Effect.forkChild(Stream.runDrain(SubscriptionRef.changes(ref)))
      yield* settle
      ref.put("b")
      assert.deepStrictEqual(yield* Stream.runCollect(Stream.take(SubscriptionRef.changes(ref), 1)), ["b"])
    })
  )

  it.effect("tells its listener at once, until it leaves", () =>
    Effect.sync(() => {
      const ref = new QuietRef(0)
      const heard: Array<number> = []
      const leave = ref.listen((value) => heard.push(value))
      ref.put(1)
      ref.put(2)
      leave()
      ref.put(3)
      assert.deepStrictEqual(heard, [1, 2])
    })
  )
})
