/**
 * Does paid work (services/channel/Work): looks at the market, takes what the operator lets it, and carries each job
 * from state to state. A state is on disk before what it names is done. Whoever starts this again goes on where the
 * last one was: what may have been done is asked for under the same key, so it is never done twice.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { AgentRuntime, type Turn } from "../../services/channel/AgentRuntime.ts"
import { type Task, TaskApi, type TaskApiError } from "../../services/channel/TaskApi.ts"
import type { Toolbox } from "../../services/channel/Toolbox.ts"
import * as Work from "../../services/channel/Work.ts"
import { bounds } from "../../services/protocol/Market.ts"
import * as deliveryArchive from "./deliveryArchive.ts"
import * as FileTools from "./FileTools.ts"
import { fetchInputs } from "./TaskHandlers.ts"
import * as workFiles from "./workFiles.ts"
import type { WorkFilesError } from "./workFiles.ts"
import * as Workspace from "./Workspace.ts"
import * as workText from "./workText.ts"

/** What is seen of a job between its steps. */
export type Seen =
  /** A call of the agent's: of its input what says which file it is about. */
  | { readonly _tag: "Tool"; readonly name: string; readonly path: string | undefined; readonly isError: boolean }
  /** What the agent said in one go. */
  | { readonly _tag: "Said"; readonly text: string }
  /** The grab holds until then. */
  | { readonly _tag: "Lease"; readonly until: number }

export interface Options {
  /** `.insta/work`. */
  readonly folder: string
  /** Who must own it; undefined where the system has no users. */
  readonly uid: number | undefined
  readonly accountId: string
  readonly clawId: string
  readonly systemPrompt: string | undefined
  readonly limits: Work.Limits
  /** Jobs under way at once. */
  readonly concurrency: number
  /** Jobs that this process takes at most. */
  readonly limit?: number | undefined
  /** Asks a person; `undefined`: nobody is asked. An answer of `undefined`: not yet, it is asked at the next look. */
  readonly ask: ((task: Task) => Effect.Effect<boolean | undefined>) | undefined
  /** Questions open at once, where answers come later. As many as jobs by default. */
  readonly questions?: number | undefined
  /** Told of every step, after it is on disk. */
  readonly onStep?: ((job: Work.Job) => Effect.Effect<void>) | undefined
  readonly onSeen?: ((job: Work.Job, seen: Seen) => Effect.Effect<void>) | undefined
  /** For the agent's whole turn. 1 hour by default. */
  readonly turnTimeout?: Duration.Input | undefined
  /** How often the lease is renewed. 1 minute by default; platforms give several. */
  readonly keepEvery?: Duration.Input | undefined
}

