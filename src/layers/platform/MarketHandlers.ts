/** The task market for those who post, answered; and the bytes of what was handed in. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import { type Artifact, Artifacts } from "../../services/platform/Artifacts.ts"
import * as Files from "../../services/platform/Files.ts"
import { Identities } from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import { Conflict, NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { type NewTask, TaskPool, type WrongState } from "../../services/platform/TaskPool.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import { CurrentPerson, InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import type { NewTask as NewTaskModel, TaskChanges } from "../../services/protocol/MarketModels.ts"
import { inWords } from "./apiRefusals.ts"
import { checkAttempt } from "./BotUploads.ts"
import * as fileAnswer from "./fileAnswer.ts"
import { filesOf, toArtifact, toEntry, toPosted } from "./marketAnswers.ts"
import { bearerOf } from "./requests.ts"

const missing = new NotFound({ what: "artifact" })

const isWrongState = (error: unknown): error is WrongState =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "WrongState"

/** It fits no more to what has happened since. */
const outdated = <A, E, R>(self: Effect.Effect<A, E | WrongState, R>): Effect.Effect<A, E | Conflict, R> =>
  Effect.catchIf(self, isWrongState, ({ detail }) => Effect.fail(new Conflict({ detail }))) as Effect.Effect<
    A,
    E | Conflict,
    R
  >

const readNew = (given: typeof NewTaskModel.Type): NewTask => ({
  title: given.title,
  description: given.description,
  category: given.category,
  bounty: given.bounty,
  deadline: given.deadline ?? undefined,
  inputFiles: given.input_files ?? []
})

const readChanges = (given: typeof TaskChanges.Type): Partial<NewTask> => ({
  ...(given.title === undefined ? {} : { title: given.title }),
  ...(given.description === undefined ? {} : { description: given.description }),
  ...(given.category === undefined ? {} : { category: given.category }),
  ...(given.bounty === undefined ? {} : { bounty: given.bounty }),
  ...(given.deadline === undefined ? {} : { deadline: given.deadline ?? undefined }),
  ...(given.input_files === undefined ? {} : { inputFiles: given.input_files })
})

export const layer = HttpApiBuilder.group(
  InstaClawApi,
  "tasks",
  Effect.fn(function* (handlers) {
    const artifacts = yield* Artifacts
    const files = yield* Files.Files
    const identities = yield* Identities
    const pool = yield* TaskPool

    const nameOf = (clawId: string | undefined) =>
      clawId === undefined
        ? Effect.succeed(null)
        : identities.find(clawId).pipe(
            Effect.map(({ name }): string | null => name),
            Effect.catchTag("NotFound", () => Effect.succeed(null))
          )

    const detail = Effect.fnUntraced(function* (userId: string, taskId: string) {
      const task = yield* pool.findMine(userId, taskId)
      const { assignedClawId, deliverable } = task
      const handed =
        deliverable === undefined || assignedClawId === undefined ? [] : yield* artifacts.ofTask(taskId, assignedClawId)
      const archive = handed.find(({ artifactId }) => artifactId === deliverable?.archiveId)
      return {
        ...toPosted(task),
        agent_name: yield* nameOf(assignedClawId),
        files: yield* filesOf(files, task, (fileId) => `/files/${fileId}`),
        deliverable:
          deliverable === undefined
            ? null
            : {
                result_description: deliverable.resultDescription,
                uploaded_at: deliverable.uploadedAt,
                archive: archive === undefined ? null : toArtifact(archive),
                artifacts: handed.filter(({ artifactId }) => artifactId !== archive?.artifactId).map(toArtifact)
              }
      }
    })

    return handlers.handleAll({
      postTask: Effect.fnUntraced(function* ({ headers, payload }) {
        const { userId } = yield* CurrentPerson
        const attempt = yield* inWords(checkAttempt(headers["idempotency-key"]))
        const task = yield* inWords(pool.post(userId, readNew(payload), attempt))
        return answer(toPosted(task), "The task is on the market, and its bounty is put aside.")
      }),
      myTasks: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentPerson
        const { before, limit = 50, status } = query
        const { items, next } = yield* inWords(pool.mine(userId, { limit, before, status }))
        return answer({ items: items.map(toPosted), ...(next === undefined ? {} : { next }) })
      }),
      myTask: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        return answer(yield* inWords(detail(userId, params.task_id)))
      }),
      editTask: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentPerson
        return answer(toPosted(yield* inWords(outdated(pool.edit(userId, params.task_id, readChanges(payload))))))
      }),
      withdrawTask: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        const task = yield* inWords(outdated(pool.withdraw(userId, params.task_id)))
        return answer(toPosted(task), "The task is off the market, and its bounty is yours again.")
      }),
      acceptTask: Effect.fnUntraced(function* ({ headers, params }) {
        const { userId } = yield* CurrentPerson
        const attempt = yield* inWords(checkAttempt(headers["idempotency-key"]))
        const task = yield* inWords(outdated(pool.accept(userId, params.task_id, attempt)))
        return answer(toPosted(task), "Accepted, and the bounty is paid.")
      }),
      returnTask: Effect.fnUntraced(function* ({ params, payload }) {
        const { userId } = yield* CurrentPerson
        const task = yield* inWords(outdated(pool.giveBack(userId, params.task_id, payload.reason)))
        return answer(toPosted(task), "Sent back: the agent has it again, with your reason.")
      }),
      deliverable: Effect.fnUntraced(function* ({ params }) {
        const { userId } = yield* CurrentPerson
        const { deliverable } = yield* inWords(pool.findMine(userId, params.task_id))
        const archiveId = deliverable?.archiveId
        if (archiveId === undefined) return yield* inWords(Effect.fail(new NotFound({ what: "deliverable" })))
        const archive = yield* inWords(artifacts.find(archiveId))
        return fileAnswer.of(archive, artifacts.read(archiveId))
      }),
      ledger: Effect.fnUntraced(function* ({ query }) {
        const { userId } = yield* CurrentPerson
        const { before, limit = 50 } = query
        const { balance, items, next } = yield* inWords(pool.ledger(userId, { limit, before }))
        return answer({ balance, items: items.map(toEntry), ...(next === undefined ? {} : { next }) })
      })
    })
  })
)

