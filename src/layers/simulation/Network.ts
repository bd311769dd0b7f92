/**
 * A network of bytes without a network: each connection is two wires, each wire carries frames in order and takes its
 * time. A connection that is lost is lost at a byte: what had not passed whole by then never arrives. A half-open one
 * swallows everything and tells nobody.
 *
 * It knows no protocol beyond what a WebSocket has: frames, ping and pong, the closing handshake.
 */
import type { Chance } from "./Chance.ts"
import type { Engine, Machine } from "./Engine.ts"

type Item =
  | { readonly _tag: "Frame"; readonly text: string; readonly bytes: number; readonly at: number }
  | { readonly _tag: "Ping" | "Pong"; readonly bytes: number; readonly at: number }
  | { readonly _tag: "Close"; readonly code: number; readonly bytes: number; readonly at: number }

/** What one end hears. After `closed` nothing more. */
export interface Listener {
  readonly frame: (text: string) => void
  readonly ping: () => void
  readonly pong: () => void
  readonly drained: () => void
  readonly closed: (code: number) => void
}

export interface NetworkOptions {
  /** Mean latency of one direction, in milliseconds. */
  readonly latency: number
  /** Bytes that the network takes before they wait at the sender. */
  readonly window: number
}

const silent: Listener = {
  frame: () => undefined,
  ping: () => undefined,
  pong: () => undefined,
  drained: () => undefined,
  closed: () => undefined
}

/** One end of a connection. No method throws; on an end that is closed they do nothing. */
export class End {
  readonly link: Link
  readonly machine: Machine
  listener: Listener = silent
  /** This end has closed, or was told that it is. */
  over = false
  /** It has sent its close frame. */
  closing = false
  paused = false
  peer!: End
  /** What is on its way from here to the peer. */
  #items: Array<Item> = []
  #arming = false
  #last = 0
  #heldUntil = 0
  #cutAfter = Number.POSITIVE_INFINITY
  #swallow = false
  /** Bytes on their way from here. */
  inFlight = 0

  constructor(link: Link, machine: Machine) {
    this.link = link
    this.machine = machine
  }

  get buffered(): number {
    return Math.max(0, this.inFlight - this.link.options.window)
  }

  send(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.#put({ _tag: "Frame", text, bytes, at: this.#arrival(bytes) })
  }

  ping(): void {
    this.#put({ _tag: "Ping", bytes: 6, at: this.#arrival(6) })
  }

  pong(): void {
    this.#put({ _tag: "Pong", bytes: 6, at: this.#arrival(6) })
  }

  /** The closing handshake: the close frame goes behind everything that was sent. */
  close(code: number): void {
    if (this.over || this.closing) return
    this.#put({ _tag: "Close", code, bytes: 8, at: this.#arrival(8) })
    this.closing = true
  }

  /** Ends it now, from this end: told at once here, and to the peer as far as the network holds. */
  terminate(): void {
    if (this.over) return
    const tell = !this.#swallow && !this.closing
    if (tell) this.#put({ _tag: "Close", code: 1006, bytes: 1, at: this.#arrival(1) })
    this.closing = true
    this.#finishSoon(1006)
  }

  /** The process behind this end died: its machine hears nothing, the peer sees the connection reset. */
  reset(): void {
    if (this.over) return
    if (!this.closing) this.#put({ _tag: "Close", code: 1006, bytes: 1, at: this.#arrival(1) })
    this.closing = true
    this.over = true
    this.link.ended()
  }

  resume(): void {
    this.paused = false
    this.peer.#arm()
  }

  /** Nothing passes in this direction any more. */
  swallow(): void {
    this.#swallow = true
    this.#items = this.#items.filter((item) => item.at <= this.link.engine.now)
  }

  /** Nothing arrives before then; what is sent meanwhile comes late. */
  hold(millis: number): void {
    this.#heldUntil = this.link.engine.now + millis
    const until = this.#heldUntil
    this.#items = this.#items.map((item) => (item.at < until ? { ...item, at: until } : item))
    this.#last = Math.max(this.#last, until)
  }

  /** Of the bytes on their way, this share still arrives. */
  cut(share: number): void {
    let left = Math.floor(this.inFlight * share)
    let kept = 0
    for (const item of this.#items) {
      if (item.bytes > left) break
      left -= item.bytes
      kept++
    }
    this.#items = this.#items.slice(0, kept)
    this.#cutAfter = this.link.engine.now
    this.#swallow = true
  }

