/**
 * The grab as statements: one conditional update that one of many wins (law one-winner), and a look at the task for
 * those who do not. As texts, since a thousand may come at once (groupCommit).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { LimitReached, NotFound } from "../../services/platform/PlatformError.ts"
import { type Lease, Taken, type Task, type TaskPool, WrongState } from "../../services/platform/TaskPool.ts"
import * as groupCommit from "./groupCommit.ts"
import * as secrets from "./secrets.ts"
import { toId, toNumber, toOptionalNumber } from "./sqlStore.ts"
import type { Rules } from "./taskOptions.ts"
import { isPast, type Row, toTask } from "./taskRows.ts"

export interface Grab {
  readonly clawId: string
  readonly taskId: string
  /** Of its idempotency key. */
  readonly hashed: string | null
}

type Answer = Effect.Effect<
  { readonly task: Task; readonly lease: Lease; readonly grabbedAt: number },
  NotFound | Taken | WrongState | LimitReached
>

/** Gives each place of a text its name, from the first one on. */
const places = (sql: Pick<SqlClient, "onDialectOrElse">) => {
  let last = 0
  return sql.onDialectOrElse({ pg: () => () => `$${++last}`, orElse: () => () => "?" })
}

export const grabText = (sql: Pick<SqlClient, "onDialectOrElse">): string => {
  const next = places(sql)
  return `UPDATE tasks SET status = 'assigned', claw_id = ${next()}, fencing = fencing + 1,
      lease_until = ${next()}, held_at = ${next()}, updated_at = ${next()}, grab_attempt = ${next()}
    WHERE task_id = ${next()} AND status = 'available' AND (deadline IS NULL OR deadline > ${next()})
      AND (SELECT count(*) FROM tasks h WHERE h.claw_id = ${next()} AND h.lease_until IS NOT NULL) < ${next()}
    RETURNING *`
}

/** `now`: milliseconds since the epoch. */
export const grabValues = (
  { clawId, hashed, taskId }: Grab,
  now: number,
  rules: Pick<Rules, "unkept" | "maxHeld">
): ReadonlyArray<string | number | null> => [
  clawId,
  now + rules.unkept,
  now,
  now,
  hashed,
  taskId,
  now,
  clawId,
  rules.maxHeld
]

export const lookText = (sql: Pick<SqlClient, "onDialectOrElse">): string =>
  `SELECT * FROM tasks WHERE task_id = ${places(sql)()}`

/** For an error that is an answer: of many that grab at once most get one, and its trace would cost half a grab. */
const withoutTrace = <A>(make: () => A): A => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const wrong = (taskId: string, detail: string) => new WrongState({ taskId, detail })

/** Why it is not got; or that it was, by this very attempt. */
const lost = (row: Row | undefined, { clawId, hashed, taskId }: Grab, now: number, maxHeld: number): Answer => {
  if (row === undefined) return Effect.fail(new NotFound({ what: "task" }))
  if (row.claw_id === clawId && hashed !== null && row.grab_attempt === hashed) return got(row, now)
  switch (row.status) {
    case "assigned":
    case "in_progress":
      return Effect.fail(withoutTrace(() => new Taken({ taskId, isOwn: row.claw_id === clawId })))
    case "completed":
      return Effect.fail(wrong(taskId, "This task is done already. Look for another one."))
    case "cancelled":
      return Effect.fail(wrong(taskId, "This task was taken off the market. Look for another one."))
    case "available":
      return Effect.fail(
        isPast(row.deadline, now)
          ? wrong(taskId, "The deadline of this task has passed. Look for another one.")
          : new LimitReached({
              detail: `This agent holds ${maxHeld} tasks, which is the limit. Finish one or give one back.`
            })
      )
  }
}

const got = (row: Row, now: number): Answer =>
  Effect.succeed({
    task: toTask(row),
    lease: { fencing: toNumber(row.fencing), until: toOptionalNumber(row.lease_until) ?? now },
    grabbedAt: toOptionalNumber(row.held_at) ?? now
  })

export const make = (sql: SqlClient, rules: Rules): TaskPool["Service"]["grab"] => {
  const grab = grabText(sql)
  const look = lookText(sql)

  const inGroup = groupCommit.make(
    sql,
    Effect.fnUntraced(function* (execute: groupCommit.Execute, wanted: ReadonlyArray<Grab>) {
      const now = yield* Clock.currentTimeMillis
      const won = yield* execute(
        grab,
        wanted.map((one) => grabValues(one, now, rules))
      )
      const losers = wanted.filter((_, i) => won[i]?.length === 0)
      const seen =
        losers.length === 0
          ? []
          : yield* execute(
              look,
              losers.map(({ taskId }) => [taskId])
            )
      let next = 0
      return wanted.map((one, i) => {
        const row = won[i]?.[0]
        return row === undefined
          ? lost(seen[next++]?.[0] as Row | undefined, one, now, rules.maxHeld)
          : got(row as Row, now)
      })
    })
  )

  return (clawId, taskId, attempt) =>
    inGroup({ clawId, taskId: toId(taskId), hashed: attempt === undefined ? null : secrets.hash(attempt) })
}
