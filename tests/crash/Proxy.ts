/**
 * A TCP proxy on loopback that does to connections what networks do: cuts them in the middle of a frame, holds bytes
 * back, leaves one side believing that the other is there.
 */
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net"
import type { Chance } from "./Chance.ts"

type Direction = "up" | "down"

type Fault =
  | { readonly kind: "none" }
  /** After so many bytes in this direction both sides are cut off; what is over is lost. */
  | { readonly kind: "cut"; readonly direction: Direction; readonly after: number; readonly reset: boolean }
  /** After so many bytes this direction stands still for so many milliseconds. */
  | { readonly kind: "stall"; readonly direction: Direction; readonly after: number; readonly pause: number }
  /** After so many bytes nothing gets through in this direction any more, and nobody is told, until the time is over. */
  | {
      readonly kind: "half-open"
      readonly direction: Direction | "both"
      readonly after: number
      readonly lasts: number
    }

const none: Fault = { kind: "none" }

const draw = (chance: Chance): Fault => {
  const dice = chance.next()
  const direction: Direction = chance.happens(0.5) ? "up" : "down"
  const after = chance.scale(50, 60_000)
  if (dice < 0.4) return none
  if (dice < 0.7) return { kind: "cut", direction, after, reset: chance.happens(0.5) }
  if (dice < 0.85) return { kind: "stall", direction, after, pause: chance.between(50, 1_500) }
  return {
    kind: "half-open",
    direction: chance.happens(0.4) ? "both" : direction,
    after,
    lasts: chance.between(800, 4_000)
  }
}

class Line {
  readonly near: Socket
  readonly far: Socket
  fault: Fault
  over = false
  /** Half open: neither side hears of the other any more. */
  deaf = false
  readonly #seen = { up: 0, down: 0 }
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #proxy: Proxy

  constructor(proxy: Proxy, near: Socket, far: Socket, fault: Fault) {
    this.#proxy = proxy
    this.near = near
    this.far = far
    this.fault = fault
    this.#wire(near, far, "up")
    this.#wire(far, near, "down")
  }

  #wire(from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true)
    from.on("data", (chunk) => this.#pass(from, to, direction, chunk))
    to.on("drain", () => from.resume())
    from.on("error", () => undefined)
    from.on("end", () => {
      if (!this.deaf) to.end()
    })
    from.on("close", (broken) => {
      if (this.deaf) return
      if (broken) to.resetAndDestroy()
      else to.end()
    })
  }

  #later(delay: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delay)
    this.#timers.add(timer)
  }

  #pass(from: Socket, to: Socket, direction: Direction, chunk: Buffer): void {
    this.#proxy.chunks++
    if (direction === "down" && chunk.includes('"input"')) this.#proxy.requests++
    const { fault } = this
    const before = this.#seen[direction]
    this.#seen[direction] += chunk.length
    if (this.deaf && fault.kind === "half-open" && (fault.direction === "both" || fault.direction === direction)) return
    const concerned = fault.kind !== "none" && (fault.direction === direction || fault.direction === "both")
    if (!concerned || this.deaf || before + chunk.length < fault.after) {
      if (!to.write(chunk)) from.pause()
      return
    }
    const rest = Math.max(0, fault.after - before)
    to.write(chunk.subarray(0, rest))
    switch (fault.kind) {
      case "cut":
        this.#proxy.counts.cut++
        this.end(fault.reset)
        return
      case "stall":
        this.#proxy.counts.stalled++
        this.fault = none
        from.pause()
        this.#later(fault.pause, () => {
          to.write(chunk.subarray(rest))
          from.resume()
        })
        return
      case "half-open":
        this.#proxy.counts.halfOpen++
        this.deaf = true
        this.#later(fault.lasts, () => this.end(true))
        return
    }
  }

  /** From now on the platform hears nothing on this line, and is not told why. */
  hush(): void {
    this.fault = { kind: "half-open", direction: "up", after: 0, lasts: 300 }
    this.deaf = true
    this.#later(300, () => this.end(true))
  }

  end(reset: boolean): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.fault = none
    for (const socket of [this.near, this.far]) {
      if (reset) socket.resetAndDestroy()
      else socket.end(() => socket.destroy())
    }
  }
}

export class Proxy {
  readonly #server: Server
  readonly #chance: Chance
  readonly #lines = new Set<Line>()
  /** Where the platform listens now; undefined while there is none. */
  target: number | undefined
  /** Without faults. */
  calm = true
  /** Pieces of traffic so far: what waits for a moment in the middle of things counts them. */
  chunks = 0
  /** Messages that went to an agent so far. */
  requests = 0
  readonly counts = { connections: 0, cut: 0, stalled: 0, halfOpen: 0 }
  port = 0

  constructor(chance: Chance) {
    this.#chance = chance
    this.#server = createServer((near) => this.#accept(near))
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    this.port = (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  #accept(near: Socket): void {
    if (this.target === undefined) {
      near.on("error", () => undefined)
      near.resetAndDestroy()
      return
    }
    this.counts.connections++
    const line = new Line(this, near, connect(this.target, "127.0.0.1"), this.calm ? none : draw(this.#chance))
    this.#lines.add(line)
    near.on("close", () => {
      if (line.far.destroyed) this.#lines.delete(line)
    })
    line.far.on("close", () => {
      if (near.destroyed) this.#lines.delete(line)
    })
  }

  /** What is said to the platform on the present lines is lost from now on. */
  hush(): void {
    for (const line of this.#lines) line.hush()
  }

  /** From now on the network is a good one. */
  mend(): void {
    this.calm = true
    for (const line of this.#lines) {
      if (line.deaf || line.fault.kind !== "none") line.end(true)
    }
  }

  async close(): Promise<void> {
    for (const line of this.#lines) line.end(true)
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
