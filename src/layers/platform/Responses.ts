/**
 * `/v1`: the Open Responses door over HTTP. A request becomes a message of a session like any other; the answer is the
 * canonical stream as server-sent events, or the whole response object.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as Stream from "effect/Stream"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { Identity } from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import type { LimitReached, NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import { CreateResponse } from "../../services/protocol/ApiResponses.ts"
import { sse, sseDone } from "../../services/protocol/dialects/OpenResponses.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { events, type ReplyHead, type Step, wholeResponse } from "../../services/protocol/ReplyLog.ts"
import type { ResponseObject } from "../../services/protocol/ResponseEvent.ts"
import * as HttpGuards from "./HttpGuards.ts"
import * as LiveReply from "./LiveReply.ts"
import * as OpenAiError from "./OpenAiError.ts"
import { partsOf } from "./responsesInput.ts"

const decode = Schema.decodeUnknownEffect(CreateResponse)
const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

const bad = (message: string, param: string | null, code: string | null = null) =>
  new OpenAiError.OpenAiError({ status: 400, type: "invalid_request_error", code, param, message })

const noModel = (model: string) =>
  new OpenAiError.OpenAiError({
    status: 404,
    type: "invalid_request_error",
    code: "model_not_found",
    param: "model",
    message: `There is no agent "${model.slice(0, 100)}" here. GET /v1/models lists those there are.`
  })

const noResponse = new OpenAiError.OpenAiError({
  status: 404,
  type: "invalid_request_error",
  code: "response_not_found",
  param: "response_id",
  message: "There is no such response, or it is not yours."
})

const away = new OpenAiError.OpenAiError({
  status: 503,
  type: "server_error",
  code: "agent_away",
  param: null,
  message: "This agent is not on the line, so nobody would answer. Try again when it is, or send background: true."
})

const ofPlatform = (error: NotFound | LimitReached | StoreError): OpenAiError.OpenAiError => {
  switch (error._tag) {
    case "NotFound":
      return new OpenAiError.OpenAiError({
        status: 404,
        type: "invalid_request_error",
        code: `${error.what.replaceAll(" ", "_")}_not_found`,
        param: null,
        message: error.message
      })
    case "LimitReached":
      return new OpenAiError.OpenAiError({
        status: 429,
        type: "rate_limit_error",
        code: "limit_reached",
        param: null,
        message: error.message
      })
    case "StoreError":
      return OpenAiError.unavailable(error)
  }
}

/** The response object as it stands: queued where nothing came yet. */
const objectOf = (exchange: Exchange, live: Broker.UnderWay | undefined): ResponseObject | object => {
  const { head } = LiveReply.routeOf(exchange)
  if (exchange.status === "completed" || exchange.status === "failed") {
    const terminal = LiveReply.stored(exchange).at(-1)
    if (terminal !== undefined && (terminal._tag === "Completed" || terminal._tag === "Failed")) {
      return wholeResponse(head, terminal)
    }
  }
  const created = events(head, { _tag: "Opened", sequence: 0 })[0]
  const begun = created !== undefined && "response" in created ? created.response : {}
  return live?.status === "answering" ? begun : { ...begun, status: "queued" }
}

const sseHeaders = { ...HttpGuards.dataHeaders, "cache-control": "no-cache", "x-accel-buffering": "no" } as const
const utf8 = new TextEncoder()
/**
 * A comment, at once and then every 20 seconds: Node sends the headers with the first bytes, and what stands between
 * (a proxy, the client's own patience: five minutes in Node's fetch) takes silence for death.
 */
const stillHere = Stream.map(Stream.tick("20 seconds"), () => utf8.encode(": still here\n\n"))

const frames = (head: ReplyHead, step: Step, after: number): Uint8Array =>
  utf8.encode(
    events(head, step)
      .filter((event) => event.sequence_number > after)
      .map((event) => sse(JSON.stringify(event)))
      .join("")
  )

const renumbered = (step: Step, sequence: number): Step => (step._tag === "Opened" ? step : { ...step, sequence })

const json = (body: unknown): HttpServerResponse.HttpServerResponse => HttpServerResponse.jsonUnsafe(body)

const toModel = (agent: Identity) => ({
  id: agent.clawId,
  object: "model",
  created: Math.floor(agent.createdAt / 1000),
  owned_by: agent.name
})

export const layer: Layer.Layer<
  HttpApiGroup.Service<"instaclaw", "responses">,
  never,
  Broker.Broker | Identities.Identities | People.People | Sessions.Sessions | SecureRandom.SecureRandom
