/** The tokens of sign-in: JSON Web Tokens, HS256, of this platform only, good for 30 days. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { JWTExpired } from "jose/errors"
import { SignJWT } from "jose/jwt/sign"
import { jwtVerify } from "jose/jwt/verify"
import { createSecretKey } from "node:crypto"
import { Unauthorized } from "../../services/platform/PlatformError.ts"

const algorithm = "HS256"
const issuer = "clawfiber"
const audience = "clawfiber/people"
const lifetimeSeconds = 30 * 24 * 60 * 60

const expired = new Unauthorized({ detail: "Your sign-in has expired. Sign in again." })
const unusable = new Unauthorized({
  detail: "This is not a sign-in of this platform. Sign in again, or check the key."
})

export const make = (secret: Redacted.Redacted<string>) => {
  const key = createSecretKey(Buffer.from(Redacted.value(secret), "base64url"))

  const issue = Effect.fnUntraced(function* (userId: string) {
    const now = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
    const token = yield* Effect.promise(() =>
      new SignJWT()
        .setProtectedHeader({ alg: algorithm, typ: "JWT" })
        .setSubject(userId)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + lifetimeSeconds)
        .sign(key)
    )
    return Redacted.make(token)
  })

  /** The user id. The algorithm is pinned: what the token says about itself decides nothing. */
  const verify = Effect.fnUntraced(function* (
    token: Redacted.Redacted<string>
  ): Effect.fn.Return<string, Unauthorized> {
    const now = yield* Clock.currentTimeMillis
    const { payload } = yield* Effect.tryPromise({
      try: () =>
        jwtVerify(Redacted.value(token), key, {
          algorithms: [algorithm],
          issuer,
          audience,
          requiredClaims: ["sub", "exp"],
          currentDate: new Date(now)
        }),
      catch: (cause) => (cause instanceof JWTExpired ? expired : unusable)
    })
    return payload.sub === undefined ? yield* unusable : payload.sub
  })

  return { issue, verify }
}
