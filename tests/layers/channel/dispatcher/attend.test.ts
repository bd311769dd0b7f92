/** An account that is attended stands by without a fiber, and ends as one that is served. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Account from "../../../../src/layers/channel/Account.ts"
import * as SimConnection from "../../../../src/layers/channel/SimConnection.ts"
import { Connection } from "../../../../src/services/channel/Connection.ts"
import { Dispatcher } from "../../../../src/services/channel/Dispatcher.ts"
import { encodeCancel } from "../../../../src/services/protocol/PlatformFrame.ts"

/** Until everyone who waits for something has it. */
const settle = Effect.repeat(Effect.yieldNow, { times: 50 })

const make = Effect.gen(function* () {
  const heard: Array<string> = []
  const recovered = yield* Deferred.make<number>()
  const drained = yield* Deferred.make<void>()
  const dispatcher = Dispatcher.of({
    handle: (inbound) => Effect.sync(() => void heard.push(inbound._tag)),
    cancel: () => Effect.succeed(false),
    inFlight: Effect.succeed([]),
    recent: Effect.succeed([]),
    stats: Effect.die(new Error("not asked for here")),
    recover: Deferred.await(recovered),
    drain: Effect.andThen(
      Effect.sync(() => void heard.push("drain")),
      Deferred.await(drained)
    )
  })
  const connection = yield* Connection
  const peer = yield* SimConnection.SimPeer
  const link = yield* peer.accept
  const scope = yield* Scope.make()
  yield* Scope.provide(Account.attend(connection, dispatcher), scope)
  yield* settle
  return { drained, heard, link, recovered, scope }
})

describe("an account that is attended", () => {
  it.effect("takes nothing before what was left behind is ended, then everything in order", () =>
    Effect.gen(function* () {
      const { heard, link, recovered } = yield* make
      yield* link.push(encodeCancel({ messageId: "m1", responseId: undefined, sessionId: undefined }))
      yield* settle
      assert.deepStrictEqual(heard, [])
      yield* Deferred.succeed(recovered, 0)
      yield* settle
      assert.deepStrictEqual(heard, ["AutoBound", "Cancel"])
      yield* link.push(encodeCancel({ messageId: "m2", responseId: undefined, sessionId: undefined }))
      yield* settle
      assert.deepStrictEqual(heard, ["AutoBound", "Cancel", "Cancel"])
    }).pipe(Effect.provide(SimConnection.layer()))
  )

  it.effect("takes nothing new once it is stopped, and waits until the replies under way have ended", () =>
    Effect.gen(function* () {
      const { drained, heard, link, recovered, scope } = yield* make
      yield* Deferred.succeed(recovered, 0)
      yield* settle
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* settle
      yield* link.push(encodeCancel({ messageId: "m1", responseId: undefined, sessionId: undefined }))
      yield* settle
      assert.deepStrictEqual(heard, ["AutoBound", "drain"])
      assert.isUndefined(closing.pollUnsafe())
      yield* Deferred.succeed(drained, undefined)
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(SimConnection.layer()))
  )
})
