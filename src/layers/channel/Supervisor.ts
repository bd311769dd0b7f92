/**
 * Keeps one account on the line over whatever sockets a driver makes: dial, greeting, heartbeat, backoff, renewal,
 * outbox. It knows neither `ws` nor a platform; time, chance and the turn of the event loop come from outside, so the
 * same machine runs over the network, under TestClock and in a simulation.
 *
 * One fiber decides, in order: dial → greet → serve → back off → dial ... Socket callbacks only note what happened.
 * Every socket is a `Link` with a generation; a link that has ended hears nothing more, and frames are written to
 * `active` alone, of which there is at most one (law one-socket).
 *
 * The disconnect notice is understood here and not left to the Dispatcher: it concerns the socket it came on.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  Closed,
  type Connection,
  ConnectionError,
  CredentialsRefused,
  HeartbeatLost
} from "../../services/channel/Connection.ts"
import { type ConnectionSettings, resolve } from "./ConnectionOptions.ts"
import * as Backoff from "./Backoff.ts"
import * as ConnectionStatus from "./ConnectionStatus.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as InboundQueue from "./InboundQueue.ts"
import * as Link from "./Link.ts"
import type { LinkProtocol } from "./LinkProtocol.ts"
import type { DialRequest, SocketDriver, SocketEvents } from "./SocketDriver.ts"
import { Writer } from "./Writer.ts"

export interface SupervisorOptions extends ConnectionSettings {
  readonly driver: SocketDriver
  readonly protocol: LinkProtocol
  /** Names the connection in the log. */
  readonly name?: string | undefined
}

/** What the deciding fiber has to hear of. A signal about a generation that no longer serves is passed over. */
type Signal =
  | { readonly _tag: "Ended"; readonly generation: number; readonly error: ConnectionError }
  /** `idle`: asked for when nothing served. */
  | { readonly _tag: "Renew"; readonly generation: number; readonly idle: boolean }
  | { readonly _tag: "Unblock" }

const closed = new ConnectionError({ reason: new Closed() })

