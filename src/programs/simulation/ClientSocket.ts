/** A simulated dial in the shape of a `ws` client, so that the real driver of `ws` runs over it. */
import { EventEmitter } from "node:events"
import { WebSocket } from "ws"
import type { Socket, SocketEnd, SocketEvents } from "../../layers/channel/SocketDriver.ts"

/** Where it dials, and what becomes of a process in which an error found no listener. */
export interface Network {
  readonly dial: (url: string, headers: Readonly<Record<string, string>>, events: SocketEvents) => Socket
  readonly fallen: (error: Error) => void
}

const classOf = (network: Network) =>
  class ClientSocket extends EventEmitter {
    readyState: number = WebSocket.CONNECTING
    readonly extensions = ""
    readonly #socket: Socket
    #written: Array<() => void> = []

    constructor(url: string, options: { readonly headers: Readonly<Record<string, string>> }) {
      super()
      this.#socket = network.dial(url, options.headers, {
        opened: () => {
          this.readyState = WebSocket.OPEN
          this.emit("open")
        },
        frame: (text) => this.emit("message", Buffer.from(text), false),
        pong: () => this.emit("pong"),
        drained: () => this.#drained(),
        ended: (end) => this.#ended(end)
      })
    }

    get bufferedAmount(): number {
      return this.#socket.bufferedBytes()
    }
    send(frame: string, written?: () => void): void {
      if (this.readyState !== WebSocket.OPEN) return
      this.#socket.send([frame])
      if (written === undefined) return
      this.#written.push(written)
      if (this.#socket.bufferedBytes() === 0) queueMicrotask(() => this.#drained())
    }
    /** The network has taken all there was, and so the last frame too. */
    #drained(): void {
      if (this.#socket.bufferedBytes() > 0) return
      for (const written of this.#written.splice(0)) written()
    }
    ping(): void {
      this.#socket.ping()
    }
    pause(): void {
      this.#socket.pause()
    }
    resume(): void {
      this.#socket.resume()
    }
    close(code: number): void {
      if (this.readyState === WebSocket.CONNECTING) return this.terminate()
      if (this.readyState !== WebSocket.OPEN) return
      this.readyState = WebSocket.CLOSING
      this.#socket.close(code)
    }
    terminate(): void {
      if (this.readyState === WebSocket.CLOSED) return
      this.#socket.terminate()
    }

    /** While it is still connecting `ws` tells of every end as an error, and what nobody listens to ends the process. */
    #ended(end: SocketEnd): void {
      const connecting = this.readyState === WebSocket.CONNECTING
      this.readyState = WebSocket.CLOSED
      try {
        if (end._tag === "Refused") {
          // What the driver reads of the answer.
          const response = Object.assign(new EventEmitter(), { statusCode: end.status, resume: () => undefined })
          this.emit("unexpected-response", {}, response)
          response.emit("end")
        } else if (connecting)
          this.emit("error", new Error("WebSocket was closed before the connection was established"))
      } catch (error) {
        return network.fallen(error instanceof Error ? error : new Error(String(error)))
      }
      this.emit("close", end._tag === "Closed" ? end.code : 1006)
    }
  }

// `ws` offers no interface of its sockets, only the class; what the driver uses of it is all here.
export const make = (network: Network): typeof WebSocket => classOf(network) as unknown as typeof WebSocket
