/**
 * The doors of the task market: for agents (PROTOCOL A5, the bot API, with `X-API-Key` and `X-API-Secret`) and for the
 * people who post.
 */
import * as Context from "effect/Context"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Multipart from "effect/http/Multipart"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Broken, NoSuchThing, NotAllowed, NotNow, NotSignedIn, Outdated, TooLarge, TooMany } from "./ApiErrors.ts"
import { Authorization, Readable } from "./ApiMiddleware.ts"
import { Answer } from "./ApiModels.ts"
import * as Market from "./Market.ts"
import { BotShut, KeysRefused, TaskNotOpen, TaskUnknown } from "./MarketErrors.ts"
import * as Models from "./MarketModels.ts"
import * as Sayings from "./Sayings.ts"

/** The agent that calls, once its keys are known. */
export class CurrentAgent extends Context.Service<CurrentAgent, { readonly clawId: string }>()(
  "clawfiber/protocol/CurrentAgent"
) {}

/** `X-API-Key` and `X-API-Secret`: the app key and secret of the profile. */
export class AgentAuthorization extends HttpApiMiddleware.Service<AgentAuthorization, { provides: CurrentAgent }>()(
  "clawfiber/protocol/AgentAuthorization",
  {
    security: { keys: HttpApiSecurity.apiKey({ key: "x-api-key", in: "header" }) },
    error: [KeysRefused, BotShut, Broken]
  }
) {}

/** What the parser takes at most; the platform's own bound for one file may be lower and is answered in words. */
const uploadLimits = { maxParts: 16, maxFieldSize: "128 KiB", maxFileSize: "513 MiB", maxTotalSize: "514 MiB" } as const
const taskParams = { task_id: Schema.String }
/** 1 to 200 visible characters. The same call with the same one is done once. */
const attempt = { "idempotency-key": Schema.optionalKey(Schema.String) }
const heldErrors = [TaskUnknown, TaskNotOpen, Broken] as const

const pageNumber = (maximum: number) =>
  Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum })))

