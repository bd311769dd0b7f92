/**
 * Claworld's doors over HTTP (PROTOCOL B4), with the app token of one agent, to the service that gave it and to no other
 * (law secret). What reads, and what carries a key of its attempt or says a delivery's own end, is tried again a few
 * times after growing pauses; nothing else is.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Models from "../../services/protocol/ClaworldModels.ts"
import { FetchFailed, Refused, WorldApi, WorldApiError } from "../../services/worlds/WorldApi.ts"
import * as platformAnswer from "../channel/platformAnswer.ts"
import * as PlatformAddress from "../channel/PlatformAddress.ts"

export interface Options {
  /** The service: http, https, ws or wss; a path in it is kept as a prefix. */
  readonly serverUrl: URL
  readonly appToken: Redacted.Redacted<string>
  readonly clientVersion: string
  /** For a whole answer. 15 seconds by default. */
  readonly timeout?: Duration.Input | undefined
  /** Of what may be repeated. 3 by default. */
  readonly retries?: number | undefined
}

/** Answers are small; whoever sends more is no service of this kind. */
const maxAnswer = 4 * 1024 * 1024

const failed = (detail: string) => new WorldApiError({ reason: new FetchFailed({ detail }) })

const Refusal = Schema.Struct({
  error: Schema.String,
  message: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  fieldErrors: Schema.optionalKey(Schema.Array(Models.FieldError)),
  missingFields: Schema.optionalKey(Schema.Array(Models.MissingField)),
  requiredAction: Schema.optionalKey(Schema.String),
  nextAction: Schema.optionalKey(Schema.String),
  nextTool: Schema.optionalKey(Schema.String)
})
const readRefusal = Schema.decodeUnknownOption(Schema.fromJsonString(Refusal))

export const refusalOf = (status: number, text: string): WorldApiError => {
  const body = Option.getOrUndefined(readRefusal(text))
  return new WorldApiError({
    reason: new Refused({
      status,
      code: body?.error ?? `http_${status}`,
      message: platformAnswer.tame(body?.message ?? body?.reason ?? `The service answered ${status}.`),
      ...(body?.fieldErrors === undefined ? {} : { fieldErrors: body.fieldErrors }),
      ...(body?.missingFields === undefined ? {} : { missingFields: body.missingFields }),
      ...(body?.requiredAction === undefined ? {} : { requiredAction: body.requiredAction }),
      ...(body?.nextAction === undefined ? {} : { nextAction: body.nextAction }),
      ...(body?.nextTool === undefined ? {} : { nextTool: body.nextTool })
    })
  })
}

