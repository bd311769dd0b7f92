import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { LazyDispatcher } from "../../../../src/layers/channel/LazyDispatcher.ts"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import { Dispatcher } from "../../../../src/services/channel/Dispatcher.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"
import type { Inbound } from "../../../../src/services/protocol/Inbound.ts"
import { decodeInbound } from "../../../../src/services/protocol/Inbound.ts"
import { encodeAutoBound } from "../../../../src/services/protocol/PlatformFrame.ts"
import { request } from "./harness.ts"

const greeting = (sessionId: string): Inbound =>
  decodeInbound(
    encodeAutoBound({
      sessions: [{ sessionId, userId: "u", assistantId: "a" }],
      senderType: "assistant",
      senderId: "a",
      features: ["ack"]
    })
  )

const nothing = {
  accepted: 0,
  repeated: 0,
  refused: 0,
  completed: 0,
  failed: {},
  firstDelta: { count: 0, totalMillis: 0, maxMillis: 0 },
  running: 0,
  waiting: 0
}

const make = Effect.gen(function* () {
  const heard: Array<string> = []
  const ready = yield* Deferred.make<void>()
  let made = 0
  let recovered = 0
  const inner = Dispatcher.of({
    handle: (inbound) =>
      Effect.sync(
        () =>
          void heard.push(
            inbound._tag === "Request"
              ? `request ${inbound.request.messageId}`
              : inbound._tag === "AutoBound"
                ? `greeting ${inbound.sessions[0]?.sessionId}`
                : inbound._tag
          )
      ),
    cancel: () => Effect.succeed(true),
    inFlight: Effect.succeed([]),
    recent: Effect.succeed([]),
    stats: Effect.die(new Error("asked while it is there")),
    recover: Effect.sync(() => ++recovered),
    drain: Effect.sync(() => void heard.push("drain"))
  })
  const journal = yield* Journal
  const dispatcher = new LazyDispatcher({
    accountId: "claw-1",
    journal,
    make: () =>
      Effect.andThen(
        Effect.sync(() => void made++),
        Effect.as(Deferred.await(ready), inner)
      )
  })
  return { dispatcher, heard, journal, ready, made: () => made, recovered: () => recovered }
})

describe("a dispatcher that is made when there is something to do", () => {
  it.effect("is not made for greetings, and answers what an idle one would", () =>
    Effect.gen(function* () {
      const { dispatcher, heard, made } = yield* make
      assert.strictEqual(yield* dispatcher.recover, 0)
      yield* dispatcher.handle(greeting("s-1"))
      assert.isFalse(yield* dispatcher.cancel({ sessionId: "s-1" }))
      assert.deepStrictEqual(yield* dispatcher.inFlight, [])
      assert.deepStrictEqual(yield* dispatcher.recent, [])
      assert.deepInclude(yield* dispatcher.stats, { ...nothing, failed: (yield* dispatcher.stats).failed })
      yield* dispatcher.drain
      assert.deepStrictEqual([made(), heard], [0, []])
    }).pipe(Effect.provide(MemoryJournal.layer()))
  )

  it.effect("is made once for requests that come together, hears the last greeting first, and them in order", () =>
    Effect.gen(function* () {
      const { dispatcher, heard, made, ready } = yield* make
      yield* dispatcher.handle(greeting("s-1"))
      yield* dispatcher.handle(greeting("s-2"))
      const all = yield* Effect.forkChild(
        Effect.forEach(["m1", "m2", "m3"], (messageId) => dispatcher.handle(request({ messageId })), {
          concurrency: "unbounded",
          discard: true
        })
      )
      yield* Effect.yieldNow
      yield* Deferred.succeed(ready, undefined)
      yield* Fiber.join(all)
      assert.deepStrictEqual(heard, ["greeting s-2", "request m1", "request m2", "request m3"])
      assert.strictEqual(made(), 1)
      yield* dispatcher.drain
      assert.strictEqual(heard.at(-1), "drain")
    }).pipe(Effect.provide(MemoryJournal.layer()))
  )

  it.effect("is made at once where an earlier process left something unfinished (law one-terminal)", () =>
    Effect.gen(function* () {
      const { dispatcher, journal, made, ready, recovered } = yield* make
      yield* Deferred.succeed(ready, undefined)
      yield* journal.accept(
        { accountId: "claw-1", sessionId: "s", messageId: "m" },
        { responseId: "resp_1", itemId: "msg_1" }
      )
      assert.strictEqual(yield* dispatcher.recover, 1)
      assert.deepStrictEqual([made(), recovered()], [1, 1])
    }).pipe(Effect.provide(MemoryJournal.layer()))
  )
})
