/** The platform's end of a simulated connection, in the shape that `ws` gives to the chat socket. */
import { EventEmitter } from "node:events"
import type { IncomingMessage } from "node:http"
import { Duplex } from "node:stream"
import { WebSocket } from "ws"
import type { End } from "../../layers/simulation/Network.ts"

/** How long `ws` waits for the other side to agree to a close. */
const closeTimeout = 30_000

/** The frame that was read last: the windows of a person are sent the same bytes, one after the other. */
const last: { bytes: Buffer | undefined; text: string } = { bytes: undefined, text: "" }
const textOf = (frame: string | Buffer): string => {
  if (typeof frame === "string") return frame
  if (last.bytes !== frame) {
    last.text = frame.toString("utf8")
    last.bytes = frame
  }
  return last.text
}

class ServerSocket extends EventEmitter {
  readonly #end: End
  #state: number = WebSocket.OPEN
  #written: Array<() => void> = []

  constructor(end: End) {
    super()
    this.#end = end
    end.listener = {
      frame: (text) => this.emit("message", Buffer.from(text), false),
      ping: () => undefined,
      pong: () => this.emit("pong"),
      drained: () => this.#drained(),
      closed: (code) => {
        this.#state = WebSocket.CLOSED
        this.emit("close", code, Buffer.alloc(0))
      }
    }
  }

  get readyState(): number {
    return this.#state
  }
  get bufferedAmount(): number {
    return this.#end.buffered
  }
  send(frame: string | Buffer, _options: unknown, written?: () => void): void {
    if (this.#state !== WebSocket.OPEN) return
    this.#end.send(textOf(frame))
    if (written === undefined) return
    this.#written.push(written)
    if (this.#end.buffered === 0) queueMicrotask(() => this.#drained())
  }
  #drained(): void {
    for (const written of this.#written.splice(0)) written()
  }
  ping(): void {
    if (this.#state === WebSocket.OPEN) this.#end.ping()
  }
  pause(): void {
    this.#end.paused = true
  }
  resume(): void {
    this.#end.resume()
  }
  close(code: number): void {
    if (this.#state !== WebSocket.OPEN) return
    this.#state = WebSocket.CLOSING
    this.#end.close(code)
    this.#end.link.network.after(closeTimeout, () => this.#end.terminate())
  }
  terminate(): void {
    if (this.#state === WebSocket.CLOSED) return
    this.#state = WebSocket.CLOSING
    this.#end.terminate()
  }
}

// `ws` offers no interface of its sockets, only the class; what the chat socket uses of it is all here.
export const make = (end: End): WebSocket => new ServerSocket(end) as unknown as WebSocket

/** An upgrade request as far as the chat socket reads it, and a socket that catches a refusal. */
export const upgrade = (
  url: string,
  headers: Readonly<Record<string, string>>,
  refused: (status: number, text: string) => void
): { readonly request: IncomingMessage; readonly socket: Duplex } => {
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      const text = chunk.toString("latin1")
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
      if (status !== undefined) refused(Number(status), text)
      done()
    }
  })
  // Only headers and address of it are read before the handshake, which is simulated.
  const request = { url, headers: { host: "127.0.0.1", ...headers } } as unknown as IncomingMessage
  return { request, socket }
}
