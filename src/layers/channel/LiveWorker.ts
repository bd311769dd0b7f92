/**
 * An account that does paid work as long as the scope lives: looks at the market now and then, remembers the
 * questions it has for its operator and what it did, and carries out what the operator says to them.
 */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { type Task, TaskApi } from "../../services/channel/TaskApi.ts"
import * as Work from "../../services/channel/Work.ts"
import type { JobShown, LogLine, Mode, Worker } from "../../services/channel/Working.ts"
import * as WorkRunner from "./WorkRunner.ts"

export interface Options extends Pick<
  WorkRunner.Options,
  "folder" | "uid" | "accountId" | "systemPrompt" | "limits" | "concurrency" | "limit" | "turnTimeout" | "keepEvery"
> {
  readonly mode: Mode
  /** The market and who the agent is there; `None` while there are no credentials. */
  readonly market: Effect.Effect<Option.Option<{ readonly api: TaskApi["Service"]; readonly clawId: string }>>
  /** Keeps other programs from the same work, as long as the scope lives; fails with a sentence. */
  readonly claim: Effect.Effect<void, { readonly message: string }, Scope.Scope>
  /** 30 seconds by default. */
  readonly lookEvery?: Duration.Input | undefined
}

/** Law bounded: lines kept of one job, and jobs that are shown after they ended. */
const maxLines = 100
const maxEnded = 20
/** Tasks that the operator is asked about at once: one that is not answered must not hide the others. */
const maxQuestions = 5
const stopped = "Its operator stopped the work on it."

/** What was said yes to is still what is asked: its poster may have changed it meanwhile. */
const isSame = (one: Task, other: Task): boolean =>
  Work.hasTerms(one, other) &&
  one.description === other.description &&
  one.files.length === other.files.length &&
  one.files.every(({ fileId }, index) => fileId === other.files[index]?.fileId)

type Runner = Effect.Success<ReturnType<typeof WorkRunner.make>>

