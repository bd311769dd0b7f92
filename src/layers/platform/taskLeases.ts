/**
 * The market for agents: the grab is one conditional update that one of many wins (law one-winner), and whatever the
 * winner does afterwards is one conditional update too: it holds the task, in time, under the number of its grab.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { Invalid, NotFound } from "../../services/platform/PlatformError.ts"
import { LeaseLost, type TaskPool, type TaskSummary, WrongState } from "../../services/platform/TaskPool.ts"
import { bounds, fromHundredths } from "../../services/protocol/Market.ts"
import * as secrets from "./secrets.ts"
import { atEdge, toId, toNumber, toOptionalNumber } from "./sqlStore.ts"
import * as taskGrabs from "./taskGrabs.ts"
import type { Rules } from "./taskOptions.ts"
import type { TaskPosts } from "./taskPosts.ts"
import { isPast, type Numeric, prose, type Row, toTask } from "./taskRows.ts"

/** From so many on, a count is good for a while: counting is then dearer than the page that it stands on. */
const large = 5_000
const countAge = 2_000

const noTask = new NotFound({ what: "task" })

type Leases = Pick<
  TaskPool["Service"],
  "available" | "find" | "grab" | "held" | "delivered" | "keep" | "release" | "setStatus" | "deliver"
>

type Listed = Pick<Row, "task_id" | "title" | "category" | "bounty" | "deadline" | "created_at">

const toSummary = (row: Listed): TaskSummary => ({
  taskId: row.task_id,
  title: row.title,
  category: row.category,
  bounty: fromHundredths(BigInt(row.bounty)),
  deadline: toOptionalNumber(row.deadline),
  createdAt: toNumber(row.created_at)
})

/** Nothing of who held it stays. */
export const reopened = `status = 'available', review = NULL, review_until = NULL, return_reason = NULL, claw_id = NULL,
  lease_until = NULL, held_at = NULL, started_at = NULL, finished_at = NULL, delivered_at = NULL, grab_attempt = NULL,
  deliver_attempt = NULL, archive_id = NULL, result_description = NULL`

