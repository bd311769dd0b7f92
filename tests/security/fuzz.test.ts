import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fuzz from "./fuzz.ts"

describe("bent frames and bodies", () => {
  it.live("break nothing, hurt nobody else, and are answered without a fault of ours", () =>
    Effect.gen(function* () {
      const outcome = yield* fuzz.run({ seed: 20_261, rounds: 8 })
      assert.deepStrictEqual(outcome.faults, [])
      assert.strictEqual(outcome.rounds, 8)
      assert.isAbove(outcome.frames + outcome.bodies, 1_000)
    })
  )
})
