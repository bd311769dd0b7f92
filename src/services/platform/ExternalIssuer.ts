/**
 * Somebody else who says who people are: an issuer of JSON Web Tokens whose keys are public (OpenID Connect and the
 * like). A platform has none unless one is set up; then its tokens are taken beside the platform's own.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { Unauthorized } from "./PlatformError.ts"

/** Who a token is about. The same issuer and subject are the same person, whatever they are called. */
export interface Claims {
  readonly issuer: string
  readonly subject: string
  /** For others to read; one line. */
  readonly name: string
}

export interface Issuer {
  /** Whether the token says that it is of this issuer: who is to check it, not whether it is genuine. */
  readonly issued: (token: Redacted.Redacted<string>) => boolean
  readonly verify: (token: Redacted.Redacted<string>) => Effect.Effect<Claims, Unauthorized>
}

export const ExternalIssuer = Context.Reference<Issuer | undefined>("clawfiber/platform/ExternalIssuer", {
  defaultValue: () => undefined
})
