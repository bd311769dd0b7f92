/** Whatever is asked in whatever order, the market says what a few lines of plain code say (law ledger-zero). */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { TaskPool } from "../../../../src/services/platform/TaskPool.ts"
import { fromHundredths } from "../../../../src/services/protocol/Market.ts"
import { forEachDatabase } from "../stores/databases.ts"
import { balanced, newAgent, task } from "./fixtures.ts"
import { type Command, make, Step } from "./marketModel.ts"

const people = ["ann", "bob"] as const
/** A grab of before, or one that never was. */
const staleOf = (fencing: number): number => (fencing > 1 ? fencing - 1 : fencing + 1)

forEachDatabase("TaskPool against its model", (stores, runs) => {
  it.effect.prop(
    "post, edit, grab, keep, hand in, look at and let time pass in any order",
    [Schema.Array(Step).check(Schema.isMinLength(10), Schema.isMaxLength(40))],
    ([steps]) =>
      Effect.gen(function* () {
        const pool = yield* TaskPool
        const sql = yield* SqlClient.SqlClient
        const agents = [yield* newAgent("ann"), yield* newAgent()]
        for (const person of people) yield* pool.ledger(person, { limit: 1 })
        const model = make()
        const ids: Array<string> = []

        const run = (command: Exclude<Command, { readonly _tag: "Pass" | "Sweep" }>, now: number) => {
          const id = "task" in command ? (ids[command.task] ?? "task_none") : ""
          const fencing = "task" in command ? (model.tasks[command.task]?.fencing ?? 1) : 1
          const who = people["who" in command ? command.who : 0] ?? "ann"
          const agent = "agent" in command ? (agents[command.agent] ?? "") : ""
          const number = "stale" in command && command.stale ? staleOf(fencing) : fencing
          switch (command._tag) {
            case "Post":
              if (ids.length > 2) return Effect.succeed(false)
              return pool
                .post(who, {
                  ...task,
                  bounty: command.bounty,
                  deadline: command.hurry ? now + 3_600_000 : undefined
                })
                .pipe(
                  Effect.map(({ taskId }) => ids.push(taskId)),
                  Effect.isSuccess
                )
            case "Edit":
              return Effect.isSuccess(pool.edit(who, id, { bounty: command.bounty }))
            case "Withdraw":
              return Effect.isSuccess(pool.withdraw(who, id))
            case "Accept":
              return Effect.isSuccess(pool.accept(who, id))
            case "Return":
              return Effect.isSuccess(pool.giveBack(who, id, "Again."))
            case "Grab":
              return Effect.isSuccess(pool.grab(agent, id))
            case "Keep":
              return Effect.isSuccess(pool.keep(agent, id, number))
            case "Begin":
              return Effect.isSuccess(pool.setStatus(agent, id, "in_progress"))
            case "Release":
              return Effect.isSuccess(pool.release(agent, id, { fencing: number, reason: "" }))
            case "Cancel":
              return Effect.isSuccess(pool.setStatus(agent, id, "cancelled"))
            case "Deliver":
              return Effect.isSuccess(
                pool.deliver(agent, id, { resultDescription: "Done.", archiveId: undefined, fencing: number })
              )
          }
        }

        const start = [0, 3, 7].map((luck) => ({ op: "Post", task: 0, luck }) as const)
        for (const step of [...start, ...steps]) {
          const command = model.resolve(step)
          const now = yield* Clock.currentTimeMillis
          if (command._tag === "Pass") {
            yield* TestClock.adjust(`${command.minutes} minutes`)
          } else if (command._tag === "Sweep") {
            assert.strictEqual(yield* pool.sweep, model.sweep(now))
          } else {
            const done = yield* run(command, now)
            assert.strictEqual(done, model.does(command, now), JSON.stringify(command))
          }
          for (const [i, known] of model.tasks.entries()) {
            const { assignedClawId, bounty, review, status } = yield* pool.findMine(
              people[known.creator] ?? "",
              ids[i] ?? ""
            )
            const expected = {
              status: known.status,
              review: known.review,
              bounty: fromHundredths(BigInt(known.bounty)),
              assignedClawId: known.holder === undefined ? undefined : agents[known.holder]
            }
            assert.deepStrictEqual({ status, review, bounty, assignedClawId }, expected, JSON.stringify(command))
          }
        }
        for (const [i, person] of people.entries()) {
          const { balance } = yield* pool.ledger(person, { limit: 1 })
          assert.strictEqual(balance, fromHundredths(BigInt(model.points[i] ?? 0)))
        }
        const [row] = yield* sql<{
          balance: number
        }>`SELECT balance FROM accounts WHERE account = ${`agent:${agents[1]}`}`
        assert.strictEqual(Number(row?.balance ?? 0), model.ofAgent())
        yield* balanced
      }).pipe(Effect.provide(stores())),
    { arbitrary: { runs: runs(50), size: 60 } }
  )
})
