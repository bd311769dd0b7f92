import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as CircuitBreaker from "../../../../src/layers/channel/CircuitBreaker.ts"

const world = () => {
  let calls = 0
  const breaker = CircuitBreaker.make<string>({
    failures: 3,
    pause: "30 seconds",
    counts: (error) => error === "down",
    refuse: () => "open"
  })
  const call = (outcome: Effect.Effect<string, string>) =>
    Effect.match(
      breaker.guard(
        Effect.andThen(
          Effect.sync(() => void calls++),
          outcome
        )
      ),
      {
        onFailure: (error) => error,
        onSuccess: (value) => value
      }
    )
  return { call, count: () => calls }
}

const down = Effect.fail("down")
const fine = Effect.succeed("fine")

describe("a circuit breaker", () => {
  it.effect("opens after so many failures in a row, and lets one through after a while", () =>
    Effect.gen(function* () {
      const { call, count } = world()
      yield* call(down)
      yield* call(down)
      yield* call(fine)
      for (let at = 0; at < 3; at++) assert.strictEqual(yield* call(down), "down")
      assert.strictEqual(yield* call(fine), "open")
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(yield* call(fine), "open")
      assert.strictEqual(count(), 6)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* call(down), "down")
      assert.strictEqual(yield* call(fine), "open")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* call(fine), "fine")
      assert.strictEqual(yield* call(fine), "fine")
    })
  )

  it.effect("an answer that says no is no failure of the other side", () =>
    Effect.gen(function* () {
      const { call } = world()
      for (let at = 0; at < 9; at++) assert.strictEqual(yield* call(Effect.fail("refused")), "refused")
      assert.strictEqual(yield* call(fine), "fine")
    })
  )

  it.effect("half open it lets one through at a time, and an interrupted one gives its place back", () =>
    Effect.gen(function* () {
      const { call, count } = world()
      for (let at = 0; at < 3; at++) yield* call(down)
      yield* TestClock.adjust("30 seconds")
      const gate = yield* Deferred.make<string>()
      const probe = yield* Effect.forkChild(call(Deferred.await(gate)), { startImmediately: true })
      assert.strictEqual(yield* call(fine), "open")
      assert.strictEqual(count(), 4)
      yield* Fiber.interrupt(probe)
      assert.strictEqual(yield* call(fine), "fine")
    })
  )
})