export const make = (sql: SqlClient, rules: Rules, refund: TaskPosts["refund"]) => {
  const grab = taskGrabs.make(sql, rules)
  const counts = new Map<string, { readonly total: number; readonly at: number }>()

  const open = (now: number, category: string | undefined) =>
    sql`status = 'available' AND (deadline IS NULL OR deadline > ${now})
      ${category === undefined ? sql.literal("") : sql`AND category = ${toId(category)}`}`

  const count = Effect.fnUntraced(function* (now: number, category: string | undefined) {
    const key = category ?? ""
    const known = counts.get(key)
    if (known !== undefined && now - known.at < countAge) return known.total
    counts.delete(key)
    const [row] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM tasks WHERE ${open(now, category)}`
    const total = toNumber(row?.n ?? 0)
    if (total >= large) counts.set(key, { total, at: now })
    return total
  })

  const available: Leases["available"] = Effect.fn("TaskPool.available")(function* ({ category, page, pageSize }) {
    const now = yield* Clock.currentTimeMillis
    // The inner query finds its place in an index alone; only the rows of the page are looked at.
    const rows = yield* sql<Listed>`SELECT task_id, title, category, bounty, deadline, created_at FROM tasks
      WHERE task_id IN (SELECT task_id FROM tasks WHERE ${open(now, category)}
        ORDER BY created_at DESC, task_id DESC LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize})
      ORDER BY created_at DESC, task_id DESC`
    return { items: rows.map(toSummary), total: yield* count(now, category) }
  }, atEdge)

  const look = Effect.fnUntraced(function* (taskId: string) {
    const [row] = yield* sql<Row>`SELECT * FROM tasks WHERE task_id = ${toId(taskId)}`
    return row === undefined ? yield* noTask : row
  })

  const find: Leases["find"] = Effect.fn("TaskPool.find")(function* (clawId, taskId) {
    const row = yield* look(taskId)
    return row.status === "available" || row.claw_id === clawId ? toTask(row) : yield* noTask
  }, atEdge)

  const wrong = (taskId: string, detail: string) => new WrongState({ taskId, detail })

  const holding = (clawId: string, taskId: string, now: number, fencing: number | undefined) =>
    sql`task_id = ${toId(taskId)} AND claw_id = ${clawId} AND lease_until > ${now}
      AND (deadline IS NULL OR deadline > ${now})
      ${fencing === undefined ? sql.literal("") : sql`AND fencing = ${fencing}`}`

  /** Why it is not held. */
  const explain = Effect.fnUntraced(function* (clawId: string, taskId: string, now: number, fencing?: number) {
    const row = yield* look(taskId)
    const latest = toNumber(row.fencing)
    if (row.claw_id !== clawId) {
      if (fencing !== undefined && fencing >= 1 && fencing <= latest) return yield* new LeaseLost({ taskId })
      if (row.status !== "available") return yield* noTask
      return yield* wrong(taskId, "This agent does not hold the task. Grab it first.")
    }
    if (fencing !== undefined && fencing !== latest) return yield* new LeaseLost({ taskId })
    if (row.status === "completed") {
      return yield* wrong(
        taskId,
        row.review === "accepted"
          ? "The deliverable of this task was accepted. There is nothing more to do."
          : "The deliverable of this task was handed in already, and waits to be looked at."
      )
    }
    if (row.status === "cancelled") return yield* wrong(taskId, "This task was cancelled. Look for another one.")
    if (isPast(row.deadline, now)) return yield* wrong(taskId, "The deadline of this task has passed.")
    return yield* new LeaseLost({ taskId })
  })

  const held: Leases["held"] = Effect.fn("TaskPool.held")(function* (clawId, taskId, fencing) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<Row>`SELECT * FROM tasks WHERE ${holding(clawId, taskId, now, fencing)}`
    return row === undefined ? yield* explain(clawId, taskId, now, fencing) : toTask(row)
  }, atEdge)

  const delivered: Leases["delivered"] = Effect.fn("TaskPool.delivered")(function* (clawId, taskId, attempt) {
    const [row] = yield* sql<Row>`SELECT * FROM tasks
      WHERE task_id = ${toId(taskId)} AND claw_id = ${clawId} AND deliver_attempt LIKE ${`%${secrets.hash(attempt)}%`}`
    return row === undefined ? undefined : toTask(row)
  }, atEdge)

  const keep: Leases["keep"] = Effect.fn("TaskPool.keep")(function* (clawId, taskId, fencing) {
    const now = yield* Clock.currentTimeMillis
    const until = now + rules.lease
    const [row] = yield* sql<{ fencing: Numeric; lease_until: Numeric }>`UPDATE tasks SET lease_until =
        CASE WHEN held_at + ${rules.longest} < ${until} THEN held_at + ${rules.longest} ELSE ${until} END
      WHERE ${holding(clawId, taskId, now, fencing)} RETURNING fencing, lease_until`
    if (row === undefined) return yield* explain(clawId, taskId, now, fencing)
    return { fencing: toNumber(row.fencing), until: toNumber(row.lease_until) }
  }, atEdge)

  const release: Leases["release"] = Effect.fn("TaskPool.release")(function* (clawId, taskId, { fencing, reason }) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<Row>`UPDATE tasks SET ${sql.literal(reopened)}, updated_at = ${now}
      WHERE ${holding(clawId, taskId, now, fencing)} RETURNING *`
    if (row === undefined) return yield* explain(clawId, taskId, now, fencing)
    yield* Effect.logDebug("An agent gave a task back", { taskId, reason: reason.slice(0, 500) })
  }, atEdge)

  const begin = Effect.fnUntraced(function* (clawId: string, taskId: string, fencing: number | undefined) {
    const now = yield* Clock.currentTimeMillis
    const until = now + rules.unkept
    const [row] = yield* sql<Row>`UPDATE tasks SET status = 'in_progress', updated_at = ${now},
        started_at = COALESCE(started_at, ${now}),
        lease_until = CASE WHEN lease_until < ${until} THEN ${until} ELSE lease_until END
      WHERE ${holding(clawId, taskId, now, fencing)} RETURNING *`
    return row === undefined ? yield* explain(clawId, taskId, now, fencing) : toTask(row)
  })

  const cancel = Effect.fnUntraced(function* (clawId: string, taskId: string, fencing: number | undefined) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* sql<Row>`UPDATE tasks SET status = 'cancelled', lease_until = NULL,
        finished_at = ${now}, updated_at = ${now}
      WHERE ${holding(clawId, taskId, now, fencing)} RETURNING *`
    if (row === undefined) return yield* explain(clawId, taskId, now, fencing)
    yield* refund(row)
    return toTask(row)
  }, sql.withTransaction)

  const setStatus: Leases["setStatus"] = Effect.fn("TaskPool.setStatus")(function* (clawId, taskId, status, fencing) {
    if (status === "in_progress") return yield* begin(clawId, taskId, fencing)
    const row = yield* look(taskId)
    const isSame = fencing === undefined || fencing === toNumber(row.fencing)
    // Said again: it is so.
    if (row.claw_id === clawId && row.status === status && isSame) return toTask(row)
    if (status === "cancelled") return yield* cancel(clawId, taskId, fencing)
    yield* held(clawId, taskId, fencing)
    return yield* wrong(taskId, "A task is completed by handing in its deliverable. Do that, and it is completed.")
  }, atEdge)

  const deliver: Leases["deliver"] = Effect.fn("TaskPool.deliver")(function* (clawId, taskId, input) {
    const { archiveId, attempt, fencing } = input
    const said = yield* prose(
      input.resultDescription,
      "result_description",
      "The description of the result",
      bounds.resultDescription
    )
    const now = yield* Clock.currentTimeMillis
    // All hand-ins of this holder, for one that was sent back may still be asked for again after the next.
    const attempts =
      attempt === undefined
        ? sql.literal("deliver_attempt")
        : sql`COALESCE(deliver_attempt, '') || ${` ${secrets.hash(attempt)}`}`
    const before = attempt === undefined ? undefined : yield* delivered(clawId, taskId, attempt)
    if (before !== undefined) return before
    if (archiveId !== undefined) {
      const known = yield* sql`SELECT 1 AS found FROM artifacts
        WHERE artifact_id = ${toId(archiveId)} AND claw_id = ${clawId} AND task_id = ${toId(taskId)}`
      if (known.length === 0) {
        return yield* new Invalid({ detail: "This archive was not uploaded for this task.", param: "zip_file" })
      }
    }
    const [row] = yield* sql<Row>`UPDATE tasks SET status = 'completed', review = 'pending',
        review_until = ${now + rules.review}, lease_until = NULL, started_at = COALESCE(started_at, held_at),
        finished_at = ${now}, delivered_at = ${now}, updated_at = ${now}, result_description = ${said},
        archive_id = ${archiveId ?? null}, deliver_attempt = ${attempts}
      WHERE ${holding(clawId, taskId, now, fencing)} RETURNING *`
    return row === undefined ? yield* explain(clawId, taskId, now, fencing) : toTask(row)
  }, atEdge)

  return { available, find, grab, held, delivered, keep, release, setStatus, deliver } satisfies Leases
}
