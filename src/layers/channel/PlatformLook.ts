/**
 * A look at a platform from outside, for whoever asks whether it is there and takes a key: one call of the bot API that
 * changes nothing. Dialing would prove as much, but take the line from the account that has it (law one-socket).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import * as PlatformAddress from "./PlatformAddress.ts"

export interface Look {
  readonly ok: boolean
  /** Origin that was asked. */
  readonly platform: string
  readonly elapsedMs: number
  /** `unknown`: the platform has no such call, or did not answer. `none`: there is no key to try. */
  readonly keys: "accepted" | "refused" | "unknown" | "none"
  /** What is wrong, in a sentence. */
  readonly error?: string
}

export interface Options {
  /** Any address of the platform. */
  readonly url: URL
  readonly keys: { readonly appKey: string; readonly appSecret: Redacted.Redacted<string> } | undefined
  readonly timeoutMs: number
}

/** Never fails: what is wrong is what it says. */
export const look = Effect.fnUntraced(function* ({
  keys,
  timeoutMs,
  url
}: Options): Effect.fn.Return<Look, never, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const { taskApiBaseUrl } = PlatformAddress.derive(url)
  const platform = taskApiBaseUrl.origin
  const began = yield* Clock.currentTimeMillis
  const sent = PlatformAddress.mayCarryKeys(taskApiBaseUrl) ? keys : undefined
  const request = HttpClientRequest.get(new URL("bots/tasks/available?page_size=1", taskApiBaseUrl))
  const status = yield* client
    .execute(
      sent === undefined
        ? request
        : HttpClientRequest.setHeaders(request, {
            "x-api-key": sent.appKey,
            "x-api-secret": Redacted.value(sent.appSecret)
          })
    )
    .pipe(
      // A redirect would carry the keys to a host that nobody named.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.scoped,
      Effect.timeout(timeoutMs),
      Effect.match({ onFailure: () => undefined, onSuccess: (response) => response.status })
    )
  const base = { platform, elapsedMs: (yield* Clock.currentTimeMillis) - began }
  if (status === undefined) {
    return {
      ...base,
      ok: false,
      keys: "unknown",
      error: `${platform} cannot be reached, or gave no answer within ${timeoutMs / 1000} s.`
    }
  }
  if (sent === undefined) return { ...base, ok: true, keys: "none" }
  if (status === 401 || status === 403) {
    return {
      ...base,
      ok: false,
      keys: "refused",
      error: `${platform} answers but refuses the key (${status}). Check appKey and appSecret, or register again.`
    }
  }
  if (status >= 500) {
    return { ...base, ok: false, keys: "unknown", error: `${platform} answers that it fails (${status}).` }
  }
  return { ...base, ok: true, keys: status === 200 ? "accepted" : "unknown" }
})
