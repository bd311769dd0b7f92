/** What every layer of Connection promises, whatever is under it. One suite, run over each. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ConnectionSettings } from "../../../../src/layers/channel/ConnectionOptions.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { greeting } from "../../../../src/layers/channel/SimDriver.ts"
import * as WsConnection from "../../../../src/layers/channel/WsConnection.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { awaitPhase, awaitState, quiet, takeInbound } from "./harness.ts"
import * as Server from "./server.ts"

/** The platform's end, as much of it as both kinds have. */
interface Link {
  readonly received: ReadonlyArray<string>
  readonly push: (frame: string) => Effect.Effect<void>
  readonly close: (code: number) => Effect.Effect<void>
  readonly drop: Effect.Effect<void>
  readonly reading: (on: boolean) => Effect.Effect<void>
}

interface World {
  readonly scope: Scope.Closeable
  readonly connection: Connection["Service"]
  /** The next socket, opened and greeted. */
  readonly next: Effect.Effect<Link>
}

type Kind = (settings: ConnectionSettings) => Effect.Effect<World, never, Scope.Scope>

/** Real time in both kinds, so times are short. */
const settings: ConnectionSettings = { backoffBase: 5, backoffJitter: 5 }

const real: Kind = Effect.fnUntraced(function* (settings) {
  const server = yield* Server.make()
  const scope = yield* Scope.fork(yield* Effect.scope)
  const credentials = { appKey: "key", appSecret: Redacted.make("secret") }
  const layer = WsConnection.layer({ ...settings, url: server.url, credentials })
  const context = yield* Layer.buildWithScope(layer, scope)
  return { scope, connection: Context.get(context, Connection), next: server.next }
})

const simulated: Kind = Effect.fnUntraced(function* (settings) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(SimConnection.layer(settings), scope)
  const peer = Context.get(context, SimConnection.SimPeer)
  return { scope, connection: Context.get(context, Connection), next: peer.accept }
})

/** Lets the event loop turn until the condition holds; the test's time limit is the only bound. */
const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(Effect.yieldNow, until(condition))))

