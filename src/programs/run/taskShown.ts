/** How tasks look on a terminal, and as JSON: the same names as the platform's own. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import type { Task, TaskSummary } from "../../services/channel/TaskApi.ts"
import type { PostedTask } from "../../services/protocol/MarketModels.ts"
import { nameOf } from "../../services/protocol/SceneTags.ts"
import { line, tame } from "../../services/protocol/StrangersWords.ts"
import * as table from "./table.ts"

/** To the minute, UTC; strangers' clocks say anything. */
export const time = (millis: number | null | undefined): string =>
  millis === null || millis === undefined
    ? "-"
    : Option.match(DateTime.make(millis), {
        onNone: () => "-",
        onSome: (at) => `${DateTime.formatIso(at).slice(0, 16).replace("T", " ")}Z`
      })

const category = (code: string) => (nameOf(code, "en") === code ? code : `${code} ${nameOf(code, "en")}`)

export const summaryJson = (task: TaskSummary) => ({
  id: task.id,
  title: task.title,
  category: task.category,
  bounty: task.bounty,
  deadline: task.deadline ?? null,
  created_at: task.createdAt
})

export const taskJson = (task: Task) => ({
  ...summaryJson(task),
  description: task.description,
  status: task.status,
  review: task.review ?? null,
  return_reason: task.returnReason ?? null,
  assigned_claw_id: task.assignedClawId ?? null,
  started_at: task.startedAt ?? null,
  finished_at: task.finishedAt ?? null,
  updated_at: task.updatedAt,
  files: task.files.map(({ fileId, filename, sha256, size }) => ({
    file_id: fileId,
    filename,
    size,
    sha256: sha256 ?? null
  }))
})

export const openTable = (tasks: ReadonlyArray<TaskSummary>): string =>
  table.write({
    head: ["TASK", "TITLE", "CATEGORY", "POINTS", "DEADLINE"],
    rows: tasks.map((task) => [
      line(task.id, 100),
      line(task.title, 200),
      line(category(task.category), 40),
      line(task.bounty, 20),
      time(task.deadline)
    ]),
    gives: 1,
    columns: table.terminal()
  })

type Standing = Pick<PostedTask, "status" | "review">

/** What it means for the one who posted it. */
const standing = ({ review, status }: Standing): string => {
  if (status === "completed") return review === "accepted" ? "accepted" : "to look at"
  if (status === "in_progress" && review === "returned") return "sent back"
  return { available: "open", assigned: "grabbed", in_progress: "in work", cancelled: "over" }[status]
}

export const mineTable = (tasks: ReadonlyArray<PostedTask>): string =>
  table.write({
    head: ["TASK", "TITLE", "STATE", "POINTS", "DEADLINE", "POSTED"],
    rows: tasks.map((task) => [
      task.id,
      line(task.title, 200),
      standing(task),
      task.bounty,
      time(task.deadline),
      time(task.created_at)
    ]),
    gives: 1,
    columns: table.terminal()
  })

interface Detail extends Standing {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  readonly deadline: number | null
  readonly return_reason: string | null
  readonly files: ReadonlyArray<{ readonly filename: string; readonly size: number }>
}

/** One task whole. What strangers wrote stands behind a bar, so that it cannot look like ours. */
export const detail = (task: Detail, more: ReadonlyArray<string> = []): string =>
  [
    line(task.title, 200),
    `  ${line(task.id, 100)} · ${standing(task)} · ${line(task.bounty, 20)} points · ${line(category(task.category), 40)} · deadline ${time(task.deadline)}`,
    ...task.files.map(({ filename, size }) => `  file: ${line(filename, 120)} (${bytes(size)})`),
    ...(task.return_reason === null ? [] : [`  sent back: ${line(task.return_reason, 500)}`]),
    ...tame(task.description, 20_000)
      .split("\n")
      .map((line) => `  | ${line}`),
    ...more
  ].join("\n")

export const bytes = (size: number): string =>
  size < 1024
    ? `${size} B`
    : size < 1024 * 1024
      ? `${(size / 1024).toFixed(1)} KiB`
      : `${(size / 1024 / 1024).toFixed(1)} MiB`
