/** What several doors want to know of a request. */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as Credential from "./Credential.ts"

/** A request of this very machine that no proxy passed on. */
export const isLocal = (request: HttpServerRequest): boolean => {
  const address = Option.getOrUndefined(request.remoteAddress)?.replace(/^::ffff:/, "")
  const host = HttpGuards.hostname(request.headers["host"] ?? "")
  return (
    address !== undefined &&
    HttpGuards.isLoopback(address) &&
    host !== undefined &&
    HttpGuards.isLoopback(host) &&
    !ClientAddress.wasForwarded(request.headers)
  )
}

export const bearerOf = (request: HttpServerRequest): Redacted.Redacted<string> | undefined => {
  const token = Credential.bearerOf(request.headers["authorization"])
  return token === undefined ? undefined : Redacted.make(token)
}

/** A long-lived key of a person, not their sign-in: it opens nothing that would outlive its revocation. */
export const isWithKey = (request: HttpServerRequest): boolean =>
  /^bearer ck_/i.test(request.headers["authorization"] ?? "")