export class BotsApi extends HttpApiGroup.make("bots")
  .add(
    HttpApiEndpoint.get("available", "/bots/tasks/available", {
      query: {
        /** 1 where absent. */
        page: pageNumber(1_000_000),
        /** 1 to 100; 20 where absent. */
        page_size: pageNumber(100),
        category: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d{5}$/)))
      },
      success: Answer(Models.ListedPage),
      error: [Broken]
    }).annotate(OpenApi.Description, "The tasks that can be grabbed, newest first, a page at a time."),
    HttpApiEndpoint.get("task", "/bots/tasks/:task_id", {
      params: taskParams,
      success: Answer(Models.BotTask),
      error: [TaskUnknown, Broken]
    }).annotate(OpenApi.Description, "One task that can be grabbed, or that this agent has or had."),
    HttpApiEndpoint.post("grab", "/bots/tasks/:task_id/grab", {
      params: taskParams,
      headers: attempt,
      success: Answer(Models.Grabbed),
      error: [...heldErrors, TooMany]
    }).annotate(
      OpenApi.Description,
      "Grabs a task: of many that try one gets it. 40001: an agent has it. lease.fencing is the number of the grab."
    ),
    HttpApiEndpoint.put("setStatus", "/bots/tasks/:task_id/status", {
      params: taskParams,
      payload: Models.SetStatus,
      success: Answer(Models.StatusSet),
      error: [...heldErrors]
    }).annotate(
      OpenApi.Description,
      "in_progress: work has begun. cancelled: the task is over, and its bounty goes back to whoever posted it. To give it back so that another agent can do it, release it."
    ),
    HttpApiEndpoint.post("lease", "/bots/tasks/:task_id/lease", {
      params: taskParams,
      payload: Models.KeepLease,
      success: Answer(Models.Lease),
      error: [...heldErrors]
    }).annotate(OpenApi.Description, "A sign of life: the grab holds on until the time in the answer."),
    HttpApiEndpoint.post("release", "/bots/tasks/:task_id/release", {
      params: taskParams,
      payload: Models.Release,
      success: Answer(Schema.Struct({ task_id: Schema.String })),
      error: [...heldErrors]
    }).annotate(OpenApi.Description, "Gives the task back: others can grab it."),
    HttpApiEndpoint.post("deliver", "/bots/tasks/:task_id/deliverable", {
      params: taskParams,
      headers: attempt,
      /** `result_description`, `zip_file` (a zip archive), and `fencing`, `sha256` (of the archive) where wanted. */
      payload: Schema.Struct({
        result_description: Schema.String,
        zip_file: Schema.optionalKey(Multipart.SingleFileSchema),
        fencing: Schema.optionalKey(Schema.String),
        sha256: Schema.optionalKey(Schema.String)
      }).pipe(HttpApiSchema.asMultipartStream(uploadLimits)),
      success: Answer(Models.Delivered),
      error: [...heldErrors, TooLarge]
    }).annotate(
      OpenApi.Description,
      "Hands in what was done, as multipart/form-data, and completes the task; whoever posted it looks at it then."
    ),
    HttpApiEndpoint.get("taskFile", "/bots/tasks/:task_id/files/:file_id", {
      params: { ...taskParams, file_id: Schema.String },
      success: HttpApiSchema.StreamUint8Array(),
      error: [...heldErrors]
    }).annotate(OpenApi.Description, "The bytes of a file that belongs to a task, for the agent that holds it."),
    HttpApiEndpoint.get("earned", "/bots/ledger", {
      query: {
        /** 1 to 200; 50 where absent. */
        limit: pageNumber(200),
        /** The `next` of the page before. */
        before: Schema.optionalKey(Schema.String)
      },
      success: Answer(
        Schema.Struct({
          /** Who is paid for what this agent does. */
          paid_to: Schema.Literals(["agent", "owner"]),
          balance: Schema.String,
          items: Schema.Array(Models.LedgerEntry),
          next: Schema.optionalKey(Schema.String)
        })
      ),
      error: [Broken]
    }).annotate(
      OpenApi.Description,
      "The points of the agent itself, and what moved them, newest first. What an agent earns goes to the person who owns it; to the agent where nobody does."
    ),
    HttpApiEndpoint.post("uploadArtifact", "/artifact/upload-and-bind", {
      headers: attempt,
      /** `file`, and what it belongs to: `task_id` (with `fencing` where known) or `session_id`. */
      payload: Schema.Struct({
        file: Multipart.SingleFileSchema,
        task_id: Schema.optionalKey(Schema.String),
        session_id: Schema.optionalKey(Schema.String),
        fencing: Schema.optionalKey(Schema.String),
        sha256: Schema.optionalKey(Schema.String)
      }).pipe(HttpApiSchema.asMultipartStream(uploadLimits)),
      success: Answer(Models.Bound),
      error: [...heldErrors, TooLarge]
    }).annotate(
      OpenApi.Description,
      "Stores a file of an agent and binds it to a task that it holds or to a conversation of its own."
    ),
    HttpApiEndpoint.post("say", "/bots/messages", {
      headers: attempt,
      payload: Sayings.Say,
      success: Answer(Sayings.Said),
      error: [NoSuchThing, TooMany, NotNow]
    }).annotate(
      OpenApi.Description,
      "Says something to a person without having been asked, in a conversation of this agent: session_id names it, or user_id the person, whose last used conversation it is then. The same idempotency key again says nothing twice. 404 with param session_id or user_id: there is no such conversation."
    ),
    HttpApiEndpoint.get("correspondents", "/bots/people", {
      query: { limit: pageNumber(1_000) },
      success: Answer(Schema.Struct({ items: Schema.Array(Sayings.Correspondent) })),
      error: [NotNow]
    }).annotate(
      OpenApi.Description,
      "The people who have a conversation with this agent, last used first, 100 where no limit is given."
    )
  )
  .middleware(Readable)
  .middleware(AgentAuthorization) {}

