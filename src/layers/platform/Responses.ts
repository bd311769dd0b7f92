/**
 * `/v1`: the Open Responses door over HTTP. A request becomes a message of a session like any other; the answer is the
 * canonical stream as server-sent events, or the whole response object.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { Identity } from "../../services/platform/Identities.ts"
import type * as People from "../../services/platform/People.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { InstaClawApi } from "../../services/protocol/InstaClawApi.ts"
import { wholeResponse } from "../../services/protocol/ReplyLog.ts"
import * as OpenAiError from "./OpenAiError.ts"
import * as responsesIntake from "./responsesIntake.ts"
import * as responsesStream from "./responsesStream.ts"

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
    const sessions = yield* Sessions.Sessions

    const intake = yield* responsesIntake.make
    const personOf = (request: HttpServerRequest) => intake.personOf(request.headers["authorization"])

    const bodyOf = (request: HttpServerRequest) =>
      request.json.pipe(
        Effect.mapError(({ reason }) =>
          reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
            ? OpenAiError.tooLarge
            : OpenAiError.bad("The body is not JSON.", null)
        ),
        Effect.flatMap(intake.read)
      )

    const create = Effect.fn("Responses.create")(function* (request: HttpServerRequest) {
      const person = yield* personOf(request)
      const body = yield* bodyOf(request)
      const background = body.background === true
      const streamed = body.stream === true
      const exchange = yield* intake.start(person.userId, body)
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
      if (terminal?._tag !== "Step" || (terminal.step._tag !== "Completed" && terminal.step._tag !== "Failed")) {
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
            return HttpServerResponse.stream(
              responsesStream.live(broker, exchange, after, () => {}),
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
              const page = yield* identities
                .list({ limit: 200, after, standing: "public" })
                .pipe(Effect.mapError(OpenAiError.unavailable))
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
