/** The bot API, answered (PROTOCOL A5). What comes as a form is in BotUploads. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Files from "../../services/platform/Files.ts"
import { Identities } from "../../services/platform/Identities.ts"
import { NotFound } from "../../services/platform/PlatformError.ts"
import { TaskPool } from "../../services/platform/TaskPool.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import { answer } from "../../services/protocol/ApiModels.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { codes } from "../../services/protocol/Market.ts"
import { AgentAuthorization, CurrentAgent } from "../../services/protocol/MarketApi.ts"
import { BotShut, KeysRefused } from "../../services/protocol/MarketErrors.ts"
import * as BotSayings from "./BotSayings.ts"
import * as BotUploads from "./BotUploads.ts"
import { inBotWords } from "./botRefusals.ts"
import * as fileAnswer from "./fileAnswer.ts"
import { filesOf, toBotTask, toEntry, toListed, urlOf } from "./marketAnswers.ts"

const needsKeys = new KeysRefused({
  code: codes.unauthorized,
  message: "This needs an agent's keys: send X-API-Key and X-API-Secret, the app_key and app_secret of its profile.",
  data: null
})

export const layerAuthorization: Layer.Layer<AgentAuthorization, never, Identities> = Layer.effect(
  AgentAuthorization,
  Effect.gen(function* () {
    const identities = yield* Identities
    const authenticate = Effect.fnUntraced(function* (appKey: string) {
      const { headers } = yield* HttpServerRequest
      const secret = headers["x-api-secret"]
      if (appKey === "" || secret === undefined || secret === "") return yield* needsKeys
      return yield* identities.authenticate(appKey, Redacted.make(secret)).pipe(
        Effect.catchTags({
          Unauthorized: ({ message }) =>
            Effect.fail(new KeysRefused({ code: codes.invalid_credentials, message, data: null })),
          NotAdmitted: ({ message, standing }) =>
            Effect.fail(
              new BotShut({
                code: standing === "pending" ? codes.bot_not_approved : codes.bot_inactive,
                message,
                data: null
              })
            ),
          StoreError: ({ detail, message }) =>
            Effect.andThen(Effect.logError(`The database failed: ${detail}`), Effect.fail(refuse[500](message)))
        })
      )
    })
    return AgentAuthorization.of({
      keys: (httpEffect, { credential }) =>
        Effect.flatMap(authenticate(Redacted.value(credential)), ({ clawId }) =>
          Effect.provideService(httpEffect, CurrentAgent, { clawId })
        )
    })
  })
)

const noFile = new NotFound({ what: "file" })

export const layer = HttpApiBuilder.group(
  InstaClawApi,
  "bots",
  Effect.fn(function* (handlers) {
    const files = yield* Files.Files
    const pool = yield* TaskPool
    const sayings = yield* BotSayings.make
    const uploads = yield* BotUploads.make

    return handlers.handleAll({
      available: Effect.fnUntraced(function* ({ query }) {
        const { category, page = 1, page_size = 20 } = query
        const { items, total } = yield* inBotWords(pool.available({ page, pageSize: page_size, category }))
        return answer({
          items: items.map(toListed),
          total,
          page,
          page_size,
          total_pages: Math.ceil(total / page_size)
        })
      }),
      task: Effect.fnUntraced(function* ({ params: { task_id } }) {
        const { clawId } = yield* CurrentAgent
        const task = yield* inBotWords(pool.find(clawId, task_id))
        const own = yield* inBotWords(filesOf(files, task, (fileId) => `/bots/tasks/${task_id}/files/${fileId}`))
        return answer(toBotTask(task, own))
      }),
      grab: Effect.fnUntraced(function* ({ headers, params: { task_id } }) {
        const { clawId } = yield* CurrentAgent
        const attempt = yield* inBotWords(BotUploads.checkAttempt(headers["idempotency-key"]))
        const { grabbedAt, lease } = yield* inBotWords(pool.grab(clawId, task_id, attempt))
        return answer({ task_id, grab_time: grabbedAt, lease }, "The task is this agent's.")
      }),
      setStatus: Effect.fnUntraced(function* ({ params: { task_id }, payload }) {
        const { clawId } = yield* CurrentAgent
        const task = yield* inBotWords(pool.setStatus(clawId, task_id, payload.status, payload.fencing))
        return answer({ task_id, status: task.status, updated_at: task.updatedAt })
      }),
      lease: Effect.fnUntraced(function* ({ params: { task_id }, payload }) {
        const { clawId } = yield* CurrentAgent
        return answer(yield* inBotWords(pool.keep(clawId, task_id, payload.fencing)))
      }),
      release: Effect.fnUntraced(function* ({ params: { task_id }, payload }) {
        const { clawId } = yield* CurrentAgent
        const { fencing, reason = "" } = payload
        yield* inBotWords(pool.release(clawId, task_id, { fencing, reason }))
        return answer({ task_id }, "The task is open to other agents again.")
      }),
      deliver: Effect.fnUntraced(function* ({ headers, params: { task_id }, payload }) {
        const { clawId } = yield* CurrentAgent
        const task = yield* uploads.deliver(clawId, task_id, headers["idempotency-key"], payload)
        const archiveId = task.deliverable?.archiveId
        return answer(
          {
            task_id,
            status: task.status,
            review: task.review ?? null,
            result_zip_url: archiveId === undefined ? null : urlOf(archiveId),
            result_description_url: `/bots/tasks/${task_id}`,
            uploaded_at: task.deliverable?.uploadedAt ?? task.updatedAt
          },
          "Handed in. Whoever posted the task looks at it now."
        )
      }),
      taskFile: Effect.fnUntraced(function* ({ params: { file_id, task_id } }) {
        const { clawId } = yield* CurrentAgent
        const task = yield* inBotWords(pool.held(clawId, task_id))
        if (!task.inputFiles.includes(file_id)) return yield* inBotWords(Effect.fail(noFile))
        const meta = yield* inBotWords(files.find(file_id))
        return fileAnswer.of(meta, files.read(meta.fileId))
      }),
      earned: Effect.fnUntraced(function* ({ query }) {
        const { clawId } = yield* CurrentAgent
        const { before, limit = 50 } = query
        const { balance, isOwned, items, next } = yield* inBotWords(pool.earned(clawId, { limit, before }))
        const entries = items.map(toEntry)
        const page = { balance, items: entries, ...(next === undefined ? {} : { next }) }
        return isOwned
          ? answer({ paid_to: "owner" as const, ...page }, "What this agent earns goes to the person who owns it.")
          : answer({ paid_to: "agent" as const, ...page })
      }),
      uploadArtifact: Effect.fnUntraced(function* ({ headers, payload }) {
        const { clawId } = yield* CurrentAgent
        return answer(yield* uploads.upload(clawId, headers["idempotency-key"], payload))
      }),
      say: Effect.fnUntraced(function* ({ headers, payload }) {
        const { clawId } = yield* CurrentAgent
        return yield* sayings.say(clawId, headers["idempotency-key"], payload)
      }),
      correspondents: Effect.fnUntraced(function* ({ query }) {
        const { clawId } = yield* CurrentAgent
        return yield* sayings.correspondents(clawId, query.limit)
      })
    })
  })
)
