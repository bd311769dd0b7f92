/**
 * What a platform answers to the calls of its task pool (PROTOCOL A5), as what it means: `{code, message, data}` or the
 * data bare, numbers or texts where platforms differ, and a typed reason for each code. Pure.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  AlreadyGrabbed,
  type Artifact,
  InvalidParameter,
  type Lease,
  LeaseLost,
  NotAllowed,
  NotAvailable,
  PlatformFailed,
  type Task,
  TaskApiError,
  type TaskReason,
  type TaskSummary,
  TaskUnknown
} from "../../services/channel/TaskApi.ts"
import { codes, reviews, statuses } from "../../services/protocol/Market.ts"
import { isRecord } from "../../services/protocol/Wire.ts"
import * as platformAnswer from "./platformAnswer.ts"
import { mayPass, tame } from "./platformAnswer.ts"

const wordsOf = (body: unknown) => platformAnswer.wordsOf(body, ["message", "detail"])

const paramOf = (body: unknown): string | undefined => {
  if (!isRecord(body)) return undefined
  const holder = isRecord(body["error"]) ? body["error"] : isRecord(body["data"]) ? body["data"] : {}
  const param = body["param"] ?? holder["param"]
  return typeof param === "string" ? tame(param) : undefined
}

/** Which call it was, for what a code means there. */
export interface Call {
  readonly taskId: string
  /** Made under a lease: that the task is not there for us then means that it ran out. */
  readonly leased: boolean
}

const reasonOf = (status: number, code: number, body: unknown, { leased, taskId }: Call): TaskReason => {
  const words = wordsOf(body)
  switch (code) {
    case codes.task_already_grabbed:
      return leased ? new LeaseLost({ taskId }) : new AlreadyGrabbed({ taskId })
    case codes.task_not_available:
      // Our platform says so where the grab is over.
      if (leased && paramOf(body) === "fencing") return new LeaseLost({ taskId })
      return new NotAvailable({ taskId, detail: words ?? "its state does not allow this" })
    case codes.task_not_found:
      return new TaskUnknown({ taskId })
    case codes.invalid_parameter:
      return new InvalidParameter({ detail: words ?? "The platform did not take this.", param: paramOf(body) })
  }
  const kind = Math.floor(code / 100)
  if (kind === 401 || kind === 403 || status === 401 || status === 403) {
    return new NotAllowed({
      code: code === 0 ? status * 100 : code,
      detail: words ?? "The platform refused the keys of this agent. Look at its profile."
    })
  }
  if (mayPass(status) || (code !== 0 && mayPass(kind))) {
    return new PlatformFailed({
      detail: `it answered with an error (${status})${words === undefined ? "" : `: ${words}`}`
    })
  }
  if (status === 404 && taskId !== "") return new TaskUnknown({ taskId })
  if (status === 409) return new NotAvailable({ taskId, detail: words ?? "its state does not allow this" })
  return new InvalidParameter({ detail: words ?? `The platform did not take this (${status}).`, param: paramOf(body) })
}

const failed = (detail: string) => Result.fail(new TaskApiError({ reason: new PlatformFailed({ detail }) }))

/** The data of an answer, or why there is none. */
export const understand = (status: number, text: string, call: Call): Result.Result<unknown, TaskApiError> => {
  const body = Option.getOrUndefined(Option.liftThrowable((): unknown => JSON.parse(text))())
  const code = isRecord(body) && typeof body["code"] === "number" ? body["code"] : 0
  if (status >= 300 && status < 400)
    return failed(`the address only points elsewhere (${status}), and no key goes there`)
  if (status >= 400 || (code !== 0 && code !== 200)) {
    return Result.fail(new TaskApiError({ reason: reasonOf(status, code, body, call) }))
  }
  if (body === undefined && text.trim() !== "") {
    return failed(/^\s*</.test(text) ? "a web page answered instead of its API" : "its answer is none that can be read")
  }
  return Result.succeed(isRecord(body) && "data" in body && "code" in body ? body["data"] : body)
}

const Id = Schema.Union([Schema.String, Schema.Int])
const Text = Schema.optional(Schema.NullOr(Schema.String))
const Instant = Schema.optional(Schema.NullOr(Schema.Union([Schema.String, Schema.Finite])))
const Amount = Schema.Union([Schema.String, Schema.Finite])
const Count = Schema.optional(Schema.NullOr(Schema.Finite))

const SummaryData = Schema.Struct({
  id: Id,
  title: Schema.String,
  category: Schema.optional(Schema.NullOr(Id)),
  bounty: Schema.optional(Schema.NullOr(Amount)),
  deadline: Instant,
  created_at: Instant
})

const FileData = Schema.Struct({
  file_id: Id,
  filename: Text,
  file_name: Text,
  size: Schema.Finite,
  sha256: Text,
  url: Schema.String
})