  /** Told by the network that the connection is gone. */
  lose(after: number): void {
    this.link.network.after(after, () => this.#finish(1006))
  }

  #arrival(bytes: number): number {
    const { chance, engine, options } = this.link
    const at = engine.now + 0.1 + chance.around(options.latency) + bytes / 2_000
    return (this.#last = Math.max(at, this.#last, this.#heldUntil))
  }

  #put(item: Item): void {
    if (this.over || this.closing || !this.link.open) return
    this.inFlight += item.bytes
    if (this.#swallow || this.link.engine.now > this.#cutAfter) return
    this.#items.push(item)
    this.#arm()
  }

  #arm(): void {
    const first = this.#items[0]
    if (this.#arming || first === undefined || this.peer.paused) return
    this.#arming = true
    this.link.network.after(first.at - this.link.engine.now, () => {
      this.#arming = false
      this.#arrive()
    })
  }

  #arrive(): void {
    const now = this.link.engine.now
    const { peer } = this
    let drained = false
    while (!peer.paused) {
      const item = this.#items[0]
      if (item === undefined || item.at > now) break
      this.#items.shift()
      this.inFlight -= item.bytes
      drained = true
      if (!peer.over && peer.machine.alive) peer.#take(item)
    }
    if (drained && !this.over && this.machine.alive) this.listener.drained()
    this.#arm()
  }

  #take(item: Item): void {
    switch (item._tag) {
      case "Frame":
        return this.listener.frame(item.text)
      case "Ping":
        this.pong()
        return this.listener.ping()
      case "Pong":
        return this.listener.pong()
      case "Close":
        // The answer of the handshake, unless this end began it.
        if (!this.closing && item.code !== 1006) this.close(item.code)
        return this.#finish(item.code)
    }
  }

  #finishSoon(code: number): void {
    this.link.network.after(0, () => this.#finish(code))
  }

  #finish(code: number): void {
    if (this.over) return
    this.over = true
    this.link.ended()
    if (this.machine.alive) this.listener.closed(code)
  }
}

export class Link {
  readonly number: number
  readonly engine: Engine
  readonly chance: Chance
  readonly options: NetworkOptions
  /** Whose timers bring things along: those of neither end. */
  readonly network: Machine
  readonly client: End
  readonly server: End
  open = true
  /** Until then it does not carry what it is given, or late. Virtual milliseconds. */
  sickUntil = 0
  readonly #onEnd: (link: Link) => void

  constructor(given: {
    readonly number: number
    readonly engine: Engine
    readonly chance: Chance
    readonly options: NetworkOptions
    readonly network: Machine
    readonly client: Machine
    readonly server: Machine
    readonly onEnd: (link: Link) => void
  }) {
    this.number = given.number
    this.engine = given.engine
    this.chance = given.chance
    this.options = given.options
    this.network = given.network
    this.client = new End(this, given.client)
    this.server = new End(this, given.server)
    this.client.peer = this.server
    this.server.peer = this.client
    this.#onEnd = given.onEnd
  }

  ended(): void {
    if (this.client.over && this.server.over) this.#onEnd(this)
  }

  /** The connection breaks: a share of what is on its way still arrives, then both ends are told. */
  cut(chance: Chance): void {
    this.sickUntil = Number.POSITIVE_INFINITY
    this.client.cut(chance.next())
    this.server.cut(chance.next())
    this.client.lose(chance.around(300))
    this.server.lose(chance.around(300))
  }

  /** Nothing passes any more, and nobody is told. */
  halfOpen(direction: "both" | "up" | "down"): void {
    this.sickUntil = Number.POSITIVE_INFINITY
    if (direction !== "down") this.client.swallow()
    if (direction !== "up") this.server.swallow()
  }

  /** Everything on its way, and what follows, comes so much later. */
  stall(millis: number, direction: "both" | "up" | "down"): void {
    this.sickUntil = Math.max(this.sickUntil, this.engine.now + millis + 10_000)
    if (direction !== "down") this.client.hold(millis)
    if (direction !== "up") this.server.hold(millis)
  }
}
