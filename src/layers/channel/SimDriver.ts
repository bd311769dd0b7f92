/**
 * Sockets without a network: an in-memory pair whose other end a test or a simulation holds. Nothing here waits by
 * itself; what happens later happens as a task of the Effect scheduler, so that a seed decides the order.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import { byteLength } from "./Outbox.ts"
import type { DialRequest, Socket, SocketDriver, SocketEnd, SocketEvents } from "./SocketDriver.ts"

/** The platform's end of one socket. */
export interface SimLink {
  /** 1, 2, 3 ... in order of dialing. */
  readonly number: number
  readonly request: DialRequest
  /** Frames that have arrived here, in order. */
  readonly received: ReadonlyArray<string>
  /** One entry for each write to the network: how many frames it held. */
  readonly writes: ReadonlyArray<number>
  /** Pings that have arrived here. */
  readonly pings: () => number
  readonly phase: () => "dialing" | "open" | "ended"
  /** How the agent ended it: a close code, or terminated; undefined while it has not. */
  readonly endedByAgent: () => number | "terminated" | undefined
  /** Opens the socket; with a frame, sends that frame first. */
  readonly accept: (greeting?: string) => Effect.Effect<void>
  /** Answers the upgrade with an HTTP status. */
  readonly refuse: (status: number) => Effect.Effect<void>
  /** The dial fails in the network. */
  readonly fail: (detail: string) => Effect.Effect<void>
  readonly push: (frame: string) => Effect.Effect<void>
  readonly pong: Effect.Effect<void>
  /** Pings are answered by themselves (the default) or not at all. */
  readonly pongs: (on: boolean) => Effect.Effect<void>
  readonly close: (code: number) => Effect.Effect<void>
  /** The network breaks and the agent is told: 1006. */
  readonly drop: Effect.Effect<void>
  /** The network breaks and nobody is told: nothing passes any more, in either direction. */
  readonly halfOpen: Effect.Effect<void>
  /** Takes frames from the network (the default) or lets them pile up on the agent's side. */
  readonly reading: (on: boolean) => Effect.Effect<void>
  /** Closing handshakes of the agent are answered (the default) or left open. */
  readonly answersClose: (on: boolean) => Effect.Effect<void>
  /** The agent has stopped reading. */
  readonly paused: () => boolean
  /** The agent's callbacks, to play events that come too late: no driver calls them after the end. */
  readonly lateEvents: SocketEvents
}

/** The platform that the simulated sockets lead to. What names no link means the latest one. */
export class SimPeer extends Context.Service<
  SimPeer,
  {
    readonly driver: SocketDriver
    /** All sockets ever dialed. */
    readonly links: ReadonlyArray<SimLink>
    /** The next socket dialed, as soon as there is one. Each is given out once. */
    readonly nextDial: Effect.Effect<SimLink>
    /** Waits for the next dial, opens it and greets it with `session.auto_bound`. */
    readonly accept: Effect.Effect<SimLink>
    /** The next frame that arrives, on whatever socket. Each is given out once. */
    readonly receive: Effect.Effect<string>
    readonly push: (frame: string) => Effect.Effect<void>
    readonly dropLink: Effect.Effect<void>
    readonly halfOpen: Effect.Effect<void>
    readonly pongs: (on: boolean) => Effect.Effect<void>
  }
>()("clawfiber/channel/SimPeer") {}

export const greeting = JSON.stringify({
  type: "session.auto_bound",
  sessions: [],
  sender_type: "assistant",
  sender_id: "sim"
})

export interface SimOptions {
  /** Opens and greets every dial by itself, for tests that do not care about dialing. */
  readonly autoAccept?: boolean | undefined
}

export const make = Effect.fnUntraced(function* (options: SimOptions = {}): Effect.fn.Return<SimPeer["Service"]> {
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const defer = (task: () => void): void => {
    runFork(Effect.andThen(Effect.yieldNow, Effect.sync(task)))
  }
  const links: Array<SimLink> = []
  const dials = yield* Queue.unbounded<SimLink>()
  const frames = yield* Queue.unbounded<string>()

  const latest = (act: (link: SimLink) => Effect.Effect<void>): Effect.Effect<void> =>
    Effect.suspend(() => {
      const link = links.at(-1)
      return link === undefined ? Effect.die(new Error("Nothing has been dialed yet.")) : act(link)
    })

  const driver: SocketDriver = {
    defer,
    dial: (request, _limits, events) => {
      const [socket, link] = pair(links.length + 1, request, events, defer, (frame) => Queue.offerUnsafe(frames, frame))
      links.push(link)
      Queue.offerUnsafe(dials, link)
      if (options.autoAccept === true) defer(() => runFork(link.accept(greeting)))
      return socket
    }
  }

  return {
    driver,
    links,
    nextDial: Queue.take(dials),
    accept: Effect.tap(Queue.take(dials), (link) => link.accept(greeting)),
    receive: Queue.take(frames),
    push: (frame) => latest((link) => link.push(frame)),
    dropLink: latest((link) => link.drop),
    halfOpen: latest((link) => link.halfOpen),
    pongs: (on) => latest((link) => link.pongs(on))
  }
})

