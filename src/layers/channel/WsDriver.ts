/**
 * `ws` behind the driver port. The edge to Node: setImmediate is the end of a turn of its event loop, after what the
 * network held for us was read.
 */
import type { IncomingMessage } from "node:http"
import type { Socket as NetSocket } from "node:net"
import { type RawData, WebSocket } from "ws"
import type { DialRequest, Socket, SocketDriver, SocketEnd, SocketEvents } from "./SocketDriver.ts"
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

const givenUp: SocketEnd = { _tag: "Failed", detail: "the connection was given up" }

/** More of an answer is not waited for. */
const maxRefusal = 4_096

const codeIn = (body: string): number | undefined => {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === "object" && parsed !== null && "code" in parsed && typeof parsed.code === "number"
      ? parsed.code
      : undefined
  } catch {
    return undefined
  }
}

const gone: Socket = {
  send: () => undefined,
  ping: () => undefined,
  bufferedBytes: () => 0,
  pause: () => undefined,
  resume: () => undefined,
  close: () => undefined,
  terminate: () => undefined
}

/** @param Base the sockets of `ws`, or in a simulated world some that behave like them. */
export const over = (Base: typeof WebSocket): SocketDriver => {
  /**
   * One socket, its state beside that of `ws`: a thousand idle accounts are a thousand of these, so the listeners are
   * shared functions and not closures.
   */
  class DrivenSocket extends Base {
    readonly events: SocketEvents
    /** The network's own socket, once the upgrade is through. */
    raw: NetSocket | undefined
    wasOpened = false
    hasEnded = false
    /** What it is to be told as, should it end before it opens. */
    failure: SocketEnd = givenUp
    #drained: (() => void) | undefined

    constructor(request: DialRequest, maxFrameBytes: number, events: SocketEvents) {
      super(request.url, {
        headers: { ...request.headers },
        maxPayload: maxFrameBytes,
        // Compressing frames of a few words costs more than it saves.
        perMessageDeflate: false,
        // Keys must not follow to another host.
        followRedirects: false
      })
      this.events = events
      // Always there: an error without a listener, as after close() while dialing, would end the process.
      this.on("error", onError)
      this.on("unexpected-response", onUnexpectedResponse)
      this.on("upgrade", onUpgrade)
      this.on("open", onOpen)
      this.on("message", onMessage)
      this.on("pong", onPong)
      this.on("close", onClose)
    }

    finish(how: SocketEnd): void {
      if (this.hasEnded) return
      this.hasEnded = true
      this.events.ended(how)
    }

    /** Made when something is first written. */
    get drained(): () => void {
      return (this.#drained ??= () => this.events.drained())
    }
  }

  const onError = function (this: WebSocket, error: Error): void {
    if (!(this instanceof DrivenSocket)) return
    if (!this.wasOpened && this.failure._tag === "Failed") this.failure = { _tag: "Failed", detail: detailOf(error) }
  }
  const onUnexpectedResponse = function (this: WebSocket, _request: unknown, response: IncomingMessage): void {
    if (!(this instanceof DrivenSocket)) return
    const status = response.statusCode ?? 0
    // Should the rest of the answer never come, it is still this refusal.
    this.failure = { _tag: "Refused", status }
    let body = ""
    const finish = (): void => {
      this.finish({ _tag: "Refused", status, code: codeIn(body) })
      this.terminate()
    }
    // Only there its body says more than its status.
    if (status !== 403) {
      response.resume()
      return finish()
    }
    response.on("data", (chunk: Buffer) => {
      body += chunk.toString("latin1")
      if (body.length > maxRefusal) finish()
    })
    response.on("end", finish)
    response.on("error", finish)
  }
  const onUpgrade = function (this: WebSocket, response: IncomingMessage): void {
    if (!(this instanceof DrivenSocket)) return
    this.raw = response.socket
  }
  const onOpen = function (this: WebSocket): void {
    if (!(this instanceof DrivenSocket)) return
    this.wasOpened = true
    this.events.opened()
  }
  const onMessage = function (this: WebSocket, data: RawData): void {
    if (!(this instanceof DrivenSocket)) return
    // `binaryType` is left at nodebuffer, so data is one Buffer.
    if (!this.hasEnded) this.events.frame((data as Buffer).toString())
  }
  const onPong = function (this: WebSocket): void {
    if (!(this instanceof DrivenSocket)) return
    if (!this.hasEnded) this.events.pong()
  }
  const onClose = function (this: WebSocket, code: number): void {
    if (!(this instanceof DrivenSocket)) return
    this.finish(this.wasOpened ? { _tag: "Closed", code } : this.failure)
  }

  /** The port's side of a socket; `ws` has methods of the same names that mean something else. */
  class WsSocket implements Socket {
    readonly #ws: DrivenSocket

    constructor(ws: DrivenSocket) {
      this.#ws = ws
    }

    send(frames: ReadonlyArray<string>): void {
      const ws = this.#ws
      if (ws.readyState !== WebSocket.OPEN || frames.length === 0) return
      const stream = ws.raw
      // Past `ws`, which would write each frame on its own: without compression it holds nothing back, so what we write
      // now comes after all it has written. A lone frame, or a socket that is not the plain one, goes its usual way.
      if (frames.length > 1 && stream?.writable === true && ws.extensions === "") {
        stream.write(encodeTextFrames(frames), ws.drained)
        return
      }
      const last = frames.length - 1
      for (let i = 0; i < last; i++) ws.send(frames[i]!)
      // Called when the network has taken the last frame, and so all of them.
      ws.send(frames[last]!, ws.drained)
    }
    ping(): void {
      if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping()
    }
    bufferedBytes(): number {
      return this.#ws.bufferedAmount
    }
    pause(): void {
      this.#ws.pause()
    }
    resume(): void {
      this.#ws.resume()
    }
    close(code: number): void {
      if (this.#ws.readyState === WebSocket.CONNECTING) this.#ws.terminate()
      else this.#ws.close(code)
    }
    terminate(): void {
      this.#ws.terminate()
    }
  }

  return {
    defer: (task) => {
      setImmediate(task)
    },
    dial: (request, limits, events) => {
      try {
        return new WsSocket(new DrivenSocket(request, limits.maxFrameBytes, events))
      } catch {
        // Thrown for an address or a header that cannot be; told like every other end, after dial has returned.
        setImmediate(() =>
          events.ended({ _tag: "Failed", detail: "the address or a header is not one that can be used" })
        )
        return gone
      }
    }
  }
}

export const driver: SocketDriver = over(WebSocket)
