/**
 * One port for pages, calls and sockets: a Node HTTP server that hands upgrades of chosen paths to their owner before
 * anyone else sees the event. Effect's server listens for `upgrade` too; two listeners on one socket corrupt it.
 */
import type { IncomingMessage } from "node:http"
import { createServer, type Server } from "node:http"
import type { Duplex } from "node:stream"

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export const makeServer = (upgrades: ReadonlyMap<string, Upgrade>): Server => {
  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 20_000 })
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

/** A peer that goes away in the middle of the handshake is no event for anyone. */
const ignore = (): void => {}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  421: "Misdirected Request",
  426: "Upgrade Required",
  429: "Too Many Requests",
  503: "Service Unavailable"
}

/** Answers an upgrade with a refusal in words, `{code, message, data: null}`, and ends the connection. */
export const refuse = (socket: Duplex, status: number, message: string): void => {
  const body = JSON.stringify({ code: status * 100, message, data: null })
  socket.end(
    [
      `HTTP/1.1 ${status} ${reasons[status] ?? "Refused"}`,
      "Connection: close",
      "Content-Type: application/json; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "X-Content-Type-Options: nosniff",
      ...(status === 401 ? ["WWW-Authenticate: Bearer"] : []),
      "",
      body
    ].join("\r\n")
  )
}