> = HttpApiBuilder.group(
  InstaClawApi,
  "responses",
  Effect.fn(function* (handlers) {
    const broker = yield* Broker.Broker
    const identities = yield* Identities.Identities
    const people = yield* People.People
    const sessions = yield* Sessions.Sessions
    const random = yield* SecureRandom.SecureRandom

    const personOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const bearer = /^Bearer\s+(\S+)$/i.exec(request.headers["authorization"] ?? "")?.[1]
      if (bearer === undefined)
        return yield* OpenAiError.unauthorized(
          "No key came with this request. Send Authorization: Bearer with a token or a key."
        )
      return yield* people.authenticate(Redacted.make(bearer)).pipe(
        Effect.catchTags({
          Unauthorized: (error) => Effect.fail(OpenAiError.unauthorized(error.message)),
          StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
        })
      )
    })

    const bodyOf = Effect.fnUntraced(function* (request: HttpServerRequest) {
      const body = yield* request.json.pipe(
        Effect.mapError(() => bad("The body is not JSON, or larger than is taken.", null))
      )
      return yield* decode(body).pipe(
        Effect.mapError((error) => {
          const issue = formatter(error.issue).issues[0]
          const param = issue?.path?.map((part) => String(typeof part === "object" ? part.key : part)).join(".")
          return bad(
            `${param === undefined || param === "" ? "The body" : param} cannot be used: ${issue?.message.split(/, (?:actual|got) /, 1)[0] ?? "it has another shape"}.`,
            param ?? null
          )
        })
      )
    })

    /** The session that a request goes on in, or a new one. */
    const sessionOf = Effect.fnUntraced(function* (userId: string, body: CreateResponse) {
      const previous = body.previous_response_id ?? undefined
      if (previous !== undefined) {
        const exchange = yield* sessions.findExchange(previous).pipe(
          Effect.catchTag("NotFound", () => Effect.undefined),
          Effect.mapError(OpenAiError.unavailable)
        )
        if (exchange === undefined || exchange.userId !== userId) {
          return yield* bad(
            "previous_response_id names no response of yours.",
            "previous_response_id",
            "previous_response_not_found"
          )
        }
        if (exchange.clawId !== body.model) {
          return yield* bad("previous_response_id is a response of another agent.", "previous_response_id")
        }
        return exchange.sessionId
      }
      const named = body.metadata?.["session_id"]
      const session =
        named === undefined
          ? yield* sessions.create(userId, body.model).pipe(Effect.mapError(ofPlatform))
          : yield* sessions.find(userId, named).pipe(Effect.mapError(ofPlatform))
      if (session.clawId !== body.model) {
        return yield* bad("metadata.session_id is a session with another agent.", "metadata.session_id")
      }
      return session.sessionId
    })

    /** The canonical events as they come; `ended` is called with the last one. */
    const stream = (responseId: string, after: number, ended: () => void): Stream.Stream<Uint8Array> =>
      broker.follow(responseId).pipe(
        Stream.map(({ route, step }) => {
          if (step._tag === "Completed" || step._tag === "Failed") ended()
          return frames(route.head, step, after)
        }),
        Stream.filter((bytes) => bytes.length > 0),
        Stream.catch((error) =>
          Stream.make(
            utf8.encode(
              sse(JSON.stringify({ type: "error", code: "server_error", message: error.message, param: null }))
            )
          )
        ),
        Stream.concat(Stream.make(utf8.encode(sseDone))),
        Stream.merge(stillHere, { haltStrategy: "left" })
      )

    /**
     * The rest of a reply that has ended, for a reader who has the events up to `after`. What is stored has no
     * numbers of single deltas, so the reader gets the whole text with `output_text.done`, numbered on from its last.
     */
    const rest = (exchange: Exchange, after: number): Stream.Stream<Uint8Array> => {
      const { head } = LiveReply.routeOf(exchange)
      const steps = LiveReply.stored(exchange)
      const wanted =
        after < 0 ? steps : steps.slice(-1).map((step) => renumbered(step, Math.max(step.sequence, after + 1)))
      return Stream.fromIterable([...wanted.map((step) => frames(head, step, -1)), utf8.encode(sseDone)])
    }

    const create = Effect.fn("Responses.create")(function* (request: HttpServerRequest) {
      const person = yield* personOf(request)
      const body = yield* bodyOf(request)
      const agent = yield* identities.find(body.model).pipe(
        Effect.catchTags({
          NotFound: () => Effect.fail(noModel(body.model)),
          StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
        })
      )
      const parts = partsOf(body)
      if (parts.length === 0) {
        return yield* bad("input is empty: send a text, or items with content.", "input", "empty_input")
      }
      const background = body.background === true
      if (!background && (yield* broker.presence(agent.clawId))._tag === "Away") return yield* away
      const sessionId = yield* sessionOf(person.userId, body)
      const streamed = body.stream === true
      const { exchange } = yield* broker
        .submit({
          sessionId,
          userId: person.userId,
          messageId: body.metadata?.["message_id"] ?? `msg_${yield* random.uuidV4()}`,
          previousResponseId: body.previous_response_id ?? undefined,
          parts,
          stream: true,
          metadata: body.metadata ?? {}
        })
        .pipe(Effect.mapError(ofPlatform))
      const { responseId } = exchange
      /** Whoever asked has hung up: nobody waits for this answer. */
      const hungUp = background ? Effect.void : Effect.ignore(broker.cancel(person.userId, responseId))
      if (streamed) {
        let over = false
        return HttpServerResponse.stream(
          stream(responseId, -1, () => {
            over = true
          }).pipe(Stream.ensuring(Effect.suspend(() => (over ? Effect.void : hungUp)))),
          { contentType: "text/event-stream; charset=utf-8", headers: sseHeaders }
        )
      }
      if (background) return json(objectOf(exchange, broker.peek(responseId)))
      const last = yield* Stream.runLast(broker.follow(responseId)).pipe(
        Effect.mapError(ofPlatform),
        Effect.onInterrupt(() => hungUp)
      )
      const terminal = Option.getOrUndefined(last)
      if (terminal === undefined || (terminal.step._tag !== "Completed" && terminal.step._tag !== "Failed")) {
        return yield* OpenAiError.broken
      }
      return json(wholeResponse(terminal.route.head, terminal.step))
    })

    const ownResponse = Effect.fnUntraced(function* (request: HttpServerRequest, responseId: string) {
      const person = yield* personOf(request)
      const exchange = yield* sessions.findExchange(responseId).pipe(
        Effect.catchTags({
          NotFound: () => Effect.fail(noResponse),
          StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
        })
      )
      return exchange.userId === person.userId ? exchange : yield* noResponse
    })

    const answered = <R>(
      self: Effect.Effect<HttpServerResponse.HttpServerResponse, OpenAiError.OpenAiError, R>
    ): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R> =>
      self.pipe(Effect.catch((error) => Effect.succeed(OpenAiError.toResponse(error))))

    return handlers
      .handleRaw("createResponse", ({ request }) => answered(create(request)))
      .handleRaw("getResponse", ({ params, query, request }) =>
        answered(
          Effect.gen(function* () {
            const exchange = yield* ownResponse(request, params.response_id)
            if (query.stream !== "true") return json(objectOf(exchange, broker.peek(exchange.responseId)))
            const after = query.starting_after === undefined ? -1 : Number(query.starting_after)
            if (!Number.isSafeInteger(after)) {
              return yield* bad("starting_after must be a whole number.", "starting_after")
            }
            const over = exchange.status === "completed" || exchange.status === "failed"
            return HttpServerResponse.stream(
              over ? rest(exchange, after) : stream(exchange.responseId, after, () => {}),
              { contentType: "text/event-stream; charset=utf-8", headers: sseHeaders }
            )
          })
        )
      )
      .handleRaw("cancelResponse", ({ params, request }) =>
        answered(
          Effect.gen(function* () {
            const { responseId, userId } = yield* ownResponse(request, params.response_id)
            const ended = yield* broker.cancel(userId, responseId).pipe(Effect.mapError(ofPlatform))
            return json(objectOf(ended, undefined))
          })
        )
      )
      .handleRaw("listModels", ({ request }) =>
        answered(
          Effect.gen(function* () {
            yield* personOf(request)
            // The family's list has no pages: it ends where a client would no longer read it.
            const data: Array<object> = []
            let after: string | undefined
            do {
              const page = yield* identities.list({ limit: 200, after }).pipe(Effect.mapError(OpenAiError.unavailable))
              for (const agent of page.items) data.push(toModel(agent))
              after = page.next
            } while (after !== undefined && data.length < 2_000)
            return json({ object: "list", data })
          })
        )
      )
      .handleRaw("getModel", ({ params, request }) =>
        answered(
          Effect.gen(function* () {
            yield* personOf(request)
            const agent = yield* identities.find(params.model).pipe(
              Effect.catchTags({
                NotFound: () => Effect.fail(noModel(params.model)),
                StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
              })
            )
            return json(toModel(agent))
          })
        )
      )
  })
)
