/**
 * Tokens of another issuer, checked with the public keys it shows (JWKS, RFC 7517). The keys are fetched when a token
 * first needs them, kept for ten minutes, and fetched anew when a token names one that is not among them: at most twice
 * a minute, so that made-up names cannot make us ask the issuer without end. While it cannot be reached, the keys of
 * before are good for a day.
 *
 * Only signatures with a public key count. A token that would have one of these keys used as a shared secret (HS256),
 * or no signature at all, is none: what a token says of its algorithm decides nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { JWKSNoMatchingKey, JWTExpired } from "jose/errors"
import { createLocalJWKSet } from "jose/jwks/local"
import { decodeJwt } from "jose/jwt/decode"
import { jwtVerify } from "jose/jwt/verify"
import { ExternalIssuer, type Issuer } from "../../services/platform/ExternalIssuer.ts"
import { Unauthorized } from "../../services/platform/PlatformError.ts"
import * as HttpGuards from "../http/HttpGuards.ts"

export interface Options {
  /** As it stands in `iss`: compared letter by letter. */
  readonly issuer: string
  /** As it stands in `aud`. */
  readonly audience: string
  /** Unset: `.well-known/jwks.json` under the issuer. */
  readonly jwks?: string | undefined
}

/** The set-up cannot work; the operator mends it. */
export class IssuerError extends Schema.TaggedError<IssuerError>()("IssuerError", { address: Schema.String }) {
  override get message(): string {
    return `The keys of the issuer cannot be fetched from ${this.address}: it is no https address (http only on this machine). Set CLAWFIBER_ISSUER_JWKS_URL to where the issuer shows its keys.`
  }
}

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
const fresh = 10 * 60_000
const stale = 24 * 60 * 60_000
const pause = 30_000
const longest = 256 * 1024
/** Clocks of two machines differ by a little. */
const tolerance = 60

const unusable = new Unauthorized({
  detail: "This token is not good here: its issuer, its audience or its signature is not what this platform takes."
})
const expired = new Unauthorized({ detail: "This token has expired. Get a new one from its issuer." })
const unreachable = new Unauthorized({
  detail:
    "The issuer of this token cannot be asked for its keys just now, so the token cannot be checked. Try again in a moment."
})

/** Secret keys in the set would be a fault of the issuer: they are not used. */
const KeySet = Schema.fromJsonString(
  Schema.Struct({ keys: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)) })
)

type Lookup = ReturnType<typeof createLocalJWKSet>

interface Kept {
  readonly lookup: Lookup
  readonly at: number
}

const addressOf = (options: Options): URL | undefined => {
  const url = URL.parse(options.jwks ?? `${options.issuer.replace(/\/$/, "")}/.well-known/jwks.json`)
  if (url === null || url.username !== "" || url.password !== "") return undefined
  const isSafe = url.protocol === "https:" || (url.protocol === "http:" && HttpGuards.isLoopback(url.hostname))
  return isSafe ? url : undefined
}

const single = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim()

const nameOf = (payload: Readonly<Record<string, unknown>>, subject: string): string => {
  for (const claim of ["name", "preferred_username", "email"]) {
    const value = payload[claim]
    if (typeof value === "string" && single(value) !== "") return single(value)
  }
  return single(subject)
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Issuer, IssuerError, HttpClient.HttpClient> {
  const client = yield* HttpClient.HttpClient
  const address = addressOf(options)
  if (address === undefined) return yield* new IssuerError({ address: options.jwks ?? options.issuer })
  const turn = yield* Semaphore.make(1)
  const state: { kept: Kept | undefined; askedAt: number } = { kept: undefined, askedAt: Number.NEGATIVE_INFINITY }

  const ask = Effect.gen(function* () {
    const response = yield* client.get(address)
    if (response.status !== 200) return yield* unreachable
    let size = 0
    const chunks: Array<Uint8Array> = []
    yield* Stream.runForEach(response.stream, (chunk) => {
      size += chunk.length
      if (size > longest) return Effect.fail(unreachable)
      chunks.push(chunk)
      return Effect.void
    })
    const { keys } = yield* Schema.decodeEffect(KeySet)(Buffer.concat(chunks).toString("utf8"))
    return createLocalJWKSet({ keys: keys.filter((key) => key["kty"] !== "oct").map((key) => ({ ...key })) as [] })
  }).pipe(
    Effect.scoped,
    Effect.timeout("5 seconds"),
    Effect.tapError((error) => Effect.logWarning(`The keys of ${address.origin} could not be fetched`, error._tag)),
    Effect.mapError(() => unreachable)
  )

  /** One asks, the others wait for what it gets. */
  const fetched = (known: Kept | undefined) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const { kept } = state
      if (kept !== undefined && kept !== known) return kept
      const usable = kept !== undefined && now - kept.at < stale ? kept : undefined
      if (now - state.askedAt < pause) return usable ?? (yield* unreachable)
      state.askedAt = now
      return yield* ask.pipe(
        Effect.map((lookup) => (state.kept = { lookup, at: now })),
        Effect.catch((error) => (usable === undefined ? Effect.fail(error) : Effect.succeed(usable)))
      )
    }).pipe(turn.withPermit)

  const check = Effect.fnUntraced(function* (token: string, kept: Kept) {
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.tryPromise({
      try: () =>
        jwtVerify(token, kept.lookup, {
          algorithms,
          issuer: options.issuer,
          audience: options.audience,
          requiredClaims: ["sub", "exp"],
          clockTolerance: tolerance,
          currentDate: new Date(now)
        }),
      catch: (cause) =>
        cause instanceof JWKSNoMatchingKey ? ("noKey" as const) : cause instanceof JWTExpired ? expired : unusable
    })
  })

  const issued: Issuer["issued"] = (token) => {
    try {
      return decodeJwt(Redacted.value(token)).iss === options.issuer
    } catch {
      return false
    }
  }

  const verify: Issuer["verify"] = Effect.fn("JwksIssuer.verify")(function* (redacted) {
    const token = Redacted.value(redacted)
    const now = yield* Clock.currentTimeMillis
    const known = state.kept !== undefined && now - state.kept.at < fresh ? state.kept : undefined
    const first = known ?? (yield* fetched(state.kept))
    const { payload } = yield* check(token, first).pipe(
      Effect.catchIf(
        (error) => error === "noKey",
        () => Effect.flatMap(fetched(first), (again) => (again === first ? Effect.fail(unusable) : check(token, again)))
      ),
      Effect.mapError((error) => (error === "noKey" ? unusable : error))
    )
    const { sub } = payload
    if (sub === undefined || sub === "" || sub.length > 255) return yield* unusable
    return { issuer: options.issuer, subject: sub, name: nameOf(payload, sub) }
  })

  return { issued, verify }
})

/** No redirects: the keys come from where the operator said. */
export const layer = (options: Options): Layer.Layer<never, IssuerError> =>
  Layer.effect(ExternalIssuer, make(options)).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )
