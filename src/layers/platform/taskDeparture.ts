/**
 * A person leaves the market, in the caller's transaction: what waits to be looked at is paid, what is not done is off
 * the market, and the ledger keeps its sums under a name that leads to nobody (law ledger-zero).
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as secrets from "./secrets.ts"
import * as SqlLedger from "./SqlLedger.ts"
import { settle } from "./taskOptions.ts"
import * as taskPosts from "./taskPosts.ts"
import type { Row } from "./taskRows.ts"

/** Gives how many tasks there were, and the hashes of what was handed in for them. */
export const leave = Effect.fnUntraced(function* (userId: string) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const rules = settle({})
  const { pay, refund } = taskPosts.make(sql, random, SqlLedger.make(sql, random, rules.grant), rules)
  const now = yield* Clock.currentTimeMillis

  const waiting = yield* sql<Row>`UPDATE tasks SET review = 'accepted', review_until = NULL, updated_at = ${now}
    WHERE creator_id = ${userId} AND status = 'completed' AND review = 'pending' RETURNING *`
  yield* Effect.forEach(waiting, pay, { discard: true })
  const undone = yield* sql<Row>`UPDATE tasks SET status = 'cancelled', lease_until = NULL,
      finished_at = ${now}, updated_at = ${now}
    WHERE creator_id = ${userId} AND finished_at IS NULL RETURNING *`
  yield* Effect.forEach(undone, refund, { discard: true })

  const nobody = yield* secrets.drawId(random, "gone:")
  const account = SqlLedger.ofPerson(userId)
  for (const [known, gone] of [
    [account, nobody],
    [SqlLedger.mintOf(account), SqlLedger.mintOf(nobody)]
  ]) {
    yield* sql`UPDATE accounts SET account = ${gone} WHERE account = ${known}`
    yield* sql`UPDATE ledger SET account = ${gone} WHERE account = ${known}`
    yield* sql`UPDATE ledger SET counter = ${gone} WHERE counter = ${known}`
  }

  const handed = yield* sql<{ sha256: string }>`DELETE FROM artifacts WHERE
    task_id IN (SELECT task_id FROM tasks WHERE creator_id = ${userId})
    OR session_id IN (SELECT session_id FROM sessions WHERE user_id = ${userId}) RETURNING sha256`
  const tasks = yield* sql`DELETE FROM tasks WHERE creator_id = ${userId} RETURNING task_id`
  const unnamed = yield* Effect.filter([...new Set(handed.map(({ sha256 }) => sha256))], (sha256) =>
    Effect.map(sql`SELECT 1 AS found FROM artifacts WHERE sha256 = ${sha256} LIMIT 1`, (rows) => rows.length === 0)
  )
  return { tasks: tasks.length, unnamed }
})
