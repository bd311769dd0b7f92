/**
 * Numbers of changes. Who changes an agent or a membership draws one in the same transaction, before it touches any row
 * of either: the counter's row stays its own until it commits, so the numbers are in the order of the commits, and two
 * that each hold what the other waits for cannot be. Who has read up to a number has seen all below it.
 */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { toNumber } from "../sqlStore.ts"

type Numeric = number | bigint | string

const counter = "claworld"

export const draw = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ value: Numeric }>`INSERT INTO counters ${sql.insert({ name: counter, value: 1 })}
    ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value`
  return toNumber(row?.value ?? 0)
})

export const latest = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ value: Numeric }>`SELECT value FROM counters WHERE name = ${counter}`
  return toNumber(row?.value ?? 0)
})