export const layer = (options?: SimOptions): Layer.Layer<SimPeer> => Layer.effect(SimPeer, make(options))

const pair = (
  number: number,
  request: DialRequest,
  events: SocketEvents,
  defer: (task: () => void) => void,
  arrived: (frame: string) => void
): readonly [Socket, SimLink] => {
  let phase: "dialing" | "open" | "ended" = "dialing"
  let endedByAgent: number | "terminated" | undefined
  let severed = false
  let answersPings = true
  let answersClose = true
  let reads = true
  let paused = false
  let pings = 0
  let unreadPings = 0
  let buffered = 0
  let held: Array<ReadonlyArray<string>> = []
  const received: Array<string> = []
  const writes: Array<number> = []

  const finish = (how: SocketEnd): void => {
    if (phase === "ended") return
    phase = "ended"
    events.ended(how)
  }
  const deliver = (batch: ReadonlyArray<string>): void => {
    writes.push(batch.length)
    for (const frame of batch) {
      received.push(frame)
      arrived(frame)
    }
  }
  /** What the platform does reaches the agent only while the network holds. */
  const reach = (act: () => void): Effect.Effect<void> =>
    Effect.sync(() => {
      if (!severed && phase !== "ended") act()
    })
  const pong = (): void => {
    if (!severed && phase === "open") events.pong()
  }

  const socket: Socket = {
    send: (batch) => {
      if (phase !== "open" || endedByAgent !== undefined) return
      if (reads && !severed) return deliver(batch)
      held.push(batch)
      for (const frame of batch) buffered += byteLength(frame)
    },
    ping: () => {
      if (phase !== "open" || severed) return
      // Who does not read sees no ping either.
      if (!reads) {
        unreadPings += 1
        return
      }
      pings += 1
      if (answersPings) defer(pong)
    },
    bufferedBytes: () => buffered,
    pause: () => {
      paused = true
    },
    resume: () => {
      paused = false
    },
    close: (code) => {
      if (phase === "ended" || endedByAgent !== undefined) return
      if (phase === "dialing") return socket.terminate()
      endedByAgent = code
      if (answersClose && !severed) defer(() => finish({ _tag: "Closed", code }))
    },
    terminate: () => {
      if (phase === "ended") return
      endedByAgent = "terminated"
      const how: SocketEnd =
        phase === "dialing" ? { _tag: "Failed", detail: "the dial was given up" } : { _tag: "Closed", code: 1006 }
      defer(() => finish(how))
    }
  }

  const link: SimLink = {
    number,
    request,
    received,
    writes,
    pings: () => pings,
    phase: () => phase,
    endedByAgent: () => endedByAgent,
    accept: (first) =>
      reach(() => {
        if (phase !== "dialing" || endedByAgent !== undefined) return
        phase = "open"
        events.opened()
        if (first !== undefined) events.frame(first)
      }),
    refuse: (status) => reach(() => finish({ _tag: "Refused", status })),
    fail: (detail) => reach(() => finish({ _tag: "Failed", detail })),
    push: (frame) => reach(() => events.frame(frame)),
    pong: reach(pong),
    pongs: (on) =>
      Effect.sync(() => {
        answersPings = on
      }),
    close: (code) => reach(() => finish({ _tag: "Closed", code })),
    drop: Effect.sync(() => finish({ _tag: "Closed", code: 1006 })),
    halfOpen: Effect.sync(() => {
      severed = true
    }),
    reading: (on) =>
      Effect.sync(() => {
        reads = on
        if (!on || severed || phase !== "open") return
        const batches = held
        held = []
        buffered = 0
        for (const batch of batches) deliver(batch)
        pings += unreadPings
        if (unreadPings > 0 && answersPings) defer(pong)
        unreadPings = 0
        if (batches.length > 0) events.drained()
      }),
    answersClose: (on) =>
      Effect.sync(() => {
        answersClose = on
      }),
    paused: () => paused,
    lateEvents: events
  }
  return [socket, link]
}
