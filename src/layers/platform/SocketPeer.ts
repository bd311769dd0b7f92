/**
 * What every WebSocket of the platform shares: writing without a fiber or a timer of its own, a bound on what waits to
 * be written, and one heartbeat for all.
 *
 * Ten thousand idle sockets is the case this is made for: no closure per socket, the listeners are shared and find
 * their peer in a map; one tick per second pings one thirtieth of the sockets.
 */
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { WebSocket, WebSocketServer } from "ws"

/** Bytes that may wait on a socket before it is closed with `tooSlow`. */
export const writeBound = 8 * 1024 * 1024

/** 1013 = try again later: whoever reads faster, or less, is welcome back. */
export const tooSlow = { code: 1013, reason: "too slow: more waits to be read than is kept" } as const

/** `ws` keeps the stream below under this name; it offers no other way to write several frames at once. */
const streamOf = (ws: WebSocket): Socket | undefined => (ws as WebSocket & { readonly _socket?: Socket })._socket

const asText = { binary: false } as const

const corked = new Set<Socket>()

const uncorkAll = (): void => {
  for (const socket of corked) socket.uncork()
  corked.clear()
}

/**
 * Writes frames in order. All that is written to a socket in one turn of the event loop leaves in one system call:
 * the call is what costs. `false` = the socket is closing, or was closed because its reader is too slow. `written` is
 * called when the last frame has left the process, or never will.
 */
export const write = (
  ws: WebSocket,
  frames: ReadonlyArray<string | Buffer>,
  written?: (error?: Error | null) => void
): boolean => {
  if (ws.readyState !== WebSocket.OPEN) return false
  if (ws.bufferedAmount > writeBound) {
    ws.close(tooSlow.code, tooSlow.reason)
    return false
  }
  const socket = streamOf(ws)
  if (socket !== undefined && !corked.has(socket)) {
    // After the present callback, and before the event loop looks for anything new.
    if (corked.size === 0) process.nextTick(uncorkAll)
    socket.cork()
    corked.add(socket)
  }
  const last = frames.length - 1
  for (let i = 0; i < last; i++) ws.send(frames[i]!, asText)
  if (last >= 0) ws.send(frames[last]!, asText, written)
  return true
}

/** One heartbeat for many sockets: each is pinged every `period` ticks; the fourth time without a pong it is dead. */
export interface Pulse {
  readonly add: (ws: WebSocket) => void
  readonly remove: (ws: WebSocket) => void
  /** It was heard of. */
  readonly alive: (ws: WebSocket) => void
  readonly tick: Effect.Effect<void>
}

export const missedLimit = 3

/** How what is wrong is said on a socket: as a frame of what is spoken there. */
const words = new WeakMap<WebSocket, (message: string) => string>()
export const speaks = (ws: WebSocket, frameOf: (message: string) => string): void => void words.set(ws, frameOf)

const refused = new WeakSet<WebSocket>()
/** Did this socket end because its peer sent a frame that was too large? */
export const refusedFrame = (ws: WebSocket): boolean => refused.has(ws)

/**
 * Takes upgrades that the door lets through. Keeps no list of sockets: whoever opens them does. `ws` ends a socket whose
 * peer sends too large a frame by itself, with 1009 and without a word: the word is added here.
 */
export const makeServer = (maxPayload = 1024 * 1024): WebSocketServer =>
  new WebSocketServer({
    noServer: true,
    maxPayload,
    perMessageDeflate: false,
    clientTracking: false,
    WebSocket: class extends WebSocket {
      override close(code?: number, reason?: string | Buffer): void {
        if (code !== 1009 || reason !== undefined || refused.has(this)) return super.close(code, reason)
        refused.add(this)
        const frameOf = words.get(this)
        if (frameOf !== undefined && this.readyState === WebSocket.OPEN) {
          const message = `A frame was larger than the ${maxPayload} bytes that are taken here, so the connection ends. Send less at once, or send it as a file.`
          this.send(frameOf(message), asText)
        }
        super.close(1009, `a frame was larger than ${maxPayload} bytes`)
      }
    }
  })

export const makePulse = (period: number): Pulse => {
  const wheel = Array.from({ length: period }, () => new Map<WebSocket, number>())
  const slots = new WeakMap<WebSocket, Map<WebSocket, number>>()
  let turn = 0
  let next = 0
  return {
    add: (ws) => {
      const slot = wheel[next]
      next = (next + 1) % period
      if (slot === undefined) return
      slot.set(ws, 0)
      slots.set(ws, slot)
    },
    remove: (ws) => {
      slots.get(ws)?.delete(ws)
    },
    alive: (ws) => {
      const slot = slots.get(ws)
      if (slot !== undefined && (slot.get(ws) ?? 0) > 0) slot.set(ws, 0)
    },
    tick: Effect.sync(() => {
      const slot = wheel[turn]
      turn = (turn + 1) % period
      if (slot === undefined) return
      for (const [ws, missed] of slot) {
        if (missed >= missedLimit) {
          slot.delete(ws)
          ws.terminate()
        } else if (ws.readyState === WebSocket.OPEN) {
          slot.set(ws, missed + 1)
          ws.ping()
        }
      }
    })
  }
}

/** Ends sockets with a code, waits up to `patience` milliseconds for their peers to agree, then cuts what is left. */
export const closeAll = (
  sockets: Iterable<WebSocket>,
  code: number,
  reason: string,
  patience: number
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const open = new Set<WebSocket>()
    return Effect.callback<void>((resume) => {
      for (const ws of sockets) {
        if (ws.readyState === WebSocket.CLOSED) continue
        open.add(ws)
        ws.once("close", () => {
          open.delete(ws)
          if (open.size === 0) resume(Effect.void)
        })
        ws.close(code, reason)
      }
      if (open.size === 0) resume(Effect.void)
    }).pipe(
      Effect.interruptible,
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () =>
          Effect.sync(() => {
            for (const ws of open) ws.terminate()
          })
      })
    )
  })