for (const [name, kind] of [
  ["ws", real],
  ["sim", simulated]
] as const) {
  const law = (title: string, program: (world: World) => Effect.Effect<void, unknown>, more: ConnectionSettings = {}) =>
    it.live(title, () => quiet(Effect.scoped(Effect.flatMap(kind({ ...settings, ...more }), program))))
  const within =
    (world: World) =>
    <A, E>(effect: Effect.Effect<A, E, Connection>): Effect.Effect<A, E> =>
      Effect.provideService(effect, Connection, world.connection)

  describe(`Connection over ${name}`, () => {
    law("builds without a platform, and says that it is connecting", (world) =>
      Effect.gen(function* () {
        yield* awaitState((state) => state.phase !== "disconnected").pipe(within(world))
        yield* world.next
        yield* awaitPhase("connected").pipe(within(world))
      })
    )

    law("frames sent early arrive in order after the greeting", (world) =>
      Effect.gen(function* () {
        yield* world.connection.send(["1", "2"])
        yield* world.connection.send(["3"])
        const link = yield* world.next
        yield* until(() => link.received.length === 3)
        assert.deepStrictEqual(link.received, ["1", "2", "3"])
      })
    )

    law("frames from the platform are read in order, across reconnects", (world) =>
      Effect.gen(function* () {
        const first = yield* world.next
        yield* Effect.andThen(first.push("a"), first.push("b"))
        assert.deepStrictEqual(yield* takeInbound(3).pipe(within(world)), [greeting, "a", "b"])
        yield* first.drop
        const second = yield* world.next
        yield* second.push("c")
        assert.deepStrictEqual(yield* takeInbound(2).pipe(within(world)), [greeting, "c"])
      })
    )

    law("a burst of 10,000 frames of all sizes arrives whole and in order", (world) =>
      Effect.gen(function* () {
        const link = yield* world.next
        const frames = Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(1 + ((i * 37) % 400), i % 7 ? "x" : "界"))
        for (let i = 0; i < frames.length; i += 1 + (i % 13)) {
          yield* world.connection.send(frames.slice(i, i + 1 + (i % 13)))
        }
        yield* until(() => link.received.length === frames.length)
        assert.deepStrictEqual(link.received, frames)
      })
    )

    law(
      "a reader that takes nothing fills bounded buffers, then holds the sender; all arrives once it reads",
      (world) =>
        Effect.gen(function* () {
          const link = yield* world.next
          yield* awaitPhase("connected").pipe(within(world))
          yield* link.reading(false)
          const body = "x".repeat(60_000)
          const total = 700
          let accepted = 0
          const sender = yield* Effect.forkChild(
            Effect.gen(function* () {
              for (let i = 0; i < total; i++) {
                yield* world.connection.send([`${i} ${body}`])
                accepted += 1
              }
            })
          )
          const { state } = world.connection
          yield* until(() => state.value.outboxBytes > 200_000)
          assert.isAtMost(state.value.outboxBytes, 256_000)
          assert.isBelow(accepted, total)
          yield* link.reading(true)
          yield* Fiber.join(sender)
          yield* until(() => link.received.length === total)
          assert.deepStrictEqual(
            link.received.map((frame) => Number(frame.split(" ")[0])),
            Array.from({ length: total }, (_, i) => i)
          )
        }),
      { outboxBytes: 256_000, maxFrameBytes: 100_000, socketBytes: 200_000 }
    )

    law("a link that drops is replaced by a new generation", (world) =>
      Effect.gen(function* () {
        const first = yield* world.next
        const before = yield* awaitPhase("connected").pipe(within(world))
        yield* first.drop
        yield* world.next
        const after = yield* awaitState(
          (state) => state.phase === "connected" && state.generation > before.generation
        ).pipe(within(world))
        assert.strictEqual(after.lastFailure?.reason._tag, "Unreachable")
      })
    )

    law("replaced (4001) blocks until unblock", (world) =>
      Effect.gen(function* () {
        const first = yield* world.next
        yield* awaitPhase("connected").pipe(within(world))
        yield* first.close(4001)
        const blocked = yield* awaitPhase("blocked").pipe(within(world))
        assert.strictEqual(blocked.lastFailure?.reason._tag, "Replaced")
        assert.strictEqual((yield* Effect.flip(world.connection.send(["x"]))).reason._tag, "Replaced")
        yield* world.connection.unblock
        yield* world.next
        yield* awaitPhase("connected").pipe(within(world))
      })
    )

    law("renew makes before it breaks: frames go on without a gap", (world) =>
      Effect.gen(function* () {
        const old = yield* world.next
        const before = yield* awaitPhase("connected").pipe(within(world))
        yield* world.connection.send(["1"])
        yield* until(() => old.received.length === 1)
        yield* world.connection.renew
        const next = yield* world.next
        yield* awaitState((state) => state.generation > before.generation).pipe(within(world))
        yield* world.connection.send(["2"])
        yield* until(() => next.received.length === 1)
        yield* old.push("still heard")
        assert.deepStrictEqual(yield* takeInbound(3).pipe(within(world)), [greeting, greeting, "still heard"])
        assert.deepStrictEqual([old.received, next.received], [["1"], ["2"]])
      })
    )

    law(
      "a consumer without a stream is told of all frames in order, also after a silence, until its scope closes",
      (world) =>
        Effect.gen(function* () {
          const { consume } = world.connection
          if (consume === undefined) return assert.fail("both of these have it")
          const link = yield* world.next
          const scope = yield* Scope.make()
          const told: Array<string> = []
          let busy = 0
          yield* consume
            .call(world.connection, (frames) =>
              Effect.gen(function* () {
                assert.strictEqual(++busy, 1, "one at a time")
                yield* Effect.yieldNow
                told.push(...frames)
                busy--
              })
            )
            .pipe(Scope.provide(scope))
          yield* until(() => told.length === 1)
          for (const frame of ["a", "b", "c"]) yield* link.push(frame)
          yield* until(() => told.length === 4)
          yield* link.push("d")
          yield* until(() => told.length === 5)
          assert.deepStrictEqual(told, [greeting, "a", "b", "c", "d"])
          yield* Scope.close(scope, Exit.void)
          yield* link.push("e")
          assert.deepStrictEqual(yield* takeInbound(1).pipe(within(world)), ["e"])
          assert.strictEqual(told.length, 5)
        })
    )

    law("close ends the stream of what arrives and every later send", (world) =>
      Effect.gen(function* () {
        yield* world.next
        yield* awaitPhase("connected").pipe(within(world))
        const reader = yield* Effect.forkChild(Stream.runCollect(world.connection.inbound))
        yield* Scope.close(world.scope, Exit.void)
        assert.deepStrictEqual(yield* Fiber.join(reader), [greeting])
        assert.strictEqual((yield* Effect.flip(world.connection.send(["x"]))).reason._tag, "Closed")
        assert.strictEqual(world.connection.state.value.phase, "disconnected")
      })
    )
  })
}
