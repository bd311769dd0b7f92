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
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Closed, type Connection, ConnectionError } from "../../services/channel/Connection.ts"
import { type ConnectionSettings, resolve } from "./ConnectionOptions.ts"
import * as Backoff from "./Backoff.ts"
import { Line, type Signal } from "./Line.ts"
import * as Link from "./Link.ts"
import type { LinkProtocol } from "./LinkProtocol.ts"
import type { SocketDriver } from "./SocketDriver.ts"

export interface SupervisorOptions extends ConnectionSettings {
  readonly driver: SocketDriver
  readonly protocol: LinkProtocol
  /** Names the connection in the log. */
  readonly name?: string | undefined
}

const closed = new ConnectionError({ reason: new Closed() })

// -- one socket ------------------------------------------------------------------------------------------------------

const greetingOf = (line: Line, link: Link.Link): Effect.Effect<void, ConnectionError> =>
  Deferred.await(link.whenWelcome).pipe(
    Effect.timeoutOrElse({
      duration: line.settings.greetingTimeout,
      orElse: () =>
        Effect.suspend(() => {
          if (line.protocol.ungreeted === "fail")
            return Effect.fail(Link.unreachable("the platform did not greet in time"))
          // It opened, so it may be written to; but nothing has answered yet, so nobody may call it connected.
          link.pulse.suspect = true
          return Effect.void
        })
    })
  )

/** From dial to greeting. Whatever stops it, an interrupt too, leaves no socket behind. */
const establish = Effect.fnUntraced(function* (line: Line): Effect.fn.Return<Link.Link, ConnectionError> {
  const { settings } = line
  const request = yield* line.protocol.request
  const link = new Link.Link(line, line.generation, request.hello)
  line.links.push(link)
  link.socket = line.driver.dial(request, settings, link)
  return yield* Deferred.await(link.whenOpened).pipe(
    Effect.timeoutOrElse({
      duration: settings.openTimeout,
      orElse: () => Effect.fail(Link.unreachable(`no answer within ${settings.openTimeout / 1000} s`))
    }),
    Effect.andThen(Effect.suspend(() => greetingOf(line, link))),
    Effect.as(link),
    Effect.onError(() => Effect.sync(() => line.discard(link, closed)))
  )
})

const dial = (line: Line): Effect.Effect<Result.Result<Link.Link, ConnectionError>> =>
  Effect.suspend(() => {
    line.generation += 1
    if (line.active === undefined) line.status.dialing(line.generation)
    return Effect.result(establish(line))
  })

/** Closing handshake; whoever does not answer it is cut off. */
const part = (line: Line, link: Link.Link): Effect.Effect<void> =>
  Effect.suspend(() => {
    link.socket.close(1000)
    return Deferred.await(link.whenEnded).pipe(
      Effect.timeoutOrElse({
        duration: line.settings.closeTimeout,
        orElse: () => Effect.sync(() => line.discard(link, closed))
      }),
      Effect.asVoid
    )
  })

const drain = (line: Line, link: Link.Link): Effect.Effect<void> =>
  Deferred.await(link.whenEnded).pipe(
    Effect.timeoutOrElse({ duration: line.settings.drainTimeout, orElse: () => part(line, link) }),
    Effect.asVoid
  )

/**
 * `false`: it has ended between its greeting and now, while this fiber let others run. Its end was told to nobody, for
 * it served nobody yet; as the active one it would be called connected, and be written to, until pongs are missed.
 */
const activate = (line: Line, link: Link.Link): boolean => {
  if (link.role === "ended") return false
  const old = line.activate(link)
  if (old !== undefined) line.runFork(drain(line, old))
  return true
}

// -- one account -----------------------------------------------------------------------------------------------------

/** The waits between attempts, each longer than the one before; `reset` begins anew. */
class Delays {
  readonly #line: Line
  #next: ((now: number) => Effect.Effect<Duration.Duration>) | undefined

  constructor(line: Line) {
    this.#line = line
  }

  reset(): void {
    this.#next = undefined
  }

