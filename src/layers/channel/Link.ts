/** One socket of the supervisor: what it knows of it, and in words why it ended. */
import * as Deferred from "effect/Deferred"
import type * as Fiber from "effect/Fiber"
import { errorOfClose, errorOfStatus } from "../../services/channel/CloseCodes.ts"
import { ConnectionError, Unreachable } from "../../services/channel/Connection.ts"
import type { HeartbeatActions, Pulse } from "./Heartbeat.ts"
import type { Socket, SocketEnd, SocketEvents } from "./SocketDriver.ts"

/** Who decides about links, and hears of them what their sockets and their heartbeat tell. */
export interface Owner {
  readonly opened: (link: Link) => void
  readonly frame: (link: Link, text: string) => void
  readonly answered: (link: Link) => void
  readonly drained: (link: Link) => void
  readonly end: (link: Link, cause: ConnectionError) => void
  /** What the end of a socket means in the protocol that is spoken. */
  readonly errorOf: (how: SocketEnd) => ConnectionError
  readonly beat: (link: Link) => void
  readonly suspected: () => void
  readonly stable: () => void
  readonly defer: (task: () => void) => void
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

/** A class because there is one for each of a thousand accounts: methods are shared, closures are not. */
export class Link implements SocketEvents, HeartbeatActions {
  readonly generation: number
  /** `dialing` → `greeting` → `active` → `draining` → `ended`, each step at most once; any may jump to `ended`. */
  role: "dialing" | "greeting" | "active" | "draining" | "ended" = "dialing"
  socket: Socket = idleSocket
  greeted = false
  /** A newer socket of ours has opened: being replaced may mean that one and nobody else, even if it has ended since. */
  succeeded = false
  /** Milliseconds since the epoch. */
  pongAt: number | undefined
  /** Frames that go first on the new socket. */
  readonly hello: ReadonlyArray<string>
  readonly pulse: Pulse = { heardAt: 0, answered: true, missed: 0, suspect: false, paused: false }
  readonly whenOpened = Deferred.makeUnsafe<void, ConnectionError>()
  readonly whenWelcome = Deferred.makeUnsafe<void, ConnectionError>()
  readonly whenEnded = Deferred.makeUnsafe<ConnectionError>()
  /** What runs on its behalf while it serves: the heartbeat, and a renewal to be tried again. */
  readonly fibers: Array<Fiber.Fiber<void>> = []
  readonly #owner: Owner

  constructor(owner: Owner, generation: number, hello: ReadonlyArray<string>) {
    this.#owner = owner
    this.generation = generation
    this.hello = hello
  }

  opened(): void {
    this.#owner.opened(this)
  }
  frame(text: string): void {
    this.#owner.frame(this, text)
  }
  pong(): void {
    if (this.role !== "ended") this.#owner.answered(this)
  }
  drained(): void {
    this.#owner.drained(this)
  }
  ended(how: SocketEnd): void {
    this.#owner.end(this, this.#owner.errorOf(how))
  }
  beat(): void {
    this.#owner.beat(this)
  }
  suspected(): void {
    this.#owner.suspected()
  }
  stable(): void {
    this.#owner.stable()
  }
  defer(task: () => void): void {
    this.#owner.defer(task)
  }

  /** Nothing runs on its behalf any more. */
  rest(): void {
    for (const fiber of this.fibers.splice(0)) fiber.interruptUnsafe()
  }
}

export const unreachable = (detail: string, code?: number): ConnectionError =>
  new ConnectionError({ reason: new Unreachable({ code, detail }) })

/** What the end of a socket means where the protocol says nothing else. */
export const errorOfEnd = (end: SocketEnd): ConnectionError => {
  switch (end._tag) {
    case "Closed":
      return errorOfClose(end.code)
    case "Refused":
      return errorOfStatus(end.status, end.code)
    case "Failed":
      return unreachable(end.detail)
  }
}
