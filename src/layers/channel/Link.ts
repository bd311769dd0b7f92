/** One socket of the supervisor: what it knows of it, and in words why it ended. */
import * as Deferred from "effect/Deferred"
import type * as Fiber from "effect/Fiber"
import { errorOfClose, errorOfStatus } from "../../services/channel/CloseCodes.ts"
import { ConnectionError, Unreachable } from "../../services/channel/Connection.ts"
import type { Pulse } from "./Heartbeat.ts"
import type { Socket, SocketEnd } from "./SocketDriver.ts"

/** `dialing` → `greeting` → `active` → `draining` → `ended`, each step at most once; any may jump to `ended`. */
export interface Link {
  readonly generation: number
  role: "dialing" | "greeting" | "active" | "draining" | "ended"
  socket: Socket
  greeted: boolean
  /** What came before it may write: whoever reads it may answer, and must not find the old socket. */
  early: Array<string>
  /** A newer socket of ours has opened: being replaced may mean that one and nobody else, even if it has ended since. */
  succeeded: boolean
  /** Milliseconds since the epoch. */
  pongAt: number | undefined
  readonly pulse: Pulse
  readonly opened: Deferred.Deferred<void, ConnectionError>
  readonly welcome: Deferred.Deferred<void, ConnectionError>
  readonly ended: Deferred.Deferred<ConnectionError>
  /** What runs on its behalf while it serves: the heartbeat, and a renewal to be tried again. */
  readonly fibers: Array<Fiber.Fiber<void>>
}

/** Stands in until `dial` has returned; the driver tells nothing before that. */
const idleSocket: Socket = {
  send: () => undefined,
  ping: () => undefined,
  bufferedBytes: () => 0,
  pause: () => undefined,
  resume: () => undefined,
  close: () => undefined,
  terminate: () => undefined
}

export const make = (generation: number): Link => ({
  generation,
  role: "dialing",
  socket: idleSocket,
  greeted: false,
  early: [],
  succeeded: false,
  pongAt: undefined,
  pulse: { heardAt: 0, answered: true, missed: 0, suspect: false, paused: false },
  opened: Deferred.makeUnsafe(),
  welcome: Deferred.makeUnsafe(),
  ended: Deferred.makeUnsafe(),
  fibers: []
})

export const unreachable = (detail: string, code?: number): ConnectionError =>
  new ConnectionError({ reason: new Unreachable({ code, detail }) })

/** What the end of a socket means. */
export const errorOfEnd = (end: SocketEnd): ConnectionError => {
  switch (end._tag) {
    case "Closed":
      return errorOfClose(end.code)
    case "Refused":
      return errorOfStatus(end.status)
    case "Failed":
      return unreachable(end.detail)
  }
}
