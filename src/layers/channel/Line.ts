/**
 * What the supervisor of one account holds: its links, the one that may write, the way in and the way out. Socket
 * callbacks end here; they note what happened and leave decisions to the supervisor's fiber.
 *
 * A class because a thousand of them stand idle in one process: their methods are shared.
 */
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  type Connection,
  ConnectionError,
  type ConnectionState,
  HeartbeatLost
} from "../../services/channel/Connection.ts"
import type { ResolvedSettings } from "./ConnectionOptions.ts"
import * as ConnectionStatus from "./ConnectionStatus.ts"
import * as Heartbeat from "./Heartbeat.ts"
import { InboundQueue, type Owner as Reading } from "./InboundQueue.ts"
import * as Link from "./Link.ts"
import type { LinkProtocol } from "./LinkProtocol.ts"
import type { SocketDriver, SocketEnd } from "./SocketDriver.ts"
import { Writer } from "./Writer.ts"

/** What the deciding fiber has to hear of. A signal about a generation that no longer serves is passed over. */
export type Signal =
  | { readonly _tag: "Ended"; readonly generation: number; readonly error: ConnectionError }
  /** `idle`: asked for when nothing served. */
  | { readonly _tag: "Renew"; readonly generation: number; readonly idle: boolean }
  | { readonly _tag: "Unblock" }

type Run = <A>(effect: Effect.Effect<A>) => Fiber.Fiber<A>

type Service = Connection["Service"]

export class Line implements Service, Link.Owner, Reading {
  readonly settings: ResolvedSettings
  readonly driver: SocketDriver
  readonly protocol: LinkProtocol
  readonly clock: Clock.Clock
  readonly runFork: Run
  readonly writer: Writer
  readonly signals: Queue.Queue<Signal>
  readonly status: ConnectionStatus.ConnectionStatus
  readonly queue: InboundQueue
  /** Every link that has not ended. */
  readonly links: Array<Link.Link> = []
  /** The one link that may write. */
  active: Link.Link | undefined
  generation = 0
  /** A successor of the active link is being dialed. */
  renewing = false
  closing = false

  constructor(
    options: {
      readonly settings: ResolvedSettings
      readonly driver: SocketDriver
      readonly protocol: LinkProtocol
      readonly name: string
    },
    parts: {
      readonly clock: Clock.Clock
      readonly runFork: Run
      readonly signals: Queue.Queue<Signal>
    }
  ) {
    this.settings = options.settings
    this.driver = options.driver
    this.protocol = options.protocol
    this.clock = parts.clock
    this.runFork = parts.runFork
    this.signals = parts.signals
    this.writer = new Writer(options.settings, options.driver.defer)
    const { outbox } = this.writer
    const status = { name: options.name, outbox, runFork: parts.runFork }
    this.status = new ConnectionStatus.ConnectionStatus(status)
    this.queue = new InboundQueue(options.settings.inboundCharacters, this)
  }

  // -- what others may do with it ------------------------------------------------------------------------------------

