/** Tasks, and what the ledger must always say. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import type { NewTask } from "../../../../src/services/platform/TaskPool.ts"
import { agent } from "../stores/fixtures.ts"

export const task: NewTask = {
  title: "Clean up a text",
  description: "Remove the double spaces.",
  category: "07001",
  bounty: "12.5",
  deadline: undefined,
  inputFiles: []
}

export const newAgent = (ownerId?: string) =>
  Effect.flatMap(Identities, (identities) =>
    Effect.map(identities.create({ ...agent, ownerId }), ({ identity }) => identity.clawId)
  )

interface Entry {
  readonly account: string
  readonly counter: string
  readonly amount: number
  readonly balance: number
  readonly seq: number
}

/**
 * Law ledger-zero: all entries sum to zero, each account's to its balance, nobody's is negative but a mint's, and for
 * each task there is reserved what its state says.
 */
export const balanced = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const entries = yield* sql<Entry>`SELECT account, counter, amount, balance, seq FROM ledger ORDER BY account, seq`
  const accounts = yield* sql<{ account: string; balance: number; entries: number }>`SELECT * FROM accounts`
  const sums = new Map<string, { sum: number; count: number }>()
  for (const entry of entries) {
    const { count, sum } = sums.get(entry.account) ?? { sum: 0, count: 0 }
    const now = { sum: sum + Number(entry.amount), count: count + 1 }
    assert.strictEqual(
      Number(entry.balance),
      now.sum,
      `law ledger-zero: the balance beside an entry of ${entry.account}`
    )
    assert.strictEqual(Number(entry.seq), now.count)
    sums.set(entry.account, now)
  }
  assert.strictEqual(
    entries.reduce((sum, { amount }) => sum + Number(amount), 0),
    0,
    "law ledger-zero"
  )
  for (const { account, balance, entries: count } of accounts) {
    assert.strictEqual(Number(balance), sums.get(account)?.sum ?? 0, account)
    assert.strictEqual(Number(count), sums.get(account)?.count ?? 0, account)
    if (!account.startsWith("mint:")) assert.isAtLeast(Number(balance), 0, account)
  }
  const tasks = yield* sql<{
    task_id: string
    bounty: number
    status: string
    review: string | null
  }>`SELECT * FROM tasks`
  for (const { bounty, review, status, task_id } of tasks) {
    const isOver = status === "cancelled" || review === "accepted"
    assert.strictEqual(sums.get(`escrow:${task_id}`)?.sum ?? 0, isOver ? 0 : Number(bounty), `${status} ${review}`)
  }
})
