/**
 * Registration over HTTP: `POST {url}` with what the agent says of itself, and the activation token where there is
 * one. The answer, bare or wrapped in `{code, message, data}`, becomes the profile, beside the origin it came from.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import {
  AddressRefused,
  ProfileApi,
  ProfileApiError,
  RegistrationFailed,
  RegistrationRefused
} from "../../services/channel/ProfileApi.ts"
import * as PlatformAddress from "./PlatformAddress.ts"
import * as ProfileCodec from "./ProfileCodec.ts"

export interface Options {
  /** INSTACLAW_PROFILE_CREATE_URL. */
  readonly url: URL
  /** For the whole answer. 15 seconds by default. */
  readonly timeout?: Duration.Input | undefined
}

const failed = (detail: string) => new ProfileApiError({ reason: new RegistrationFailed({ detail }) })

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Words of a stranger for a person's eyes: one line, bounded. */
const tame = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, 300)

/** `{code, message}`, `{error: {message}}`, `{error, message}`, or nothing that is meant for people. */
const wordsOf = (body: unknown): string | undefined => {
  const holder = isRecord(body) && isRecord(body["error"]) ? body["error"] : body
  const message = isRecord(holder) ? (holder["message"] ?? holder["detail"] ?? holder["error"]) : undefined
  return typeof message === "string" && message.trim() !== "" ? tame(message) : undefined
}

const mayPass = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429

/** What the platform's answer comes to: the fields of an identity, or why there are none. */
const understand = (status: number, text: string): Result.Result<Fields, ProfileApiError> => {
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
    const detail = words ?? "it gave no reason. Look at INSTACLAW_PROFILE_CREATE_URL"
    return Result.fail(
      new ProfileApiError({ reason: new RegistrationRefused({ status, detail, fields: [], token: status === 401 }) })
    )
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
    const detail = words ?? "it gave no reason"
    return Result.fail(
      new ProfileApiError({ reason: new RegistrationRefused({ status: code, detail, fields: [], token: false }) })
    )
  }
  return Result.succeed(isRecord(body["data"]) ? body["data"] : body)
}

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
      Effect.flatMap((response) => Effect.map(response.text, (text) => ({ status: response.status, text }))),
      // A redirect would carry the token to a host that nobody named.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.mapError((error) =>
        failed(
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
    return decoded.success
  })

  return ProfileApi.of({ create })
})

export const layer = (options: Options): Layer.Layer<ProfileApi, never, HttpClient.HttpClient> =>
  Layer.effect(ProfileApi, make(options))