  /** An idle account has no backoff: it is made when the first wait is due. */
  get next(): Effect.Effect<Duration.Duration> {
    return Effect.suspend(() => {
      const now = this.#line.clock.currentTimeMillisUnsafe()
      if (this.#next !== undefined) return this.#next(now)
      return Effect.flatMap(Schedule.toStep(Backoff.schedule(this.#line.settings)), (step) => {
        this.#next = (at) => Effect.map(Effect.orDie(step(at, undefined)), ([, delay]) => delay)
        return this.#next(now)
      })
    })
  }
}

/** Waits for a person. Whatever else comes meanwhile concerns sockets that are gone. */
const blocked = Effect.fnUntraced(function* (line: Line, error: ConnectionError) {
  line.writer.refuse(error)
  line.status.blocked(error)
  while ((yield* Queue.take(line.signals))._tag !== "Unblock");
  line.writer.allow()
  line.status.unblocked()
})

const untilRenewal = Effect.fnUntraced(function* (line: Line) {
  for (;;) {
    const signal = yield* Queue.take(line.signals)
    if (signal._tag === "Renew" && signal.idle) return
  }
})

/** Waits out the backoff; a renewal asked for meanwhile dials at once, one that concerned a lost socket does not. */
const backOff = (line: Line, error: ConnectionError, delay: Duration.Duration): Effect.Effect<void> =>
  Effect.suspend(() => {
    line.status.waiting(error, line.clock.currentTimeMillisUnsafe(), Duration.toMillis(delay))
    return Effect.asVoid(Effect.timeoutOption(untilRenewal(line), delay))
  })

/** Serves one link after another for as long as there is one; the value is why there is none any more. */
const serve = Effect.fnUntraced(function* (line: Line, first: Link.Link): Effect.fn.Return<ConnectionError> {
  let link = first
  if (!activate(line, link)) return yield* Deferred.await(link.whenEnded)
  const delays = new Delays(line)
  while (true) {
    const signal = yield* Queue.take(line.signals)
    if (signal._tag === "Unblock" || signal.generation !== link.generation) continue
    if (signal._tag === "Ended") return signal.error
    // It ended after the notice, and that signal is next: nothing serves meanwhile, so the backoff is due.
    if (line.active !== link) continue
    // Make before break: the old socket serves until the new one is greeted.
    line.renewing = true
    const successor = yield* dial(line)
    line.renewing = false
    if (Result.isSuccess(successor) && activate(line, successor.success)) {
      link = successor.success
      delays.reset()
      continue
    }
    const failure = Result.isSuccess(successor) ? yield* Deferred.await(successor.success.whenEnded) : successor.failure
    if (line.active !== link) return failure
    line.status.renewalFailed(failure)
    if (!failure.transient) continue
    const delay = yield* delays.next
    const again: Signal = { _tag: "Renew", generation: link.generation, idle: false }
    link.fibers.push(
      line.runFork(Effect.sync(() => void Queue.offerUnsafe(line.signals, again)).pipe(Effect.delay(delay)))
    )
  }
})

const supervise = Effect.fnUntraced(function* (line: Line) {
  const delays = new Delays(line)
  while (true) {
    const first = yield* dial(line)
    const error = Result.isSuccess(first) ? yield* serve(line, first.success) : first.failure
    if (!error.transient) {
      yield* blocked(line, error)
      delays.reset()
      continue
    }
    // No attempt has failed since the link was last stable: from the beginning.
    if (line.status.attempt === 0) delays.reset()
    yield* backOff(line, error, yield* delays.next)
  }
})

/** What is in the outbox still goes out where a socket takes it; then the closing handshake. */
const close = Effect.fnUntraced(function* (line: Line) {
  line.closing = true
  line.writer.refuse(closed)
  yield* Effect.forEach(
    Array.from(line.links),
    (link) => {
      if (link === line.active) {
        return Effect.andThen(Effect.timeoutOption(line.writer.emptied, line.settings.closeTimeout), part(line, link))
      }
      return link.role === "draining" ? part(line, link) : Effect.sync(() => line.discard(link, closed))
    },
    { concurrency: "unbounded", discard: true }
  )
  line.status.closed()
  yield* line.queue.end
})

export const make = Effect.fnUntraced(function* (
  options: SupervisorOptions
): Effect.fn.Return<Connection["Service"], never, Scope.Scope> {
  const { driver, name = "connection", protocol } = options
  const line = new Line(
    { settings: resolve(options), driver, protocol, name },
    {
      clock: yield* Clock.Clock,
      runFork: Effect.runForkWith(yield* Effect.context<never>()),
      signals: yield* Queue.unbounded<Signal>()
    }
  )
  // In a fiber of its own: finalizers cannot be interrupted, and its time limits work by interruption.
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.await(line.runFork(close(line)))))
  yield* Effect.forkScoped(supervise(line))
  return line
})
