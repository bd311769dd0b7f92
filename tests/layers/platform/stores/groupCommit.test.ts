/** Each who asks is answered, wherever the run loop makes a fiber wait: it may between any two of its operations. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as SqlClient from "effect/sql/SqlClient"
import * as groupCommit from "../../../../src/layers/platform/groupCommit.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"

/** Operations that a fiber has before others have their turn. With two it gets nowhere. */
const budgets = [3, 4, 5, 6, 7, 11, 16, 23, 64]

const inGroup = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return groupCommit.make<number, number, never>(sql, (execute, items) =>
    Effect.map(
      execute(
        "SELECT ? AS n",
        items.map((item) => [item])
      ),
      (rows) => rows.map(([row]) => Effect.succeed(row === undefined || !("n" in row) ? Number.NaN : Number(row.n)))
    )
  )
})

/** What it came to, within far more turns than any of it takes. */
const answerOf = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  for (let turns = 0; turns < 1_000; turns++) {
    const exit = fiber.pollUnsafe()
    if (exit !== undefined) return exit._tag === "Success" ? exit.value : String(exit.cause)
    yield* Effect.yieldNow
  }
  return "waits for ever"
})

describe("a group of writes", () => {
  it.effect("law drain: answers who asks alone, and those who come while it ends", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        const ask = yield* inGroup
        const answers: Array<number | string> = []
        for (let late = 0; late < 12; late++) {
          const asking = (item: number) =>
            Effect.forkChild(ask(item)).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, budget))
          const first = yield* asking(1)
          yield* Effect.repeat(Effect.yieldNow, { times: late })
          const second = yield* asking(2)
          answers.push(yield* answerOf(first), yield* answerOf(second))
        }
        assert.deepStrictEqual(
          answers,
          Array.from({ length: 24 }, (_, index) => (index % 2) + 1),
          `${budget} operations at once`
        )
      }
    }).pipe(Effect.provide(SqliteClient.layerMemory))
  )

  it.effect("law drain: goes on when the one who began it goes away", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        const ask = yield* inGroup
        for (let after = 0; after < 12; after++) {
          const first = yield* Effect.forkChild(ask(1)).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, budget))
          yield* Effect.repeat(Effect.yieldNow, { times: after })
          yield* Fiber.interrupt(first)
          const second = yield* Effect.forkChild(ask(2))
          assert.strictEqual(yield* answerOf(second), 2, `${budget} operations at once, gone after ${after}`)
        }
      }
    }).pipe(Effect.provide(SqliteClient.layerMemory))
  )
})