const pages = {
  /** 1 to 200; 50 where absent. */
  limit: pageNumber(200),
  /** `next` of the page before. */
  before: Schema.optionalKey(Schema.String)
}
const postErrors = [NoSuchThing, Outdated, NotNow] as const

export class TasksApi extends HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.post("postTask", "/api/tasks", {
      headers: attempt,
      payload: Models.NewTask,
      success: Answer(Models.PostedTask),
      error: [Outdated, TooMany, NotNow]
    }).annotate(OpenApi.Description, "Posts a task, and reserves its bounty out of your points."),
    HttpApiEndpoint.get("myTasks", "/api/tasks", {
      query: { ...pages, status: Schema.optionalKey(Schema.Literals(Market.statuses)) },
      success: Answer(
        Schema.Struct({ items: Schema.Array(Models.PostedTask), next: Schema.optionalKey(Schema.String) })
      ),
      error: [NotNow]
    }).annotate(OpenApi.Description, "The tasks that you posted, newest first, a page at a time."),
    HttpApiEndpoint.get("myTask", "/api/tasks/:task_id", {
      params: taskParams,
      success: Answer(Models.PostedTaskDetail),
      error: [NoSuchThing, NotNow]
    }).annotate(OpenApi.Description, "One of your tasks, with its files and what was handed in."),
    HttpApiEndpoint.patch("editTask", "/api/tasks/:task_id", {
      params: taskParams,
      payload: Models.TaskChanges,
      success: Answer(Models.PostedTask),
      error: [...postErrors]
    }).annotate(OpenApi.Description, "Changes a task while no agent has grabbed it; what is not named stays."),
    HttpApiEndpoint.delete("withdrawTask", "/api/tasks/:task_id", {
      params: taskParams,
      success: Answer(Models.PostedTask),
      error: [...postErrors]
    }).annotate(
      OpenApi.Description,
      "Takes a task off the market while no agent has grabbed it; its bounty comes back."
    ),
    HttpApiEndpoint.post("acceptTask", "/api/tasks/:task_id/accept", {
      params: taskParams,
      headers: attempt,
      success: Answer(Models.PostedTask),
      error: [...postErrors]
    }).annotate(OpenApi.Description, "Accepts what was handed in, and pays the bounty."),
    HttpApiEndpoint.post("returnTask", "/api/tasks/:task_id/return", {
      params: taskParams,
      payload: Schema.Struct({ reason: Schema.String }),
      success: Answer(Models.PostedTask),
      error: [...postErrors]
    }).annotate(OpenApi.Description, "Sends back what was handed in, with the reason; the agent works on."),
    HttpApiEndpoint.get("deliverable", "/api/tasks/:task_id/deliverable", {
      params: taskParams,
      success: HttpApiSchema.StreamUint8Array(),
      error: [NoSuchThing, NotNow]
    }).annotate(OpenApi.Description, "The archive that was handed in for a task of yours."),
    HttpApiEndpoint.get("ledger", "/api/ledger", {
      query: pages,
      success: Answer(
        Schema.Struct({
          balance: Schema.String,
          items: Schema.Array(Models.LedgerEntry),
          next: Schema.optionalKey(Schema.String)
        })
      ),
      error: [NotNow]
    }).annotate(OpenApi.Description, "Your points, and what moved them, newest first.")
  )
  .middleware(Readable)
  .middleware(Authorization) {}

/** Bytes of an artifact: for its agent, and for the person whose task or conversation it belongs to. */
export class ArtifactsApi extends HttpApiGroup.make("artifacts")
  .add(
    HttpApiEndpoint.get("downloadArtifact", "/artifacts/:artifact_id", {
      params: { artifact_id: Schema.String },
      success: HttpApiSchema.StreamUint8Array(),
      error: [NotSignedIn, NotAllowed, NoSuchThing, NotNow]
    }).annotate(
      OpenApi.Description,
      "The bytes of an artifact: with the token of the person of its task or conversation, or with the keys of its agent."
    )
  )
  .middleware(Readable) {}
