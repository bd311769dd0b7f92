/** What the tests of the connection share: waiting on receipts, never on time. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
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

/** Dial opened, greeted and serving. */
export const connected = Effect.gen(function* () {
  const peer = yield* SimConnection.SimPeer
  const link = yield* peer.accept
  yield* awaitState((state) => state.phase === "connected" && state.generation >= link.number)
  return link
})

/** No random part, so that times can be told to the millisecond. */
export const sim = (options: SimConnection.SimConnectionOptions = {}) =>
  Effect.provide(SimConnection.layer({ backoffJitter: 0, ...options }))