const needsKeys = refuse[401](
  "This file is for the agent that sent it and the person it is for. Send Authorization: Bearer, or X-API-Key and X-API-Secret."
)

export const layerArtifacts = HttpApiBuilder.group(
  InstaClawApi,
  "artifacts",
  Effect.fn(function* (handlers) {
    const artifacts = yield* Artifacts
    const identities = yield* Identities
    const people = yield* People.People
    const pool = yield* TaskPool
    const sessions = yield* Sessions.Sessions

    const isThere = (self: Effect.Effect<boolean, NotFound | StoreError>) =>
      Effect.catchTag(self, "NotFound", () => Effect.succeed(false))

    /** Who asks, known before the file is looked up: unknown, foreign and forbidden look alike. */
    const readerOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const appKey = request.headers["x-api-key"] ?? request.headers["x-app-key"]
      if (appKey !== undefined) {
        const secret = request.headers["x-api-secret"] ?? request.headers["x-app-secret"] ?? ""
        const { clawId } = yield* identities.authenticate(appKey, Redacted.make(secret))
        return (artifact: Artifact) => Effect.succeed(artifact.clawId === clawId)
      }
      const bearer = bearerOf(request)
      if (bearer === undefined) return undefined
      const { userId } = yield* people.authenticate(bearer)
      return ({ clawId, sessionId, taskId }: Artifact): Effect.Effect<boolean, NotFound | StoreError> => {
        if (sessionId !== undefined) return Effect.as(sessions.find(userId, sessionId), true)
        if (taskId === undefined) return Effect.succeed(false)
        // What lies there before it is handed in is the agent's own.
        return Effect.map(
          pool.findMine(userId, taskId),
          (task) => task.assignedClawId === clawId && task.deliverable !== undefined
        )
      }
    })

    return handlers.handleAll({
      downloadArtifact: Effect.fnUntraced(function* ({ params, request }) {
        const mayRead = yield* inWords(readerOf(request))
        if (mayRead === undefined) return yield* needsKeys
        const artifact = yield* inWords(artifacts.find(params.artifact_id))
        if (!(yield* inWords(isThere(mayRead(artifact))))) return yield* inWords(Effect.fail(missing))
        return fileAnswer.of(artifact, artifacts.read(artifact.artifactId))
      })
    })
  })
)
