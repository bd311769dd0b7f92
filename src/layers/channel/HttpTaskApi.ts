/**
 * The task pool over HTTP (PROTOCOL A5): every call with the keys of one account, to the platform that issued them and
 * to no other (law secret). What may be repeated is, a few times, after growing pauses; a platform that fails again and
 * again is left alone for a while. Files are streamed from and to the disk: with Node's own client, for `fetch` holds all
 * of a streamed body that the network has not taken yet.
 */
import { createHash } from "node:crypto"
import { basename } from "node:path"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import {
  AddressRefused,
  CircuitOpen,
  FileUnusable,
  InvalidParameter,
  LeaseLost,
  PlatformFailed,
  type Progress,
  TaskApi,
  TaskApiError,
  type TaskReason,
  TaskUnknown
} from "../../services/channel/TaskApi.ts"
import { bounds } from "../../services/protocol/Market.ts"
import * as CircuitBreaker from "./CircuitBreaker.ts"
import * as multipart from "./multipart.ts"
import * as ownFile from "./ownFile.ts"
import * as PlatformAddress from "./PlatformAddress.ts"
import * as platformAnswer from "./platformAnswer.ts"
import * as taskAnswers from "./taskAnswers.ts"

export interface Options {
  /** INSTACLAW_TASK_API_BASE_URL; a path in it is kept as a prefix. */
  readonly baseUrl: URL
  /** INSTACLAW_ARTIFACT_UPLOAD_AND_BIND_URL. */
  readonly artifactUrl: URL
  readonly appKey: string
  readonly appSecret: Redacted.Redacted<string>
  /** The origin that issued the keys; undefined where the operator trusts the addresses above. */
  readonly issuer: string | undefined
  /** For the whole answer of a call without files. 15 seconds by default. */
  readonly timeout?: Duration.Input | undefined
  /** Without a byte, for a call with a file. 1 minute by default. */
  readonly stall?: Duration.Input | undefined
  /** Of what may be repeated. 3 by default. */
  readonly retries?: number | undefined
  readonly failuresToOpen?: number | undefined
  readonly openFor?: Duration.Input | undefined
}

const failure = (reason: TaskReason) => new TaskApiError({ reason })
const failed = (detail: string) => failure(new PlatformFailed({ detail }))

/** One segment of a path that cannot climb out of it. */
const isId = (id: string): boolean => /^(?!\.+$)[\w.:~-]{1,200}$/.test(id)

/** Answers are small; whoever sends more is no task pool. */
const maxAnswer = 4 * 1024 * 1024

const textOf = (response: HttpClientResponse.HttpClientResponse) =>
  platformAnswer.textOf(response, maxAnswer, () => failed("its answer is far too long"))

