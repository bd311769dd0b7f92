import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as Recorder from "../../../../src/layers/channel/ControlRecorder.ts"
import { HeartbeatLost, ConnectionError } from "../../../../src/services/channel/Connection.ts"
import type { Ended } from "../../../../src/services/channel/Dispatcher.ts"
import * as scripted from "./scripted.ts"

const ended = (id: string, acceptedAt: number, firstDeltaAt: number | undefined, endedAt: number): Ended => ({
  responseId: id,
  sessionId: "s",
  messageId: id,
  acceptedAt,
  startedAt: acceptedAt,
  firstDeltaAt,
  characters: 10,
  endedAt,
  failure: undefined
})

const onLine = Effect.gen(function* () {
  const one = yield* scripted.account()
  yield* one.goOnLine(scripted.profileOf(scripted.proposal), 0)
  const all = yield* scripted.accounts([one])
  const recorder = yield* Recorder.make(Effect.succeedSome(all))
  return { one, recorder, samples: () => recorder.samples("default") }
})

describe("the recorder of the last hour", () => {
  it.effect("counts what ended in spans of ten seconds, and leaves out those without anything", () =>
    Effect.gen(function* () {
      const { one, samples } = yield* onLine
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(samples(), [])
      one.replies.recent = [ended("b", 3_000, 3_600, 3_900), ended("a", 3_000, 3_200, 3_500)]
      one.replies.stats = {
        ...scripted.noStats,
        completed: 2,
        firstDelta: { count: 2, totalMillis: 800, maxMillis: 600 }
      }
      yield* TestClock.adjust("1 second")
      const first = {
        at: 0,
        completed: 2,
        failed: 0,
        first_delta_ms: 400,
        first_delta_max_ms: 600,
        reconnects: 0
      }
      assert.deepStrictEqual(samples(), [first])
      // One more in the same span: the mean is of all three, the longest stays.
      one.replies.recent = [ended("c", 4_900, 5_000, 5_100), ...one.replies.recent]
      one.replies.stats = {
        ...one.replies.stats,
        failed: { ...scripted.noStats.failed, TIMEOUT: 1 },
        firstDelta: { count: 3, totalMillis: 900, maxMillis: 600 }
      }
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(samples(), [{ ...first, failed: 1, first_delta_ms: 300 }])
      yield* TestClock.adjust("30 seconds")
      one.replies.recent = [ended("d", 30_000, 35_900, 36_000), ...one.replies.recent]
      one.replies.stats = {
        ...one.replies.stats,
        completed: 3,
        firstDelta: { count: 4, totalMillis: 6_800, maxMillis: 5_900 }
      }
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(samples().at(-1), {
        at: 30_000,
        completed: 1,
        failed: 0,
        first_delta_ms: 5_900,
        first_delta_max_ms: 5_900,
        reconnects: 0
      })
      yield* TestClock.adjust("3590 seconds")
      assert.deepStrictEqual(
        samples().map(({ at }) => at),
        [30_000]
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(samples(), [])
    })
  )

  it.effect("counts a link made anew, not the first one, and says since when a phase holds", () =>
    Effect.gen(function* () {
      const { one, recorder, samples } = yield* onLine
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(samples(), [])
      assert.strictEqual(recorder.since("default"), 0)
      yield* SubscriptionRef.update(one.connection, (state) => ({
        ...state,
        phase: "reconnecting" as const,
        connectedAt: undefined,
        lastFailure: new ConnectionError({ reason: new HeartbeatLost({ missed: 3 }) })
      }))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(recorder.since("default"), 6_000)
      assert.strictEqual(recorder.failedAt("default"), 6_000)
      yield* SubscriptionRef.update(one.connection, (state) => ({
        ...state,
        phase: "connected" as const,
        generation: 2,
        connectedAt: 7_400
      }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual(recorder.since("default"), 7_400)
      assert.deepStrictEqual(
        samples().map(({ reconnects }) => reconnects),
        [1]
      )
    })
  )

  it.effect("begins anew with a dispatcher that begins anew, and takes nothing back", () =>
    Effect.gen(function* () {
      const { one, samples } = yield* onLine
      one.replies.stats = { ...scripted.noStats, completed: 5 }
      yield* TestClock.adjust("1 second")
      yield* SubscriptionRef.set(one.line, Option.none())
      yield* TestClock.adjust("1 second")
      one.replies.stats = { ...scripted.noStats, completed: 1 }
      yield* one.goOnLine(scripted.profileOf(scripted.proposal), 2_000)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(
        samples().map(({ completed }) => completed),
        [6]
      )
    })
  )
})
