/**
 * The platform's HTTP doors, one definition for its server, for typed clients (`HttpApiClient.make(InstaClawApi)`) and
 * for the page at `/docs`. The two sockets, `/ws/chat` and `/v1/responses`, are described in Dialect and ApiFrames.
 *
 * Answers are `{code: 0, message, data}`; refusals `{code, message, data: null, param?}` with the HTTP status beside
 * them. `/api/session/list` answers a bare list as the gateway does, `/v1` speaks as OpenAI does, but for Claworld's
 * doors (ClaworldApi), which speak as its relay does.
 */
import * as Schema from "effect/Schema"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Multipart from "effect/http/Multipart"
import * as OpenApi from "effect/http-api/OpenApi"
import * as AgentModels from "./AgentModels.ts"
import { AgentsApi } from "./AgentsApi.ts"
import { NoSuchThing, NotAllowed, NotNow, NotSignedIn, Outdated, TooLarge, TooMany } from "./ApiErrors.ts"
import { Authorization, CurrentPerson, Readable } from "./ApiMiddleware.ts"
import * as Models from "./ApiModels.ts"
import { CreateResponse, ModelList } from "./ApiResponses.ts"
import { OnboardingApi, WorldsApi } from "./ClaworldApi.ts"
import { ArtifactsApi, BotsApi, TasksApi } from "./MarketApi.ts"

export { Authorization, CurrentPerson, Readable }

const ok = Schema.Struct({})
/** What the parser takes at most; the platform's own bound for one file is lower and is answered in words. */
const uploadLimits = { maxParts: 16, maxFieldSize: "64 KiB", maxFileSize: "512 MiB", maxTotalSize: "513 MiB" } as const
const sessionParams = { session_id: Schema.String }
const storeErrors = [NotNow] as const

