/** What lies between this machine and the platform: the name, the certificate, the server, the clocks. None fails. */
import { lookup } from "node:dns/promises"
import { isIP } from "node:net"
import { connect } from "node:tls"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as PlatformAddress from "../../../layers/channel/PlatformAddress.ts"
import { bad, type Finding, good, unknown } from "./Finding.ts"

const patience = "10 seconds"

export const dns = Effect.fnUntraced(function* (platform: URL) {
  const host = platform.hostname.replace(/^\[|\]$/g, "")
  if (isIP(host) !== 0) return good("dns", `${host} is an address: no name has to be looked up.`)
  const found = yield* Effect.tryPromise(() => lookup(host, { all: true })).pipe(
    Effect.timeout(patience),
    Effect.option
  )
  const addresses = Option.getOrElse(found, () => []).map(({ address }) => address)
  return addresses.length > 0
    ? good("dns", `${host} is ${addresses.slice(0, 3).join(", ")}.`)
    : bad("dns", `The name ${host} is not known. Look at the address, and whether this machine has a network.`)
})

const day = 86_400_000
/** A certificate that ends sooner has not been renewed as it should. */
const soon = 7

/** Why a certificate is not trusted, by the code of OpenSSL. */
const distrust: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "it has expired. Who runs the platform has to renew it; or this machine's clock is wrong",
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is signed by nobody known. A certificate of your own goes into NODE_EXTRA_CA_CERTS",
  SELF_SIGNED_CERT_IN_CHAIN: "it is signed by nobody known. A certificate of your own goes into NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "its issuer is not known. The server does not send its whole chain, or it is one of your own: NODE_EXTRA_CA_CERTS",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another host. Look at the address"
}

interface Certificate {
  readonly validTo: number
  /** The code of why it is not trusted. */
  readonly fault: string | undefined
}

/** The certificate whoever it is of: nothing is sent over this connection. */
const certificateOf = (host: string, port: number): Effect.Effect<Certificate, "closed"> =>
  Effect.callback<Certificate, "closed">((resume) => {
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = connect({ host, port, ...name, rejectUnauthorized: false }, () => {
      const error: unknown = socket.authorizationError
      const fault =
        error instanceof Error && "code" in error
          ? String(error.code)
          : error === null || error === undefined
            ? undefined
            : String(error)
      resume(
        Effect.succeed({
          validTo: Date.parse(socket.getPeerCertificate().valid_to),
          fault: socket.authorized ? undefined : fault
        })
      )
    })
    socket.on("error", () => resume(Effect.fail("closed")))
    return Effect.sync(() => socket.destroy())
  })

export const tls = Effect.fnUntraced(function* (platform: URL) {
  if (platform.protocol !== "https:" && platform.protocol !== "wss:") {
    return PlatformAddress.isLoopback(platform)
      ? good("tls", `${platform.host} is this machine: nothing has to be encrypted on the way.`)
      : bad("tls", `${platform.host} is not encrypted and not on this machine: no key is sent there. Use wss://.`)
  }
  const host = platform.hostname.replace(/^\[|\]$/g, "")
  const found = yield* certificateOf(host, platform.port === "" ? 443 : Number(platform.port)).pipe(
    Effect.timeout(patience),
    Effect.option
  )
  if (Option.isNone(found))
    return unknown("tls", `Nobody speaks TLS at ${platform.host}, so there is no certificate to look at.`)
  const { fault, validTo } = found.value
  if (fault !== undefined)
    return bad("tls", `The certificate of ${platform.host} cannot be trusted: ${distrust[fault] ?? fault}.`)
  const left = Math.floor((validTo - (yield* Clock.currentTimeMillis)) / day)
  const until = new Date(validTo).toISOString().slice(0, 10)
  return left < soon
    ? bad(
        "tls",
        `The certificate of ${platform.host} ends in ${left} days (${until}). Who runs the platform has to renew it.`
      )
    : good("tls", `The certificate of ${platform.host} is good until ${until}.`)
})

/** Answers, and how its clock stands to ours. */
export const http = Effect.fnUntraced(function* (platform: URL) {
  const client = yield* HttpClient.HttpClient
  const sent = yield* Clock.currentTimeMillis
  const answer = yield* client.execute(HttpClientRequest.get(new URL("healthz", platform))).pipe(
    Effect.tap((response) => Effect.ignore(response.text)),
    Effect.timeout("10 seconds"),
    Effect.option
  )
  if (Option.isNone(answer)) {
    return [
      bad(
        "platform",
        `Nobody answers at ${platform.origin}. Is it running, is the address right, is the network there?`
      ),
      unknown("clock", "Without an answer of the platform there is nothing to compare with.")
    ]
  }
  const { headers, status } = answer.value
  const received = yield* Clock.currentTimeMillis
  const theirs = Date.parse(headers["date"] ?? "")
  // A Date header counts whole seconds.
  const apart = Math.round(Math.abs((sent + received) / 2 - theirs - 500) / 1000)
  const findings: ReadonlyArray<Finding> = [
    status === 200
      ? good("platform", `${platform.origin} is up and answered in ${received - sent} ms.`)
      : status < 500
        ? unknown("platform", `${platform.origin} answers, but tells nothing of its health (${status}).`)
        : bad("platform", `${platform.origin} says it is not well (${status}). Try again, or ask who runs it.`),
    Number.isNaN(theirs)
      ? unknown("clock", "The platform does not say what time it has.")
      : apart <= 30
        ? good("clock", `In step with the platform's (${apart} s apart).`)
        : bad("clock", `${apart} s apart from the platform's. Set this machine's clock: sign-in and keys depend on it.`)
  ]
  return findings
})
