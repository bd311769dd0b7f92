/** Each who asks is answered, wherever the run loop makes a fiber wait: it may between any two of its operations. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import * as groupCommit from "../../../../src/layers/platform/groupCommit.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import { budgets, outcomeOf, turns, within } from "../../runLoop.ts"

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

describe("a group of writes", () => {
  it.effect("law drain: answers who asks alone, and those who come while it ends", () =>
    Effect.gen(function* () {
      for (const budget of budgets) {
        const ask = yield* inGroup
        const answers: Array<number | string> = []
        for (let late = 0; late < 12; late++) {
          const asking = (item: number) => within(budget)(Effect.forkChild(ask(item)))
          const first = yield* asking(1)
          yield* turns(late)
          const second = yield* asking(2)
          answers.push(yield* outcomeOf(first), yield* outcomeOf(second))
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
          const first = yield* within(budget)(Effect.forkChild(ask(1)))
          yield* turns(after)
          yield* Fiber.interrupt(first)
          const second = yield* Effect.forkChild(ask(2))
          assert.strictEqual(yield* outcomeOf(second), 2, `${budget} operations at once, gone after ${after}`)
        }
      }
    }).pipe(Effect.provide(SqliteClient.layerMemory))
  )
})