/** The job stays where it is, for a later try. */
export class Stuck extends Schema.TaggedError<Stuck>()("Stuck", { taskId: Schema.String, detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

const maxPages = 10
const pageSize = 50
/** Files that are uploaded by themselves too, so that the poster can look at each; all are in the archive. */
const maxUploads = 10
const maxResult = bounds.resultDescription
/** Deliverables that are looked after, newest first, whether they come back. */
const maxWatched = 20

const notAllowed = {
  _tag: "Decline",
  why: "It is not among what the operator lets the agent take now."
} as const

const lost = (): Work.Event => ({ _tag: "Lost", why: "The lease ran out before it was handed in." })

const pathOf = (input: unknown): string | undefined =>
  typeof input === "object" && input !== null && "path" in input && typeof input.path === "string"
    ? input.path.slice(0, 200).toWellFormed()
    : undefined

/** What the agent said after the last thing it did; all of it, where it did nothing after its last word. */
const resultOf = (said: ReadonlyArray<string>): string => {
  const last = said.findLast((text) => text.trim() !== "") ?? ""
  return last.trim().slice(0, maxResult).toWellFormed()
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const api = yield* TaskApi
  const runtime = yield* AgentRuntime
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const files = workFiles.make(fs, options.folder, options.uid)
  const keepEvery = options.keepEvery ?? "1 minute"
  const question = yield* Semaphore.make(1)
  /** Jobs that this very process left where they are: no crash came between. */
  const waiting = new Set<string>()
  /** Jobs that a person stops. */
  const stops = new Map<string, Deferred.Deferred<string>>()

  const stopOf = (taskId: string): Deferred.Deferred<string> => {
    const known = stops.get(taskId) ?? Deferred.makeUnsafe<string>()
    stops.set(taskId, known)
    return known
  }

  const see = (job: Work.Job, seen: Seen) => options.onSeen?.(job, seen) ?? Effect.void

  const moved = Effect.fnUntraced(function* (job: Work.Job, event: Work.Event) {
    const next = Work.step(job, event, yield* Clock.currentTimeMillis)
    if (next === undefined) return yield* Effect.die(new Error(`${event._tag} cannot happen in ${job.state}`))
    yield* files.save(next)
    if (Work.isEnded(next)) stops.delete(next.taskId)
    if (options.onStep !== undefined) yield* options.onStep(next)
    return next
  })

  const stuck = (job: Work.Job, error: { readonly message: string }) =>
    Effect.suspend(() => {
      waiting.add(job.taskId)
      return Effect.fail(new Stuck({ taskId: job.taskId, detail: error.message }))
    })

  const giveUp = (why: string): Work.Event => ({ _tag: "GiveUp", why })

  /** The task is ours there, whatever the last answer was. Platforms without idempotency keys are asked like this. */
  const isOurs = (job: Work.Job, status: ReadonlyArray<Task["status"]>) =>
    Effect.match(api.get(job.taskId), {
      onFailure: () => false,
      onSuccess: (task) => task.assignedClawId === options.clawId && status.includes(task.status)
    })

  const grab = Effect.fnUntraced(function* (job: Work.Job) {
    const got = yield* Effect.result(api.grab({ taskId: job.taskId, attempt: Work.keys.grab(job) }))
    if (got._tag === "Success") {
      const { lease } = got.success
      if (lease !== undefined) yield* see(job, { _tag: "Lease", until: lease.until })
      return { _tag: "Got", fencing: lease?.fencing } satisfies Work.Event
    }
    const { failure } = got
    switch (failure.reason._tag) {
      case "AlreadyGrabbed":
      case "NotAvailable":
        // Perhaps by this very job, before a crash.
        return (yield* isOurs(job, ["assigned", "in_progress"]))
          ? ({ _tag: "Got", fencing: undefined } satisfies Work.Event)
          : ({ _tag: "Missed", why: failure.message } satisfies Work.Event)
      case "TaskUnknown":
      case "InvalidParameter":
        return { _tag: "Missed", why: failure.message } satisfies Work.Event
      default:
        return yield* stuck(job, failure)
    }
  })

  /** What a call under the lease came to, where it failed. */
  const troubled = (job: Work.Job, error: TaskApiError): Effect.Effect<Work.Event, Stuck> => {
    if (error.transient) return stuck(job, error)
    switch (error.reason._tag) {
      case "LeaseLost":
      case "TaskUnknown":
        return Effect.succeed(lost())
      case "NotAllowed":
      case "AddressRefused":
        return stuck(job, error)
      default:
        return Effect.succeed(giveUp(error.message))
    }
  }

  const tellSaid = (job: Work.Job, said: ReadonlyArray<string>) => {
    const text = (said.at(-1) ?? "").trim().slice(0, 500).toWellFormed()
    return text === "" ? Effect.void : see(job, { _tag: "Said", text })
  }

  const watched = (job: Work.Job, box: Toolbox): Toolbox => ({
    tools: box.tools,
    call: (name, input) =>
      Effect.tap(box.call(name, input), ({ isError }) =>
        see(job, { _tag: "Tool", name: name.slice(0, 100).toWellFormed(), path: pathOf(input), isError })
      )
  })

  /** The agent's turn, over a clean desk. */
  const perform = Effect.fnUntraced(function* (job: Work.Job) {
    const desk = yield* files.clearDesk(job.taskId)
    const prepared = yield* Effect.result(
      Effect.gen(function* () {
        const task = yield* api.get(job.taskId)
        return { task, inputs: yield* fetchInputs(fs, api, task, `${desk}/input`) }
      })
    )
    if (prepared._tag === "Failure") {
      const { failure } = prepared
      return failure._tag === "TaskApiError" ? yield* troubled(job, failure) : giveUp(failure.detail)
    }
    const { inputs, task } = prepared.success
    // For whoever posted it to see; the work does not hang on it.
    yield* Effect.ignore(api.setStatus({ taskId: job.taskId, status: "in_progress", fencing: job.fencing }))
    const name = `work:${options.accountId}:${job.taskId}:${job.round}:${job.runs}`
    const turn: Turn = {
      origin: "work",
      accountId: options.accountId,
      sessionKey: name,
      sessionId: undefined,
      messageId: undefined,
      responseId: name,
      systemPrompt:
        options.systemPrompt === undefined
          ? workText.instructions
          : `${workText.instructions}\n\nYour operator has told you this about your work:\n${options.systemPrompt}`,
      context: "",
      parts: [{ type: "input_text", text: workText.render(task, inputs, job.round > 0 ? job.why : undefined) }],
      toolbox: watched(job, FileTools.toolbox(Workspace.make(fs, desk)))
    }
    const said = [""]
    const ended = yield* runtime.reply(turn).pipe(
      Stream.runForEachArray((parts) =>
        Effect.gen(function* () {
          for (const part of parts) {
            if (part._tag === "Activity") {
              yield* tellSaid(job, said)
              said.push("")
            }
            // Law bounded: what is past it is not kept.
            if (part._tag === "Text" && (said.at(-1)?.length ?? 0) < maxResult * 2) {
              said[said.length - 1] = `${said.at(-1) ?? ""}${part.text}`
            }
          }
        })
      ),
      Effect.andThen(Effect.suspend(() => tellSaid(job, said))),
      Effect.timeoutOrElse({
        duration: options.turnTimeout ?? "1 hour",
        orElse: () => Effect.fail({ publicMessage: "The agent took too long." })
      }),
      Effect.result
    )
    if (ended._tag === "Failure") return giveUp(ended.failure.publicMessage)
    const result = resultOf(said)
    if (result.startsWith(workText.notDone)) {
      const why = result.slice(workText.notDone.length).trim().slice(0, 500)
      return giveUp(why === "" ? "The agent cannot do this task." : why)
    }
    return { _tag: "Done", result } satisfies Work.Event
  })

  const collect = Effect.fnUntraced(function* (job: Work.Job) {
    const found = yield* Effect.result(Workspace.make(fs, files.deskOf(job.taskId)).list("output"))
    if (found._tag === "Failure") return giveUp(found.failure.detail)
    const names = found.success.map(({ path }) => path.slice("output/".length))
    return names.length === 0 && (job.result ?? "") === ""
      ? giveUp("The agent made nothing.")
      : ({ _tag: "Collected", files: names } satisfies Work.Event)
  })

  const archiveOf = (job: Work.Job): string =>
    `${files.folderOf(job.taskId)}/${deliveryArchive.nameOf(job.taskId, `${job.attempt.slice(-8)}${job.round === 0 ? "" : `_${job.round}`}`)}`
  const outputOf = (job: Work.Job, name: string): string => `${files.deskOf(job.taskId)}/output/${name}`
  const describe = (job: Work.Job): string => (job.result ?? "") || `Made: ${(job.files ?? []).join(", ")}`

  const archive = (job: Work.Job) =>
    deliveryArchive
      .make(fs, {
        taskId: job.taskId,
        title: job.title,
        completedAt: job.changedAt,
        result: describe(job),
        files: (job.files ?? []).map((name) => ({ path: outputOf(job, name), name })),
        path: archiveOf(job)
      })
      .pipe(
        Effect.match({
          onFailure: ({ detail }) => giveUp(`What was made could not be packed: ${detail}.`),
          onSuccess: (): Work.Event => ({ _tag: "Archived" })
        })
      )

  /** Not needed for the hand-in: what fails is noted, and told in the report. */
  const upload = Effect.fnUntraced(function* (job: Work.Job) {
    const notes: Array<string> = []
    for (const [index, name] of (job.files ?? []).slice(0, maxUploads).entries()) {
      const sent = yield* Effect.result(
        api.upload({
          path: outputOf(job, name),
          to: { taskId: job.taskId, fencing: job.fencing },
          attempt: Work.keys.upload(job, index)
        })
      )
      if (sent._tag === "Success") continue
      if (sent.failure.reason._tag === "LeaseLost") return lost()
      notes.push(`output/${name} was not uploaded by itself (it is in the archive): ${sent.failure.reason._tag}.`)
    }
    return { _tag: "Uploaded", notes } satisfies Work.Event
  })

  const submit = Effect.fnUntraced(function* (job: Work.Job) {
    const sent = yield* Effect.result(
      api.deliver({
        taskId: job.taskId,
        resultDescription: describe(job),
        archive: archiveOf(job),
        fencing: job.fencing,
        attempt: Work.keys.deliver(job)
      })
    )
    if (sent._tag === "Success") return { _tag: "Submitted" } satisfies Work.Event
    const { failure } = sent
    // Perhaps by this very job, before a crash.
    const tag = failure.reason._tag
    if (tag === "NotAvailable" || tag === "TaskUnknown" || tag === "LeaseLost") {
      return (yield* isOurs(job, ["completed"])) ? ({ _tag: "Submitted" } satisfies Work.Event) : lost()
    }
    return yield* troubled(job, failure)
  })

  const release = Effect.fnUntraced(function* (job: Work.Job) {
    const reason = job.why ?? ""
    const { fencing, taskId } = job
    const given = yield* Effect.result(
      // A platform without leases has no way back; there the task is cancelled rather than kept for ever.
      fencing === undefined
        ? api.setStatus({ taskId, status: "cancelled" })
        : api.release({ taskId, fencing, reason: reason.slice(0, 500) })
    )
    if (given._tag === "Failure" && given.failure.transient) return yield* stuck(job, given.failure)
    // It is not ours any longer, however that came.
    return { _tag: "Released" } satisfies Work.Event
  })

  const asked = Effect.fnUntraced(function* (
    job: Work.Job,
    ask: NonNullable<Options["ask"]>
  ): Effect.fn.Return<Work.Event | undefined, Stuck> {
    const found = yield* Effect.result(api.get(job.taskId))
    if (found._tag === "Failure" && found.failure.transient) return yield* stuck(job, found.failure)
    if (found._tag === "Failure") return { _tag: "Decline", why: found.failure.message }
    if (found.success.status !== "available") return { _tag: "Decline", why: "It is not on the market any more." }
    const task = found.success
    // Its poster may have changed it since it was chosen.
    if (!Work.isAllowed(task, options.limits, yield* Clock.currentTimeMillis)) return notAllowed
    if (!Work.hasTerms(job, task)) return { _tag: "Ask", terms: task }
    const yes = yield* question.withPermits(1)(ask(task))
    if (yes === undefined) return undefined
    return yes ? { _tag: "Take" } : { _tag: "Decline", why: "Its operator said no." }
  })

  /** What the state asks for; `undefined`: it waits for a person's answer. */
  const act = (job: Work.Job): Effect.Effect<Work.Event | undefined, Stuck | WorkFilesError> => {
    switch (job.state) {
      case "chosen":
        return Effect.succeed(options.ask === undefined ? { _tag: "Take" } : { _tag: "Ask" })
      case "asking":
        return options.ask === undefined ? Effect.succeed({ _tag: "Take" }) : asked(job, options.ask)
      case "grabbing":
        return grab(job)
      case "grabbed":
        return Effect.succeed({ _tag: "Begin" })
      case "doing":
        return perform(job)
      case "collecting":
        return collect(job)
      case "archiving":
        return archive(job)
      case "uploading":
        return upload(job)
      case "submitting":
        return submit(job)
      case "releasing":
        return release(job)
      case "reported":
      case "released":
      case "failed":
      case "declined":
        return Effect.die(new Error(`nothing is owed in ${job.state}`))
    }
  }

  /** Never ends by itself; ends with the loss of the lease. */
  const keeping = (job: Work.Job): Effect.Effect<Work.Event> =>
    Effect.gen(function* () {
      const { fencing, taskId } = job
      if (fencing === undefined) return yield* Effect.never
      for (;;) {
        yield* Effect.sleep(keepEvery)
        const kept = yield* Effect.result(api.keep({ taskId, fencing }))
        if (kept._tag === "Failure" && kept.failure.reason._tag === "LeaseLost") return lost()
        if (kept._tag === "Success") yield* see(job, { _tag: "Lease", until: kept.success.until })
      }
    })

  const keptWhile: ReadonlySet<Work.State> = new Set(["doing", "collecting", "archiving", "uploading"])

  /** While a hand-in is on its way its answer alone says what became of it: the lease ends with it. */
  const next = (job: Work.Job) =>
    keptWhile.has(job.state)
      ? Effect.raceFirst(
          Effect.raceFirst(act(job), keeping(job)),
          Effect.map(Deferred.await(stopOf(job.taskId)), giveUp)
        )
      : job.state === "submitting"
        ? Effect.raceFirst(act(job), Effect.andThen(keeping(job), Effect.never))
        : act(job)

  /** To its end, until it is stuck, or until it waits for a person. */
  const drive = Effect.fn("WorkRunner.drive")(function* (
    job: Work.Job
  ): Effect.fn.Return<Work.Job, Stuck | WorkFilesError> {
    let at = job
    while (!Work.isEnded(at)) {
      const event = yield* next(at)
      if (event === undefined) return at
      at = yield* moved(at, event)
    }
    return at
  })

  /** A job that was found after a crash: what was interrupted in the middle is begun anew, if not too often. */
  const found = Effect.fnUntraced(function* (job: Work.Job) {
    if (job.state === "chosen" || job.state === "asking") {
      const now = yield* Clock.currentTimeMillis
      return Work.isAllowed({ ...job, deadline: job.deadline }, options.limits, now)
        ? job
        : yield* moved(job, notAllowed)
    }
    if (job.state !== "doing" || waiting.has(job.taskId)) return job
    return yield* moved(
      job,
      job.runs < Work.maxRuns ? { _tag: "Begin" } : giveUp(`The agent was interrupted ${job.runs} times at it.`)
    )
  })

  /** Deliverables that came back are done again, with the reason. */
  const returned = Effect.fnUntraced(function* (jobs: ReadonlyArray<Work.Job>) {
    const again: Array<Work.Job> = []
    const reported = jobs
      .filter(({ accepted, state }) => state === "reported" && accepted !== true)
      .toSorted((one, other) => other.changedAt - one.changedAt)
    for (const job of reported.slice(0, maxWatched)) {
      const task = yield* Effect.option(api.get(job.taskId))
      if (task._tag === "None") continue
      const { assignedClawId, returnReason, review, status } = task.value
      if (review === "accepted") {
        yield* moved(job, { _tag: "Accepted" })
        continue
      }
      if (review !== "returned" || status !== "in_progress" || assignedClawId !== options.clawId) continue
      again.push(yield* moved(job, { _tag: "Returned", why: returnReason ?? "" }))
    }
    return again
  })

  /** Tasks that fit and were never tried here, at most so many. Without the platform: none. */
  const choose = Effect.fnUntraced(function* (jobs: ReadonlyArray<Work.Job>, most: number) {
    const known = new Set(jobs.map(({ taskId }) => taskId))
    const chosen: Array<Work.Job> = []
    const [category, second] = options.limits.categories
    const filter = second === undefined ? category : undefined
    for (let page = 1; page <= maxPages && chosen.length < most; page++) {
      const found = yield* api.list({ page, pageSize, category: filter })
      const now = yield* Clock.currentTimeMillis
      for (const task of found.items) {
        if (chosen.length >= most) break
        if (known.has(task.id) || !Work.isAllowed(task, options.limits, now)) continue
        known.add(task.id)
        const stem = Buffer.from(yield* random.randomBytes(12)).toString("hex")
        const job = Work.begin({ ...task, taskId: task.id }, stem, now)
        yield* files.save(job)
        if (options.onStep !== undefined) yield* options.onStep(job)
        chosen.push(job)
      }
      if (page >= found.totalPages) break
    }
    return chosen
  })

  let taken = 0

  /**
   * One look: goes on with what is unfinished, then takes what there is. Gives the jobs that ended, and why others did
   * not.
   */
  const once = Effect.fn("WorkRunner.once")(function* () {
    const jobs = yield* files.all
    const open = yield* Effect.forEach(
      jobs.filter((job) => !Work.isEnded(job)),
      found
    )
    const back = yield* returned(jobs)
    const owed = [...open.filter((job) => !Work.isEnded(job)), ...back]
    const driven = (job: Work.Job) =>
      Effect.match(drive(job), {
        onFailure: (error): { readonly stuck: Stuck | WorkFilesError } => ({ stuck: error }),
        onSuccess: (job): { readonly job: Work.Job } => ({ job })
      })
    const before = yield* Effect.forEach(owed, driven, { concurrency: options.concurrency })
    const asked = before.filter((one) => "job" in one && one.job.state === "asking").length
    const left = (options.limit ?? Number.POSITIVE_INFINITY) - taken
    const chosen = yield* choose(jobs, Math.max(0, Math.min(options.questions ?? options.concurrency, left) - asked))
    const after = yield* Effect.forEach(chosen, driven, { concurrency: options.concurrency })
    const all = [...before, ...after]
    const ungrabbed = new Set(owed.filter((job) => !Work.isHeld(job)).map(({ taskId }) => taskId))
    for (const { taskId } of chosen) ungrabbed.add(taskId)
    const ended = all.flatMap((one) => ("job" in one && Work.isEnded(one.job) ? [one.job] : []))
    taken += ended.filter((job) => job.state !== "declined" && ungrabbed.has(job.taskId)).length
    return {
      jobs: ended,
      stuck: all.flatMap((one) => ("stuck" in one ? [one.stuck] : [])),
      /** The limit of this process is reached. */
      full: options.limit !== undefined && taken >= options.limit
    }
  })

  /** Ends the work on it and gives it back. False where there is nothing to stop any more: it is on its way, or over. */
  const stop = Effect.fn("WorkRunner.stop")(function* (taskId: string, why: string) {
    const job = (yield* files.all).find((one) => one.taskId === taskId)
    if (job === undefined || job.state === "submitting" || job.state === "releasing") return false
    if (!Work.isHeld(job) && job.state !== "grabbing") return false
    return yield* Deferred.succeed(stopOf(taskId), why)
  })

  return { once, stop, jobs: files.all }
})
