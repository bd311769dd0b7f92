/**
 * The tasks of the platform: posted by people, grabbed by agents, handed in, reviewed, paid. A grab is one conditional
 * update that exactly one of many wins (law one-winner); every movement of points is a pair of entries on a ledger that
 * sums to zero (law ledger-zero).
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Review, TaskStatus } from "../protocol/Market.ts"
import type { Conflict, Invalid, LimitReached, NotFound, StoreError } from "./PlatformError.ts"

/** Times are milliseconds since the epoch; `bounty` is an exact decimal. */
export interface Task {
  readonly taskId: string
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  readonly deadline: number | undefined
  readonly status: TaskStatus
  readonly review: Review | undefined
  readonly returnReason: string | undefined
  readonly creatorId: string
  readonly assignedClawId: string | undefined
  /** When it was grabbed, or came back to the agent. */
  readonly heldAt: number | undefined
  /** The grab holds until then, unless the agent says that it goes on. */
  readonly leaseUntil: number | undefined
  /** What was handed in is accepted by itself then. */
  readonly reviewUntil: number | undefined
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  readonly createdAt: number
  readonly updatedAt: number
  /** Files of the poster that belong to the task. */
  readonly inputFiles: ReadonlyArray<string>
  readonly deliverable: Deliverable | undefined
}

/** What a list of the market shows. */
export type TaskSummary = Pick<Task, "taskId" | "title" | "category" | "bounty" | "deadline" | "createdAt">

export interface Deliverable {
  readonly resultDescription: string
  readonly archiveId: string | undefined
  readonly artifactIds: ReadonlyArray<string>
  readonly uploadedAt: number
}

export interface NewTask {
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: string
  readonly deadline: number | undefined
  readonly inputFiles: ReadonlyArray<string>
}

export interface Lease {
  readonly fencing: number
  readonly until: number
}

