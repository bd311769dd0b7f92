/**
 * Who may come in by the operator's door: somebody at this very machine, over an address of this machine, from a page
 * of this address or from none, and with the token. Pure but for the comparison, which takes as long whatever it is
 * given.
 *
 * - The peer: a request that was passed on (a proxy, a tunnel) comes from elsewhere, whatever its last peer is.
 * - Host: a foreign name that somebody points at 127.0.0.1 (DNS rebinding) is not answered.
 * - Origin: another page, also one of another port of this machine, may not call. There is no CORS.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import * as Redacted from "effect/Redacted"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as HttpGuards from "../http/HttpGuards.ts"

export interface Refusal {
  readonly status: 401 | 403 | 413 | 415 | 421
  readonly code:
    | "not_local"
    | "foreign_host"
    | "foreign_origin"
    | "no_token"
    | "wrong_token"
    | "no_right"
    | "too_large"
    | "not_json"
  readonly message: string
}

export interface Asked {
  /** Address of the socket's other end. */
  readonly peer: string | undefined
  readonly headers: Readonly<Record<string, string | undefined>>
}

const hash = (text: string): Buffer => createHash("sha256").update(text).digest()

export const sameToken = (token: Redacted.Redacted<string>, given: string): boolean =>
  timingSafeEqual(hash(Redacted.value(token)), hash(given))

/** Before anything is looked at: also for the page itself. */
export const ofPlace = ({ headers, peer }: Asked): Refusal | undefined => {
  const address = ClientAddress.of(0, peer, undefined)
  if (!HttpGuards.isLoopback(address) || ClientAddress.wasForwarded(headers)) {
    return {
      status: 403,
      code: "not_local",
      message:
        "The agent is steered from its own machine only. Open the page there, or bring its port to yours with ssh -L."
    }
  }
  const host = headers["host"]
  const name = host === undefined ? undefined : HttpGuards.hostname(host)
  if (name === undefined || !HttpGuards.isLoopback(name)) {
    return {
      status: 421,
      code: "foreign_host",
      message: "The agent is not steered under that host name. Open the link that the program printed at its start."
    }
  }
  const guards: HttpGuards.Options = { host: name, allowedHosts: [], allowedOrigins: [] }
  return HttpGuards.isAllowedOrigin(guards, headers["origin"], host)
    ? undefined
    : {
        status: 403,
        code: "foreign_origin",
        message: "A page of another address may not steer this agent. Open the link that the program printed."
      }
}

/** Whoever reads or steers. The token comes in Authorization alone: never in an address. */
export const ofCaller = (token: Redacted.Redacted<string>, asked: Asked): Refusal | undefined => {
  const refused = ofPlace(asked)
  if (refused !== undefined) return refused
  const given = /^Bearer\s+(\S+)$/i.exec(asked.headers["authorization"] ?? "")?.[1]
  if (given === undefined) {
    return {
      status: 401,
      code: "no_token",
      message: "The control token is missing. Open the link that the program printed at its start; the token is in it."
    }
  }
  return sameToken(token, given)
    ? undefined
    : {
        status: 403,
        code: "wrong_token",
        message:
          "This is not the control token of this agent. Open the link that the program printed at its last start."
      }
}
