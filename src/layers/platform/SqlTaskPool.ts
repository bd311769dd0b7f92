/** The task market in SQL: what people do is in taskPosts, what agents do in taskLeases, what time does here. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { TaskPool } from "../../services/platform/TaskPool.ts"
import * as SqlLedger from "./SqlLedger.ts"
import { atEdge } from "./sqlStore.ts"
import * as taskLeases from "./taskLeases.ts"
import { type Options, settle } from "./taskOptions.ts"
import * as taskPosts from "./taskPosts.ts"
import type { Row } from "./taskRows.ts"

/** How many tasks one round ends, each in a transaction of its own. */
const atOnce = 500

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const rules = settle(options)
  const { pay, posts, refund } = taskPosts.make(sql, random, SqlLedger.make(sql, random, rules.grant), rules)
  const leases = taskLeases.make(sql, rules, refund)

  const runOut = Effect.fnUntraced(function* (now: number) {
    const rows = yield* sql`UPDATE tasks SET ${sql.literal(taskLeases.reopened)}, updated_at = ${now}
      WHERE lease_until IS NOT NULL AND lease_until <= ${now} RETURNING task_id`
    return rows.length
  })

  const expire = (taskId: string, now: number) =>
    Effect.gen(function* () {
      const [row] = yield* sql<Row>`UPDATE tasks SET status = 'cancelled', lease_until = NULL,
          finished_at = ${now}, updated_at = ${now}
        WHERE task_id = ${taskId} AND finished_at IS NULL AND deadline IS NOT NULL AND deadline <= ${now} RETURNING *`
      if (row === undefined) return 0
      yield* refund(row)
      return 1
    }).pipe(sql.withTransaction)

  const approve = (taskId: string, now: number) =>
    Effect.gen(function* () {
      const [row] = yield* sql<Row>`UPDATE tasks SET review = 'accepted', review_until = NULL, updated_at = ${now}
        WHERE task_id = ${taskId} AND review_until IS NOT NULL AND review_until <= ${now} RETURNING *`
      if (row === undefined) return 0
      yield* pay(row)
      return 1
    }).pipe(sql.withTransaction)

  const sweep: TaskPool["Service"]["sweep"] = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    let moved = yield* atEdge(runOut(now))
    const late = yield* atEdge(sql<{ task_id: string }>`SELECT task_id FROM tasks
      WHERE finished_at IS NULL AND deadline IS NOT NULL AND deadline <= ${now} LIMIT ${atOnce}`)
    for (const { task_id } of late) moved += yield* atEdge(expire(task_id, now))
    const waiting = yield* atEdge(sql<{ task_id: string }>`SELECT task_id FROM tasks
      WHERE review_until IS NOT NULL AND review_until <= ${now} LIMIT ${atOnce}`)
    for (const { task_id } of waiting) moved += yield* atEdge(approve(task_id, now))
    return moved
  }).pipe(Effect.withSpan("TaskPool.sweep"))

  return TaskPool.of({ ...posts, ...leases, sweep })
})

export const layer = (
  options?: Options
): Layer.Layer<TaskPool, never, SqlClient.SqlClient | SecureRandom.SecureRandom> =>
  Layer.effect(TaskPool, make(options))