/** Counts bytes as they pass, and fails when for a while none did. */
const makeMeter = (stall: Duration.Input, origin: string) => {
  let moved = 0
  return {
    add: (bytes: number) => {
      moved += bytes
      return moved
    },
    watch: <A, R>(work: Effect.Effect<A, TaskApiError, R>): Effect.Effect<A, TaskApiError, R> =>
      Effect.raceFirst(
        work,
        Effect.gen(function* () {
          for (;;) {
            const before = moved
            yield* Effect.sleep(stall)
            if (moved === before) return yield* failed(`${origin} took or gave nothing more`)
          }
        })
      )
  }
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<TaskApi["Service"], never, HttpClient.HttpClient | FileSystem.FileSystem> {
  const client = yield* HttpClient.HttpClient
  const fs = yield* FileSystem.FileSystem
  const files = ownFile.make(fs)
  const stall = options.stall ?? "1 minute"
  const breaker = CircuitBreaker.make<TaskApiError>({
    failures: options.failuresToOpen,
    pause: options.openFor,
    counts: ({ reason }) => reason._tag === "PlatformFailed",
    refuse: (until) => failure(new CircuitOpen({ until }))
  })
  const base = new URL(options.baseUrl)
  base.pathname = base.pathname.replace(/\/*$/, "/")
  const { origin } = base

  /** Law secret: in clear only on this machine, and only to the platform that issued the keys. */
  const allowed = (url: URL): Effect.Effect<void, TaskApiError> => {
    const refuse = (why: "clear" | "foreign") => Effect.fail(failure(new AddressRefused({ url: url.origin, why })))
    if (!PlatformAddress.mayCarryKeys(url)) return refuse("clear")
    const { issuer } = options
    return issuer === undefined || PlatformAddress.sameOrigin(PlatformAddress.originOf(url), issuer)
      ? Effect.void
      : refuse("foreign")
  }

  const send = (request: HttpClientRequest.HttpClientRequest) =>
    client
      .execute(
        HttpClientRequest.setHeaders(request, {
          "x-api-key": options.appKey,
          "x-api-secret": Redacted.value(options.appSecret)
        })
      )
      // A redirect would carry the keys to a host that nobody named.
      .pipe(Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }))

  const broken = (url: string) => (error: HttpClientError.HttpClientError | TaskApiError) => {
    if (error._tag === "TaskApiError") return error
    const at = URL.parse(url)?.origin ?? origin
    return failed(error.reason._tag === "TransportError" ? `${at} cannot be reached` : `the answer of ${at} broke off`)
  }

  const answer = (request: HttpClientRequest.HttpClientRequest, call: taskAnswers.Call) =>
    send(request).pipe(
      Effect.flatMap((response) => Effect.map(textOf(response), (text) => ({ status: response.status, text }))),
      Effect.mapError(broken(request.url)),
      Effect.flatMap(({ status, text }) => Effect.fromResult(taskAnswers.understand(status, text, call)))
    )

  const again = <A>(call: Effect.Effect<A, TaskApiError>): Effect.Effect<A, TaskApiError> =>
    Effect.retry(call, {
      schedule: Schedule.exponential("300 millis").pipe(
        Schedule.jittered,
        Schedule.upTo({ times: options.retries ?? 3 })
      ),
      // While the circuit is open no pause of ours is long enough.
      while: ({ reason }) => reason._tag === "PlatformFailed"
    })

  /** A call without files. */
  const ask = <A>(
    request: HttpClientRequest.HttpClientRequest,
    call: taskAnswers.Call,
    decode: (data: unknown) => Result.Result<A, TaskApiError>
  ): Effect.Effect<A, TaskApiError> =>
    answer(request, call).pipe(
      Effect.flatMap((data) => Effect.fromResult(decode(data))),
      Effect.timeoutOrElse({
        duration: options.timeout ?? "15 seconds",
        orElse: () => Effect.fail(failed(`${origin} did not answer in time`))
      }),
      breaker.guard
    )

  const nothing = (): Result.Result<void, TaskApiError> => Result.succeed(undefined)

  const taskUrl = Effect.fnUntraced(function* (taskId: string, rest = ""): Effect.fn.Return<URL, TaskApiError> {
    if (!isId(taskId)) return yield* failure(new TaskUnknown({ taskId: taskId.slice(0, 100).toWellFormed() }))
    const url = new URL(`bots/tasks/${taskId}${rest}`, base)
    yield* allowed(url)
    return url
  })

  interface Upload<A> {
    readonly url: URL
    readonly call: taskAnswers.Call
    readonly attempt: string
    readonly fields: ReadonlyArray<readonly [string, string]>
    readonly file: { readonly field: string; readonly path: string; readonly mediaType: string } | undefined
    /** Say the checksum behind the file, for a platform that is known to look at it. */
    readonly tell: boolean
    readonly progress: Progress | undefined
    readonly decode: (data: unknown) => Result.Result<A, TaskApiError>
  }

  /** Each try reads the file anew, and it must be the one that was looked at before the first. */
  const put = Effect.fnUntraced(function* <A>(upload: Upload<A>) {
    const { file, progress, url } = upload
    yield* allowed(url)
    const look =
      file === undefined ? undefined : yield* Effect.mapError(files.look(file.path, bounds.archiveBytes), failure)
    const boundary = `clawfiber${(yield* Random.nextIntBetween(0, 2 ** 48)).toString(36)}${(yield* Random.nextIntBetween(0, 2 ** 48)).toString(36)}`
    const once = Effect.suspend(() => {
      const measured: ownFile.Measured = { size: 0, sha256: undefined }
      const meter = makeMeter(stall, url.origin)
      // The client knows a body that failed only as a broken transport.
      let fault: FileUnusable | undefined
      const content = (seen: ownFile.Look) =>
        files.content(seen, measured).pipe(
          Stream.tap((bytes) => {
            const sent = meter.add(bytes.length)
            return progress === undefined ? Effect.void : progress(sent, seen.size)
          }),
          Stream.tapError((error) =>
            Effect.sync(() => {
              fault = error
            })
          )
        )
      const body = multipart.make({
        boundary,
        fields: upload.fields,
        file:
          file === undefined || look === undefined
            ? undefined
            : { ...file, filename: basename(file.path), size: look.size, content: content(look) },
        after:
          look !== undefined && upload.tell
            ? { name: "sha256", length: 64, value: () => measured.sha256 ?? "" }
            : undefined
      })
      const request = HttpClientRequest.post(url).pipe(
        HttpClientRequest.setHeader("idempotency-key", upload.attempt),
        HttpClientRequest.bodyStream(body.stream, { contentType: body.contentType, contentLength: body.length })
      )
      return meter.watch(answer(request, upload.call)).pipe(
        Effect.mapError((error) => (fault === undefined ? error : failure(fault))),
        Effect.flatMap((data) => Effect.fromResult(upload.decode(data))),
        Effect.map((data) => ({ data, measured }))
      )
    })
    return yield* again(breaker.guard(once))
  })

  return TaskApi.of({
    list: Effect.fn("TaskApi.list")(function* ({ category, page = 1, pageSize = 20 }) {
      const url = new URL("bots/tasks/available", base)
      yield* allowed(url)
      url.searchParams.set("page", String(page))
      url.searchParams.set("page_size", String(pageSize))
      if (category !== undefined) url.searchParams.set("category", category)
      const found = yield* again(ask(HttpClientRequest.get(url), { taskId: "", leased: false }, taskAnswers.page))
      // A platform that does not know the filter sends all.
      return category === undefined
        ? found
        : { ...found, items: found.items.filter((item) => item.category === category) }
    }),

    get: Effect.fn("TaskApi.get")(function* (taskId) {
      const url = yield* taskUrl(taskId)
      return yield* again(ask(HttpClientRequest.get(url), { taskId, leased: false }, taskAnswers.task))
    }),

    grab: Effect.fn("TaskApi.grab")(function* ({ attempt, taskId }) {
      const url = yield* taskUrl(taskId, "/grab")
      const request = HttpClientRequest.setHeader(HttpClientRequest.post(url), "idempotency-key", attempt)
      const lease = yield* again(ask(request, { taskId, leased: false }, taskAnswers.grab))
      return { taskId, lease }
    }),

    keep: Effect.fn("TaskApi.keep")(function* ({ fencing, taskId }) {
      const url = yield* taskUrl(taskId, "/lease")
      const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), { fencing })
      return yield* ask(request, { taskId, leased: true }, taskAnswers.lease).pipe(
        // Whatever else it is now, it is not ours.
        Effect.mapError((error) =>
          error.reason._tag === "NotAvailable" || error.reason._tag === "TaskUnknown"
            ? failure(new LeaseLost({ taskId }))
            : error
        )
      )
    }),

    release: Effect.fn("TaskApi.release")(function* ({ fencing, reason, taskId }) {
      const url = yield* taskUrl(taskId, "/release")
      const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(url), { fencing, reason })
      yield* ask(request, { taskId, leased: true }, nothing)
    }),

    setStatus: Effect.fn("TaskApi.setStatus")(function* ({ fencing, status, taskId }) {
      const url = yield* taskUrl(taskId, "/status")
      const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.put(url), {
        status,
        ...(fencing === undefined ? {} : { fencing })
      })
      yield* ask(request, { taskId, leased: fencing !== undefined }, nothing)
    }),

    deliver: Effect.fn("TaskApi.deliver")(function* ({
      archive,
      attempt,
      fencing,
      progress,
      resultDescription,
      taskId
    }) {
      const url = yield* taskUrl(taskId, "/deliverable")
      if (resultDescription.trim() === "") {
        return yield* failure(
          new InvalidParameter({ param: "result_description", detail: "Say in words what was done." })
        )
      }
      const { data } = yield* put({
        url,
        call: { taskId, leased: fencing !== undefined },
        attempt,
        fields: [
          ["result_description", resultDescription],
          ...(fencing === undefined ? [] : [["fencing", String(fencing)] as const])
        ],
        file: archive === undefined ? undefined : { field: "zip_file", path: archive, mediaType: "application/zip" },
        tell: fencing !== undefined,
        progress,
        decode: taskAnswers.delivery
      })
      return { resultZipUrl: data.resultZipUrl, uploadedAt: data.uploadedAt ?? (yield* Clock.currentTimeMillis) }
    }),

    upload: Effect.fn("TaskApi.upload")(function* ({ attempt, path, progress, to }) {
      const taskId = "taskId" in to ? to.taskId : ""
      const fencing = "taskId" in to ? to.fencing : undefined
      const { data, measured } = yield* put({
        url: options.artifactUrl,
        call: { taskId, leased: fencing !== undefined },
        attempt,
        fields: [
          "taskId" in to ? ["task_id", to.taskId] : ["session_id", to.sessionId],
          ...(fencing === undefined ? [] : [["fencing", String(fencing)] as const])
        ],
        file: { field: "file", path, mediaType: "application/octet-stream" },
        tell: true,
        progress,
        decode: taskAnswers.artifact
      })
      const sha256 = measured.sha256 ?? ""
      if ((data.sha256 ?? sha256) !== sha256 || (data.size ?? measured.size) !== measured.size) {
        return yield* failed("what arrived there is not the file that was sent")
      }
      return {
        artifactId: data.artifactId,
        url: data.url,
        filename: data.filename ?? basename(path),
        size: measured.size,
        sha256
      }
    }),

    download: Effect.fn("TaskApi.download")(function* ({ file, path }) {
      const url = URL.parse(file.url, base.href)
      if (url === null) return yield* failed(`the address of ${file.filename} is none`)
      yield* allowed(url)
      // The keys go to the platform's own doors, not to wherever a stranger's task points.
      if (!PlatformAddress.sameOrigin(url.origin, origin)) {
        return yield* failure(new AddressRefused({ url: url.origin, why: "foreign" }))
      }
      const part = `${path}.part`
      const unusable = () => failure(new FileUnusable({ path, detail: "it cannot be written" }))
      const once = Effect.gen(function* () {
        const meter = makeMeter(stall, url.origin)
        const work = Effect.gen(function* () {
          const response = yield* Effect.mapError(send(HttpClientRequest.get(url)), broken(url.href))
          if (response.status !== 200) {
            const text = yield* Effect.mapError(textOf(response), broken(url.href))
            yield* Effect.fromResult(taskAnswers.understand(response.status, text, { taskId: "", leased: false }))
            return yield* failed(`it answered with ${response.status} instead of the file`)
          }
          const hash = createHash("sha256")
          const target = yield* Effect.mapError(fs.open(part, { flag: "w", mode: 0o600, noFollow: true }), unusable)
          let size = 0
          yield* response.stream.pipe(
            Stream.mapError(broken(url.href)),
            Stream.runForEach((bytes) => {
              size = meter.add(bytes.length)
              if (size > file.size) return Effect.fail(failed(`${file.filename} is larger than it was said to be`))
              hash.update(bytes)
              return Effect.mapError(target.writeAll(bytes), unusable)
            })
          )
          if (size !== file.size || (file.sha256 !== undefined && file.sha256 !== hash.digest("hex"))) {
            return yield* failed(`${file.filename} did not arrive whole`)
          }
          yield* Effect.mapError(target.sync, unusable)
        })
        yield* meter.watch(Effect.scoped(work))
      })
      yield* again(breaker.guard(once)).pipe(
        Effect.andThen(Effect.mapError(fs.rename(part, path), unusable)),
        Effect.onError(() => Effect.ignore(fs.remove(part, { force: true })))
      )
    })
  })
})

export const layer = (options: Options): Layer.Layer<TaskApi, never, HttpClient.HttpClient | FileSystem.FileSystem> =>
  Layer.effect(TaskApi, make(options))
