import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ConnectRate from "../../../../src/layers/channel/ConnectRate.ts"

describe("the rate of dials", () => {
  it.effect("lets the first go at once, then one every so often, and an idle while buys no burst", () =>
    Effect.gen(function* () {
      const rate = yield* ConnectRate.make(50)
      let gone = 0
      const dial = Effect.tap(rate, () => Effect.sync(() => void gone++))
      yield* Effect.forkChild(Effect.forEach(Array.from({ length: 100 }), () => dial, { concurrency: "unbounded" }))
      yield* Effect.yieldNow
      assert.strictEqual(gone, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(gone, 51)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(gone, 100)
      yield* Effect.forkChild(Effect.forEach(Array.from({ length: 10 }), () => dial, { concurrency: "unbounded" }))
      yield* Effect.yieldNow
      assert.strictEqual(gone, 101)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(gone, 110)
    })
  )
})
