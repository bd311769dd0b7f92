/**
 * The work on one task as data: from the choice to what became of it. Pure. A state is written down before what it
 * names is done, so that whoever finds it after a crash knows what may have happened: `grabbing` and `submitting` are
 * then asked for again under the same idempotency key, and never anew (law once).
 */
import * as Schema from "effect/Schema"
import { type State, states } from "./WorkStates.ts"

export * from "./WorkStates.ts"

/** How often the agent is let at one task: a run that a crash ended is begun anew, but not for ever. */
export const maxRuns = 2

/** Times are milliseconds since the epoch. As it is kept on disk. */
export const Job = Schema.Struct({
  taskId: Schema.String,
  title: Schema.String,
  category: Schema.String,
  bounty: Schema.String,
  deadline: Schema.optionalKey(Schema.Finite),
  state: Schema.Literals(states),
  /** What all idempotency keys of this job begin with. */
  attempt: Schema.String,
  /** Grows each time the deliverable comes back; then it is another hand-in. */
  round: Schema.Int,
  /** Times that the agent was begun in this round. */
  runs: Schema.Int,
  /** Of the lease; absent on platforms without, and before the grab. */
  fencing: Schema.optionalKey(Schema.Finite),
  /** What the agent said, from `collecting` on. */
  result: Schema.optionalKey(Schema.String),
  /** Names below output/, from `archiving` on. */
  files: Schema.optionalKey(Schema.Array(Schema.String)),
  /** What went wrong and did not stop it: told in the report. */
  notes: Schema.Array(Schema.String),
  /** Why it was declined, given back or lost, or why the deliverable came back. */
  why: Schema.optionalKey(Schema.String),
  /** Its poster has taken it: what was handed in comes back no more. */
  accepted: Schema.optionalKey(Schema.Boolean),
  chosenAt: Schema.Finite,
  changedAt: Schema.Finite
})
export type Job = typeof Job.Type

export type Event =
  /** Asked anew where its poster has changed it. */
  | { readonly _tag: "Ask"; readonly terms?: Terms | undefined }
  /** A person said yes, or need not be asked. */
  | { readonly _tag: "Take" }
  | { readonly _tag: "Decline"; readonly why: string }
  | { readonly _tag: "Got"; readonly fencing: number | undefined }
  | { readonly _tag: "Missed"; readonly why: string }
  /** The agent is let at it; also anew, after a crash. */
  | { readonly _tag: "Begin" }
  | { readonly _tag: "Done"; readonly result: string }
  | { readonly _tag: "Collected"; readonly files: ReadonlyArray<string> }
  | { readonly _tag: "Archived" }
  | { readonly _tag: "Uploaded"; readonly notes: ReadonlyArray<string> }
  | { readonly _tag: "Submitted" }
  | { readonly _tag: "GiveUp"; readonly why: string }
  | { readonly _tag: "Released" }
  | { readonly _tag: "Lost"; readonly why: string }
  | { readonly _tag: "Returned"; readonly why: string }
  | { readonly _tag: "Accepted" }

const from: Readonly<Record<Event["_tag"], ReadonlyArray<State>>> = {
  Ask: ["chosen", "asking"],
  Take: ["chosen", "asking"],
  Decline: ["chosen", "asking"],
  Got: ["grabbing"],
  Missed: ["grabbing"],
  Begin: ["grabbed", "doing"],
  Done: ["doing"],
  Collected: ["collecting"],
  Archived: ["archiving"],
  Uploaded: ["uploading"],
  Submitted: ["submitting"],
  GiveUp: ["grabbed", "doing", "collecting", "archiving", "uploading", "submitting"],
  Released: ["releasing"],
  Lost: ["grabbed", "doing", "collecting", "archiving", "uploading", "submitting", "releasing"],
  Returned: ["reported"],
  Accepted: ["reported"]
}

const to: Readonly<Record<Event["_tag"], State>> = {
  Ask: "asking",
  Take: "grabbing",
  Decline: "declined",
  Got: "grabbed",
  Missed: "declined",
  Begin: "doing",
  Done: "collecting",
  Collected: "archiving",
  Archived: "uploading",
  Uploaded: "submitting",
  Submitted: "reported",
  GiveUp: "releasing",
  Released: "released",
  Lost: "failed",
  Returned: "grabbed",
  Accepted: "reported"
}