/** Where the doors are, for the address of a service in any of its four forms. */
export const httpBase = (serverUrl: URL): URL => {
  const base = new URL(serverUrl)
  base.protocol = base.protocol === "wss:" ? "https:" : base.protocol === "ws:" ? "http:" : base.protocol
  base.search = ""
  base.hash = ""
  base.pathname = base.pathname.replace(/\/*$/, "/")
  return base
}

type Query = Readonly<Record<string, string | number | undefined>>

/** A call that may be made again when nobody knows how it ended. */
type Repeat = "safe" | "once"

const isConflict = ({ reason }: WorldApiError): boolean => reason._tag === "Refused" && reason.status === 409

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<WorldApi["Service"], never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const base = httpBase(options.serverUrl)

  const send = <A>(
    request: HttpClientRequest.HttpClientRequest,
    schema: Schema.Codec<A, unknown>,
    repeat: Repeat
  ): Effect.Effect<A, WorldApiError> => {
    if (!PlatformAddress.mayCarryKeys(base)) {
      return Effect.fail(failed(`${base.origin} is not encrypted and not on this machine: no token is sent there`))
    }
    const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
    const once = client
      .execute(
        HttpClientRequest.setHeaders(request, {
          authorization: `Bearer ${Redacted.value(options.appToken)}`,
          "x-claworld-client-version": options.clientVersion
        })
      )
      .pipe(
        // A redirect would carry the token to a host that nobody named.
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.flatMap((response) =>
          Effect.map(
            platformAnswer.textOf(response, maxAnswer, () => failed("its answer is far too long")),
            (text) => ({ status: response.status, text })
          )
        ),
        Effect.mapError((error) =>
          error._tag === "WorldApiError"
            ? error
            : failed(
                error.reason._tag === "TransportError"
                  ? `nobody answers at ${base.origin}`
                  : `the answer of ${base.origin} broke off`
              )
        ),
        Effect.flatMap(({ status, text }) => {
          if (status < 200 || status > 299) return Effect.fail(refusalOf(status, text))
          return Option.match(decode(text), {
            onNone: () => Effect.fail(failed(`${base.origin} answered something that cannot be read`)),
            onSome: (value) => Effect.succeed(value)
          })
        }),
        Effect.timeoutOrElse({
          duration: options.timeout ?? "15 seconds",
          orElse: () => Effect.fail(failed(`${base.origin} did not answer in time`))
        })
      )
    if (repeat === "once") return once
    return Effect.retry(once, {
      schedule: Schedule.exponential("300 millis").pipe(
        Schedule.jittered,
        Schedule.upTo({ times: options.retries ?? 3 })
      ),
      while: (error) => error.transient
    })
  }

  const at = (path: string, query: Query = {}): URL => {
    const url = new URL(path, base)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value))
    }
    return url
  }
  const get = <A>(path: string, schema: Schema.Codec<A, unknown>, query?: Query) =>
    send(HttpClientRequest.get(at(path, query)), schema, "safe")
  const post = <A>(path: string, body: unknown, schema: Schema.Codec<A, unknown>, repeat: Repeat, attempt?: string) =>
    send(
      HttpClientRequest.post(at(path)).pipe(
        HttpClientRequest.bodyJsonUnsafe(body),
        attempt === undefined ? (request) => request : HttpClientRequest.setHeader("idempotency-key", attempt)
      ),
      schema,
      repeat
    )
  /** One segment of a path, whatever a model wrote. */
  const seg = (id: string): string => encodeURIComponent(id.slice(0, 400).toWellFormed()).replaceAll(".", "%2E")

  const self = Effect.flatMap(
    get("v1/agents", Schema.Struct({ agents: Schema.Array(Models.WorldAgent) })),
    ({ agents: [agent] }) =>
      agent === undefined ? Effect.fail(failed(`${base.origin} knows no agent of this token`)) : Effect.succeed(agent)
  )

  const delivery = (deliveryId: string, what: string, body: unknown) =>
    post(`v1/runtime-deliveries/${seg(deliveryId)}/${what}`, body, Models.DeliveryState, "safe").pipe(
      Effect.asVoid,
      // It was said before: by this very answer, over the socket.
      Effect.catchIf(isConflict, () => Effect.void)
    )

  return WorldApi.of({
    self,
    worlds: ({ limit, page, sort }) => get("v1/worlds", Models.WorldPage, { limit, page, sort }),
    world: (worldId) => get(`v1/worlds/${seg(worldId)}`, Models.WorldDetail),
    createWorld: (input) => post("v1/worlds", input, Models.WorldDetail, "once"),
    // The same answers again are the same membership.
    join: (worldId, input) => post(`v1/worlds/${seg(worldId)}/join`, input, Models.JoinOutcome, "safe"),
    leave: (worldId, agentId) =>
      Effect.asVoid(
        send(
          HttpClientRequest.delete(at(`v1/worlds/${seg(worldId)}/memberships/${seg(agentId)}`)),
          Schema.Struct({ membershipStatus: Schema.String }),
          "safe"
        )
      ),
    candidates: (worldId, input) =>
      post(
        `v1/worlds/${seg(worldId)}/search`,
        input,
        Schema.Struct({ candidateFeed: Models.CandidateFeed, candidateDelivery: Models.CandidateDelivery }),
        "safe"
      ),
    requestChat: (input, attempt) => post("v1/chat-requests", input, Models.Requested, "safe", attempt),
    chatRequests: ({ direction, limit, status }) =>
      Effect.map(
        get("v1/chat-requests", Schema.Struct({ items: Schema.Array(Models.ChatRequest) }), {
          direction,
          limit,
          status
        }),
        ({ items }) => items
      ),
    acceptChatRequest: (id) => post(`v1/chat-requests/${seg(id)}/accept`, {}, Models.Decided, "safe"),
    rejectChatRequest: (id) => post(`v1/chat-requests/${seg(id)}/reject`, {}, Models.Decided, "safe"),
    endConversation: (conversationKey) =>
      Effect.asVoid(post(`v1/conversations/${seg(conversationKey)}/end`, {}, Models.Conversation, "safe")),
    block: (agentId, otherId) =>
      Effect.asVoid(
        send(
          HttpClientRequest.put(at(`v1/agents/${seg(agentId)}/blocked/${seg(otherId)}`)),
          Schema.Struct({ blocked: Schema.Boolean }),
          "safe"
        )
      ),
    transcript: (conversationKey, after) =>
      get(
        `v1/conversations/${seg(conversationKey)}`,
        Schema.Struct({
          conversation: Models.Conversation,
          counterparty: Models.Counterparty,
          turns: Schema.Array(Models.TranscriptTurn)
        }),
        { after }
      ),
    feedback: (input) => post("v1/feedback", input, Models.FeedbackKept, "once"),
    deliveryAccepted: (deliveryId, sessionKey) => delivery(deliveryId, "accepted", { sessionKey }),
    deliveryReply: (deliveryId, sessionKey, text) =>
      delivery(deliveryId, "reply", { sessionKey, payload: { text, source: "runtime" } }),
    deliveryKeptSilent: (deliveryId, sessionKey, reason) =>
      delivery(deliveryId, "kept-silent", { sessionKey, payload: { reason } })
  })
})

export const layer = (options: Options): Layer.Layer<WorldApi, never, HttpClient.HttpClient> =>
  Layer.effect(WorldApi, make(options))
