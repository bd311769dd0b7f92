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
import * as Sessions from "../../services/platform/Sessions.ts"
import { CreateResponse } from "../../services/protocol/ApiResponses.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { wholeResponse } from "../../services/protocol/ReplyLog.ts"
import * as OpenAiError from "./OpenAiError.ts"
import { partsOf } from "./responsesInput.ts"
import * as responsesStream from "./responsesStream.ts"

const decode = Schema.decodeUnknownEffect(CreateResponse)
const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

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
        Effect.mapError(() => OpenAiError.bad("The body is not JSON, or larger than is taken.", null))
      )
      return yield* decode(body).pipe(
        Effect.mapError((error) => {
          const issue = formatter(error.issue).issues[0]
          const param = issue?.path?.map((part) => String(typeof part === "object" ? part.key : part)).join(".")
          return OpenAiError.bad(
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
          return yield* OpenAiError.bad(
            "previous_response_id names no response of yours.",
            "previous_response_id",
            "previous_response_not_found"
          )
        }
        if (exchange.clawId !== body.model) {
          return yield* OpenAiError.bad("previous_response_id is a response of another agent.", "previous_response_id")
        }
        return exchange.sessionId
      }
      const named = body.metadata?.["session_id"]
      const session =
        named === undefined
          ? yield* sessions.create(userId, body.model).pipe(Effect.mapError(OpenAiError.ofPlatform))
          : yield* sessions.find(userId, named).pipe(Effect.mapError(OpenAiError.ofPlatform))
      if (session.clawId !== body.model) {
        return yield* OpenAiError.bad("metadata.session_id is a session with another agent.", "metadata.session_id")
      }
      return session.sessionId
    })

    const create = Effect.fn("Responses.create")(function* (request: HttpServerRequest) {
      const person = yield* personOf(request)
      const body = yield* bodyOf(request)
      const agent = yield* identities.find(body.model).pipe(
        Effect.catchTags({
          NotFound: () => Effect.fail(OpenAiError.noModel(body.model)),
          StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
        })
      )
      const parts = partsOf(body)
      if (parts.length === 0) {
        return yield* OpenAiError.bad("input is empty: send a text, or items with content.", "input", "empty_input")
      }
      const background = body.background === true
      if (!background && (yield* broker.presence(agent.clawId))._tag === "Away") return yield* OpenAiError.away
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
        .pipe(Effect.mapError(OpenAiError.ofPlatform))
      const { responseId } = exchange
      /** Whoever asked has hung up: nobody waits for this answer. */
      const hungUp = background ? Effect.void : Effect.ignore(broker.cancel(person.userId, responseId))
      if (streamed) {
        let over = false
        return HttpServerResponse.stream(
          responsesStream
            .live(broker, exchange, -1, () => {
              over = true
            })
            .pipe(Stream.ensuring(Effect.suspend(() => (over ? Effect.void : hungUp)))),
          { contentType: "text/event-stream; charset=utf-8", headers: responsesStream.headers }
        )
      }
      if (background) return json(responsesStream.objectOf(exchange, broker.peek(responseId)))
      const last = yield* Stream.runLast(broker.follow(responseId)).pipe(
        Effect.mapError(OpenAiError.ofPlatform),
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
          NotFound: () => Effect.fail(OpenAiError.noResponse),
          StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
        })
      )
      return exchange.userId === person.userId ? exchange : yield* OpenAiError.noResponse
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
            if (query.stream !== "true")
              return json(responsesStream.objectOf(exchange, broker.peek(exchange.responseId)))
            const after = query.starting_after === undefined ? -1 : Number(query.starting_after)
            if (!Number.isSafeInteger(after)) {
              return yield* OpenAiError.bad("starting_after must be a whole number.", "starting_after")
            }
            const over = exchange.status === "completed" || exchange.status === "failed"
            return HttpServerResponse.stream(
              over ? responsesStream.rest(exchange, after) : responsesStream.live(broker, exchange, after, () => {}),
              { contentType: "text/event-stream; charset=utf-8", headers: responsesStream.headers }
            )
          })
        )
      )
      .handleRaw("cancelResponse", ({ params, request }) =>
        answered(
          Effect.gen(function* () {
            const { responseId, userId } = yield* ownResponse(request, params.response_id)
            const ended = yield* broker.cancel(userId, responseId).pipe(Effect.mapError(OpenAiError.ofPlatform))
            return json(responsesStream.objectOf(ended, undefined))
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
                NotFound: () => Effect.fail(OpenAiError.noModel(params.model)),
                StoreError: (error) => Effect.fail(OpenAiError.unavailable(error))
              })
            )
            return json(toModel(agent))
          })
        )
      )
  })
)