export const make = Effect.fnUntraced(function* (
  options: SupervisorOptions
): Effect.fn.Return<Connection["Service"], never, Scope.Scope> {
  const settings = resolve(options)
  const { driver, protocol } = options
  const clock = yield* Clock.Clock
  const policy = Backoff.schedule(settings)
  const runFork = Effect.runForkWith(yield* Effect.context<never>())

  const writer = new Writer({ ...settings, defer: driver.defer })
  const signals = yield* Queue.unbounded<Signal>()
  const status = yield* ConnectionStatus.make({ name: options.name ?? "connection", outbox: writer.outbox, runFork })
  const inbound = yield* InboundQueue.make({
    limit: settings.inboundCharacters,
    paused: (paused) => {
      for (const link of links) {
        link.pulse.paused = paused
        if (paused) link.socket.pause()
        else link.socket.resume()
      }
    }
  })

  /** Every link that has not ended. */
  const links = new Set<Link.Link>()
  /** The one link that may write. */
  let active: Link.Link | undefined
  let generation = 0
  /** A successor of the active link is being dialed. */
  let renewing = false
  let closing = false
  // -- one socket --------------------------------------------------------------------------------------------------

  const rest = (link: Link.Link): void => {
    for (const fiber of link.fibers.splice(0)) fiber.interruptUnsafe()
  }

  /** Notes everything first and wakes others last: whoever waits on a Deferred runs at once. */
  const end = (link: Link.Link, cause: ConnectionError): void => {
    if (link.role === "ended") return
    const byOurselves = link.succeeded && cause.reason._tag === "Replaced"
    const error = byOurselves ? Link.unreachable("a newer socket of this connection took over", 4001) : cause
    link.role = "ended"
    // Messages count; a greeting that nothing was answered to does not.
    for (const frame of link.early) if (protocol.roleOf(frame, false) !== "greeting") inbound.push(frame)
    link.early = []
    links.delete(link)
    rest(link)
    if (link === active) {
      active = undefined
      writer.detach()
      if (!closing) {
        Queue.offerUnsafe(signals, { _tag: "Ended", generation: link.generation, error })
        if (!error.transient && !renewing) writer.refuse(error)
        status.lost(error, renewing)
      }
    }
    Deferred.doneUnsafe(link.opened, Exit.fail(error))
    Deferred.doneUnsafe(link.welcome, Exit.fail(error))
    Deferred.doneUnsafe(link.ended, Exit.succeed(error))
  }

  const discard = (link: Link.Link, error: ConnectionError): void => {
    const over = link.role === "ended"
    end(link, error)
    if (!over) link.socket.terminate()
  }

  const welcome = (link: Link.Link): void => {
    link.greeted = true
    Deferred.doneUnsafe(link.welcome, Exit.void)
  }

  const answered = (link: Link.Link): void => {
    link.pulse.answered = true
    link.pulse.missed = 0
    link.pulse.suspect = false
    link.pulse.heardAt = Heartbeat.monotonicMillis(clock)
    link.pongAt = clock.currentTimeMillisUnsafe()
    if (link === active) status.pong(link.pongAt)
    if (protocol.pongGreets && link.role === "greeting") welcome(link)
  }

  const eventsOf = (link: Link.Link, request: DialRequest): SocketEvents => ({
    opened: () => {
      if (link.role !== "dialing") return
      link.role = "greeting"
      if (active !== undefined) active.succeeded = true
      link.pulse.heardAt = Heartbeat.monotonicMillis(clock)
      if (request.hello.length > 0) link.socket.send(request.hello)
      if (protocol.pongGreets) {
        link.pulse.answered = false
        protocol.beat(link.socket)
      }
      Deferred.doneUnsafe(link.opened, Exit.void)
    },
    frame: (text) => {
      if (link.role === "ended") return
      link.pulse.heardAt = Heartbeat.monotonicMillis(clock)
      const role = protocol.roleOf(text, link.greeted)
      if (role === "pong") return answered(link)
      if (link.role === "greeting") link.early.push(text)
      else inbound.push(text)
      if (role === "greeting") welcome(link)
      if (role === "renew" && link === active) {
        Queue.offerUnsafe(signals, { _tag: "Renew", generation: link.generation, idle: false })
      }
      if (role === "refusal") {
        discard(link, new ConnectionError({ reason: new CredentialsRefused({ code: 1008 }) }))
      }
    },
    pong: () => {
      if (link.role !== "ended") answered(link)
    },
    drained: () => {
      if (link === active) writer.drained()
    },
    ended: (how) => end(link, Link.errorOfEnd(how))
  })

  /** From dial to greeting. Whatever stops it, an interrupt too, leaves no socket behind. */
  const establish = Effect.fnUntraced(function* (): Effect.fn.Return<Link.Link, ConnectionError> {
    const request = yield* protocol.request
    const link = Link.make(generation)
    links.add(link)
    link.socket = driver.dial(request, settings, eventsOf(link, request))
    return yield* Deferred.await(link.opened).pipe(
      Effect.timeoutOrElse({
        duration: settings.openTimeout,
        orElse: () => Effect.fail(Link.unreachable(`no answer within ${settings.openTimeout / 1000} s`))
      }),
      Effect.andThen(
        Deferred.await(link.welcome).pipe(
          Effect.timeoutOrElse({
            duration: settings.greetingTimeout,
            orElse: () =>
              Effect.suspend(() => {
                if (protocol.ungreeted === "fail")
                  return Effect.fail(Link.unreachable("the platform did not greet in time"))
                // It opened, so it may be written to; but nothing has answered yet, so nobody may call it connected.
                link.pulse.suspect = true
                return Effect.void
              })
          })
        )
      ),
      Effect.as(link),
      Effect.onError(() => Effect.sync(() => discard(link, closed)))
    )
  })

  const dial = Effect.suspend(() => {
    generation += 1
    if (active === undefined) status.dialing(generation)
    return Effect.result(establish())
  })

  const drain = (link: Link.Link): Effect.Effect<void> =>
    Deferred.await(link.ended).pipe(
      Effect.timeoutOrElse({ duration: settings.drainTimeout, orElse: () => part(link) }),
      Effect.asVoid
    )

  /** Closing handshake; whoever does not answer it is cut off. */
  const part = (link: Link.Link): Effect.Effect<void> =>
    Effect.suspend(() => {
      link.socket.close(1000)
      return Deferred.await(link.ended).pipe(
        Effect.timeoutOrElse({
          duration: settings.closeTimeout,
          orElse: () => Effect.sync(() => discard(link, closed))
        }),
        Effect.asVoid
      )
    })

  /** From now on this link writes, and no other. */
  const activate = (link: Link.Link): void => {
    const old = active
    if (old !== undefined) {
      old.role = "draining"
      rest(old)
      runFork(drain(old))
    }
    link.role = "active"
    active = link
    link.fibers.push(
      runFork(
        Effect.map(
          Heartbeat.run(link.pulse, settings, {
            beat: () => protocol.beat(link.socket),
            suspected: status.suspect,
            stable: status.stable,
            defer: driver.defer
          }),
          (missed) => discard(link, new ConnectionError({ reason: new HeartbeatLost({ missed }) }))
        )
      )
    )
    // Before it is told: whoever hears of it may send at once, and must not find the old socket.
    writer.attach(link.socket)
    const now = clock.currentTimeMillisUnsafe()
    status.connected({ generation: link.generation, suspect: link.pulse.suspect, now, pongAt: link.pongAt })
    for (const frame of link.early) inbound.push(frame)
    link.early = []
  }

  // -- one account ---------------------------------------------------------------------------------------------------

  /** Waits for a person. Whatever else comes meanwhile concerns sockets that are gone. */
  const blocked = Effect.fnUntraced(function* (error: ConnectionError) {
    writer.refuse(error)
    status.blocked(error)
    while ((yield* Queue.take(signals))._tag !== "Unblock");
    writer.allow()
    status.unblocked()
  })

  /** Waits out the backoff; a renewal asked for meanwhile dials at once, one that concerned a lost socket does not. */
  const backOff = Effect.fnUntraced(function* (error: ConnectionError, delay: Duration.Duration) {
    status.waiting(error, clock.currentTimeMillisUnsafe(), Duration.toMillis(delay))
    yield* Effect.gen(function* () {
      for (;;) {
        const signal = yield* Queue.take(signals)
        if (signal._tag === "Renew" && signal.idle) return
      }
    }).pipe(Effect.timeoutOption(delay))
  })

  /** Serves one link after another for as long as there is one; the value is why there is none any more. */
  const serve = Effect.fnUntraced(function* (first: Link.Link): Effect.fn.Return<ConnectionError> {
    let link = first
    activate(link)
    let delays = yield* Schedule.toStep(policy)
    while (true) {
      const signal = yield* Queue.take(signals)
      if (signal._tag === "Unblock" || signal.generation !== link.generation) continue
      if (signal._tag === "Ended") return signal.error
      // Make before break: the old socket serves until the new one is greeted.
      renewing = true
      const successor = yield* dial
      renewing = false
      if (Result.isSuccess(successor)) {
        link = successor.success
        activate(link)
        delays = yield* Schedule.toStep(policy)
        continue
      }
      if (active !== link) return successor.failure
      status.renewalFailed(successor.failure)
      if (!successor.failure.transient) continue
      const [, delay] = yield* Effect.orDie(delays(clock.currentTimeMillisUnsafe(), undefined))
      const again: Signal = { _tag: "Renew", generation: link.generation, idle: false }
      link.fibers.push(runFork(Effect.sync(() => void Queue.offerUnsafe(signals, again)).pipe(Effect.delay(delay))))
    }
  })

  const supervise = Effect.gen(function* () {
    let delays = yield* Schedule.toStep(policy)
    while (true) {
      const first = yield* dial
      const error = Result.isSuccess(first) ? yield* serve(first.success) : first.failure
      if (!error.transient) {
        yield* blocked(error)
        delays = yield* Schedule.toStep(policy)
        continue
      }
      // No attempt has failed since the link was last stable: from the beginning.
      if (status.attempt() === 0) delays = yield* Schedule.toStep(policy)
      const [, delay] = yield* Effect.orDie(delays(clock.currentTimeMillisUnsafe(), undefined))
      yield* backOff(error, delay)
    }
  })

  /** What is in the outbox still goes out where a socket takes it; then the closing handshake. */
  const close = Effect.gen(function* () {
    closing = true
    writer.refuse(closed)
    yield* Effect.forEach(
      Array.from(links),
      (link) => {
        if (link === active) {
          return Effect.andThen(Effect.timeoutOption(writer.emptied, settings.closeTimeout), part(link))
        }
        return link.role === "draining" ? part(link) : Effect.sync(() => discard(link, closed))
      },
      { concurrency: "unbounded", discard: true }
    )
    status.closed()
    yield* inbound.end
  })

  // In a fiber of its own: finalizers cannot be interrupted, and its time limits work by interruption.
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.await(runFork(close))))
  yield* Effect.forkScoped(supervise)

  return {
    state: status.ref,
    inbound: inbound.stream,
    send: writer.send,
    renew: Effect.sync(() => {
      const idle = active === undefined
      Queue.offerUnsafe(signals, { _tag: "Renew", generation: active?.generation ?? generation, idle })
    }),
    unblock: Effect.sync(() => {
      if (SubscriptionRef.getUnsafe(status.ref).phase === "blocked") Queue.offerUnsafe(signals, { _tag: "Unblock" })
    })
  }
})
