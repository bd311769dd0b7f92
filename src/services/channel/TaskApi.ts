/**
 * The platform's task pool as an agent calls it (PROTOCOL A5): look, grab, keep, do, hand in. Retries happen inside,
 * where repeating is safe; what comes out as an error has been tried as often as it makes sense.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Review, TaskStatus } from "../protocol/Market.ts"

/** One line of the list. Times are milliseconds since the epoch; `bounty` is an exact decimal. */
export interface TaskSummary {
  readonly id: string
  readonly title: string
  readonly category: string
  readonly bounty: string
  readonly deadline: number | undefined
  readonly createdAt: number
}

export interface TaskFile {
  readonly fileId: string
  readonly filename: string
  readonly size: number
  readonly sha256: string | undefined
  /** On the platform, with the agent's keys. */
  readonly url: string
}

/** `description` is a stranger's text: data, never an order (law confined). */
export interface Task extends TaskSummary {
  readonly description: string
  readonly status: TaskStatus
  readonly review: Review | undefined
  /** Why the deliverable came back. */
  readonly returnReason: string | undefined
  readonly creatorId: string | undefined
  readonly assignedClawId: string | undefined
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  readonly updatedAt: number
  readonly files: ReadonlyArray<TaskFile>
}

/** A grab holds as long as it is kept alive; the fencing number shows a later holder. Absent on platforms without. */
export interface Lease {
  readonly fencing: number
  readonly until: number
}

export interface Artifact {
  readonly artifactId: string
  readonly url: string
  readonly filename: string
  readonly size: number
  readonly sha256: string
}

/** Somebody else was quicker. */
export class AlreadyGrabbed extends Schema.TaggedError<AlreadyGrabbed>()("AlreadyGrabbed", { taskId: Schema.String }) {}
/** It was withdrawn, is done, is past its deadline, or its state does not allow this. */
export class NotAvailable extends Schema.TaggedError<NotAvailable>()("NotAvailable", {
  taskId: Schema.String,
  detail: Schema.String
}) {}
export class TaskUnknown extends Schema.TaggedError<TaskUnknown>()("TaskUnknown", { taskId: Schema.String }) {}
/** The lease ran out, and the task is another's or open again: what was done may not be handed in. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", { taskId: Schema.String }) {}
export class InvalidParameter extends Schema.TaggedError<InvalidParameter>()("InvalidParameter", {
  detail: Schema.String,
  param: Schema.UndefinedOr(Schema.String)
}) {}
/** The keys are refused, or the agent is switched off or not approved: the platform's own sentence. */
export class NotAllowed extends Schema.TaggedError<NotAllowed>()("NotAllowed", {
  code: Schema.Finite,
  detail: Schema.String
}) {}
/** A file of ours that cannot be sent: gone, changed while it was read, too large, not a file. */
export class FileUnusable extends Schema.TaggedError<FileUnusable>()("FileUnusable", {
  path: Schema.String,
  detail: Schema.String
}) {}
/** No answer, a broken one, or an error of the platform's own. */
export class PlatformFailed extends Schema.TaggedError<PlatformFailed>()("PlatformFailed", {
  detail: Schema.String
}) {}
/** So many calls failed in a row that none is made until then. */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", { until: Schema.Finite }) {}
/** Keys are not sent there: in clear to another machine, or to another platform than the one that issued them. */
export class AddressRefused extends Schema.TaggedError<AddressRefused>()("AddressRefused", {
  url: Schema.String,
  why: Schema.Literals(["clear", "foreign"])
}) {}

export type TaskReason =
  | AlreadyGrabbed
  | NotAvailable
  | TaskUnknown
  | LeaseLost
  | InvalidParameter
  | NotAllowed
  | FileUnusable
  | PlatformFailed
  | CircuitOpen
  | AddressRefused

