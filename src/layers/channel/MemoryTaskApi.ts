/**
 * A task market in memory, and one agent's door to it: for tests and simulations. Keeps to PROTOCOL A5: one winner of a
 * grab, a lease that runs out, idempotency keys, codes as reasons. Faults are put in from outside.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  AlreadyGrabbed,
  type Artifact,
  FileUnusable,
  InvalidParameter,
  type Lease,
  LeaseLost,
  NotAvailable,
  PlatformFailed,
  type Task,
  TaskApi,
  TaskApiError,
  type TaskReason,
  TaskUnknown
} from "../../services/channel/TaskApi.ts"
import { bounds } from "../../services/protocol/Market.ts"
import * as ownFile from "./ownFile.ts"

export interface Options {
  /** How long a grab holds without a sign. 10 minutes by default. */
  readonly lease?: Duration.Input | undefined
  /** A platform without leases and idempotency keys. */
  readonly plain?: boolean | undefined
  /** Called before and after each call is carried out; what it fails with is what the caller sees. */
  readonly fault?: ((call: string, when: "before" | "after") => Effect.Effect<void, TaskApiError>) | undefined
}

export interface Delivery {
  readonly taskId: string
  readonly clawId: string
  readonly resultDescription: string
  /** Of the archive that came. */
  readonly sha256: string | undefined
  readonly size: number
}

interface Posted {
  task: Task
  fencing: number
  until: number
  grabs: number
}

const failure = (reason: TaskReason) => new TaskApiError({ reason })
const fail = (reason: TaskReason) => Effect.fail(failure(reason))

/** The market that all agents of a test share. */
export class MemoryMarket {
  readonly posted = new Map<string, Posted>()
  readonly deliveries: Array<Delivery> = []
  readonly artifacts: Array<Artifact & { readonly boundTo: string }> = []
  /** Contents of the files of tasks, by their address. */
  readonly contents = new Map<string, Uint8Array>()
  /** Answers by idempotency key. */
  readonly answers = new Map<string, unknown>()

  post(task: Pick<Task, "id" | "title"> & Partial<Task>): Task {
    const whole: Task = {
      category: "07001",
      bounty: "10",
      deadline: undefined,
      createdAt: 0,
      description: "",
      status: "available",
      review: undefined,
      returnReason: undefined,
      creatorId: "user_1",
      assignedClawId: undefined,
      startedAt: undefined,
      finishedAt: undefined,
      updatedAt: 0,
      files: [],
      ...task
    }
    this.posted.set(whole.id, { task: whole, fencing: 0, until: 0, grabs: 0 })
    return whole
  }

  /** How often it changed hands. */
  grabsOf(taskId: string): number {
    return this.posted.get(taskId)?.grabs ?? 0
  }

  taskOf(taskId: string): Task | undefined {
    return this.posted.get(taskId)?.task
  }
}

const update = (posted: Posted, changes: Partial<Task>): void => {
  posted.task = { ...posted.task, ...changes }
}

