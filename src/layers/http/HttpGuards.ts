/**
 * Who may speak to the platform from a browser, and what a browser may do with its answers. Pure: the same checks for
 * pages, calls and sockets.
 *
 * - Host: a name that somebody else can point at this machine (DNS rebinding) is not answered. An IP address cannot be
 *   pointed anywhere, so it is taken where the platform listens beyond loopback.
 * - Origin: where a browser names one, it must be the address it calls (cross-site requests and sockets).
 */
import type { IncomingHttpHeaders } from "node:http"
import { isIP } from "node:net"

export interface Options {
  /** The address that the server listens on. */
  readonly host: string
  /** More names it is reached under, without port: `chat.example.org`. */
  readonly allowedHosts: ReadonlyArray<string>
  /** More pages that may call it: `https://chat.example.org`. */
  readonly allowedOrigins: ReadonlyArray<string>
}

const loopbackNames: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]", "::1"])
const everywhere: ReadonlySet<string> = new Set(["0.0.0.0", "::", "[::]", ""])

/** `Host` without its port, lower case; `[::1]:80` gives `::1`. */
export const hostname = (host: string): string | undefined => {
  const lower = host.trim().toLowerCase()
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/.exec(lower)
  if (bracketed !== null) return bracketed[1]
  return /^([a-z0-9._-]+)(?::\d{1,5})?$/.exec(lower)?.[1]
}

/** Only this machine can reach it. */
export const isLoopback = (host: string): boolean =>
  loopbackNames.has(host.toLowerCase()) || /^127(?:\.\d{1,3}){3}$/.test(host)

export const isAllowedHost = (options: Options, header: string | undefined): boolean => {
  if (header === undefined) return false
  const name = hostname(header)
  if (name === undefined) return false
  if (isLoopback(name) || name === options.host.toLowerCase()) return true
  if (options.allowedHosts.some((allowed) => allowed.toLowerCase() === name)) return true
  return everywhere.has(options.host) && isIP(name) !== 0
}

/** No Origin = no browser, or a browser that goes to the page itself. */
export const isAllowedOrigin = (options: Options, origin: string | undefined, host: string | undefined): boolean => {
  if (origin === undefined) return true
  if (options.allowedOrigins.includes(origin)) return true
  const lower = origin.toLowerCase()
  return host !== undefined && (lower === `http://${host.toLowerCase()}` || lower === `https://${host.toLowerCase()}`)
}

export interface Refusal {
  readonly status: 403 | 421
  readonly message: string
}

/** Why a request is not answered, or undefined. */
export const refusal = (
  options: Options,
  headers: Pick<IncomingHttpHeaders, "host" | "origin">
): Refusal | undefined => {
  if (!isAllowedHost(options, headers.host)) {
    return {
      status: 421,
      message:
        "This platform does not answer to that host name. Use the address it printed at its start, or start it with --public-url and the address it is to be reached under."
    }
  }
  return isAllowedOrigin(options, headers.origin, headers.host)
    ? undefined
    : {
        status: 403,
        message: "A page of another address may not call this platform. Open the platform's own page instead."
      }
}

const base = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin"
} as const

/**
 * For everything that a browser may show as a page. `style-src 'unsafe-inline'`: the component library of the page
 * sets styles on its elements; scripts come from this address only.
 */
export const pageHeaders = {
  ...base,
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "permissions-policy": "camera=(), geolocation=(), microphone=()"
} as const

/** For answers that are data. */
export const dataHeaders = {
  ...base,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store"
} as const

/** For files that people sent: never run, never sniffed, never framed. */
export const fileHeaders = {
  ...base,
  "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  "cache-control": "private, max-age=3600"
} as const
