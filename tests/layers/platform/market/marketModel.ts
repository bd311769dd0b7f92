/** The market in a few lines of plain code: what may happen, and who has what. Times are milliseconds, points hundredths. */
import * as Schema from "effect/Schema"

const minute = 60_000

const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Task = Schema.Literals([0, 1, 2])
const of = { agent: Which, task: Task }

const rare = ["Post", "Edit", "Withdraw", "Begin", "Release", "Cancel", "Sweep", "Pass"] as const
const often = ["Grab", "Keep", "Deliver", "Accept", "Return"] as const
const ops = [...rare, ...often, ...often, "Grab", "Deliver"] as const

/** What is drawn: who does it is mostly the one who may, else little would ever happen. */
export const Step = Schema.Struct({
  op: Schema.Literals(ops),
  task: Task,
  luck: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
})
export type Step = typeof Step.Type

export const Command = Schema.Union([
  Schema.Struct({
    _tag: Schema.tag("Post"),
    who: Which,
    bounty: Schema.Literals(["0.01", "400", "999.99"]),
    hurry: Schema.Boolean
  }),
  Schema.Struct({ _tag: Schema.tag("Edit"), who: Which, task: Task, bounty: Schema.Literals(["0.02", "700"]) }),
  Schema.Struct({ _tag: Schema.tag("Withdraw"), who: Which, task: Task }),
  Schema.Struct({ _tag: Schema.tag("Accept"), who: Which, task: Task }),
  Schema.Struct({ _tag: Schema.tag("Return"), who: Which, task: Task }),
  Schema.Struct({ _tag: Schema.tag("Grab"), ...of }),
  Schema.Struct({ _tag: Schema.tag("Keep"), ...of, stale: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.tag("Begin"), ...of }),
  Schema.Struct({ _tag: Schema.tag("Release"), ...of }),
  Schema.Struct({ _tag: Schema.tag("Cancel"), ...of }),
  Schema.Struct({ _tag: Schema.tag("Deliver"), ...of, stale: Schema.Boolean }),
  Schema.Struct({ _tag: Schema.tag("Pass"), minutes: Schema.Literals([3, 20, 1_500]) }),
  Schema.Struct({ _tag: Schema.tag("Sweep") })
])
export type Command = typeof Command.Type

export interface Known {
  readonly creator: number
  bounty: number
  deadline: number | undefined
  status: "available" | "assigned" | "in_progress" | "completed" | "cancelled"
  review: "pending" | "accepted" | "returned" | undefined
  holder: number | undefined
  fencing: number
  lease: number | undefined
  heldAt: number
  reviewUntil: number | undefined
}

export const hundredths = (amount: string): number => Math.round(Number(amount) * 100)

