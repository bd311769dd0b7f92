/** What happened to a task so far, and what happens next by itself, oldest first. Pure. */
import type { TaskDetail } from "./model.ts"

export interface Mark {
  readonly what:
    | "posted"
    | "waiting"
    | "grabbed"
    | "working"
    | "lease"
    | "handedIn"
    | "returned"
    | "again"
    | "review"
    | "accepted"
    | "ended"
    | "overdue"
  /** `undefined`: now. */
  readonly at: number | undefined
  /** When it ends by itself. */
  readonly until?: number | undefined
  /** A stranger's or the person's own words. */
  readonly words?: string | undefined
  readonly done: boolean
}

export const timeline = (task: TaskDetail, now: number): ReadonlyArray<Mark> => {
  const marks: Array<Mark> = [{ what: "posted", at: task.createdAt, done: true }]
  const { deliverable } = task
  if (task.status === "cancelled") {
    const late = task.deadline !== undefined && (task.finishedAt ?? 0) >= task.deadline
    return [...marks, { what: late ? "overdue" : "ended", at: task.finishedAt ?? task.updatedAt, done: true }]
  }
  if (task.status === "available") {
    return [...marks, { what: "waiting", at: undefined, until: task.deadline, done: false }]
  }
  // What came back is held anew: the first grab is then known by when the work began.
  const returned = task.review === "returned"
  marks.push({ what: "grabbed", at: returned ? task.startedAt : (task.heldAt ?? task.startedAt), done: true })
  if (deliverable !== undefined) marks.push({ what: "handedIn", at: deliverable.at, done: true })
  if (returned) marks.push({ what: "returned", at: task.heldAt, words: task.returnReason, done: true })
  if (task.status === "assigned" || task.status === "in_progress") {
    if (task.status === "in_progress") marks.push({ what: returned ? "again" : "working", at: undefined, done: false })
    if (task.leaseUntil !== undefined && task.leaseUntil > now) {
      marks.push({ what: "lease", at: undefined, until: task.leaseUntil, done: false })
    }
    return marks
  }
  marks.push(
    task.review === "accepted"
      ? { what: "accepted", at: task.updatedAt, done: true }
      : { what: "review", at: undefined, until: task.reviewUntil, done: false }
  )
  return marks
}
