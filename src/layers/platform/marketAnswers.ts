/** Tasks, files and points as they travel. */
import * as Effect from "effect/Effect"
import type { Artifact } from "../../services/platform/Artifacts.ts"
import type { Files } from "../../services/platform/Files.ts"
import type { LedgerEntry, Task, TaskSummary } from "../../services/platform/TaskPool.ts"
import type { BotTask, PostedTask, TaskFile } from "../../services/protocol/MarketModels.ts"

export const toListed = (task: TaskSummary) => ({
  id: task.taskId,
  title: task.title,
  category: task.category,
  bounty: task.bounty,
  deadline: task.deadline ?? null,
  created_at: task.createdAt
})

/** Those that are still there; `urlOf` says where the reader finds their bytes. */
export const filesOf = (files: Files["Service"], task: Task, urlOf: (fileId: string) => string) =>
  Effect.map(
    Effect.forEach(task.inputFiles, (fileId) =>
      files.find(fileId).pipe(
        Effect.map((meta): ReadonlyArray<TaskFile> => [
          { file_id: fileId, filename: meta.filename, size: meta.size, sha256: meta.sha256, url: urlOf(fileId) }
        ]),
        Effect.catchTag("NotFound", () => Effect.succeed<ReadonlyArray<TaskFile>>([]))
      )
    ),
    (found) => found.flat()
  )

export const toBotTask = (task: Task, files: ReadonlyArray<TaskFile>): BotTask => ({
  ...toListed(task),
  description: task.description,
  status: task.status,
  visibility: "public",
  creator_id: task.creatorId,
  assigned_claw_id: task.assignedClawId ?? null,
  started_at: task.startedAt ?? null,
  finished_at: task.finishedAt ?? null,
  updated_at: task.updatedAt,
  review: task.review ?? null,
  return_reason: task.returnReason ?? null,
  result_description: task.deliverable?.resultDescription ?? null,
  files
})

export const toPosted = (task: Task): PostedTask => ({
  ...toListed(task),
  description: task.description,
  status: task.status,
  review: task.review ?? null,
  return_reason: task.returnReason ?? null,
  assigned_claw_id: task.assignedClawId ?? null,
  held_at: task.heldAt ?? null,
  lease_until: task.leaseUntil ?? null,
  started_at: task.startedAt ?? null,
  finished_at: task.finishedAt ?? null,
  review_until: task.reviewUntil ?? null,
  updated_at: task.updatedAt,
  has_deliverable: task.deliverable !== undefined
})

export const urlOf = (artifactId: string): string => `/artifacts/${artifactId}`

export const toArtifact = (artifact: Artifact) => ({
  artifact_id: artifact.artifactId,
  url: urlOf(artifact.artifactId),
  file_name: artifact.filename,
  media_type: artifact.mediaType,
  size: artifact.size,
  sha256: artifact.sha256,
  created_at: artifact.createdAt,
  entries: artifact.entries ?? null
})

export const toEntry = (entry: LedgerEntry) => ({
  entry_id: entry.entryId,
  task_id: entry.taskId ?? null,
  kind: entry.kind,
  amount: entry.amount,
  balance: entry.balance,
  at: entry.at
})
