/** A person's tasks and points, from the wire. Total: what is not understood is left out. Times in ms, amounts exact. */
import type { Review, TaskStatus } from "../../../../services/protocol/MarketWords.ts"
import { reviews, statuses } from "../../../../services/protocol/MarketWords.ts"
import { list, maybeText, number, one, record, text } from "../../../lib/wire.ts"

export interface TaskRow {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  readonly deadline: number | undefined
  readonly status: TaskStatus
  readonly review: Review | undefined
  readonly returnReason: string | undefined
  readonly createdAt: number
  readonly heldAt: number | undefined
  readonly leaseUntil: number | undefined
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  readonly reviewUntil: number | undefined
  readonly updatedAt: number
}

export interface InputFile {
  readonly fileId: string
  readonly name: string
  readonly size: number
}

export interface Artifact {
  readonly id: string
  readonly url: string
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly createdAt: number
  readonly entries: ReadonlyArray<{ readonly path: string; readonly size: number }> | undefined
}

export interface TaskDetail extends TaskRow {
  readonly agentName: string | undefined
  readonly clawId: string | undefined
  readonly files: ReadonlyArray<InputFile>
  readonly deliverable:
    | {
        readonly result: string
        readonly at: number
        readonly archive: Artifact | undefined
        /** Newest first. */
        readonly artifacts: ReadonlyArray<Artifact>
      }
    | undefined
}

export interface LedgerRow {
  readonly id: string
  readonly taskId: string | undefined
  readonly kind: "grant" | "reserve" | "release" | "pay"
  readonly amount: string
  readonly balance: string
  readonly at: number
}

export interface Points {
  readonly balance: string
  readonly items: ReadonlyArray<LedgerRow>
  readonly next: string | undefined
}

export const readTask = (value: unknown): TaskRow => {
  const task = record(value)
  return {
    id: text(task["id"]),
    title: text(task["title"]),
    description: text(task["description"]),
    category: text(task["category"]),
    bounty: text(task["bounty"]),
    deadline: number(task["deadline"]),
    status: one(task["status"], statuses) ?? "available",
    review: one(task["review"], reviews),
    returnReason: maybeText(task["return_reason"]),
    createdAt: number(task["created_at"]) ?? 0,
    heldAt: number(task["held_at"]),
    leaseUntil: number(task["lease_until"]),
    startedAt: number(task["started_at"]),
    finishedAt: number(task["finished_at"]),
    reviewUntil: number(task["review_until"]),
    updatedAt: number(task["updated_at"]) ?? 0
  }
}

const readArtifact = (value: unknown): Artifact => {
  const artifact = record(value)
  const entries = artifact["entries"]
  return {
    id: text(artifact["artifact_id"]),
    url: text(artifact["url"]),
    name: text(artifact["file_name"]),
    mediaType: text(artifact["media_type"]),
    size: number(artifact["size"]) ?? 0,
    createdAt: number(artifact["created_at"]) ?? 0,
    entries: Array.isArray(entries)
      ? entries.map((entry: unknown) => ({
          path: text(record(entry)["path"]),
          size: number(record(entry)["size"]) ?? 0
        }))
      : undefined
  }
}

export const readDetail = (value: unknown): TaskDetail => {
  const task = record(value)
  const deliverable = task["deliverable"]
  const handed = record(deliverable)
  return {
    ...readTask(value),
    agentName: maybeText(task["agent_name"]),
    clawId: maybeText(task["assigned_claw_id"]),
    files: list(task["files"]).map((file) => ({
      fileId: text(record(file)["file_id"]),
      name: text(record(file)["filename"]),
      size: number(record(file)["size"]) ?? 0
    })),
    deliverable:
      typeof deliverable === "object" && deliverable !== null
        ? {
            result: text(handed["result_description"]),
            at: number(handed["uploaded_at"]) ?? 0,
            archive:
              typeof handed["archive"] === "object" && handed["archive"] !== null
                ? readArtifact(handed["archive"])
                : undefined,
            artifacts: list(handed["artifacts"])
              .map(readArtifact)
              .toSorted((a, b) => b.createdAt - a.createdAt)
          }
        : undefined
  }
}

export const readNext = (data: unknown): string | undefined => maybeText(record(data)["next"])
export const readItems = (data: unknown): ReadonlyArray<unknown> => list(record(data)["items"])

const kinds = ["grant", "reserve", "release", "pay"] as const

export const readPoints = (data: unknown): Points => ({
  balance: text(record(data)["balance"]),
  items: readItems(data).flatMap((value) => {
    const entry = record(value)
    const kind = one(entry["kind"], kinds)
    return kind === undefined
      ? []
      : [
          {
            id: text(entry["entry_id"]),
            taskId: maybeText(entry["task_id"]),
            kind,
            amount: text(entry["amount"]),
            balance: text(entry["balance"]),
            at: number(entry["at"]) ?? 0
          }
        ]
  }),
  next: readNext(data)
})

/** What is handed in now, apart from what an earlier hand-in left: of each name the newest. */
export const newestArtifacts = (artifacts: ReadonlyArray<Artifact>) => {
  const seen = new Set<string>()
  const now: Array<Artifact> = []
  const earlier: Array<Artifact> = []
  for (const artifact of artifacts) {
    if (seen.has(artifact.name)) earlier.push(artifact)
    else now.push(artifact)
    seen.add(artifact.name)
  }
  return { now, earlier }
}

/** A task as one word: what a list shows, and what the person has to do about it. */
export type Standing =
  | "open"
  | "expired"
  | "grabbed"
  | "working"
  | "again"
  | "review"
  | "accepted"
  | "withdrawn"
  | "overdue"

export const standingOf = (task: TaskRow, now: number): Standing => {
  switch (task.status) {
    case "available":
      return task.deadline !== undefined && task.deadline <= now ? "expired" : "open"
    case "assigned":
      return "grabbed"
    case "in_progress":
      return task.review === "returned" ? "again" : "working"
    case "completed":
      return task.review === "accepted" ? "accepted" : "review"
    case "cancelled":
      return task.deadline !== undefined && (task.finishedAt ?? 0) >= task.deadline ? "overdue" : "withdrawn"
  }
}

/** While it moves by others' doing, it is asked for more often. */
export const moves = (task: TaskRow): boolean =>
  task.status === "available" || task.status === "assigned" || task.status === "in_progress"