const TaskData = Schema.Struct({
  ...SummaryData.fields,
  description: Text,
  status: Schema.Literals(statuses),
  review: Schema.optional(Schema.NullOr(Schema.Literals(reviews))),
  return_reason: Text,
  creator_id: Schema.optional(Schema.NullOr(Id)),
  assigned_claw_id: Schema.optional(Schema.NullOr(Id)),
  started_at: Instant,
  finished_at: Instant,
  updated_at: Instant,
  files: Schema.optional(Schema.NullOr(Schema.Array(FileData)))
})

const PageData = Schema.Struct({
  items: Schema.Array(SummaryData),
  total: Count,
  page: Count,
  page_size: Count,
  total_pages: Count
})

const LeaseData = Schema.Struct({ fencing: Schema.Finite, until: Schema.Union([Schema.String, Schema.Finite]) })
const GrabData = Schema.Struct({ task_id: Schema.optional(Id), lease: Schema.optional(Schema.NullOr(LeaseData)) })
const DeliverData = Schema.Struct({ result_zip_url: Text, uploaded_at: Instant })
const ArtifactData = Schema.Struct({
  artifact_id: Id,
  url: Schema.String,
  file_name: Text,
  size: Schema.optional(Schema.NullOr(Schema.Finite)),
  sha256: Text
})

/** Milliseconds since the epoch. Seconds are told from milliseconds by their size; a text without a zone is UTC. */
const millis = (value: string | number | null | undefined): number | undefined => {
  if (value === null || value === undefined || value === "") return undefined
  if (typeof value === "number") return Math.round(Math.abs(value) < 100_000_000_000 ? value * 1000 : value)
  const zoned = /(?:[zZ]|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value.replace(" ", "T")}Z`
  return Option.getOrUndefined(Option.map(DateTime.make(zoned), DateTime.toEpochMillis))
}

const summaryOf = (data: typeof SummaryData.Type): TaskSummary => ({
  id: String(data.id),
  title: data.title,
  category: String(data.category ?? ""),
  bounty: String(data.bounty ?? "0"),
  deadline: millis(data.deadline),
  createdAt: millis(data.created_at) ?? 0
})

const decoded =
  <A, B>(schema: Schema.Codec<A, unknown>, of: (data: A) => B) =>
  (value: unknown): Result.Result<B, TaskApiError> =>
    Result.match(Schema.decodeUnknownResult(schema)(value), {
      onFailure: () => failed("its answer is not what a platform's task pool sends"),
      onSuccess: (data) => Result.succeed(of(data))
    })

export const page = decoded(PageData, (data) => ({
  items: data.items.map(summaryOf),
  total: data.total ?? data.items.length,
  page: data.page ?? 1,
  pageSize: data.page_size ?? data.items.length,
  totalPages: data.total_pages ?? 1
}))

export const task = decoded(TaskData, (data): Task => {
  const summary = summaryOf(data)
  return {
    ...summary,
    description: data.description ?? "",
    status: data.status,
    review: data.review ?? undefined,
    returnReason: data.return_reason ?? undefined,
    creatorId: data.creator_id === null || data.creator_id === undefined ? undefined : String(data.creator_id),
    assignedClawId:
      data.assigned_claw_id === null || data.assigned_claw_id === undefined ? undefined : String(data.assigned_claw_id),
    startedAt: millis(data.started_at),
    finishedAt: millis(data.finished_at),
    updatedAt: millis(data.updated_at) ?? summary.createdAt,
    files: (data.files ?? []).map((file) => ({
      fileId: String(file.file_id),
      filename: file.filename ?? file.file_name ?? String(file.file_id),
      size: file.size,
      sha256: file.sha256 ?? undefined,
      url: file.url
    }))
  }
})

const leaseOf = (data: typeof LeaseData.Type): Lease => ({ fencing: data.fencing, until: millis(data.until) ?? 0 })

export const lease = decoded(LeaseData, leaseOf)

export const grab = decoded(GrabData, (data) =>
  data.lease === null || data.lease === undefined ? undefined : leaseOf(data.lease)
)

export const delivery = decoded(DeliverData, (data) => ({
  resultZipUrl: data.result_zip_url ?? undefined,
  uploadedAt: millis(data.uploaded_at)
}))

/** Only what the platform says; whoever sent the file knows the rest. */
export const artifact = decoded(
  ArtifactData,
  (data): Pick<Artifact, "artifactId" | "url"> & Partial<Pick<Artifact, "filename" | "size" | "sha256">> => ({
    artifactId: String(data.artifact_id),
    url: data.url,
    ...(typeof data.file_name === "string" ? { filename: data.file_name } : {}),
    ...(typeof data.size === "number" ? { size: data.size } : {}),
    ...(typeof data.sha256 === "string" ? { sha256: data.sha256.toLowerCase() } : {})
  })
)
