/** The market as those see it who post: typed calls with a person's token (PlatformClient), and files both ways. */
import { createHash } from "node:crypto"
import { basename } from "node:path"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as multipart from "../../layers/channel/multipart.ts"
import * as ownFile from "../../layers/channel/ownFile.ts"
import type { Progress } from "../../services/channel/TaskApi.ts"
import * as ApiModels from "../../services/protocol/ApiModels.ts"
import * as Models from "../../services/protocol/MarketModels.ts"
import { Failure } from "../Failure.ts"
import * as PlatformClient from "./PlatformClient.ts"

/** What the platform takes for a file of a task; it may say less. */
const maxFile = 512 * 1024 * 1024
/** Without a byte. */
const stall = "1 minute"

const fail = (message: string) => Effect.fail(new Failure({ message }))

export interface Options {
  readonly url: string
  readonly token: Redacted.Redacted<string>
}

/** What is to be fetched. */
export interface Wanted {
  readonly url: string
  readonly size: number
  readonly sha256: string
}

/** Fails when for a while nothing moved. */
const makeMeter = (origin: string) => {
  let moved = 0
  return {
    add: (bytes: number) => (moved += bytes),
    watch: <A, E, R>(work: Effect.Effect<A, E, R>) =>
      Effect.raceFirst(
        work,
        Effect.gen(function* () {
          for (;;) {
            const before = moved
            yield* Effect.sleep(stall)
            if (moved === before) return yield* fail(`${origin} took or gave nothing more. Try again in a moment.`)
          }
        })
      )
  }
}