  get state(): SubscriptionRef.SubscriptionRef<ConnectionState> {
    return this.status.ref
  }
  get inbound(): Stream.Stream<string> {
    return this.queue.stream
  }
  consume(handle: (frames: ReadonlyArray<string>) => Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope> {
    return Effect.map(Effect.scope, (scope) => this.queue.consume(handle, scope))
  }
  get send(): Connection["Service"]["send"] {
    return this.writer.send
  }
  get renew(): Effect.Effect<void> {
    return Effect.sync(() => {
      Queue.offerUnsafe(this.signals, {
        _tag: "Renew",
        generation: this.active?.generation ?? this.generation,
        idle: this.active === undefined
      })
    })
  }
  get unblock(): Effect.Effect<void> {
    return Effect.sync(() => {
      if (SubscriptionRef.getUnsafe(this.status.ref).phase === "blocked") {
        Queue.offerUnsafe(this.signals, { _tag: "Unblock" })
      }
    })
  }

  // -- one socket ----------------------------------------------------------------------------------------------------

  readingPaused(paused: boolean): void {
    for (const link of this.links) {
      link.pulse.paused = paused
      if (paused) link.socket.pause()
      else link.socket.resume()
    }
  }

  /** Notes everything first and wakes others last: whoever waits on a Deferred runs at once. */
  end(link: Link.Link, cause: ConnectionError): void {
    if (link.role === "ended") return
    const byOurselves = link.succeeded && cause.reason._tag === "Replaced"
    const error = byOurselves ? Link.unreachable("a newer socket of this connection took over", 4001) : cause
    link.role = "ended"
    this.links.splice(this.links.indexOf(link), 1)
    link.rest()
    if (link === this.active) {
      this.active = undefined
      this.writer.detach()
      if (!this.closing) {
        Queue.offerUnsafe(this.signals, { _tag: "Ended", generation: link.generation, error })
        if (!error.transient && !this.renewing) this.writer.refuse(error)
        this.status.lost(error, this.renewing)
      }
    }
    Deferred.doneUnsafe(link.whenOpened, Exit.fail(error))
    Deferred.doneUnsafe(link.whenWelcome, Exit.fail(error))
    Deferred.doneUnsafe(link.whenEnded, Exit.succeed(error))
  }

  errorOf(how: SocketEnd): ConnectionError {
    return this.protocol.errorOf?.(how) ?? Link.errorOfEnd(how)
  }

  discard(link: Link.Link, error: ConnectionError): void {
    const over = link.role === "ended"
    this.end(link, error)
    if (!over) link.socket.terminate()
  }

  answered(link: Link.Link): void {
    link.pulse.answered = true
    link.pulse.missed = 0
    link.pulse.suspect = false
    link.pulse.heardAt = Heartbeat.monotonicMillis(this.clock)
    link.pongAt = this.clock.currentTimeMillisUnsafe()
    if (link === this.active) this.status.pong(link.pongAt)
    if (this.protocol.pongGreets && link.role === "greeting") this.#welcome(link)
  }

  opened(link: Link.Link): void {
    if (link.role !== "dialing") return
    link.role = "greeting"
    if (this.active !== undefined) this.active.succeeded = true
    link.pulse.heardAt = Heartbeat.monotonicMillis(this.clock)
    if (link.hello.length > 0) link.socket.send(link.hello)
    if (this.protocol.pongGreets) {
      link.pulse.answered = false
      this.protocol.beat(link.socket)
    }
    Deferred.doneUnsafe(link.whenOpened, Exit.void)
  }

  frame(link: Link.Link, text: string): void {
    if (link.role === "ended") return
    link.pulse.heardAt = Heartbeat.monotonicMillis(this.clock)
    const role = this.protocol.roleOf(text, link.greeted)
    if (role === "pong") return this.answered(link)
    this.queue.push(text)
    if (role === "greeting") this.#welcome(link)
    if (role === "renew" && link === this.active) {
      Queue.offerUnsafe(this.signals, { _tag: "Renew", generation: link.generation, idle: false })
    }
    if (role === "refusal") {
      // A refusal in a frame means what a close with 1008 means.
      this.discard(link, this.errorOf({ _tag: "Closed", code: 1008 }))
    }
  }

  drained(link: Link.Link): void {
    if (link === this.active) this.writer.drained()
  }

  beat(link: Link.Link): void {
    this.protocol.beat(link.socket)
  }
  suspected(): void {
    this.status.suspect()
  }
  stable(): void {
    this.status.stable()
  }
  defer(task: () => void): void {
    this.driver.defer(task)
  }

  /** From now on this link writes, and no other. The one before comes back, to be drained. */
  activate(link: Link.Link): Link.Link | undefined {
    const old = this.active
    if (old !== undefined) {
      old.role = "draining"
      old.rest()
    }
    link.role = "active"
    this.active = link
    link.fibers.push(
      this.runFork(
        Effect.map(Heartbeat.run(link.pulse, this.settings, link), (missed) =>
          this.discard(link, new ConnectionError({ reason: new HeartbeatLost({ missed }) }))
        )
      )
    )
    // Before it is told: whoever hears of it may send at once, and must not find the old socket.
    this.writer.attach(link.socket)
    const now = this.clock.currentTimeMillisUnsafe()
    this.status.connected({ generation: link.generation, suspect: link.pulse.suspect, now, pongAt: link.pongAt })
    return old
  }

  #welcome(link: Link.Link): void {
    link.greeted = true
    Deferred.doneUnsafe(link.whenWelcome, Exit.void)
  }
}
