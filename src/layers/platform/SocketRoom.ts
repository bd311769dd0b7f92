/**
 * What every door of the platform that speaks WebSocket does alike: who may come in, who is there, one heartbeat for
 * all, and how it stops. Callbacks and not fibers: ten thousand peers that say nothing cost their sockets and a small
 * record each.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { RawData, WebSocket } from "ws"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as SocketPeer from "./SocketPeer.ts"
import { refuse, type Upgrade } from "./UpgradeDoor.ts"

export interface Options {
  readonly guards: HttpGuards.Options
  /** How an upgrade becomes a socket. */
  readonly handshake: (request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void) => void
}

/** What one kind of peer does. Called by the event loop: none may block or throw. */
export interface Listener<P> {
  /** How this peer is told that its frame was refused before anybody read it. */
  readonly words: (message: string) => string
  /** `undefined`: it was binary, which nobody speaks here. */
  readonly onFrame: (ws: WebSocket, peer: P, text: string | undefined) => void
  readonly onClose: (ws: WebSocket, peer: P, code: number) => void
}

export interface SocketRoom<P> {
  readonly peers: ReadonlyMap<WebSocket, P>
  /** Runs what a callback set off, for as long as the room lives. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly isStopping: () => boolean
  /** From now on the socket is heard, as this peer. */
  readonly admit: (ws: WebSocket, peer: P) => void
  /** The upgrade of a peer that is known by now. */
  readonly open: (request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void) => void
  /** `welcome` finds out who it is; without a person's or an agent's key it refuses. */
  readonly upgrade: (
    welcome: (request: IncomingMessage, socket: Duplex, head: Buffer) => Effect.Effect<void>
  ) => Upgrade
  /** Nothing new from here on. */
  readonly lock: Effect.Effect<void>
  /** Ends the sockets with 1001; those that do not agree within `patience` milliseconds are cut. */
  readonly clear: (patience: number) => Effect.Effect<void>
}

const stopping = "The platform is stopping. Connect again in a moment."

/** A broken frame or a frame too large: `ws` ends the socket by itself with the right code. */
const onError = (): void => {}

export const make = <P>(options: Options, listener: Listener<P>): Effect.Effect<SocketRoom<P>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const runFork = Effect.runForkWith(yield* Effect.context<never>())
    const peers = new Map<WebSocket, P>()
    const pulse = SocketPeer.makePulse(30)
    let isStopping = false

    // The listeners are shared and find their peer in the map: no closure for each socket.
    const onMessage = function (this: WebSocket, data: RawData, isBinary: boolean): void {
      const peer = peers.get(this)
      if (peer === undefined) return
      pulse.alive(this)
      // One Buffer: `binaryType` is left at its default.
      listener.onFrame(this, peer, isBinary ? undefined : (data as Buffer).toString("utf8"))
    }

    const onPong = function (this: WebSocket): void {
      pulse.alive(this)
    }

    const onClose = function (this: WebSocket, code: number): void {
      const peer = peers.get(this)
      if (peer === undefined) return
      peers.delete(this)
      pulse.remove(this)
      listener.onClose(this, peer, code)
    }

    const fork: SocketRoom<P>["fork"] = (effect) => Fiber.runIn(runFork(effect), scope)

    yield* Effect.forkScoped(
      Effect.forever(Effect.andThen(pulse.tick, Effect.sleep("1 second")), { disableYield: true })
    )

    return {
      peers,
      fork,
      isStopping: () => isStopping,
      admit: (ws, peer) => {
        peers.set(ws, peer)
        pulse.add(ws)
        SocketPeer.speaks(ws, listener.words)
        ws.on("message", onMessage)
        ws.on("pong", onPong)
        ws.on("close", onClose)
        ws.on("error", onError)
      },
      open: (request, socket, head, opened) => {
        if (isStopping || socket.destroyed) refuse(socket, 503, stopping)
        else options.handshake(request, socket, head, opened)
      },
      upgrade: (welcome) => (request, socket, head) => {
        const refused = HttpGuards.refusal(options.guards, request.headers)
        if (refused !== undefined) return refuse(socket, refused.status, refused.message)
        if (isStopping) return refuse(socket, 503, stopping)
        fork(welcome(request, socket, head))
      },
      lock: Effect.sync(() => {
        isStopping = true
      }),
      clear: (patience) =>
        Effect.suspend(() => SocketPeer.closeAll([...peers.keys()], 1001, "the platform is stopping", patience))
    }
  })
