/** Refusals under `/v1`, in the shape that OpenAI's clients read. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import type { Invalid, LimitReached, NotFound, StoreError } from "../../services/platform/PlatformError.ts"
import type * as Api from "../../services/protocol/ApiResponses.ts"
import * as HttpGuards from "../http/HttpGuards.ts"

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

export const bad = (message: string, param: string | null, code: string | null = null): OpenAiError =>
  new OpenAiError({ status: 400, type: "invalid_request_error", code, param, message })

export const tooLarge: OpenAiError = new OpenAiError({
  status: 413,
  type: "invalid_request_error",
  code: "request_too_large",
  param: null,
  message: "This request is larger than the platform takes."
})

export const frameTooLarge = (message: string): OpenAiError =>
  new OpenAiError({ status: 413, type: "invalid_request_error", code: "request_too_large", param: null, message })

export const tooOften = (message: string): OpenAiError =>
  new OpenAiError({ status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", param: null, message })

export const noModel = (model: string): OpenAiError =>
  new OpenAiError({
    status: 404,
    type: "invalid_request_error",
    code: "model_not_found",
    param: "model",
    message: `There is no agent "${model.slice(0, 100)}" here. GET /v1/models lists those there are.`
  })

export const noResponse: OpenAiError = new OpenAiError({
  status: 404,
  type: "invalid_request_error",
  code: "response_not_found",
  param: "response_id",
  message: "There is no such response, or it is not yours."
})

export const away: OpenAiError = new OpenAiError({
  status: 503,
  type: "server_error",
  code: "agent_away",
  param: null,
  message: "This agent is not on the line, so nobody would answer. Try again when it is, or send background: true."
})

export const stopping: OpenAiError = new OpenAiError({
  status: 503,
  type: "server_error",
  code: "unavailable",
  param: null,
  message: "The platform is stopping. Connect again in a moment."
})

export const tooMany = (most: number): OpenAiError =>
  new OpenAiError({
    status: 429,
    type: "rate_limit_error",
    code: "limit_reached",
    param: null,
    message: `${most} requests of this connection wait or are being answered, which is the limit. Send the next one when one has ended.`
  })

export const ofPlatform = (error: Invalid | NotFound | LimitReached | StoreError): OpenAiError => {
  switch (error._tag) {
    case "Invalid":
      return bad(error.message, error.param ?? null, "invalid_parameter")
    case "NotFound":
      return new OpenAiError({
        status: 404,
        type: "invalid_request_error",
        code: `${error.what.replaceAll(" ", "_")}_not_found`,
        param: null,
        message: error.message
      })
    case "LimitReached":
      return new OpenAiError({
        status: 429,
        type: "rate_limit_error",
        code: "limit_reached",
        param: null,
        message: error.message
      })
    case "StoreError":
      return unavailable(error)
  }
}

export const toResponse = (error: OpenAiError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    {
      error: { message: error.message, type: error.type, code: error.code, param: error.param }
    } satisfies Api.OpenAiError,
    { status: error.status, headers: HttpGuards.dataHeaders }
  )
