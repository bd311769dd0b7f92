import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Batches from "../../../../src/layers/channel/Batches.ts"
import type { ReplyPart } from "../../../../src/services/channel/AgentRuntime.ts"

const textOf = (parts: ReadonlyArray<ReplyPart>): string =>
  parts.map((part) => (part._tag === "Text" ? part.text : "")).join("")

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const arraysOf = <E>(stream: Stream.Stream<ReplyPart, E>) =>
  Effect.gen(function* () {
    const arrays: Array<ReadonlyArray<ReplyPart>> = []
    yield* Stream.runForEachArray(stream, (array) => Effect.sync(() => void arrays.push(array)))
    return arrays
  })

describe("Batches", () => {
  it.effect.prop(
    "keeps every piece, in order, whatever the rhythm",
    [Schema.Array(Schema.Tuple([Schema.String, Schema.Literals(["now", "microtask", "turn"])]))],
    ([script]) =>
      Effect.gen(function* () {
        const parts = yield* Stream.runCollect(
          Batches.fromAsyncIterable(
            async function* () {
              for (const [text, rhythm] of script) {
                if (rhythm === "microtask") await Promise.resolve()
                if (rhythm === "turn") await turn()
                yield text
              }
            },
            String,
            { maxWaiting: 7 }
          )
        )
        assert.strictEqual(textOf(parts), script.map(([text]) => text).join(""))
        assert.isFalse(parts.some((part) => part._tag === "Text" && part.text === ""))
      })
  )

  it.effect("sends the first piece alone and the rest of the turn as one batch", () =>
    Effect.gen(function* () {
      const arrays = yield* arraysOf(
        Batches.fromAsyncIterable(async function* () {
          for (let i = 0; i < 50; i++) {
            await Promise.resolve()
            yield `${i} `
          }
          await turn()
          yield "later"
        }, String)
      )
      assert.deepStrictEqual(
        arrays.map((array) => array.length),
        [1, 49, 1]
      )
    })
  )

  it.effect("pauses a producer that runs too far ahead (law bounded)", () =>
    Effect.gen(function* () {
      let produced = 0
      let most = 0
      let taken = 0
      const stream = Batches.fromAsyncIterable(
        async function* () {
          for (let i = 0; i < 100; i++) {
            produced++
            most = Math.max(most, produced - taken)
            yield "x".repeat(10)
          }
        },
        String,
        { maxWaiting: 50 }
      )
      yield* Stream.runForEachArray(stream, (array) =>
        Effect.promise(turn).pipe(Effect.andThen(Effect.sync(() => void (taken += array.length))))
      )
      assert.strictEqual(taken, 100)
      // One batch in the consumer's hands, one that waits.
      assert.isAtMost(most, 11)
    })
  )

  it.effect("fails after the pieces that came before the failure", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const exit = yield* Batches.fromAsyncIterable(
        async function* () {
          yield "a"
          yield "b"
          throw new Error("broken")
        },
        (cause) => (cause instanceof Error ? cause.message : "")
      ).pipe(
        Stream.runForEach((part) => Effect.sync(() => void seen.push(textOf([part])))),
        Effect.flip
      )
      assert.strictEqual(exit, "broken")
      assert.deepStrictEqual(seen, ["a", "b"])
    })
  )

  it.effect("a producer that cannot even start is an error, not a defect", () =>
    Effect.gen(function* () {
      const thrown = yield* Effect.flip(
        Stream.runDrain(
          Batches.fromAsyncIterable(() => {
            throw new Error("no")
          }, String)
        )
      )
      assert.strictEqual(thrown, "Error: no")
      const rejected = yield* Effect.flip(
        Stream.runDrain(Batches.fromAsyncIterable(() => Promise.reject(new Error("never")), String))
      )
      assert.strictEqual(rejected, "Error: never")
    })
  )

  it.effect("refuses what is neither text nor a part, and returns the iterator", () =>
    Effect.gen(function* () {
      let returned = false
      async function* wrong(): AsyncGenerator<Batches.Piece> {
        try {
          yield "fine"
          // What untyped code of a user may do.
          yield JSON.parse("42")
        } finally {
          returned = true
        }
      }
      const error = yield* Effect.flip(
        Stream.runDrain(
          Batches.fromAsyncIterable(
            () => wrong(),
            (cause) => cause
          )
        )
      )
      assert.instanceOf(error, Batches.NotAPiece)
      yield* Effect.promise(turn)
      assert.isTrue(returned)
    })
  )

  it.effect("interruption aborts the signal and returns an idle iterator (law stop)", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      let aborted = false
      let returned = false
      const fiber = yield* Batches.fromAsyncIterable(
        (signal) => {
          signal.addEventListener("abort", () => (aborted = true))
          return (async function* () {
            try {
              for (;;) yield "x".repeat(1000)
            } finally {
              returned = true
            }
          })()
        },
        String,
        { maxWaiting: 1 }
      ).pipe(
        Stream.runForEachArray(() => Effect.andThen(Deferred.succeed(began, undefined), Effect.never)),
        Effect.forkChild
      )
      yield* Deferred.await(began)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(turn)
      assert.isTrue(aborted)
      assert.isTrue(returned)
    })
  )

  it.effect("interruption does not wait for an iterator that never settles", () =>
    Effect.gen(function* () {
      let called = 0
      const never: AsyncIterable<string> = {
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: () => {
            called++
            return new Promise(() => {})
          }
        })
      }
      const fiber = yield* Effect.forkChild(Stream.runDrain(Batches.fromAsyncIterable(() => never, String)))
      yield* Effect.promise(turn)
      const exit = yield* Fiber.interrupt(fiber).pipe(Effect.andThen(Fiber.await(fiber)))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(called, 1)
    })
  )

  it.effect("a pull that was interrupted loses nothing", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let push = (_text: string): void => {}
        const pull = yield* Stream.toPull(
          Batches.fromPush<never>((sink) => {
            push = (text) => void sink.push(text)
          })
        )
        const fiber = yield* Effect.forkChild(pull)
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        push("kept")
        assert.strictEqual(textOf(yield* pull), "kept")
      })
    )
  )
})
