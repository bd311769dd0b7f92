/** The market for those who post: tasks of their own, what is handed in for them, their points. */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { Conflict, Invalid, LimitReached, NotFound } from "../../services/platform/PlatformError.ts"
import { type NewTask, type TaskPool, WrongState } from "../../services/platform/TaskPool.ts"
import { fromHundredths } from "../../services/protocol/Market.ts"
import * as secrets from "./secrets.ts"
import * as SqlLedger from "./SqlLedger.ts"
import { atEdge, lockKey, toId, toNumber } from "./sqlStore.ts"
import type { Rules } from "./taskOptions.ts"
import { check, type Columns, type Numeric, prose, type Row, toTask } from "./taskRows.ts"

const maxPage = 200

const noTask = new NotFound({ what: "task" })
const otherBody = new Conflict({
  detail:
    "This idempotency key was used for another task. Nothing was posted. Take a fresh one for each task, such as a UUID."
})
const tooMany = (max: number) =>
  new LimitReached({
    detail: `You have ${max} tasks that are not finished, which is the limit. Withdraw some, or accept what was handed in.`
  })

const inWords: Readonly<Record<Row["status"], string>> = {
  available: "it is on the market and no agent has grabbed it",
  assigned: "an agent holds it",
  in_progress: "an agent works on it",
  completed: "a deliverable was handed in",
  cancelled: "it is off the market"
}

type Posts = Pick<
  TaskPool["Service"],
  "post" | "edit" | "withdraw" | "mine" | "findMine" | "accept" | "giveBack" | "ledger" | "earned"
>