export const make = Effect.fnUntraced(function* (
  market: MemoryMarket,
  clawId: string,
  options: Options = {}
): Effect.fn.Return<TaskApi["Service"], never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const files = ownFile.make(fs)
  const plain = options.plain === true
  const lifetime = plain ? Number.POSITIVE_INFINITY : Duration.toMillis(options.lease ?? "10 minutes")

  /** Around the change: a fault before it hinders it, a fault after it loses the answer. */
  const call = <A>(name: string, change: Effect.Effect<A, TaskApiError>): Effect.Effect<A, TaskApiError> => {
    const { fault } = options
    if (fault === undefined) return change
    return fault(name, "before").pipe(
      Effect.andThen(change),
      Effect.tap(() => fault(name, "after"))
    )
  }

  /** A lease that ran out opens its task again. */
  const find = Effect.fnUntraced(function* (taskId: string): Effect.fn.Return<Posted, TaskApiError> {
    const posted = market.posted.get(taskId)
    if (posted === undefined) return yield* fail(new TaskUnknown({ taskId }))
    const now = yield* Clock.currentTimeMillis
    const held = posted.task.status === "assigned" || posted.task.status === "in_progress"
    if (held && posted.until < now) update(posted, { status: "available", assignedClawId: undefined })
    return posted
  })

  const held = Effect.fnUntraced(function* (taskId: string, fencing: number | undefined) {
    const posted = yield* find(taskId)
    const { assignedClawId, status } = posted.task
    if (assignedClawId !== clawId || (fencing !== undefined && fencing !== posted.fencing)) {
      return yield* fail(fencing === undefined ? new TaskUnknown({ taskId }) : new LeaseLost({ taskId }))
    }
    if (status !== "assigned" && status !== "in_progress") {
      return yield* fail(new NotAvailable({ taskId, detail: `it is ${status}` }))
    }
    return posted
  })

  const read = Effect.fnUntraced(function* (
    path: string,
    progress: ((sent: number, total: number) => Effect.Effect<void>) | undefined
  ) {
    const measured: ownFile.Measured = { size: 0, sha256: undefined }
    const look = yield* files.look(path, bounds.archiveBytes)
    let sent = 0
    yield* Stream.runForEach(files.content(look, measured), (bytes) => {
      sent += bytes.length
      return progress === undefined ? Effect.void : progress(sent, look.size)
    })
    return { size: measured.size, sha256: measured.sha256 ?? "" }
  }, Effect.mapError(failure))

  return TaskApi.of({
    list: Effect.fn("TaskApi.list")(({ category, page = 1, pageSize = 20 }) =>
      call(
        "list",
        Effect.gen(function* () {
          if (page < 1 || pageSize < 1 || pageSize > 100) {
            return yield* fail(new InvalidParameter({ param: "page", detail: "There is no such page." }))
          }
          yield* Effect.forEach([...market.posted.keys()], find, { discard: true })
          const all = [...market.posted.values()]
            .map(({ task }) => task)
            .filter((task) => task.status === "available" && (category === undefined || task.category === category))
          return {
            items: all.slice((page - 1) * pageSize, page * pageSize),
            total: all.length,
            page,
            pageSize,
            totalPages: Math.ceil(all.length / pageSize)
          }
        })
      )
    ),

    get: Effect.fn("TaskApi.get")((taskId) =>
      call(
        "get",
        Effect.flatMap(find(taskId), ({ task }) =>
          task.status === "available" || task.assignedClawId === clawId
            ? Effect.succeed(task)
            : fail(new TaskUnknown({ taskId }))
        )
      )
    ),

    grab: Effect.fn("TaskApi.grab")(({ attempt, taskId }) =>
      call(
        "grab",
        Effect.gen(function* () {
          const posted = yield* find(taskId)
          const now = yield* Clock.currentTimeMillis
          const again = market.answers.get(`grab:${clawId}:${attempt}`)
          if (!plain && again === posted.fencing && posted.task.assignedClawId === clawId) {
            return { taskId, lease: { fencing: posted.fencing, until: posted.until } }
          }
          if (posted.task.status === "assigned" || posted.task.status === "in_progress") {
            return yield* fail(new AlreadyGrabbed({ taskId }))
          }
          if (posted.task.status !== "available") {
            return yield* fail(new NotAvailable({ taskId, detail: `it is ${posted.task.status}` }))
          }
          if (posted.task.deadline !== undefined && posted.task.deadline < now) {
            return yield* fail(new NotAvailable({ taskId, detail: "its deadline has passed" }))
          }
          posted.fencing += 1
          posted.grabs += 1
          posted.until = now + lifetime
          update(posted, { status: "assigned", assignedClawId: clawId, startedAt: now, updatedAt: now })
          market.answers.set(`grab:${clawId}:${attempt}`, posted.fencing)
          return { taskId, lease: plain ? undefined : { fencing: posted.fencing, until: posted.until } }
        })
      )
    ),

    keep: Effect.fn("TaskApi.keep")(({ fencing, taskId }) =>
      call(
        "keep",
        Effect.gen(function* () {
          const posted = yield* held(taskId, fencing)
          posted.until = (yield* Clock.currentTimeMillis) + lifetime
          const lease: Lease = { fencing, until: posted.until }
          return lease
        })
      ).pipe(
        Effect.mapError((error) =>
          error.reason._tag === "NotAvailable" || error.reason._tag === "TaskUnknown"
            ? failure(new LeaseLost({ taskId }))
            : error
        )
      )
    ),

    release: Effect.fn("TaskApi.release")(({ fencing, taskId }) =>
      call(
        "release",
        Effect.map(held(taskId, fencing), (posted) => {
          update(posted, { status: "available", assignedClawId: undefined })
        })
      )
    ),

    setStatus: Effect.fn("TaskApi.setStatus")(({ fencing, status, taskId }) =>
      call(
        "setStatus",
        Effect.map(held(taskId, fencing), (posted) => update(posted, { status }))
      )
    ),

    deliver: Effect.fn("TaskApi.deliver")(({ archive, attempt, fencing, progress, resultDescription, taskId }) =>
      call(
        "deliver",
        Effect.gen(function* () {
          if (resultDescription.trim() === "") {
            return yield* fail(
              new InvalidParameter({ param: "result_description", detail: "Say in words what was done." })
            )
          }
          const file = archive === undefined ? undefined : yield* read(archive, progress)
          const key = `deliver:${clawId}:${attempt}`
          const before = market.answers.get(key)
          if (!plain && typeof before === "number") return { resultZipUrl: undefined, uploadedAt: before }
          const posted = yield* held(taskId, fencing)
          const now = yield* Clock.currentTimeMillis
          market.answers.set(key, now)
          market.deliveries.push({
            taskId,
            clawId,
            resultDescription,
            sha256: file?.sha256,
            size: file?.size ?? 0
          })
          update(posted, { status: "completed", review: "pending", finishedAt: now, updatedAt: now })
          return { resultZipUrl: undefined, uploadedAt: now }
        })
      )
    ),

    upload: Effect.fn("TaskApi.upload")(({ attempt, path, progress, to }) =>
      call(
        "upload",
        Effect.gen(function* () {
          const file = yield* read(path, progress)
          const boundTo = "taskId" in to ? to.taskId : to.sessionId
          if ("taskId" in to && (yield* find(boundTo)).task.assignedClawId !== clawId) {
            return yield* fail(new TaskUnknown({ taskId: boundTo }))
          }
          const artifactId = `artifact:${clawId}:${attempt}`
          const before = market.artifacts.find((one) => one.artifactId === artifactId)
          if (before !== undefined) return before
          const artifact = {
            artifactId,
            url: `/artifacts/${market.artifacts.length + 1}`,
            filename: path.slice(path.lastIndexOf("/") + 1),
            boundTo,
            ...file
          }
          market.artifacts.push(artifact)
          return artifact
        })
      )
    ),

    download: Effect.fn("TaskApi.download")(({ file, path }) =>
      call(
        "download",
        Effect.gen(function* () {
          const bytes = market.contents.get(file.url)
          if (bytes === undefined || bytes.length !== file.size) {
            return yield* fail(new PlatformFailed({ detail: `${file.filename} did not arrive whole` }))
          }
          yield* Effect.mapError(fs.writeFile(path, bytes, { mode: 0o600 }), () =>
            failure(new FileUnusable({ path, detail: "it cannot be written" }))
          )
        })
      )
    )
  })
})

export const layer = (
  market: MemoryMarket,
  clawId: string,
  options: Options = {}
): Layer.Layer<TaskApi, never, FileSystem.FileSystem> => Layer.effect(TaskApi, make(market, clawId, options))
