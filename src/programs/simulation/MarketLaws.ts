/**
 * What must be true of a market after every commit (laws one-winner and ledger-zero): read from the tables, from outside
 * of the code under test.
 */
import type { Machine } from "../../layers/simulation/Engine.ts"
import type * as Database from "../../layers/simulation/Database.ts"
import type { Stage } from "./Stage.ts"

export interface TaskRow {
  readonly task_id: string
  readonly creator_id: string
  readonly bounty: number
  readonly status: string
  readonly review: string | null
  readonly claw_id: string | null
  readonly fencing: number
  readonly lease_until: number | null
  readonly deliver_attempt: string | null
}

interface Entry {
  readonly account: string
  readonly counter: string
  readonly kind: string
  readonly amount: number
  readonly task_id: string | null
}

/** How long a statement may wait between the look at the clock and its commit, in milliseconds. */
const slack = 6_000

const isHeld = (row: TaskRow): boolean => row.status === "assigned" || row.status === "in_progress"
const isOver = (row: TaskRow): boolean => row.status === "cancelled" || row.review === "accepted"

export class MarketLaws {
  readonly #stage: Stage
  readonly #database: Database.SimDatabase
  /** By claw id: who is paid for its work. */
  readonly #owners: ReadonlyMap<string, string>
  #tasks = new Map<string, TaskRow>()
  #movements = 0
  /** Hand-ins, by task and hash of their key. */
  readonly #delivered = new Set<string>()
  /** Task and fencing number of grabs that their holder gave up. */
  readonly released = new Set<string>()
  /** Virtual time at which the platform's clock was set last. */
  clockSetAt = Number.NEGATIVE_INFINITY

  constructor(stage: Stage, database: Database.SimDatabase, owners: ReadonlyMap<string, string>) {
    this.#stage = stage
    this.#database = database
    this.#owners = owners
  }

  get tasks(): ReadonlyMap<string, TaskRow> {
    return this.#tasks
  }

  #read(): ReadonlyArray<TaskRow> {
    const rows: ReadonlyArray<object> = this.#database.lookAll(
      "SELECT task_id, creator_id, bounty, status, review, claw_id, fencing, lease_until, deliver_attempt FROM tasks"
    )
    return rows as ReadonlyArray<TaskRow>
  }

  /** Something was committed. */
  look(machine: Machine): void {
    const tasks = new Map(this.#read().map((row) => [row.task_id, row]))
    const isClockSure = this.#stage.now - this.clockSetAt > slack
    for (const row of tasks.values()) {
      const before = this.#tasks.get(row.task_id)
      if (before !== undefined) this.#changed(before, row, isClockSure ? machine.wall : undefined)
    }
    this.#tasks = tasks
    this.#ledger(tasks)
  }

  /** `wall`: the platform's time, where it can be relied upon. */
  #changed(before: TaskRow, row: TaskRow, wall: number | undefined): void {
    const { laws } = this.#stage
    const check = (holds: boolean, what: () => string) =>
      laws.check("one-winner", holds, () => `${row.task_id.slice(0, 12)}: ${what()}`)
    if (row.fencing !== before.fencing) {
      check(before.status === "available", () => `${row.claw_id} grabbed what was ${before.status}`)
      check(row.fencing === before.fencing + 1, () => `its number went from ${before.fencing} to ${row.fencing}`)
    } else {
      check(row.claw_id === before.claw_id || row.claw_id === null, () => `${row.claw_id} has the number of another`)
    }
    if (row.status === "available" && isHeld(before)) {
      const isEarly = wall !== undefined && before.lease_until !== null && before.lease_until > wall + slack
      check(!isEarly || this.released.has(`${row.task_id} ${row.fencing}`), () => "it was taken from its holder")
    }
    if (row.status !== "completed" || before.status === "completed") return
    check(isHeld(before), () => `it was handed in although it was ${before.status}`)
    const isLate = wall !== undefined && before.lease_until !== null && before.lease_until < wall - slack
    check(!isLate, () => "it was handed in after its lease had run out")
    // The last of them is the one that completed it now.
    const attempt = row.deliver_attempt?.split(" ").at(-1)
    if (attempt === undefined) return
    const key = `${row.task_id} ${attempt}`
    check(!this.#delivered.has(key), () => "one hand-in was taken twice")
    this.#delivered.add(key)
  }

  #ledger(tasks: ReadonlyMap<string, TaskRow>): void {
    const [count] = this.#database.lookAll("SELECT count(*) AS n FROM ledger")
    const movements = Number(count?.["n"] ?? 0)
    if (movements === this.#movements && ![...tasks.values()].some(isOver)) return
    this.#movements = movements
    const { laws } = this.#stage
    const check = (holds: boolean, what: () => string) => laws.check("ledger-zero", holds, what)
    const rows: ReadonlyArray<object> = this.#database.lookAll(
      "SELECT account, counter, kind, amount, task_id FROM ledger"
    )
    const sums = new Map<string, number>()
    const outgoing = new Map<string, Array<Entry>>()
    let all = 0
    for (const entry of rows as ReadonlyArray<Entry>) {
      all += entry.amount
      sums.set(entry.account, (sums.get(entry.account) ?? 0) + entry.amount)
      if (entry.amount >= 0 || entry.task_id === null || !entry.account.startsWith("escrow:")) continue
      const known = outgoing.get(entry.task_id)
      if (known === undefined) outgoing.set(entry.task_id, [entry])
      else known.push(entry)
    }
    check(all === 0, () => `all movements together are ${all}`)
    for (const { account, balance } of this.#database.lookAll("SELECT account, balance FROM accounts")) {
      const name = String(account)
      check(
        Number(balance) === (sums.get(name) ?? 0),
        () => `${name} has ${balance}, its entries are ${sums.get(name)}`
      )
      check(Number(balance) >= 0 || name.startsWith("mint:"), () => `${name} has ${balance}`)
    }
    for (const row of tasks.values()) {
      const reserved = sums.get(`escrow:${row.task_id}`) ?? 0
      const due = isOver(row) ? 0 : row.bounty
      const state = row.review ?? row.status
      check(reserved === due, () => `of a task that is ${state} ${reserved} is reserved, and ${due} is due`)
      const paid = (outgoing.get(row.task_id) ?? []).filter(({ kind }) => kind === "pay")
      const to = row.claw_id === null ? undefined : (this.#owners.get(row.claw_id) ?? `agent:${row.claw_id}`)
      const isRight =
        row.review === "accepted"
          ? paid.length === 1 && paid[0]?.amount === -row.bounty && paid[0].counter === to
          : paid.length === 0
      check(
        isRight,
        () => `a task that is ${state} was paid ${paid.map(({ counter }) => counter).join(", ") || "never"}`
      )
    }
  }

  /** An agent was told that it did something under this number. */
  did(what: string, taskId: string, fencing: number | undefined): void {
    const row = this.#tasks.get(taskId)
    if (row === undefined || fencing === undefined) return
    this.#stage.laws.check(
      "one-winner",
      row.fencing === fencing,
      () => `${taskId.slice(0, 12)}: ${what} under the number ${fencing}, and it is at ${row.fencing}`
    )
  }
}
