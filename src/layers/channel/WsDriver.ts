/**
 * `ws` behind the driver port. The edge to Node: setImmediate is the end of a turn of its event loop, after what the
 * network held for us was read.
 */
import type { IncomingMessage } from "node:http"
import type { Socket as NetSocket } from "node:net"
import { WebSocket } from "ws"
import type { Socket, SocketDriver, SocketEnd } from "./SocketDriver.ts"
import { encodeTextFrames } from "./TextFrames.ts"

/** A network error in words, from its code alone: messages of the runtime may hold addresses and paths. */
const words: Record<string, string> = {
  ECONNREFUSED: "nobody listens at this address",
  ECONNRESET: "the connection was cut while it was being set up",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up just now",
  ETIMEDOUT: "the host does not answer",
  EHOSTUNREACH: "the host cannot be reached from here",
  ENETUNREACH: "the network cannot be reached from here",
  CERT_HAS_EXPIRED: "the certificate of the host has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate of the host is signed by nobody known",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate of the host is signed by nobody known",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host"
}

const detailOf = (error: unknown): string => {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined
  if (code === undefined) return "the connection could not be set up"
  return words[code] ?? `the connection could not be set up (${code})`
}

export const driver: SocketDriver = {
  defer: (task) => {
    setImmediate(task)
  },
  dial: (request, limits, events) => {
    let ended = false
    let raw: NetSocket | undefined
    const finish = (how: SocketEnd): void => {
      if (ended) return
      ended = true
      events.ended(how)
    }
    let ws: WebSocket
    try {
      ws = new WebSocket(request.url, {
        headers: { ...request.headers },
        maxPayload: limits.maxFrameBytes,
        // Compressing frames of a few words costs more than it saves.
        perMessageDeflate: false,
        // Keys must not follow to another host.
        followRedirects: false
      })
    } catch {
      // Thrown for an address or a header that cannot be; told like every other end, after dial has returned.
      setImmediate(finish, { _tag: "Failed", detail: "the address or a header is not one that can be used" })
      return gone
    }
    let opened = false
    let failure: SocketEnd = { _tag: "Failed", detail: "the connection was given up" }
    // Always there: an error without a listener, as after close() while dialing, would end the process.
    ws.on("error", (error) => {
      if (!opened) failure = { _tag: "Failed", detail: detailOf(error) }
    })
    ws.on("unexpected-response", (_request, response: IncomingMessage) => {
      finish({ _tag: "Refused", status: response.statusCode ?? 0 })
      response.resume()
      ws.terminate()
    })
    ws.on("upgrade", (response: IncomingMessage) => {
      raw = response.socket
    })
    ws.on("open", () => {
      opened = true
      events.opened()
    })
    ws.on("message", (data) => {
      // `binaryType` is left at nodebuffer, so data is one Buffer.
      if (!ended) events.frame((data as Buffer).toString())
    })
    ws.on("pong", () => {
      if (!ended) events.pong()
    })
    ws.on("close", (code) => {
      finish(opened ? { _tag: "Closed", code } : failure)
    })
    return socketOf(ws, () => raw, events.drained)
  }
}

const socketOf = (ws: WebSocket, raw: () => NetSocket | undefined, drained: () => void): Socket => ({
  send: (frames) => {
    if (ws.readyState !== WebSocket.OPEN || frames.length === 0) return
    const stream = raw()
    // Past `ws`, which would write each frame on its own: without compression it holds nothing back, so what we write
    // now comes after all it has written. A lone frame, or a socket that is not the plain one, goes its usual way.
    if (frames.length > 1 && stream?.writable === true && ws.extensions === "") {
      stream.write(encodeTextFrames(frames), drained)
      return
    }
    const last = frames.length - 1
    for (let i = 0; i < last; i++) ws.send(frames[i]!)
    // Called when the network has taken the last frame, and so all of them.
    ws.send(frames[last]!, drained)
  },
  ping: () => {
    if (ws.readyState === WebSocket.OPEN) ws.ping()
  },
  bufferedBytes: () => ws.bufferedAmount,
  pause: () => ws.pause(),
  resume: () => ws.resume(),
  close: (code) => {
    if (ws.readyState === WebSocket.CONNECTING) ws.terminate()
    else ws.close(code)
  },
  terminate: () => ws.terminate()
})

const gone: Socket = {
  send: () => undefined,
  ping: () => undefined,
  bufferedBytes: () => 0,
  pause: () => undefined,
  resume: () => undefined,
  close: () => undefined,
  terminate: () => undefined
}