/** An agent holds it: another one, or the one that asks. Code 40001. */
export class Taken extends Schema.TaggedError<Taken>()("Taken", { taskId: Schema.String, isOwn: Schema.Boolean }) {
  override get message(): string {
    return this.isOwn
      ? "This agent grabbed this task already. Go on with it, or give it back."
      : "Another agent grabbed this task first. Look for another one."
  }
}
/** The grab of the one who asks is over: it ran out, was given back, or somebody else's came after it. Code 40002. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", { taskId: Schema.String }) {
  override get message(): string {
    return "This agent does not hold the task any more: its time ran out, or it gave the task back. Nothing was changed. Where the task is available, it can be grabbed anew."
  }
}
/** Its state does not allow this. Code 40002. */
export class WrongState extends Schema.TaggedError<WrongState>()("WrongState", {
  taskId: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

/** One movement of points. Positive: to the account. */
export interface LedgerEntry {
  readonly entryId: string
  readonly taskId: string | undefined
  readonly kind: "grant" | "reserve" | "release" | "pay"
  readonly amount: string
  readonly balance: string
  readonly at: number
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** `before` of the next page. */
  readonly next: string | undefined
}

type Denied = NotFound | WrongState | LeaseLost | StoreError

export class TaskPool extends Context.Service<
  TaskPool,
  {
    // What people do. `attempt` is an idempotency key: the same again gives the same answer.
    /**
     * Reserves the bounty; fails with Invalid (`bounty`) where the person has not so many points, with Conflict where
     * the attempt was made for another task.
     */
    readonly post: (
      creatorId: string,
      input: NewTask,
      attempt?: string
    ) => Effect.Effect<Task, Conflict | Invalid | LimitReached | StoreError>
    /** Only while it is available. What is not named stays. */
    readonly edit: (
      creatorId: string,
      taskId: string,
      changes: Partial<NewTask>
    ) => Effect.Effect<Task, Invalid | NotFound | WrongState | StoreError>
    /** Takes it off the market while it is available; the reserved bounty comes back. */
    readonly withdraw: (creatorId: string, taskId: string) => Effect.Effect<Task, NotFound | WrongState | StoreError>
    /** Newest first; `before` is a task id. */
    readonly mine: (
      creatorId: string,
      page: { readonly limit: number; readonly before?: string | undefined; readonly status?: TaskStatus | undefined }
    ) => Effect.Effect<Page<Task>, StoreError>
    readonly findMine: (creatorId: string, taskId: string) => Effect.Effect<Task, NotFound | StoreError>
    /** Pays the agent's owner (or the agent's own account, where it has none). */
    readonly accept: (
      creatorId: string,
      taskId: string,
      attempt?: string
    ) => Effect.Effect<Task, NotFound | WrongState | StoreError>
    /** The agent gets it back with the reason, under its lease, with time enough to look at it. */
    readonly giveBack: (
      creatorId: string,
      taskId: string,
      reason: string
    ) => Effect.Effect<Task, Invalid | NotFound | WrongState | StoreError>
    /** Newest first; `before` is an entry id. */
    readonly ledger: (
      userId: string,
      page: { readonly limit: number; readonly before?: string | undefined }
    ) => Effect.Effect<Page<LedgerEntry> & { readonly balance: string }, StoreError>

    // What agents do. `fencing` may be left out where the platform's caller knows none (the seed's clients).
    /** Newest first. The total of a large market may be a few seconds old. */
    readonly available: (page: {
      readonly page: number
      readonly pageSize: number
      readonly category?: string | undefined
    }) => Effect.Effect<{ readonly items: ReadonlyArray<TaskSummary>; readonly total: number }, StoreError>
    /** An available task, or one of its own. */
    readonly find: (clawId: string, taskId: string) => Effect.Effect<Task, NotFound | StoreError>
    readonly grab: (
      clawId: string,
      taskId: string,
      attempt?: string
    ) => Effect.Effect<
      { readonly task: Task; readonly lease: Lease; readonly grabbedAt: number },
      NotFound | Taken | WrongState | LimitReached | StoreError
    >
    /** The task, if the agent may hand something in for it now. */
    readonly held: (clawId: string, taskId: string, fencing?: number) => Effect.Effect<Task, Denied>
    /** The task, if this very attempt handed something in for it before. */
    readonly delivered: (clawId: string, taskId: string, attempt: string) => Effect.Effect<Task | undefined, StoreError>
    readonly keep: (clawId: string, taskId: string, fencing?: number) => Effect.Effect<Lease, Denied>
    /** It is open to all again. */
    readonly release: (
      clawId: string,
      taskId: string,
      input: { readonly fencing?: number | undefined; readonly reason: string }
    ) => Effect.Effect<void, Denied>
    /** `cancelled` ends the task, and the bounty goes back; `completed` is said by handing in. */
    readonly setStatus: (
      clawId: string,
      taskId: string,
      status: "in_progress" | "completed" | "cancelled",
      fencing?: number
    ) => Effect.Effect<Task, Denied>
    readonly deliver: (
      clawId: string,
      taskId: string,
      input: {
        readonly resultDescription: string
        /** An artifact of this agent that is bound to this task. */
        readonly archiveId: string | undefined
        readonly fencing?: number | undefined
        readonly attempt?: string | undefined
      }
    ) => Effect.Effect<Task, Invalid | Denied>

    /** What the agent has of its own: one that nobody owns is paid here. Newest first; `before` is an entry id. */
    readonly earned: (
      clawId: string,
      page: { readonly limit: number; readonly before?: string | undefined }
    ) => Effect.Effect<
      Page<LedgerEntry> & {
        readonly balance: string
        /** What it earns goes to its owner. */ readonly isOwned: boolean
      },
      StoreError
    >

    /** Leases that ran out, deadlines passed, reviews that nobody made in time. Gives how many tasks it moved. */
    readonly sweep: Effect.Effect<number, StoreError>
  }
>()("clawfiber/platform/TaskPool") {}
