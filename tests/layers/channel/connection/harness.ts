/** What the tests of the connection share: waiting on receipts, never on time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { Connection, type ConnectionState, type Phase } from "../../../../src/services/channel/Connection.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"

/** The first state that fits, the present one included. */
export const awaitState = (
  predicate: (state: ConnectionState) => boolean
): Effect.Effect<ConnectionState, never, Connection> =>
  Effect.gen(function* () {
    const connection = yield* Connection
    const found = yield* SubscriptionRef.changes(connection.state).pipe(Stream.filter(predicate), Stream.runHead)
    return Option.getOrThrow(found)
  })

export const awaitPhase = (phase: Phase) => awaitState((state) => state.phase === phase)

export const state = Effect.flatMap(Connection, (connection) => SubscriptionRef.get(connection.state))

export const send = (...frames: ReadonlyArray<string>) =>
  Effect.flatMap(Connection, (connection) => connection.send(frames))

/** Takes so many frames from the connection. */
export const takeInbound = (count: number) =>
  Effect.flatMap(Connection, (connection) => Stream.runCollect(Stream.take(connection.inbound, count)))

/** Lets everything run that can run without time passing. */
export const settle = Effect.forEach(Array.from({ length: 20 }), () => Effect.yieldNow, { discard: true })

/** Lets the backoff pass to the millisecond: the next dial has begun. */
export const passBackoff = Effect.gen(function* () {
  const waiting = yield* awaitState((state) => state.retryAt !== undefined)
  const now = yield* Clock.currentTimeMillis
  yield* TestClock.adjust(waiting.retryAt! - now)
})

/** Dial opened, greeted, serving, and the ping sent at open answered. */
export const connected = Effect.gen(function* () {
  const peer = yield* SimConnection.SimPeer
  const link = yield* peer.accept
  yield* awaitState((state) => state.phase === "connected" && state.generation >= link.number)
  yield* settle
  return link
})

/** Tests say what went wrong; the log of the connection would only repeat it. */
export const quiet = Effect.provideService(References.MinimumLogLevel, "None")

/** No random part, so that times can be told to the millisecond. */
export const sim =
  (options: SimConnection.SimConnectionOptions = {}) =>
  <A, E>(program: Effect.Effect<A, E, Connection | SimConnection.SimPeer>): Effect.Effect<A, E> =>
    quiet(Effect.provide(program, SimConnection.layer({ backoffJitter: 0, ...options })))