/** The first agent is the first person's, the second nobody's. */
export const make = () => {
  const tasks: Array<Known> = []
  const points = [100_000, 100_000]
  let ofAgent = 0

  const give = (who: number, amount: number): void => {
    points[who] = (points[who] ?? 0) + amount
  }
  const pay = (task: Known): void => {
    task.review = "accepted"
    task.reviewUntil = undefined
    if (task.holder === 0) give(0, task.bounty)
    else ofAgent += task.bounty
  }
  const end = (task: Known): void => {
    Object.assign(task, { status: "cancelled", lease: undefined })
    give(task.creator, task.bounty)
  }
  const open = (task: Known): void => {
    Object.assign(task, {
      status: "available",
      review: undefined,
      holder: undefined,
      lease: undefined,
      reviewUntil: undefined
    })
  }
  const own = (who: number, at: number, status: Known["status"]): Known | undefined => {
    const task = tasks[at]
    return task?.creator === who && task.status === status ? task : undefined
  }
  const held = (agent: number, at: number, now: number): Known | undefined => {
    const task = tasks[at]
    if (task === undefined || task.holder !== agent || (task.lease ?? 0) <= now) return undefined
    return task.deadline === undefined || task.deadline > now ? task : undefined
  }

  const sweep = (now: number): number => {
    let moved = 0
    for (const task of tasks) {
      if (task.lease !== undefined && task.lease <= now) {
        open(task)
        moved += 1
      }
      const isOver = task.status === "completed" || task.status === "cancelled"
      if (!isOver && task.deadline !== undefined && task.deadline <= now) {
        end(task)
        moved += 1
      }
      if (task.reviewUntil !== undefined && task.reviewUntil <= now) {
        pay(task)
        moved += 1
      }
    }
    return moved
  }

  /** Whether it goes through. */
  const does = (command: Exclude<Command, { readonly _tag: "Pass" | "Sweep" }>, now: number): boolean => {
    switch (command._tag) {
      case "Post": {
        const bounty = hundredths(command.bounty)
        if (tasks.length > 2 || (points[command.who] ?? 0) < bounty) return false
        give(command.who, -bounty)
        tasks.push({
          creator: command.who,
          bounty,
          deadline: command.hurry ? now + 60 * minute : undefined,
          status: "available",
          review: undefined,
          holder: undefined,
          fencing: 0,
          lease: undefined,
          heldAt: 0,
          reviewUntil: undefined
        })
        return true
      }
      case "Edit": {
        const task = own(command.who, command.task, "available")
        const bounty = hundredths(command.bounty)
        if (task === undefined || (points[command.who] ?? 0) < bounty - task.bounty) return false
        give(command.who, task.bounty - bounty)
        task.bounty = bounty
        return true
      }
      case "Withdraw": {
        const task = own(command.who, command.task, "available")
        if (task !== undefined) end(task)
        return task !== undefined
      }
      case "Accept": {
        const task = own(command.who, command.task, "completed")
        if (task?.review !== "pending") return false
        pay(task)
        return true
      }
      case "Return": {
        const task = own(command.who, command.task, "completed")
        if (task?.review !== "pending") return false
        const until = now + 1_440 * minute
        const deadline = task.deadline === undefined ? undefined : Math.max(task.deadline, until)
        Object.assign(task, { status: "in_progress", review: "returned", lease: until, heldAt: now, deadline })
        task.reviewUntil = undefined
        return true
      }
      case "Grab": {
        const task = tasks[command.task]
        if (task?.status !== "available" || (task.deadline !== undefined && task.deadline <= now)) return false
        const fencing = task.fencing + 1
        const holder = command.agent
        Object.assign(task, { status: "assigned", holder, fencing, lease: now + 30 * minute, heldAt: now })
        return true
      }
      case "Keep": {
        const task = held(command.agent, command.task, now)
        if (task === undefined || command.stale) return false
        task.lease = Math.min(now + 5 * minute, task.heldAt + 7 * 1_440 * minute)
        return true
      }
      case "Begin": {
        const task = held(command.agent, command.task, now)
        if (task === undefined) return false
        Object.assign(task, { status: "in_progress", lease: Math.max(task.lease ?? 0, now + 30 * minute) })
        return true
      }
      case "Release": {
        const task = held(command.agent, command.task, now)
        if (task !== undefined) open(task)
        return task !== undefined
      }
      case "Cancel": {
        const task = tasks[command.task]
        // Said again: it is so.
        if (task?.status === "cancelled" && task.holder === command.agent) return true
        const mine = held(command.agent, command.task, now)
        if (mine !== undefined) end(mine)
        return mine !== undefined
      }
      case "Deliver": {
        const task = held(command.agent, command.task, now)
        if (task === undefined || command.stale) return false
        Object.assign(task, { status: "completed", review: "pending", lease: undefined })
        task.reviewUntil = now + 3 * 1_440 * minute
        return true
      }
    }
  }

  const resolve = ({ luck, op, task }: Step): Command => {
    const known = tasks[task]
    const isWrong = luck === 9
    const first = known?.holder ?? luck % 2
    const agent = isWrong ? 1 - first : first
    const creator = known?.creator ?? 0
    const who = isWrong ? 1 - creator : creator
    const stale = luck === 8
    switch (op) {
      case "Post":
        return {
          _tag: op,
          who: luck % 2,
          bounty: luck < 6 ? "400" : luck < 8 ? "0.01" : "999.99",
          hurry: luck % 3 === 0
        }
      case "Edit":
        return { _tag: op, who, task, bounty: luck < 5 ? "0.02" : "700" }
      case "Withdraw":
      case "Accept":
      case "Return":
        return { _tag: op, who, task }
      case "Keep":
      case "Deliver":
        return { _tag: op, agent, task, stale }
      case "Grab":
      case "Begin":
      case "Release":
      case "Cancel":
        return { _tag: op, agent, task }
      case "Pass":
        return { _tag: op, minutes: luck < 6 ? 3 : luck < 9 ? 20 : 1_500 }
      default:
        return { _tag: "Sweep" }
    }
  }

  return { tasks, points, ofAgent: () => ofAgent, sweep, does, resolve }
}
