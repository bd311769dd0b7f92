/**
 * Points (law ledger-zero): each movement takes from one account what it gives to another, as two entries, in the
 * caller's transaction. What people and agents have is never below zero; what is reserved for a task lies in an account
 * of that task. Amounts are whole hundredths.
 */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { LedgerEntry } from "../../services/platform/TaskPool.ts"
import { fromHundredths } from "../../services/protocol/Market.ts"
import * as secrets from "./secrets.ts"
import { toId, toNumber } from "./sqlStore.ts"
import type { Numeric } from "./taskRows.ts"

export const ofPerson = (userId: string): string => `user:${userId}`
export const ofAgent = (clawId: string): string => `agent:${clawId}`
export const ofTask = (taskId: string): string => `escrow:${taskId}`
/** Where the points come from that an account is given. Goes below zero by just as much. */
export const mintOf = (account: string): string => `mint:${account}`

interface EntryRow {
  readonly entry_id: string
  readonly task_id: string | null
  readonly kind: LedgerEntry["kind"]
  readonly amount: Numeric
  readonly balance: Numeric
  readonly created_at: Numeric
}

const toEntry = (row: EntryRow): LedgerEntry => ({
  entryId: row.entry_id,
  taskId: row.task_id ?? undefined,
  kind: row.kind,
  amount: fromHundredths(BigInt(row.amount)),
  balance: fromHundredths(BigInt(row.balance)),
  at: toNumber(row.created_at)
})

interface Movement {
  readonly from: string
  readonly to: string
  readonly amount: bigint
  readonly kind: LedgerEntry["kind"]
  readonly taskId: string | undefined
}

/** `grant`: what a new person has. */
export const make = (sql: SqlClient, random: SecureRandom.SecureRandom["Service"], grant: bigint) => {
  const add = (account: string, amount: bigint) =>
    sql<{ balance: Numeric; entries: Numeric }>`INSERT INTO accounts (account, balance, entries)
      VALUES (${account}, ${amount}, 1)
      ON CONFLICT (account) DO UPDATE SET balance = accounts.balance + excluded.balance, entries = accounts.entries + 1
      RETURNING balance, entries`

  const take = (account: string, amount: bigint) =>
    sql<{ balance: Numeric; entries: Numeric }>`UPDATE accounts
      SET balance = balance - ${amount}, entries = entries + 1
      WHERE account = ${account} AND balance >= ${amount} RETURNING balance, entries`

  /** `false`: there is not so much, and nothing was moved. */
  const move = Effect.fnUntraced(function* (movement: Movement) {
    const { amount, from, kind, taskId, to } = movement
    const [left] = yield* kind === "grant" ? add(from, -amount) : take(from, amount)
    if (left === undefined) return false
    const [right] = yield* add(to, amount)
    if (right === undefined) return yield* Effect.die(new Error(`law ledger-zero: nothing was given to ${to}`))
    const created_at = yield* Clock.currentTimeMillis
    const entry = { kind, task_id: taskId ?? null, created_at }
    yield* sql`INSERT INTO ledger ${sql.insert([
      {
        ...entry,
        entry_id: yield* secrets.drawId(random, "entry_"),
        account: from,
        counter: to,
        seq: left.entries,
        amount: -amount,
        balance: left.balance
      },
      {
        ...entry,
        entry_id: yield* secrets.drawId(random, "entry_"),
        account: to,
        counter: from,
        seq: right.entries,
        amount,
        balance: right.balance
      }
    ])}`
    return true
  })

  /** What must be there is there: anything else is a fault of this program, and undoes the transaction. */
  const mustMove = (movement: Movement) =>
    Effect.flatMap(move(movement), (moved) =>
      moved ? Effect.void : Effect.die(new Error(`law ledger-zero: ${movement.from} does not hold what is reserved`))
    )

  /** The account of a person, with what a new one is given. Once, also for two that come at once. */
  const open = Effect.fnUntraced(function* (userId: string) {
    const account = ofPerson(toId(userId))
    const made = yield* sql`INSERT INTO accounts (account, balance, entries) VALUES (${account}, 0, 0)
      ON CONFLICT (account) DO NOTHING RETURNING account`
    if (made.length > 0 && grant > 0n) {
      yield* mustMove({ from: mintOf(account), to: account, amount: grant, kind: "grant", taskId: undefined })
    }
    return account
  })

  const balance = Effect.fnUntraced(function* (account: string) {
    const [row] = yield* sql<{ balance: Numeric }>`SELECT balance FROM accounts WHERE account = ${account}`
    return BigInt(row?.balance ?? 0)
  })

  const entries = Effect.fnUntraced(function* (account: string, limit: number, before: string | undefined) {
    const older =
      before === undefined
        ? sql.literal("")
        : sql`AND seq < (SELECT seq FROM ledger WHERE entry_id = ${toId(before)} AND account = ${account})`
    const rows = yield* sql<EntryRow>`SELECT entry_id, task_id, kind, amount, balance, created_at FROM ledger
      WHERE account = ${account} ${older} ORDER BY seq DESC LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map(toEntry)
    return { items, next: rows.length > limit ? items.at(-1)?.entryId : undefined }
  })

  return { open, move, mustMove, balance, entries }
}

export type SqlLedger = ReturnType<typeof make>
