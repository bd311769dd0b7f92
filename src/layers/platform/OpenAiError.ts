/** Refusals under `/v1`, in the shape that OpenAI's clients read. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import type { StoreError } from "../../services/platform/PlatformError.ts"
import type * as Api from "../../services/protocol/ApiResponses.ts"
import * as HttpGuards from "./HttpGuards.ts"

export class OpenAiError extends Schema.TaggedError<OpenAiError>()("OpenAiError", {
  status: Schema.Finite,
  type: Schema.Literals(["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]),
  code: Schema.NullOr(Schema.String),
  param: Schema.NullOr(Schema.String),
  message: Schema.String
}) {}

export const unauthorized = (message: string): OpenAiError =>
  new OpenAiError({ status: 401, type: "authentication_error", code: "invalid_api_key", param: null, message })

export const unavailable = (error: StoreError): OpenAiError =>
  new OpenAiError({ status: 503, type: "server_error", code: "unavailable", param: null, message: error.message })

export const broken: OpenAiError = new OpenAiError({
  status: 500,
  type: "server_error",
  code: null,
  param: null,
  message: "The answer broke off on the platform's side. Ask again."
})

export const toResponse = (error: OpenAiError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    {
      error: { message: error.message, type: error.type, code: error.code, param: error.param }
    } satisfies Api.OpenAiError,
    { status: error.status, headers: HttpGuards.dataHeaders }
  )