/** A job that is shown, and what came up beside it. */
interface Entry {
  job: Work.Job
  leaseUntil: number | undefined
  question: Task | undefined
  answer: { readonly take: boolean; readonly to: Task } | undefined
  stopping: boolean
  readonly log: Array<LogLine>
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Worker, never, AgentRuntime | FileSystem.FileSystem | SecureRandom.SecureRandom | Scope.Scope> {
  const context = yield* Effect.context<AgentRuntime | FileSystem.FileSystem | SecureRandom.SecureRandom>()
  const scope = yield* Effect.scope
  const entries = new Map<string, Entry>()
  const wake = yield* Queue.sliding<void>(1)
  const every = Duration.toMillis(options.lookEvery ?? "30 seconds")
  const now: { lookedAt: number | undefined; nextLookAt: number | undefined; fault: string | undefined } = {
    lookedAt: undefined,
    nextLookAt: undefined,
    fault: undefined
  }
  let claimed = false
  let made: { readonly api: TaskApi["Service"]; readonly runner: Runner } | undefined

  /** The one of this job, as it stands now. */
  const entryOf = (job: Work.Job): Entry => {
    const known = entries.get(job.taskId)
    if (known !== undefined) {
      known.job = job
      return known
    }
    const entry: Entry = {
      job,
      leaseUntil: undefined,
      question: undefined,
      answer: undefined,
      stopping: false,
      log: []
    }
    entries.set(job.taskId, entry)
    return entry
  }

  const newestFirst = () => [...entries.values()].toSorted((one, other) => other.job.changedAt - one.job.changedAt)

  const forgetOld = () => {
    for (const { job } of newestFirst()
      .filter((entry) => Work.isEnded(entry.job))
      .slice(maxEnded)) {
      entries.delete(job.taskId)
    }
  }

  const write = Effect.fnUntraced(function* (entry: Entry, line: Omit<LogLine, "at">) {
    entry.log.push({ ...line, at: yield* Clock.currentTimeMillis })
    if (entry.log.length > maxLines) entry.log.splice(0, entry.log.length - maxLines)
  })

  const onStep = Effect.fnUntraced(function* (job: Work.Job) {
    const entry = entryOf(job)
    if (job.state !== "asking") entry.question = undefined
    if (Work.isEnded(job) || job.state === "releasing") entry.stopping = false
    if (!Work.isHeld(job)) entry.leaseUntil = undefined
    forgetOld()
    if (job.accepted === true) return
    yield* write(entry, { kind: "step", text: job.state, path: undefined, failed: false })
  })

  const onSeen = Effect.fnUntraced(function* (job: Work.Job, seen: WorkRunner.Seen) {
    const entry = entryOf(job)
    switch (seen._tag) {
      case "Lease":
        entry.leaseUntil = seen.until
        return
      case "Tool":
        return yield* write(entry, { kind: "tool", text: seen.name, path: seen.path, failed: seen.isError })
      case "Said":
        return yield* write(entry, { kind: "said", text: seen.text, path: undefined, failed: false })
    }
  })

  /** Nobody waits for the answer: the question stands until it comes, and the next look takes it up. */
  const ask = (task: Task) =>
    Effect.sync(() => {
      const entry = entries.get(task.id)
      if (entry === undefined) return undefined
      const { answer } = entry
      entry.answer = undefined
      const stands = answer !== undefined && (!answer.take || isSame(answer.to, task))
      entry.question = stands ? undefined : task
      return stands ? answer.take : undefined
    })

  const runnerOf = Effect.fnUntraced(function* (api: TaskApi["Service"], clawId: string) {
    if (made?.api === api) return made.runner
    const runner = yield* WorkRunner.make({
      ...options,
      clawId,
      ask: options.mode === "ask" ? ask : undefined,
      questions: options.mode === "ask" ? maxQuestions : undefined,
      onStep,
      onSeen
    }).pipe(Effect.provideService(TaskApi, api), Effect.provideContext(context))
    for (const job of yield* runner.jobs) {
      const known = entries.get(job.taskId)
      if (known === undefined) entryOf(job)
    }
    forgetOld()
    made = { api, runner }
    return runner
  })

  /** One look; what is wrong with it is shown, and tried again at the next one. */
  const look = Effect.gen(function* () {
    const market = yield* options.market
    if (Option.isNone(market)) return undefined
    if (!claimed) {
      yield* Scope.provide(options.claim, scope)
      claimed = true
    }
    const runner = yield* runnerOf(market.value.api, market.value.clawId)
    const { stuck } = yield* runner.once()
    return stuck[0]?.message
  }).pipe(
    Effect.catch((error) => Effect.succeed(error.message)),
    Effect.tap((fault) =>
      fault === undefined || fault === now.fault
        ? Effect.void
        : Effect.annotateLogs(Effect.logWarning(fault), { account: options.accountId })
    )
  )

  yield* Effect.forkScoped(
    Effect.forever(
      Effect.gen(function* () {
        now.nextLookAt = undefined
        now.fault = yield* look
        const at = yield* Clock.currentTimeMillis
        now.lookedAt = at
        now.nextLookAt = at + every
        yield* Effect.timeoutOption(Queue.take(wake), every)
      })
    )
  )

  const shown = (entry: Entry): JobShown => ({
    job: entry.job,
    leaseUntil: entry.leaseUntil,
    question: entry.question,
    stopping: entry.stopping,
    log: [...entry.log]
  })

  return {
    state: Effect.sync(() => ({
      mode: options.mode,
      limits: options.limits,
      concurrency: options.concurrency,
      lookedAt: now.lookedAt,
      nextLookAt: now.nextLookAt,
      fault: now.fault,
      jobs: newestFirst().map(shown)
    })),
    look: Effect.asVoid(Queue.offer(wake, undefined)),
    answer: Effect.fnUntraced(function* (taskId, take) {
      const entry = entries.get(taskId)
      if (entry?.question === undefined) return false
      entry.answer = { take, to: entry.question }
      entry.question = undefined
      yield* Queue.offer(wake, undefined)
      return true
    }),
    stop: Effect.fnUntraced(function* (taskId) {
      const entry = entries.get(taskId)
      if (made === undefined || entry === undefined) return false
      const done = yield* made.runner.stop(taskId, stopped).pipe(Effect.catch(() => Effect.succeed(false)))
      if (done) entry.stopping = true
      yield* Queue.offer(wake, undefined)
      return done
    })
  }
})