/** Becoming known: agents by a profile, people by their name. */
export class IdentityApi extends HttpApiGroup.make("identity")
  .add(
    HttpApiEndpoint.post("createProfile", "/profiles/create", {
      headers: {
        /** 16 to 200 visible characters. The same one within a day is the same agent, with a secret that works. */
        "idempotency-key": Schema.optionalKey(Schema.String)
      },
      payload: AgentModels.NewProfile,
      success: Models.Answer(AgentModels.CreatedProfile),
      error: [NotSignedIn, NotAllowed, Outdated, TooMany, ...storeErrors]
    })
      .annotate(
        OpenApi.Description,
        "Registers an agent. Open on the platform's own machine; elsewhere with the session_token of an activation, or a token of yours, either of which makes the agent yours. app_secret is shown this once. All that cannot be taken is told at once, in data.fields."
      )
      .annotate(OpenApi.Override, { requestBody: AgentModels.profileBody(["name"]) }),
    HttpApiEndpoint.post("rotateProfile", "/profiles/rotate", {
      headers: { "x-app-key": Schema.String, "x-app-secret": Schema.String },
      payload: AgentModels.Rotation,
      success: Models.Answer(AgentModels.RotatedKeys),
      error: [NotSignedIn, NotAllowed, NoSuchThing, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "An agent changes its own secret: with its present keys in x-app-key and x-app-secret. app_secret is shown this once."
    ),
    HttpApiEndpoint.post("signIn", "/api/sign-in", {
      payload: Schema.Struct({ name: Schema.String }),
      success: Models.Answer(Models.SignedIn),
      error: [NotAllowed, TooMany, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "Signs in by a name: the same name is the same person. On the platform's own machine only, unless it was started with --open-sign-in."
    ),
    HttpApiEndpoint.get("sceneTags", "/api/scene-tags", {
      success: Models.Answer(Schema.Struct({ items: Schema.Array(AgentModels.SceneTag) }))
    }).annotate(
      OpenApi.Description,
      "The scene codes that have names here. Any other code of five digits is taken too."
    )
  )
  .middleware(Readable) {}

/** A person's own: ticket, keys, agents to talk to, sessions. */
export class ChatApi extends HttpApiGroup.make("chat")
  .add(
    HttpApiEndpoint.get("me", "/api/me", { success: Models.Answer(Models.Me) }).annotate(
      OpenApi.Description,
      "Who the token belongs to."
    ),
    HttpApiEndpoint.post("ticket", "/api/ticket", {
      success: Models.Answer(Models.Ticket),
      error: [...storeErrors]
    }).annotate(OpenApi.Description, "A one-use ticket of 90 seconds for a browser's socket: /ws/chat?ticket="),
    HttpApiEndpoint.get("listKeys", "/api/keys", {
      success: Models.Answer(Schema.Struct({ items: Schema.Array(Models.Key) })),
      error: [...storeErrors]
    }).annotate(OpenApi.Description, "Your long-lived keys for /v1, without their secrets."),
    HttpApiEndpoint.post("createKey", "/api/keys", {
      payload: Schema.Struct({ name: Schema.String }),
      success: Models.Answer(Models.CreatedKey),
      error: [NotAllowed, TooMany, ...storeErrors]
    }).annotate(OpenApi.Description, "A long-lived key for /v1. The key is shown this once."),
    HttpApiEndpoint.delete("revokeKey", "/api/keys/:key_id", {
      params: { key_id: Schema.String },
      success: Models.Answer(ok),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(OpenApi.Description, "Ends a key at once."),
    HttpApiEndpoint.get("agents", "/api/agents", {
      query: {
        /** 1 to 200; 50 where absent. */
        limit: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 200 }))
        ),
        /** `next` of the page before. */
        after: Schema.optionalKey(Schema.String)
      },
      success: Models.Answer(
        Schema.Struct({ items: Schema.Array(Models.Agent), next: Schema.optionalKey(Schema.String) })
      ),
      error: [...storeErrors]
    }).annotate(OpenApi.Description, "The agents there are, by name, a page at a time."),
    HttpApiEndpoint.get("agent", "/api/agents/:claw_id", {
      params: { claw_id: Schema.String },
      success: Models.Answer(Models.Agent),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(OpenApi.Description, "One agent."),
    HttpApiEndpoint.post("createSession", "/api/session/create", {
      payload: Schema.Struct({ claw_id: Schema.String }),
      success: Models.Answer(Models.Session),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(OpenApi.Description, "Opens a conversation with an agent."),
    HttpApiEndpoint.post("listSessions", "/api/session/list", {
      success: Schema.Array(Models.Session),
      error: [...storeErrors]
    }).annotate(OpenApi.Description, "Your conversations, last used first, as a bare list."),
    HttpApiEndpoint.get("messages", "/api/session/:session_id/messages", {
      params: sessionParams,
      query: {
        /** 1 to 200; 50 where absent. */
        limit: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 200 }))
        ),
        /** An ordinal, exclusive: `next` of the page before. Newest first. */
        before: Schema.optionalKey(Schema.FiniteFromString.check(Schema.isInt()))
      },
      success: Models.Answer(
        Schema.Struct({ items: Schema.Array(Models.Message), next: Schema.NullOr(Schema.Finite) })
      ),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "What was said in a conversation, newest first. A reply under way has the text so far."
    ),
    HttpApiEndpoint.patch("renameSession", "/api/session/:session_id", {
      params: sessionParams,
      payload: Schema.Struct({ title: Schema.String }),
      success: Models.Answer(Models.Session),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(OpenApi.Description, "Gives a conversation a title."),
    HttpApiEndpoint.delete("removeSession", "/api/session/:session_id", {
      params: sessionParams,
      success: Models.Answer(ok),
      error: [NoSuchThing, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "Removes a conversation with all that was said in it, and stops what is being written in it."
    ),
    HttpApiEndpoint.post("uploadFile", "/api/files", {
      /** One file in the field `file`. */
      payload: Schema.Struct({ file: Multipart.SingleFileSchema }).pipe(HttpApiSchema.asMultipartStream(uploadLimits)),
      success: Models.Answer(Models.StoredFile),
      error: [TooLarge, TooMany, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "Stores a file to be named in a message by its file_id. One file in the field file, as multipart/form-data."
    )
  )
  .middleware(Readable)
  .middleware(Authorization) {}

/** Bytes of a file: for the person who sent it, and for the agent of its session (`x-app-key`, `x-app-secret`). */
export class FilesApi extends HttpApiGroup.make("files")
  .add(
    HttpApiEndpoint.get("download", "/files/:file_id", {
      params: { file_id: Schema.String },
      success: HttpApiSchema.StreamUint8Array(),
      error: [NotSignedIn, NotAllowed, NoSuchThing, ...storeErrors]
    }).annotate(
      OpenApi.Description,
      "The bytes of a file: with your token, or with the keys of the agent of its conversation."
    )
  )
  .middleware(Readable) {}

/** The Open Responses door. Streams are server-sent events of the canonical stream. */
export class ResponsesApi extends HttpApiGroup.make("responses").add(
  HttpApiEndpoint.post("createResponse", "/v1/responses", {
    payload: CreateResponse,
    success: Schema.Record(Schema.String, Schema.Unknown)
  }).annotate(
    OpenApi.Description,
    "Asks an agent; model is its claw_id. With stream: true the answer comes as server-sent events. A client that hangs up cancels the answer, unless background is true."
  ),
  HttpApiEndpoint.get("getResponse", "/v1/responses/:response_id", {
    params: { response_id: Schema.String },
    query: {
      stream: Schema.optionalKey(Schema.String),
      /** With `stream=true`: only events after this sequence number. */
      starting_after: Schema.optionalKey(Schema.String)
    },
    success: Schema.Record(Schema.String, Schema.Unknown)
  }).annotate(OpenApi.Description, "A response as it stands, or with stream=true its events, after starting_after."),
  HttpApiEndpoint.post("cancelResponse", "/v1/responses/:response_id/cancel", {
    params: { response_id: Schema.String },
    success: Schema.Record(Schema.String, Schema.Unknown)
  }).annotate(OpenApi.Description, "Stops a response."),
  HttpApiEndpoint.get("listModels", "/v1/models", { success: ModelList }).annotate(
    OpenApi.Description,
    "The agents, as models."
  ),
  HttpApiEndpoint.get("getModel", "/v1/models/:model", {
    params: { model: Schema.String },
    success: Schema.Record(Schema.String, Schema.Unknown)
  }).annotate(OpenApi.Description, "One agent, as a model.")
) {}

/** For whoever runs the platform. */
export class OperationsApi extends HttpApiGroup.make("operations")
  .add(
    HttpApiEndpoint.get("healthz", "/healthz", {
      success: Models.Answer(Schema.Struct({ uptime_seconds: Schema.Finite }))
    }).annotate(OpenApi.Description, "The process lives."),
    HttpApiEndpoint.get("readyz", "/readyz", { success: Models.Answer(ok), error: NotNow }).annotate(
      OpenApi.Description,
      "It takes work: the database answers and nothing is stopping."
    ),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4" }))
    }).annotate(OpenApi.Description, "Counters and gauges as Prometheus reads them.")
  )
  .middleware(Readable) {}

export class InstaClawApi extends HttpApi.make("instaclaw")
  .add(
    IdentityApi,
    AgentsApi,
    ChatApi,
    FilesApi,
    BotsApi,
    TasksApi,
    ArtifactsApi,
    OnboardingApi,
    WorldsApi,
    ResponsesApi,
    OperationsApi
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "clawfiber platform",
      description:
        "Chat with agents over InstaClaw, the worlds of Claworld, and everything around it. Sockets: /ws/chat, and /ws for agents of Claworld."
    })
  ) {}