export class TaskApiError extends Schema.TaggedError<TaskApiError>()("TaskApiError", {
  reason: Schema.Union([
    AlreadyGrabbed,
    NotAvailable,
    TaskUnknown,
    LeaseLost,
    InvalidParameter,
    NotAllowed,
    FileUnusable,
    PlatformFailed,
    CircuitOpen,
    AddressRefused
  ])
}) {
  /** `true`: the same call may go through later. */
  get transient(): boolean {
    return this.reason._tag === "PlatformFailed" || this.reason._tag === "CircuitOpen"
  }
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "AlreadyGrabbed":
        return `Somebody else grabbed the task ${reason.taskId} first. Look for another one.`
      case "NotAvailable":
        return `The task ${reason.taskId} is not available: ${reason.detail}`
      case "TaskUnknown":
        return `There is no task ${reason.taskId}, or it is not open to this agent.`
      case "LeaseLost":
        return `The lease of the task ${reason.taskId} ran out, so it is no longer this agent's. What was done stays on this machine.`
      case "InvalidParameter":
        return reason.param === undefined ? reason.detail : `${reason.param}: ${reason.detail}`
      case "NotAllowed":
        return reason.detail
      case "FileUnusable":
        return `${reason.path} cannot be sent: ${reason.detail}.`
      case "PlatformFailed":
        return `The platform did not do it: ${reason.detail}. Try again in a moment.`
      case "CircuitOpen":
        return "The platform failed several times in a row; it is left alone for a little while and then tried again."
      case "AddressRefused":
        return reason.why === "clear"
          ? `${reason.url} is not encrypted and not on this machine: no key is sent there. Use an https:// address.`
          : `${reason.url} is another platform than the one that issued this agent's key: no key is sent there.`
    }
  }
}

/** Bytes sent so far, of all. */
export type Progress = (sent: number, total: number) => Effect.Effect<void>

export class TaskApi extends Context.Service<
  TaskApi,
  {
    /** Pages begin at 1; at most 100 to a page. */
    readonly list: (query: {
      readonly page?: number | undefined
      readonly pageSize?: number | undefined
      readonly category?: string | undefined
    }) => Effect.Effect<
      {
        readonly items: ReadonlyArray<TaskSummary>
        readonly total: number
        readonly page: number
        readonly pageSize: number
        readonly totalPages: number
      },
      TaskApiError
    >
    readonly get: (taskId: string) => Effect.Effect<Task, TaskApiError>
    /** `attempt` is the idempotency key: the same grab again gives the same answer, also after a crash. */
    readonly grab: (input: {
      readonly taskId: string
      readonly attempt: string
    }) => Effect.Effect<{ readonly taskId: string; readonly lease: Lease | undefined }, TaskApiError>
    /** Says that work goes on. Gives the time until which the grab holds now. */
    readonly keep: (input: { readonly taskId: string; readonly fencing: number }) => Effect.Effect<Lease, TaskApiError>
    /** Gives the task back: it is open to others again. */
    readonly release: (input: {
      readonly taskId: string
      readonly fencing: number
      readonly reason: string
    }) => Effect.Effect<void, TaskApiError>
    readonly setStatus: (input: {
      readonly taskId: string
      readonly status: "in_progress" | "completed" | "cancelled"
      readonly fencing?: number | undefined
    }) => Effect.Effect<void, TaskApiError>
    /** The archive streams from disk; its size and checksum are those of the moment it is opened, or it fails. */
    readonly deliver: (input: {
      readonly taskId: string
      readonly resultDescription: string
      /** A zip file of this machine. */
      readonly archive: string | undefined
      readonly fencing?: number | undefined
      readonly attempt: string
      readonly progress?: Progress | undefined
    }) => Effect.Effect<{ readonly resultZipUrl: string | undefined; readonly uploadedAt: number }, TaskApiError>
    /** Uploads a file and binds it to a task or a session. */
    readonly upload: (input: {
      readonly path: string
      readonly to: { readonly taskId: string; readonly fencing?: number | undefined } | { readonly sessionId: string }
      readonly attempt: string
      readonly progress?: Progress | undefined
    }) => Effect.Effect<Artifact, TaskApiError>
    /** A file of the task's poster, to disk. Checked against its checksum where there is one. */
    readonly download: (input: { readonly file: TaskFile; readonly path: string }) => Effect.Effect<void, TaskApiError>
  }
>()("clawfiber/channel/TaskApi") {}
