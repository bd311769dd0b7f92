/**
 * One port for pages, calls and sockets: a Node HTTP server that hands upgrades of chosen paths to their owner before
 * anyone else sees the event. Effect's server listens for `upgrade` too; two listeners on one socket corrupt it.
 *
 * What a connection may take before it has shown anything is bounded here: how long its headers and its body may be on
 * their way, how large and how many headers are, how many connections there are.
 */
import type { IncomingMessage } from "node:http"
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as HttpGuards from "../http/HttpGuards.ts"

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface Options {
  /** Milliseconds from a connection's first moment, or its last answer's next request, to the end of the headers. */
  readonly handshakeTimeout?: number | undefined
  /** Milliseconds until a whole request, its body included, has come. */
  readonly requestTimeout?: number | undefined
  /** Connections of all together, and of one address that is not this machine. */
  readonly maxConnections?: number | undefined
  readonly maxConnectionsPerAddress?: number | undefined
}

export const defaults = {
  handshakeTimeout: 10_000,
  requestTimeout: 300_000,
  maxConnections: 65_536,
  maxConnectionsPerAddress: 1_024
} as const

/** One address of the network cannot take all connections there are. */
const boundPerAddress = (server: Server, most: number): void => {
  const counts = new Map<string, number>()
  server.on("connection", (socket: Socket) => {
    const address = ClientAddress.of(0, socket.remoteAddress, undefined)
    if (HttpGuards.isLoopback(address)) return
    const network = ClientAddress.networkOf(address)
    const count = (counts.get(network) ?? 0) + 1
    if (count > most) {
      socket.destroy()
      return
    }
    counts.set(network, count)
    socket.once("close", () => {
      const left = (counts.get(network) ?? 1) - 1
      if (left === 0) counts.delete(network)
      else counts.set(network, left)
    })
  })
}

export const makeServer = (upgrades: ReadonlyMap<string, Upgrade>, options: Options = {}): Server => {
  const handshakeTimeout = options.handshakeTimeout ?? defaults.handshakeTimeout
  const server = createServer({
    keepAliveTimeout: 65_000,
    headersTimeout: handshakeTimeout,
    requestTimeout: Math.max(options.requestTimeout ?? defaults.requestTimeout, handshakeTimeout),
    // Node looks this often; twice the timeout would otherwise pass before anybody notices.
    connectionsCheckingInterval: Math.min(Math.max(Math.floor(handshakeTimeout / 4), 50), 5_000),
    maxHeaderSize: 16 * 1024,
    // Two Host headers, a space before a colon: what a proxy may read otherwise than we do is refused.
    insecureHTTPParser: false,
    // Node would answer 400 without a word; the guards do it with one.
    requireHostHeader: false
  })
  server.maxHeadersCount = 100
  server.maxConnections = options.maxConnections ?? defaults.maxConnections
  boundPerAddress(server, options.maxConnectionsPerAddress ?? defaults.maxConnectionsPerAddress)
  server.on("clientError", answerUnread)
  const emit = server.emit.bind(server)
  server.emit = (event: string, ...args: Array<unknown>): boolean => {
    if (event === "upgrade") {
      const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer]
      const path = (request.url ?? "/").split("?", 1)[0] ?? "/"
      const upgrade = upgrades.get(path)
      if (upgrade !== undefined) {
        socket.on("error", ignore)
        upgrade(request, socket, head)
        return true
      }
    }
    return emit(event, ...args)
  }
  return server
}

/** What Node could not read never becomes a request: it is answered here, where it would otherwise be without a word. */
const unread: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    "The headers of this request are larger than the 16 KiB that are taken. Send fewer or shorter ones."
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "This request is larger than the platform takes."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not come to its end in time. Send it again."]
}
const unreadable = [
  400,
  "This is not HTTP as it can be read here, so it was not answered. Check what sent it."
] as const

const answerUnread = (error: Error & { readonly code?: string }, socket: Duplex): void => {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy(error)
  const [status, message] = unread[error.code ?? ""] ?? unreadable
  refuse(socket, status, message)
}

/** A peer that goes away in the middle of the handshake is no event for anyone. */
const ignore = (): void => {}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  408: "Request Timeout",
  413: "Content Too Large",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable"
}

/** Who wants to know that an upgrade was refused for its key. */
const watched = new WeakMap<Duplex, () => void>()

export const onUnauthorized = (socket: Duplex, told: () => void): void => void watched.set(socket, told)

/** It became a socket: what was noted of its upgrade is let go of. */
export const admitted = (socket: Duplex): void => void watched.delete(socket)

/**
 * Answers an upgrade with a refusal in words, `{code, message, data: null}`, and ends the connection. `retryAfter` in
 * seconds; `code` is the status times one hundred unless there is one of its own.
 */
export const refuse = (
  socket: Duplex,
  status: number,
  message: string,
  retryAfter?: number,
  code = status * 100
): void => {
  if (status === 401) watched.get(socket)?.()
  const body = JSON.stringify({ code, message, data: null })
  socket.end(
    [
      `HTTP/1.1 ${status} ${reasons[status] ?? "Refused"}`,
      "Connection: close",
      "Content-Type: application/json; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "X-Content-Type-Options: nosniff",
      ...(status === 401 ? ["WWW-Authenticate: Bearer"] : []),
      ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
      "",
      body
    ].join("\r\n")
  )
}
