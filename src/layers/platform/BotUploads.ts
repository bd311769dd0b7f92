/**
 * What agents send as forms: a deliverable, an artifact. Parts come in any order and stream to disk; nothing stays of a
 * call that is refused or breaks off.
 */
import * as Effect from "effect/Effect"
import * as Multipart from "effect/http/Multipart"
import * as Stream from "effect/Stream"
import { type Artifact, Artifacts } from "../../services/platform/Artifacts.ts"
import { Invalid, type LimitReached, type NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { type LeaseLost, TaskPool, type WrongState } from "../../services/platform/TaskPool.ts"
import { type BadRequest, type Broken, refuse, type TooLarge } from "../../services/protocol/ApiErrors.ts"
import type { TaskNotOpen, TaskUnknown } from "../../services/protocol/MarketErrors.ts"
import { ofMultipart } from "./ApiFiles.ts"
import { inBotWords } from "./botRefusals.ts"
import { urlOf } from "./marketAnswers.ts"
import { readOnce } from "./spentBytes.ts"

type Parts = Stream.Stream<Multipart.Part, Multipart.MultipartError>

/** Texts of a form, by name; the first of each counts. */
type Fields = Map<string, string>

const missing = (param: string, detail: string) => new Invalid({ detail, param })

const fencingOf = (fields: Fields): Effect.Effect<number | undefined, Invalid> => {
  const given = fields.get("fencing")
  if (given === undefined || given === "") return Effect.undefined
  return /^[1-9]\d{0,14}$/.test(given)
    ? Effect.succeed(Number(given))
    : Effect.fail(
        missing("fencing", "The fencing number is no whole number. Send the one that the grab was answered with.")
      )
}

const checksumOf = (fields: Fields): Effect.Effect<string | undefined, Invalid> => {
  const given = fields.get("sha256")?.toLowerCase()
  if (given === undefined || given === "") return Effect.undefined
  return /^[0-9a-f]{64}$/.test(given)
    ? Effect.succeed(given)
    : Effect.fail(missing("sha256", "The SHA-256 is not 64 hexadecimal digits."))
}

export const checkAttempt = (attempt: string | undefined): Effect.Effect<string | undefined, Invalid> =>
  attempt === undefined || /^[\x21-\x7e]{1,200}$/.test(attempt)
    ? Effect.succeed(attempt)
    : Effect.fail(missing("idempotency-key", "An idempotency key has 1 to 200 visible characters, such as a UUID."))

export const make = Effect.gen(function* () {
  const artifacts = yield* Artifacts
  const pool = yield* TaskPool
  const sessions = yield* Sessions.Sessions

  const discard = (clawId: string, artifact: Artifact | undefined) =>
    artifact === undefined ? Effect.void : Effect.ignore(artifacts.remove(clawId, artifact.artifactId))

  /** Reads a form to its end. `before` looks at what has come when the file begins. */
  const receive = <E>(
    clawId: string,
    parts: Parts,
    input: {
      readonly field: string
      readonly isArchive: boolean
      readonly attempt: string | undefined
      readonly before: (fields: Fields) => Effect.Effect<{ readonly taskId: string | undefined }, E>
    }
  ) => {
    const fields: Fields = new Map()
    const got: { file: Artifact | undefined } = { file: undefined }
    return parts.pipe(
      Stream.runForEach((part) =>
        Effect.gen(function* () {
          if (!Multipart.isFile(part)) {
            if (Multipart.isField(part) && !fields.has(part.key)) fields.set(part.key, part.value)
            return
          }
          if (part.key !== input.field || got.file !== undefined) return yield* Stream.runDrain(part.content)
          const { taskId } = yield* input.before(fields)
          got.file = yield* artifacts.store(
            {
              clawId,
              taskId,
              sessionId: undefined,
              filename: part.name,
              mediaType: part.contentType,
              archive: input.isArchive,
              sha256: yield* checksumOf(fields),
              attempt: input.attempt
            },
            readOnce(part.content)
          )
        })
      ),
      Effect.andThen(
        Effect.gen(function* () {
          const said = yield* checksumOf(fields)
          if (said !== undefined && got.file !== undefined && got.file.sha256 !== said) {
            return yield* missing(
              "sha256",
              "The bytes that came have another SHA-256 than was said. Send the file again."
            )
          }
          return { fields, file: got.file, fencing: yield* fencingOf(fields) }
        })
      ),
      Effect.onError(() => discard(clawId, got.file))
    )
  }

  const deliver = Effect.fnUntraced(function* (
    clawId: string,
    taskId: string,
    given: string | undefined,
    parts: Parts
  ) {
    const attempt = yield* checkAttempt(given)
    const before = attempt === undefined ? undefined : yield* pool.delivered(clawId, taskId, attempt)
    if (before !== undefined) return before
    // Before anything is read: nobody uploads half an hour for a task that is not theirs.
    yield* pool.held(clawId, taskId)
    const { fencing, fields, file } = yield* receive(clawId, parts, {
      field: "zip_file",
      isArchive: true,
      attempt: attempt === undefined ? undefined : `deliver ${taskId} ${attempt}`,
      before: (fields) =>
        Effect.as(
          Effect.flatMap(fencingOf(fields), (fencing) => pool.held(clawId, taskId, fencing)),
          { taskId }
        )
    })
    return yield* Effect.gen(function* () {
      const resultDescription = fields.get("result_description")
      if (resultDescription === undefined) {
        return yield* missing("result_description", "The field result_description is missing: say what was done.")
      }
      return yield* pool.deliver(clawId, taskId, {
        resultDescription,
        archiveId: file?.artifactId,
        fencing,
        attempt
      })
    }).pipe(Effect.onError(() => discard(clawId, file)))
  })

  /** To what it is to be bound, if that is the agent's. */
  const targetOf = Effect.fnUntraced(function* (clawId: string, fields: Fields) {
    const taskId = fields.get("task_id")
    const sessionId = fields.get("session_id")
    if (taskId !== undefined && sessionId !== undefined) {
      return yield* missing("task_id", "A file belongs to a task or to a conversation. Name one of the two.")
    }
    if (taskId !== undefined) yield* pool.held(clawId, taskId, yield* fencingOf(fields))
    if (sessionId !== undefined) yield* sessions.findForAgent(clawId, sessionId)
    return { taskId, sessionId }
  })

  const upload = Effect.fnUntraced(function* (clawId: string, given: string | undefined, parts: Parts) {
    const attempt = yield* checkAttempt(given)
    const { fields, file } = yield* receive(clawId, parts, {
      field: "file",
      isArchive: false,
      attempt: attempt === undefined ? undefined : `upload ${attempt}`,
      // Where what it is bound to comes after the file, it is looked at then.
      before: (fields) => Effect.as(targetOf(clawId, fields), { taskId: undefined })
    })
    if (file === undefined) {
      return yield* missing("file", "The field file is missing: send one file in it, as multipart/form-data.")
    }
    const to = yield* targetOf(clawId, fields).pipe(
      Effect.flatMap((to) =>
        to.taskId === undefined && to.sessionId === undefined
          ? Effect.succeed(file)
          : artifacts.bind(clawId, file.artifactId, to)
      ),
      Effect.onError(() => discard(clawId, file))
    )
    return {
      artifact_id: to.artifactId,
      url: urlOf(to.artifactId),
      file_name: to.filename,
      size: to.size,
      sha256: to.sha256
    }
  })

  return {
    deliver: (...args: Parameters<typeof deliver>) => answered(deliver(...args)),
    upload: (...args: Parameters<typeof upload>) => answered(upload(...args))
  }
})

type UploadError = Invalid | LeaseLost | LimitReached | NotFound | StoreError | WrongState | Multipart.MultipartError

type UploadRefusal = BadRequest | Broken | TaskNotOpen | TaskUnknown | TooLarge

/** A file past a bound is told apart from asking too often. */
const answered = <A>(self: Effect.Effect<A, UploadError>) =>
  self.pipe(
    Effect.catch((error): Effect.Effect<never, UploadRefusal> => {
      switch (error._tag) {
        case "LimitReached":
          return Effect.fail(refuse[413](error.message))
        case "MultipartError":
          return Effect.fail(ofMultipart(error))
        default:
          return inBotWords(Effect.fail(error))
      }
    })
  )