const ended: ReadonlySet<State> = new Set(["reported", "released", "failed", "declined"])
/** Nothing more is owed, unless the deliverable comes back. */
export const isEnded = (job: Job): boolean => ended.has(job.state)

const held: ReadonlySet<State> = new Set(from.Lost)
/** The task is this agent's, as far as it knows. */
export const isHeld = (job: Job): boolean => held.has(job.state)

/** What a job is about; its poster may change it as long as nobody has it. */
export interface Terms extends Pick<Job, "title" | "category" | "bounty"> {
  readonly deadline: number | undefined
}

export const begin = (task: Terms & Pick<Job, "taskId">, attempt: string, now: number): Job => ({
  taskId: task.taskId,
  title: task.title,
  category: task.category,
  bounty: task.bounty,
  ...(task.deadline === undefined ? {} : { deadline: task.deadline }),
  state: "chosen",
  attempt,
  round: 0,
  runs: 0,
  notes: [],
  chosenAt: now,
  changedAt: now
})

/** Of a job, or of the task as it was asked about. */
export const hasTerms = (job: Partial<Terms>, { bounty, category, deadline, title }: Terms): boolean =>
  job.title === title && job.category === category && job.bounty === bounty && job.deadline === deadline

const withTerms = ({ deadline: _deadline, ...job }: Job, { bounty, category, deadline, title }: Terms): Job => ({
  ...job,
  title,
  category,
  bounty,
  ...(deadline === undefined ? {} : { deadline })
})

/** What of the last round does not count any longer. */
const fresh = ({ files: _files, result: _result, ...job }: Job): Job => ({
  ...job,
  round: job.round + 1,
  runs: 0,
  notes: []
})

const changed = (job: Job, event: Event): Job => {
  switch (event._tag) {
    case "Got":
      return event.fencing === undefined ? job : { ...job, fencing: event.fencing }
    case "Begin":
      return { ...job, runs: job.runs + 1 }
    case "Done":
      return { ...job, result: event.result }
    case "Collected":
      return { ...job, files: event.files }
    case "Uploaded":
      return { ...job, notes: [...job.notes, ...event.notes] }
    case "Returned":
      return { ...fresh(job), why: event.why }
    case "Accepted":
      return { ...job, accepted: true }
    case "Decline":
    case "Missed":
    case "GiveUp":
    case "Lost":
      return { ...job, why: event.why }
    case "Ask":
      return event.terms === undefined ? job : withTerms(job, event.terms)
    case "Take":
    case "Archived":
    case "Submitted":
    case "Released":
      return job
  }
}

/** `undefined`: this cannot happen in that state. */
export const step = (job: Job, event: Event, now: number): Job | undefined => {
  if (!from[event._tag].includes(job.state)) return undefined
  if (event._tag === "Begin" && job.runs >= maxRuns) return undefined
  if (job.accepted === true) return undefined
  return { ...changed(job, event), state: to[event._tag], changedAt: now }
}

/** Idempotency keys: the same for the same doing, also after a crash. */
export const keys = {
  grab: (job: Job): string => `${job.attempt}-grab`,
  upload: (job: Job, index: number): string => `${job.attempt}-${job.round}-file-${index}`,
  deliver: (job: Job): string => `${job.attempt}-${job.round}-deliver`
} as const

/** What the operator lets the agent take. */
export interface Limits {
  /** None: all. */
  readonly categories: ReadonlyArray<string>
  /** An exact decimal; larger bounties are left alone. */
  readonly maxBounty: string | undefined
}

/** Compared as whole hundredths; a bounty that is no amount is larger than any. */
const hundredths = (amount: string): bigint | undefined => {
  const match = /^(\d{1,12})(?:\.(\d{1,2})\d*)?$/.exec(amount)
  return match === null ? undefined : BigInt(match[1] ?? "0") * 100n + BigInt((match[2] ?? "").padEnd(2, "0"))
}

export const isAllowed = (
  task: { readonly category: string; readonly bounty: string; readonly deadline: number | undefined },
  { categories, maxBounty }: Limits,
  now: number
): boolean => {
  if (categories.length > 0 && !categories.includes(task.category)) return false
  if (task.deadline !== undefined && task.deadline <= now) return false
  if (maxBounty === undefined) return true
  const bounty = hundredths(task.bounty)
  const most = hundredths(maxBounty)
  return bounty !== undefined && most !== undefined && bounty <= most
}
