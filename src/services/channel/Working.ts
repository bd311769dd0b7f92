/**
 * The paid work of the accounts of this process, for whoever shows it and steers it: what each agent works on, what it
 * did of late, what it asks its operator before it takes a task. Times are milliseconds since the epoch.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Task } from "./TaskApi.ts"
import type { Job, Limits } from "./Work.ts"

/** `ask`: a person says yes before it grabs. `auto`: within its limits nobody is asked. */
export const modes = ["ask", "auto"] as const
export type Mode = (typeof modes)[number]

export interface LogLine {
  readonly at: number
  /** `step`: a state of the job; `tool`: a call of the agent's; `said`: its words. `text` is a state's, a tool's name. */
  readonly kind: "step" | "tool" | "said"
  readonly text: string
  /** Of a tool: the file it is about. */
  readonly path: string | undefined
  /** The tool could not do it. */
  readonly failed: boolean
}

export interface JobShown {
  readonly job: Job
  /** `undefined`: none, or not known yet. */
  readonly leaseUntil: number | undefined
  /** The operator is asked whether it is to be taken. */
  readonly question: Pick<Task, "description" | "files"> | undefined
  /** The operator has stopped it; it is given back in a moment. */
  readonly stopping: boolean
  /** Of this process, oldest first; bounded. */
  readonly log: ReadonlyArray<LogLine>
}

export interface WorkState {
  readonly mode: Mode
  readonly limits: Limits
  /** Tasks at once. */
  readonly concurrency: number
  readonly lookedAt: number | undefined
  /** It looks right now, or works, where there is none. */
  readonly nextLookAt: number | undefined
  /** Why it cannot look or go on, in a sentence. */
  readonly fault: string | undefined
  /** The one that changed last first; what has ended only as far as it is of late. */
  readonly jobs: ReadonlyArray<JobShown>
}

export interface Worker {
  readonly state: Effect.Effect<WorkState>
  /** Looks at the market now. */
  readonly look: Effect.Effect<void>
  /** What the operator says to the question. False where nothing is asked any more. */
  readonly answer: (taskId: string, take: boolean) => Effect.Effect<boolean>
  /** Stops the work on a task and gives it back. False where there is nothing to stop: it is handed in, or over. */
  readonly stop: (taskId: string) => Effect.Effect<boolean>
}

export class Working extends Context.Service<
  Working,
  {
    /** `undefined`: this account looks for no work. */
    readonly of: (accountId: string) => Effect.Effect<Worker | undefined>
  }
>()("clawfiber/channel/Working") {}
