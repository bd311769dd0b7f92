/** From the platform's own errors to what travels: one place, exhaustive. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HttpApiError from "effect/http-api/HttpApiError"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import type * as Layer from "effect/Layer"
import * as SchemaIssue from "effect/SchemaIssue"
import type {
  Conflict,
  Forbidden,
  Invalid,
  LimitReached,
  NotAdmitted,
  NotFound,
  StoreError,
  TokenRefused,
  Unauthorized
} from "../../services/platform/PlatformError.ts"
import { refuse } from "../../services/protocol/ApiErrors.ts"
import type * as ApiErrors from "../../services/protocol/ApiErrors.ts"
import { Readable } from "../../services/protocol/InstaClawApi.ts"

type PlatformError =
  | Conflict
  | Forbidden
  | Invalid
  | LimitReached
  | NotAdmitted
  | NotFound
  | StoreError
  | TokenRefused
  | Unauthorized

/** The refusal of one error; a union of errors gives the union of their refusals. */
type RefusalOf<E> = E extends NotFound
  ? ApiErrors.NoSuchThing
  : E extends Invalid
    ? ApiErrors.BadRequest
    : E extends LimitReached
      ? ApiErrors.TooMany
      : E extends StoreError
        ? ApiErrors.NotNow
        : E extends Forbidden
          ? ApiErrors.NotAllowed
          : E extends NotAdmitted
            ? ApiErrors.NotAllowed
            : E extends Unauthorized
              ? ApiErrors.NotSignedIn
              : E extends TokenRefused
                ? ApiErrors.NotSignedIn
                : E extends Conflict
                  ? ApiErrors.Outdated
                  : E

const tokenCodes = { unknown: 40110, used: 40111, expired: 40112 } as const
/** Of the bot API. */
export const standingCodes = { inactive: 40102, pending: 40103 } as const

const toRefusal = (error: PlatformError): ApiErrors.ApiError => {
  switch (error._tag) {
    case "NotFound":
      return refuse[404](error.message)
    case "Invalid":
      return refuse[400](error.message, error.param, error.fields)
    case "LimitReached":
      return refuse[429](error.message)
    case "StoreError":
      return refuse[503](error.message)
    case "Forbidden":
      return refuse[403](error.message)
    case "NotAdmitted":
      return refuse[403](error.message, standingCodes[error.standing])
    case "Unauthorized":
      return refuse[401](error.message)
    case "TokenRefused":
      return refuse[401](error.message, tokenCodes[error.why])
    case "Conflict":
      return refuse[409](error.message)
  }
}

/** What the database said goes to the log, never to the caller. */
export const inWords = <A, E extends PlatformError, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, RefusalOf<E>, R> =>
  self.pipe(
    Effect.tapError((error) =>
      error._tag === "StoreError" ? Effect.logError(`The database failed: ${error.detail}`) : Effect.void
    ),
    // The conditional type says per error what the switch does; TypeScript cannot see that they agree.
    Effect.mapError((error) => toRefusal(error) as RefusalOf<E>)
  )

const formatter = SchemaIssue.makeFormatterStandardSchemaV1()

const places: Readonly<Record<HttpApiError.HttpApiSchemaError["kind"], string>> = {
  Params: "the path",
  Query: "the query",
  Headers: "the headers",
  Payload: "the body",
  Body: "the answer",
  ResponseHeaders: "the answer"
}

/** The field at fault and what was expected of it. Never repeats what was sent. */
export const describe = (
  error: HttpApiError.HttpApiSchemaError
): { readonly message: string; readonly param: string | undefined } => {
  const issue = formatter(error.cause.issue).issues[0]
  const param = issue?.path?.map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".")
  const expected = issue?.message.split(/, (?:actual|got) /, 1)[0]
  return param === undefined || param === ""
    ? { message: `${places[error.kind]} cannot be read: ${expected ?? "it has another shape"}.`, param: undefined }
    : { message: `${param} in ${places[error.kind]} cannot be used: ${expected ?? "it has another shape"}.`, param }
}

export const layerReadable: Layer.Layer<Readable> = HttpApiMiddleware.layerSchemaErrorTransform(Readable, (error) => {
  if (error.kind === "Body" || error.kind === "ResponseHeaders") {
    return Effect.andThen(
      Effect.logError("An answer does not fit its schema", Cause.fail(error.cause)),
      Effect.fail(refuse[500]("The platform could not write its answer. This is a fault of the platform."))
    )
  }
  const { message, param } = describe(error)
  return Effect.fail(refuse[400](message, param))
})
