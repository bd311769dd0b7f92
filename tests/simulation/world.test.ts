/** A hundred and more seeds of the simulated world, and what a seed promises. */
import { assert, describe, it } from "@effect/vitest"
import { defineAgent } from "../../src/services/channel/defineAgent.ts"
import { simulate } from "../../src/simulation.ts"
import { hostile, profiles } from "../../src/programs/simulation/Profiles.ts"
import * as Plan from "../../src/programs/simulation/Plan.ts"
import { runMany, runOne, type Result } from "../../src/programs/simulation/Seeds.ts"
import * as World from "../../src/programs/simulation/World.ts"
import { pinned } from "./pinned.ts"

const patience = 180_000

describe("a simulated world", () => {
  it(
    "every law holds, whatever goes wrong (160 seeds of all profiles)",
    async () => {
      const results: Array<Result> = []
      await runMany({ from: 1, seeds: 160, profile: undefined }, (result) => void results.push(result))
      assert.strictEqual(results.length, 160)
      const broken = results.filter((result) => result.broken.length > 0)
      assert.deepStrictEqual(
        broken.map(({ broken, profile, seed }) => ({ seed, profile, broken })),
        []
      )
      for (const { figures } of results) {
        assert.isAtLeast(figures.virtualMillis, 600_000)
        assert.isAtLeast(figures.accounts, 5)
        assert.isAtLeast(figures.users, 2)
        assert.isAtLeast(figures.sockets, figures.accounts + figures.users)
        assert.isAtLeast(figures.messages, 100)
        assert.isAtLeast(figures.faultsInFlight, 3)
      }
    },
    patience
  )

  for (const { profile, seed, was } of pinned) {
    it(
      `every law holds in seed ${seed} of ${profile}, where ${was}`,
      async () => assert.deepStrictEqual((await runOne(seed, profile)).broken, []),
      patience
    )
  }

  for (const profile of ["hostile", "narrow"]) {
    it(
      `every law holds in a ${profile} world (8 seeds)`,
      async () => {
        const results: Array<Result> = []
        await runMany({ from: 1, seeds: 8, profile }, (result) => void results.push(result))
        assert.deepStrictEqual(
          results.map(({ broken, seed }) => ({ seed, broken })),
          results.map(({ seed }) => ({ seed, broken: [] }))
        )
        assert.strictEqual(results.length, 8)
      },
      patience
    )
  }

  it(
    "the same seed gives the same trace, byte for byte, and another seed another one",
    async () => {
      for (const profile of [...profiles, hostile]) {
        const first = await World.run(Plan.make(7, profile), { trace: true })
        const second = await World.run(Plan.make(7, profile), { trace: true })
        assert.isAbove(first.trace.length, 1_000)
        assert.strictEqual(first.trace.join("\n"), second.trace.join("\n"))
      }
      const [profile] = profiles
      assert.isDefined(profile)
      if (profile === undefined) return
      const other = await World.run(Plan.make(8, profile), { trace: true })
      const again = await World.run(Plan.make(7, profile), { trace: true })
      assert.notStrictEqual(other.trace.join("\n"), again.trace.join("\n"))
    },
    patience
  )

  it(
    "an agent of one's own lives in it",
    async () => {
      const agent = defineAgent({
        name: "Echo",
        async *reply(turn) {
          yield "You said: "
          await Promise.resolve()
          yield turn.text
        }
      })
      const { broken, figures } = await simulate({ seed: 3, agent })
      assert.deepStrictEqual(broken, [])
      assert.isAbove(figures.completed, 80)
    },
    patience
  )

  it("only what is kept of a plan happens", async () => {
    const [profile] = profiles
    assert.isDefined(profile)
    if (profile === undefined) return
    const plan = Plan.make(11, profile)
    const { figures } = await World.run(plan, { only: new Set([0, 1, 2]) })
    assert.strictEqual(figures.messages, 3)
    assert.strictEqual(figures.faults, 0)
  })
})