export const make = (
  sql: SqlClient,
  random: SecureRandom.SecureRandom["Service"],
  ledger: SqlLedger.SqlLedger,
  rules: Rules
) => {
  const escrowOf = (row: Pick<Row, "task_id" | "bounty">) => ({
    account: SqlLedger.ofTask(row.task_id),
    amount: BigInt(row.bounty)
  })

  /** What was reserved goes back to the one who posted. */
  const refund = Effect.fnUntraced(function* (row: Row) {
    const { account, amount } = escrowOf(row)
    const to = SqlLedger.ofPerson(row.creator_id)
    yield* ledger.mustMove({ from: account, to, amount, kind: "release", taskId: row.task_id })
  })

  const ownerOf = Effect.fnUntraced(function* (clawId: string | null) {
    const [agent] = yield* sql<{ owner_id: string | null }>`SELECT owner_id FROM identities
      WHERE claw_id = ${clawId}`
    return agent?.owner_id ?? null
  })

  /** What was reserved goes to the agent's owner, or to the agent where it has none. */
  const pay = Effect.fnUntraced(function* (row: Row) {
    const { account, amount } = escrowOf(row)
    const owner = yield* ownerOf(row.claw_id)
    const to = owner === null ? SqlLedger.ofAgent(row.claw_id ?? "") : yield* ledger.open(owner)
    yield* ledger.mustMove({ from: account, to, amount, kind: "pay", taskId: row.task_id })
  })

  const own = Effect.fnUntraced(function* (creatorId: string, taskId: string) {
    const [row] = yield* sql<Row>`SELECT * FROM tasks
      WHERE task_id = ${toId(taskId)} AND creator_id = ${toId(creatorId)}`
    return row === undefined ? yield* noTask : row
  })

  const explain = (creatorId: string, taskId: string, wanted: string) =>
    Effect.flatMap(own(creatorId, taskId), (row) => {
      const now = row.review === "accepted" ? "its deliverable was accepted" : inWords[row.status]
      return Effect.fail(new WrongState({ taskId, detail: `The task cannot be ${wanted} now: ${now}.` }))
    })

  const checkFiles = Effect.fnUntraced(function* (creatorId: string, columns: Columns) {
    const ids: ReadonlyArray<string> = JSON.parse(columns.input_files)
    if (ids.length === 0) return
    const found = yield* sql`SELECT file_id FROM files WHERE ${sql.in("file_id", ids)} AND user_id = ${creatorId}`
    if (found.length < ids.length) {
      return yield* new Invalid({
        detail: "One of the files is not known here, or not yours. Upload it first, and name it by its file_id.",
        param: "input_files"
      })
    }
  })

  const reserve = Effect.fnUntraced(function* (account: string, taskId: string, amount: bigint) {
    const to = SqlLedger.ofTask(taskId)
    if (yield* ledger.move({ from: account, to, amount, kind: "reserve", taskId })) return
    const balance = fromHundredths(yield* ledger.balance(account))
    return yield* new Invalid({
      detail: `You have ${balance} points, which is less than this needs. Offer a smaller bounty.`,
      param: "bounty"
    })
  })

  const post: Posts["post"] = Effect.fn("TaskPool.post")(function* (creatorId, input, attempt) {
    const columns = yield* check(input, false)
    const body = secrets.hash(JSON.stringify({ ...columns, bounty: String(columns.bounty) }))
    const taskId = yield* secrets.drawId(random, "task_")
    const now = yield* Clock.currentTimeMillis
    const hashed = attempt === undefined ? null : secrets.hash(attempt)
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const account = yield* ledger.open(creatorId)
        if (hashed !== null) {
          yield* lockKey(sql, `post ${creatorId} ${hashed}`)
          const [before] = yield* sql<Row>`SELECT * FROM tasks
            WHERE creator_id = ${creatorId} AND post_attempt = ${hashed}`
          if (before !== undefined) return before.post_body === body ? toTask(before) : yield* otherBody
        }
        yield* checkFiles(creatorId, columns)
        if (Number.isFinite(rules.maxOpen)) {
          const [open] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM
            (SELECT 1 AS one FROM tasks WHERE creator_id = ${creatorId} AND finished_at IS NULL LIMIT ${rules.maxOpen}) AS o`
          if (toNumber(open?.n ?? 0) >= rules.maxOpen) return yield* tooMany(rules.maxOpen)
        }
        const [row] = yield* sql<Row>`INSERT INTO tasks ${sql.insert({
          ...columns,
          task_id: taskId,
          creator_id: creatorId,
          status: "available",
          fencing: 0,
          created_at: now,
          updated_at: now,
          post_attempt: hashed,
          post_body: hashed === null ? null : body
        })} RETURNING *`
        yield* reserve(account, taskId, columns.bounty)
        return row === undefined ? yield* Effect.die(new Error("an inserted row is not given back")) : toTask(row)
      })
    )
  }, atEdge)

  const edit: Posts["edit"] = Effect.fn("TaskPool.edit")(function* (creatorId, taskId, changes) {
    const now = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        // First, so that nobody grabs it while it changes.
        const [row] = yield* sql<Row>`UPDATE tasks SET updated_at = ${now}
          WHERE task_id = ${toId(taskId)} AND creator_id = ${toId(creatorId)} AND status = 'available' RETURNING *`
        if (row === undefined) return yield* explain(creatorId, taskId, "changed")
        const before = toTask(row)
        const wanted: NewTask = { ...before, ...changes }
        const columns = yield* check(wanted, wanted.deadline === before.deadline)
        yield* checkFiles(creatorId, columns)
        const more = columns.bounty - BigInt(row.bounty)
        if (more > 0n) yield* reserve(yield* ledger.open(creatorId), row.task_id, more)
        if (more < 0n) yield* refund({ ...row, bounty: -more })
        const [changed] = yield* sql<Row>`UPDATE tasks SET ${sql.update(columns)}
          WHERE task_id = ${row.task_id} RETURNING *`
        return toTask(changed ?? row)
      })
    )
  }, atEdge)

  const withdraw: Posts["withdraw"] = Effect.fn("TaskPool.withdraw")(function* (creatorId, taskId) {
    const now = yield* Clock.currentTimeMillis
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const [row] = yield* sql<Row>`UPDATE tasks SET status = 'cancelled', finished_at = ${now}, updated_at = ${now}
          WHERE task_id = ${toId(taskId)} AND creator_id = ${toId(creatorId)} AND status = 'available' RETURNING *`
        if (row === undefined) return yield* explain(creatorId, taskId, "withdrawn")
        yield* refund(row)
        return toTask(row)
      })
    )
  }, atEdge)

  const mine: Posts["mine"] = Effect.fn("TaskPool.mine")(function* (creatorId, page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
    const wanted = [
      sql`creator_id = ${toId(creatorId)}`,
      ...(page.status === undefined ? [] : [sql`status = ${page.status}`]),
      ...(page.before === undefined
        ? []
        : [
            sql`(created_at, task_id) < (SELECT created_at, task_id FROM tasks WHERE task_id = ${toId(page.before)} AND creator_id = ${toId(creatorId)})`
          ])
    ]
    const rows = yield* sql<Row>`SELECT * FROM tasks WHERE ${sql.and(wanted)}
      ORDER BY created_at DESC, task_id DESC LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map((row) => toTask(row))
    return { items, next: rows.length > limit ? items.at(-1)?.taskId : undefined }
  }, atEdge)

  const findMine: Posts["findMine"] = Effect.fn("TaskPool.findMine")(function* (creatorId, taskId) {
    const row = yield* own(creatorId, taskId)
    if (row.delivered_at === null) return toTask(row)
    const artifacts = yield* sql<{ artifact_id: string }>`SELECT artifact_id FROM artifacts
      WHERE task_id = ${row.task_id} AND claw_id = ${row.claw_id} ORDER BY created_at, artifact_id LIMIT 200`
    const ids = artifacts.map(({ artifact_id }) => artifact_id)
    return toTask(
      row,
      ids.filter((id) => id !== row.archive_id)
    )
  }, atEdge)

  const accept: Posts["accept"] = Effect.fn("TaskPool.accept")(function* (creatorId, taskId, attempt) {
    const now = yield* Clock.currentTimeMillis
    const hashed = attempt === undefined ? null : secrets.hash(attempt)
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const [row] = yield* sql<Row>`UPDATE tasks SET review = 'accepted', review_until = NULL,
            accept_attempt = ${hashed}, updated_at = ${now}
          WHERE task_id = ${toId(taskId)} AND creator_id = ${toId(creatorId)}
            AND status = 'completed' AND review = 'pending' RETURNING *`
        if (row === undefined) {
          const before = yield* own(creatorId, taskId)
          if (hashed !== null && before.accept_attempt === hashed) return toTask(before)
          return yield* explain(creatorId, taskId, "accepted")
        }
        yield* pay(row)
        return toTask(row)
      })
    )
  }, atEdge)

  const giveBack: Posts["giveBack"] = Effect.fn("TaskPool.giveBack")(function* (creatorId, taskId, reason) {
    const said = yield* prose(reason, "reason", "The reason", 2_000)
    const now = yield* Clock.currentTimeMillis
    const until = now + rules.rework
    // A deadline that would pass before anybody can look at it again would be a way not to pay.
    const [row] = yield* sql<Row>`UPDATE tasks SET status = 'in_progress', review = 'returned', review_until = NULL,
        return_reason = ${said}, finished_at = NULL, held_at = ${now}, lease_until = ${until}, updated_at = ${now},
        deadline = CASE WHEN deadline < ${until} THEN ${until} ELSE deadline END
      WHERE task_id = ${toId(taskId)} AND creator_id = ${toId(creatorId)}
        AND status = 'completed' AND review = 'pending' RETURNING *`
    return row === undefined ? yield* explain(creatorId, taskId, "sent back") : toTask(row)
  }, atEdge)

  const account: Posts["ledger"] = Effect.fn("TaskPool.ledger")(function* (userId, page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const account = yield* ledger.open(userId)
        const { items, next } = yield* ledger.entries(account, limit, page.before)
        return { balance: fromHundredths(yield* ledger.balance(account)), items, next }
      })
    )
  }, atEdge)

  const earned: Posts["earned"] = Effect.fn("TaskPool.earned")(function* (clawId, page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), maxPage)
    const account = SqlLedger.ofAgent(toId(clawId))
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        const { items, next } = yield* ledger.entries(account, limit, page.before)
        const balance = fromHundredths(yield* ledger.balance(account))
        return { balance, items, next, isOwned: (yield* ownerOf(clawId)) !== null }
      })
    )
  }, atEdge)

  return {
    refund,
    pay,
    posts: { post, edit, withdraw, mine, findMine, accept, giveBack, ledger: account, earned } satisfies Posts
  }
}

export type TaskPosts = ReturnType<typeof make>
