/**
 * Registration over HTTP: `POST {url}` with what the agent says of itself, and the activation token where there is
 * one. The answer, bare or wrapped in `{code, message, data}`, becomes the profile, beside the origin it came from.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import {
  AddressRefused,
  ProfileApi,
  ProfileApiError,
  RegistrationFailed,
  RegistrationRefused
} from "../../services/channel/ProfileApi.ts"
import type { FieldFault } from "../../services/protocol/ProfileFields.ts"
import { isRecord, type Json } from "../../services/protocol/Wire.ts"
import * as PlatformAddress from "./PlatformAddress.ts"
import * as platformAnswer from "./platformAnswer.ts"
import { mayPass, tame } from "./platformAnswer.ts"
import * as ProfileCodec from "./ProfileCodec.ts"

export interface Options {
  /** INSTACLAW_PROFILE_CREATE_URL. */
  readonly url: URL
  /** For the whole answer. 15 seconds by default. */
  readonly timeout?: Duration.Input | undefined
}

const failed = (detail: string) => new ProfileApiError({ reason: new RegistrationFailed({ detail }) })

/** `{code, message}`, `{error: {message}}`, `{error, message}`, or nothing that is meant for people. */
const wordsOf = (body: unknown) => platformAnswer.wordsOf(body, ["message", "detail", "error"])

const mostFaults = 20

/**
 * What was not taken, by field: `{data: {fields: [{field, message}]}}` of our platform, or `param` beside the message,
 * or within `error`.
 */
const faultsOf = (body: unknown, words: string | undefined): ReadonlyArray<FieldFault> => {
  if (!isRecord(body)) return []
  const data = isRecord(body["data"]) ? body["data"] : {}
  if (Array.isArray(data["fields"])) {
    return data["fields"].slice(0, mostFaults).flatMap((fault: unknown) => {
      if (!isRecord(fault) || typeof fault["field"] !== "string" || typeof fault["message"] !== "string") return []
      return [{ field: tame(fault["field"]), message: tame(fault["message"]) }]
    })
  }
  const param = isRecord(body["error"]) ? body["error"]["param"] : body["param"]
  return typeof param === "string" && words !== undefined ? [{ field: tame(param), message: words }] : []
}

const refusal = (status: number, body: unknown, nothing: string): ProfileApiError => {
  const words = wordsOf(body)
  const code = isRecord(body) && typeof body["code"] === "number" ? body["code"] : 0
  return new ProfileApiError({
    reason: new RegistrationRefused({
      status,
      detail: words ?? nothing,
      fields: faultsOf(body, words),
      // 401, or the bot API's way to write it: 40100, and 40110 to 40112 for what is wrong with an activation token.
      token: status === 401 || Math.floor(code / 100) === 401
    })
  })
}

/** What the platform's answer comes to: the fields of an identity, or why there are none. */
const understand = (status: number, text: string): Result.Result<Json, ProfileApiError> => {
  const body = Option.getOrUndefined(Option.liftThrowable((): unknown => JSON.parse(text))())
  const words = wordsOf(body)
  if (status >= 300 && status < 400) {
    return Result.fail(failed(`the address only points elsewhere (${status}), and no key is fetched from there`))
  }
  if (mayPass(status)) {
    return Result.fail(
      failed(`the platform answered with an error (${status})${words === undefined ? "" : `: ${words}`}`)
    )
  }
  if (status >= 400) {
    return Result.fail(refusal(status, body, "it gave no reason. Look at INSTACLAW_PROFILE_CREATE_URL"))
  }
  if (!isRecord(body)) {
    return Result.fail(
      failed(
        /^\s*</.test(text)
          ? "a web page answered instead of the platform's API. Look at INSTACLAW_PROFILE_CREATE_URL"
          : "the answer is not what a platform sends. Look at INSTACLAW_PROFILE_CREATE_URL"
      )
    )
  }
  const code = body["code"]
  if (typeof code === "number" && code !== 0 && code !== 200) {
    return Result.fail(
      mayPass(code / 100) ? failed(words ?? `it says ${code}`) : refusal(code, body, "it gave no reason")
    )
  }
  return Result.succeed(isRecord(body["data"]) ? body["data"] : body)
}

/** An identity is a few kilobytes; whoever sends more is no platform, and is not listened to any longer. */
const textOf = (response: HttpClientResponse.HttpClientResponse) =>
  platformAnswer.textOf(response, ProfileCodec.MAX_BYTES, () =>
    failed("the answer is far too long for one. Look at INSTACLAW_PROFILE_CREATE_URL")
  )

/** Keys travel in headers and addresses. */
const isKey = (text: string): boolean => /^[\x21-\x7e]{1,512}$/.test(text)

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ProfileApi["Service"], never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient

  const create: ProfileApi["Service"]["create"] = Effect.fn("ProfileApi.create")(function* ({
    attempt,
    proposal,
    token
  }) {
    if (!PlatformAddress.mayCarryKeys(options.url)) {
      return yield* new ProfileApiError({ reason: new AddressRefused({ url: options.url.origin }) })
    }
    const bare = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(options.url), proposal).pipe(
      HttpClientRequest.setHeader("idempotency-key", attempt)
    )
    const request = Option.match(token, {
      onNone: () => bare,
      onSome: (token) => HttpClientRequest.bearerToken(bare, token)
    })
    const answer = yield* client.execute(request).pipe(
      Effect.flatMap((response) => Effect.map(textOf(response), (text) => ({ status: response.status, text }))),
      // A redirect would carry the token to a host that nobody named.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.mapError((error) =>
        error._tag === "ProfileApiError"
          ? error
          : failed(
              error.reason._tag === "TransportError"
                ? `nobody answers at ${options.url.origin}`
                : `the answer of ${options.url.origin} broke off`
            )
      ),
      Effect.timeoutOrElse({
        duration: options.timeout ?? "15 seconds",
        orElse: () => Effect.fail(failed(`${options.url.origin} did not answer in time`))
      })
    )
    const fields = yield* Effect.fromResult(understand(answer.status, answer.text))
    const told = Object.entries(fields).filter(([key, value]) => value !== null && ProfileCodec.isField(key))
    const decoded = ProfileCodec.fromRecord({
      ...proposal,
      ...Object.fromEntries(told),
      origin: PlatformAddress.originOf(options.url)
    })
    if (Result.isFailure(decoded)) {
      return yield* failed(`the platform's answer cannot be used: ${decoded.failure}`)
    }
    const profile = decoded.success
    if (!isKey(profile.app_key) || !isKey(Redacted.value(profile.app_secret)) || !isKey(profile.claw_id)) {
      return yield* failed(
        "the platform's answer cannot be used: its keys are none. Look at INSTACLAW_PROFILE_CREATE_URL"
      )
    }
    return profile
  })

  return ProfileApi.of({ create })
})

export const layer = (options: Options): Layer.Layer<ProfileApi, never, HttpClient.HttpClient> =>
  Layer.effect(ProfileApi, make(options))
