/** A real WebSocket server on a free port, whose sockets a test holds. */
import { once } from "node:events"
import type { IncomingHttpHeaders } from "node:http"
import type { AddressInfo } from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { type WebSocket, WebSocketServer } from "ws"
import { greeting } from "../../../../src/layers/channel/SimDriver.ts"

export interface ServerLink {
  readonly socket: WebSocket
  readonly headers: IncomingHttpHeaders
  /** Frames that have arrived, in order. */
  readonly received: ReadonlyArray<string>
  /** The next frame that arrives on this socket. */
  readonly receive: Effect.Effect<string>
  readonly push: (frame: string) => Effect.Effect<void>
  readonly close: (code: number) => Effect.Effect<void>
  readonly drop: Effect.Effect<void>
  readonly reading: (on: boolean) => Effect.Effect<void>
  /** The close code that this side saw in the end. */
  readonly ended: Effect.Effect<number>
}

export interface Server {
  readonly url: string
  /** The next socket opened. Each is given out once. */
  readonly next: Effect.Effect<ServerLink>
  /** Upgrades answered so far, refused ones too. */
  readonly upgrades: () => number
  /** From now on upgrades are answered with this status; undefined = with a socket. */
  readonly refuse: (status: number | undefined, body?: string) => void
}

export const make = (options: { readonly greets?: boolean } = {}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function* () {
    const links = yield* Queue.unbounded<ServerLink>()
    const run = Effect.runSyncWith(yield* Effect.context<never>())
    let status: number | undefined
    let refusal = "no"
    let upgrades = 0
    const server = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new WebSocketServer({
            port: 0,
            host: "127.0.0.1",
            maxPayload: 64 * 1024 * 1024,
            verifyClient: (_info, answer) => {
              upgrades += 1
              if (status === undefined) answer(true)
              else answer(false, status, refusal, { location: "ws://127.0.0.1:1/elsewhere" })
            }
          })
      ),
      (server) =>
        Effect.callback<void>((resume) => {
          for (const client of server.clients) client.terminate()
          server.close(() => resume(Effect.void))
        })
    )
    server.on("connection", (socket, request) => {
      const received: Array<string> = []
      const frames = run(Queue.unbounded<string>())
      const ended = Deferred.makeUnsafe<number>()
      socket.on("error", () => undefined)
      socket.on("message", (data: Buffer) => {
        received.push(data.toString())
        Queue.offerUnsafe(frames, data.toString())
      })
      socket.on("close", (code) => Deferred.doneUnsafe(ended, Exit.succeed(code)))
      if (options.greets !== false) socket.send(greeting)
      Queue.offerUnsafe(links, {
        socket,
        headers: request.headers,
        received,
        receive: Queue.take(frames),
        push: (frame) => Effect.sync(() => socket.send(frame)),
        close: (code) => Effect.sync(() => socket.close(code)),
        drop: Effect.sync(() => socket.terminate()),
        reading: (on) => Effect.sync(() => (on ? socket.resume() : socket.pause())),
        ended: Deferred.await(ended)
      })
    })
    yield* Effect.promise(() => once(server, "listening"))
    const { port } = server.address() as AddressInfo
    return {
      url: `ws://127.0.0.1:${port}/ws/chat`,
      next: Queue.take(links),
      upgrades: () => upgrades,
      refuse: (code, body = "no") => {
        status = code
        refusal = body
      }
    }
  })