export const make = Effect.fnUntraced(function* ({ token, url }: Options) {
  const client = yield* PlatformClient.make({ url, token })
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const files = ownFile.make(fs)
  const { ask, origin, path, send } = client

  const one = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.map(ask(ApiModels.Answer(Models.PostedTask), request, token), ({ data }) => data)
  const taskPath = (taskId: string, rest = "") => path(`api/tasks/${encodeURIComponent(taskId)}${rest}`)
  const json = HttpClientRequest.bodyJsonUnsafe

  /** Under one key, so that it is done once however often it is asked for. A refusal is an answer. */
  const once = <A>(call: (key: string) => Effect.Effect<A, Failure>) =>
    Effect.flatMap(random.uuidV4(), (key) =>
      Effect.retry(call(key), {
        schedule: Schedule.exponential("300 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 })),
        while: (error) => error.refused !== true
      })
    )
  const keyed = (request: HttpClientRequest.HttpClientRequest) => (key: string) =>
    one(HttpClientRequest.setHeader(request, "idempotency-key", key))

  return {
    origin,

    post: (task: typeof Models.NewTask.Type) => once(keyed(json(HttpClientRequest.post(path("api/tasks")), task))),

    edit: (taskId: string, changes: typeof Models.TaskChanges.Type) =>
      one(json(HttpClientRequest.patch(taskPath(taskId)), changes)),

    withdraw: (taskId: string) => one(HttpClientRequest.delete(taskPath(taskId))),

    accept: (taskId: string) => once(keyed(HttpClientRequest.post(taskPath(taskId, "/accept")))),

    giveBack: (taskId: string, reason: string) =>
      one(json(HttpClientRequest.post(taskPath(taskId, "/return")), { reason })),

    mine: (query: {
      readonly limit: number
      readonly before?: string | undefined
      readonly status?: string | undefined
    }) => {
      const at = path("api/tasks")
      at.searchParams.set("limit", String(query.limit))
      if (query.before !== undefined) at.searchParams.set("before", query.before)
      if (query.status !== undefined) at.searchParams.set("status", query.status)
      const Page = Schema.Struct({ items: Schema.Array(Models.PostedTask), next: Schema.optionalKey(Schema.String) })
      return Effect.map(ask(ApiModels.Answer(Page), HttpClientRequest.get(at), token), ({ data }) => data)
    },

    find: (taskId: string) =>
      Effect.map(
        ask(ApiModels.Answer(Models.PostedTaskDetail), HttpClientRequest.get(taskPath(taskId)), token),
        ({ data }) => data
      ),

    ledger: (query: { readonly limit: number; readonly before?: string | undefined }) => {
      const at = path("api/ledger")
      at.searchParams.set("limit", String(query.limit))
      if (query.before !== undefined) at.searchParams.set("before", query.before)
      const Page = Schema.Struct({
        balance: Schema.String,
        items: Schema.Array(Models.LedgerEntry),
        next: Schema.optionalKey(Schema.String)
      })
      return Effect.map(ask(ApiModels.Answer(Page), HttpClientRequest.get(at), token), ({ data }) => data)
    },

    /** Streams a file of this machine to the platform. */
    upload: Effect.fnUntraced(function* (file: string, progress: Progress) {
      const inWords = Effect.mapError(({ message }: { readonly message: string }) => new Failure({ message }))
      const unusable = ({ detail, path }: { readonly detail: string; readonly path: string }) =>
        new Failure({ message: `${path} cannot be sent: ${detail}. Nothing was posted.` })
      const seen = yield* Effect.mapError(files.look(file, maxFile), unusable)
      const measured: ownFile.Measured = { size: 0, sha256: undefined }
      const meter = makeMeter(origin)
      let fault: Failure | undefined
      const body = multipart.make({
        boundary: `clawfiber${(yield* random.uuidV4()).replaceAll("-", "")}`,
        fields: [],
        file: {
          field: "file",
          filename: basename(file),
          mediaType: "application/octet-stream",
          size: seen.size,
          content: files.content(seen, measured).pipe(
            Stream.tap((bytes) => progress(meter.add(bytes.length), seen.size)),
            Stream.tapError((error) => Effect.sync(() => void (fault = unusable(error))))
          )
        }
      })
      const request = HttpClientRequest.post(path("api/files")).pipe(
        HttpClientRequest.bodyStream(body.stream, { contentType: body.contentType, contentLength: body.length })
      )
      const Answer = ApiModels.Answer(ApiModels.StoredFile)
      const { data } = yield* meter
        .watch(
          send(request, token).pipe(
            Effect.flatMap((response) =>
              response.json.pipe(
                Effect.flatMap(Schema.decodeUnknownEffect(Answer)),
                Effect.mapError(
                  () => new Failure({ message: `${origin} answers, but not as a platform of clawfiber does.` })
                )
              )
            ),
            // The client knows a body that failed only as a broken transport.
            Effect.mapError((error) => fault ?? error)
          )
        )
        .pipe(inWords)
      if (data.sha256 !== measured.sha256) {
        return yield* fail(`What arrived at ${origin} is not ${file} as it was sent. Try again. Nothing was posted.`)
      }
      return data
    }),

    /** Into a file that is there whole and checked, or not at all. */
    download: Effect.fnUntraced(function* (wanted: Wanted, target: string, progress: Progress) {
      const at = path(wanted.url.replace(/^\//, ""))
      if (at.origin !== path("").origin)
        return yield* fail(`A file is said to lie at ${at.origin}: no token is sent there.`)
      const unwritable = () =>
        new Failure({ message: `${target} cannot be written. Mend its folder, or free some space.` })
      const part = `${target}.part`
      const meter = makeMeter(origin)
      const work = Effect.gen(function* () {
        const response = yield* send(HttpClientRequest.get(at), token)
        const file = yield* Effect.mapError(fs.open(part, { flag: "w", mode: 0o600, noFollow: true }), unwritable)
        const hash = createHash("sha256")
        let size = 0
        yield* response.stream.pipe(
          Stream.mapError(() => new Failure({ message: `The answer of ${origin} broke off. Try again.` })),
          Stream.runForEach((bytes) => {
            hash.update(bytes)
            size = meter.add(bytes.length)
            return Effect.andThen(Effect.mapError(file.writeAll(bytes), unwritable), progress(size, wanted.size))
          })
        )
        if (size !== wanted.size || hash.digest("hex") !== wanted.sha256) {
          return yield* fail(`${basename(target)} did not arrive whole. Try again.`)
        }
        yield* Effect.mapError(file.sync, unwritable)
      })
      yield* meter.watch(Effect.scoped(work)).pipe(
        Effect.andThen(Effect.mapError(fs.rename(part, target), unwritable)),
        Effect.onError(() => Effect.ignore(fs.remove(part, { force: true })))
      )
    })
  }
})
