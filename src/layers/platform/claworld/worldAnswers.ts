/** Refusals of Claworld as they travel, in one place; and who is calling. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as People from "../../../services/platform/People.ts"
import type { StoreError } from "../../../services/platform/PlatformError.ts"
import { WorldAgents, type WorldFailure, type WorldRefusal } from "../../../services/platform/Worlds.ts"
import { type Caller, WorldAuthorization, WorldCaller, WorldReadable } from "../../../services/protocol/ClaworldApi.ts"
import * as Errors from "../../../services/protocol/ClaworldErrors.ts"
import { describe } from "../apiRefusals.ts"
import { isLocal } from "../requests.ts"

type Refused =
  | Errors.WorldInvalid
  | Errors.WorldForbidden
  | Errors.WorldNotFound
  | Errors.WorldConflict
  | Errors.WorldBusy
  | Errors.WorldBroken

const bodyOf = (refusal: WorldRefusal) => ({
  error: refusal.code,
  message: refusal.detail,
  ...(refusal.fieldErrors === undefined ? {} : { fieldErrors: refusal.fieldErrors }),
  ...(refusal.missingFields === undefined ? {} : { missingFields: refusal.missingFields }),
  ...(refusal.requiredAction === undefined ? {} : { requiredAction: refusal.requiredAction }),
  ...(refusal.nextAction === undefined ? {} : { nextAction: refusal.nextAction }),
  ...(refusal.nextTool === undefined ? {} : { nextTool: refusal.nextTool })
})

const brokenStore = (error: StoreError) =>
  new Errors.WorldBroken({ error: "store_failed", message: error.message, nextAction: "wait_and_retry" })

/** Answers, not faults: their traces cost more than all the rest. */
const toRefused = (error: WorldFailure): Refused => {
  if (error._tag === "StoreError") return brokenStore(error)
  const body = bodyOf(error)
  switch (error.kind) {
    case "invalid":
      return new Errors.WorldInvalid(body)
    // Within a call whose caller is known: what it shows does not open this.
    case "unauthorized":
    case "forbidden":
      return new Errors.WorldForbidden(body)
    case "not_found":
      return new Errors.WorldNotFound(body)
    case "conflict":
      return new Errors.WorldConflict(body)
    case "busy":
      return new Errors.WorldBusy(body)
  }
}

/** What the database said goes to the log, never to the caller. */
export const inWords = <A, R>(self: Effect.Effect<A, WorldFailure, R>): Effect.Effect<A, Refused, R> =>
  self.pipe(
    Effect.tapError((error) =>
      error._tag === "StoreError" ? Effect.logError(`The database failed: ${error.detail}`) : Effect.void
    ),
    Effect.mapError(toRefused)
  )

export const invalid = (fieldErrors: ReadonlyArray<{ fieldId: string; code: string; message: string }>) =>
  new Errors.WorldInvalid({
    error: "invalid_request",
    message: `This cannot be taken: ${fieldErrors.map(({ message }) => message).join(" ")}`,
    fieldErrors
  })

const unauthorized = (message: string) =>
  new Errors.WorldUnauthorized({
    error: "unauthorized",
    message,
    requiredAction: "check_credentials",
    nextTool: "claworld_pair_agent"
  })

const noToken = unauthorized(
  "This needs an agent's app token, or the token of the person who owns it: send Authorization: Bearer, or x-claworld-app-token."
)

/** Tokens of Claworld's agents begin so; all others are a person's. */
const isOfAgent = (token: string): boolean => token.startsWith("cwa_")

export const tokenOf = (request: HttpServerRequest, bearer: string): string => {
  const { headers } = request
  return bearer !== "" ? bearer : (headers["x-claworld-app-token"] ?? headers["x-api-key"] ?? "")
}

const storeFailed = (error: StoreError) =>
  Effect.andThen(Effect.logError(`The database failed: ${error.detail}`), Effect.fail(brokenStore(error)))

/** The person of a token, or why there is none. */
export const personOf = (people: People.People["Service"], token: string) =>
  people.authenticate(Redacted.make(token)).pipe(
    Effect.map(({ userId }) => ({ _tag: "Person" as const, userId, isOperator: false })),
    Effect.catchTags({
      Unauthorized: ({ message }) => Effect.fail(unauthorized(message)),
      StoreError: storeFailed
    })
  )

export const layerAuthorization: Layer.Layer<WorldAuthorization, never, WorldAgents | People.People> = Layer.effect(
  WorldAuthorization,
  Effect.gen(function* () {
    const agents = yield* WorldAgents
    const people = yield* People.People

    const callerOf = Effect.fnUntraced(function* (bearer: string) {
      const request = yield* HttpServerRequest
      const token = tokenOf(request, bearer)
      if (token === "") return yield* noToken
      if (!isOfAgent(token)) {
        const person = yield* personOf(people, token)
        // A key of a program opens nothing of which it could keep more than itself.
        return isLocal(request) && !token.startsWith("ck_") ? { ...person, keepsUnowned: true } : person
      }
      const { agentId } = yield* agents.authenticate(Redacted.make(token)).pipe(
        Effect.catchTags({
          WorldRefusal: ({ detail }) => Effect.fail(unauthorized(detail)),
          StoreError: storeFailed
        })
      )
      const caller: Caller = { _tag: "Agent", agentId }
      return caller
    })

    return WorldAuthorization.of({
      token: (httpEffect, { credential }) =>
        Effect.flatMap(callerOf(Redacted.value(credential)), (caller) =>
          Effect.provideService(httpEffect, WorldCaller, caller)
        )
    })
  })
)

export const layerReadable: Layer.Layer<WorldReadable> = HttpApiMiddleware.layerSchemaErrorTransform(
  WorldReadable,
  (error) => {
    if (error.kind === "Body" || error.kind === "ResponseHeaders") {
      const message = "The platform could not write its answer. This is a fault of the platform."
      return Effect.andThen(
        Effect.logError("An answer does not fit its schema", Cause.fail(error.cause)),
        Effect.fail(new Errors.WorldBroken({ error: "answer_failed", message }))
      )
    }
    const { message, param = "" } = describe(error)
    return Effect.fail(
      new Errors.WorldInvalid({
        error: "invalid_request",
        message,
        fieldErrors: [{ fieldId: param, code: "invalid", message }]
      })
    )
  }
)
