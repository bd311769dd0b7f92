/** What a start does with what an earlier process left: told, left alone, or run again. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import { assertLaws, codeOf, make, request, settle, text } from "./harness.ts"

const hour = 3_600_000

/** A process that takes m1 and m2, shows text of m2 alone, and is gone without a word. */
const crashed = Effect.fnUntraced(function* (options: { readonly rerunInterrupted?: "never" | "if-silent" }) {
  const memory = yield* MemoryJournal.make()
  // As a killed process: what it would write at its stop is not written.
  let alive = true
  const journal = {
    ...memory,
    end: (...args: Parameters<typeof memory.end>) => (alive ? memory.end(...args) : Effect.succeed(false))
  }
  const first = yield* make({ ...options, journal })
  yield* first.dispatcher.handle(request({ messageId: "m1" }))
  yield* first.dispatcher.handle(request({ messageId: "m2", sessionId: "s2" }))
  yield* settle
  first.stage.of("m2").say(text("so far"))
  yield* settle
  alive = false
  return memory
})

describe("after a crash", () => {
  it.effect("what is stale ends in the journal alone", () =>
    Effect.gen(function* () {
      const journal = yield* crashed({})
      yield* TestClock.adjust(hour + 1)
      const { dispatcher, wire } = yield* make({ journal })
      assert.strictEqual(yield* dispatcher.recover, 2)
      assert.deepStrictEqual(wire.frames, [])
      assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
    })
  )

  it.effect("what was under way until lately is told, however long ago it was accepted", () =>
    Effect.gen(function* () {
      const memory = yield* crashed({})
      yield* TestClock.adjust(2 * hour)
      const journal = {
        ...memory,
        unfinished: (accountId: string) =>
          Effect.map(memory.unfinished(accountId), (entries) =>
            entries.map((entry) => ({ ...entry, aliveAt: 2 * hour - 60_000 }))
          )
      }
      const { dispatcher, seen } = yield* make({ journal })
      assert.strictEqual(yield* dispatcher.recover, 2)
      assert.deepStrictEqual(seen().map(codeOf), ["INTERRUPTED", "INTERRUPTED"])
    })
  )

  it.effect("nothing is run again by default, and no request is kept", () =>
    Effect.gen(function* () {
      const journal = yield* crashed({})
      assert.deepStrictEqual(
        (yield* journal.unfinished("acc")).map((entry) => [entry.request, entry.begun]),
        [
          [undefined, undefined],
          [undefined, undefined]
        ]
      )
      const { dispatcher, seen, stage } = yield* make({ journal, rerunInterrupted: "if-silent" })
      assert.strictEqual(yield* dispatcher.recover, 2)
      yield* settle
      assert.strictEqual(stage.turns.length, 0)
      assert.deepStrictEqual(seen().map(codeOf), ["INTERRUPTED", "INTERRUPTED"])
    })
  )

  it.effect("if-silent: what had shown nothing is run again as the same reply, the rest is told", () =>
    Effect.gen(function* () {
      const journal = yield* crashed({ rerunInterrupted: "if-silent" })
      const [left] = yield* journal.unfinished("acc")
      const { dispatcher, of, stage, wire } = yield* make({ journal, rerunInterrupted: "if-silent" })
      assert.strictEqual(yield* dispatcher.recover, 1)
      yield* settle
      assert.strictEqual(codeOf(of("m2")), "INTERRUPTED")
      assert.deepStrictEqual(
        stage.turns.map(({ turn }) => [turn.messageId, turn.responseId, turn.parts]),
        [["m1", left?.responseId, [{ type: "input_text", text: "hello" }]]]
      )
      stage.of("m1").say(text("at last"))
      stage.of("m1").end()
      yield* settle
      assert.deepInclude(of("m1"), { text: "at last", end: "completed" })
      assert.strictEqual(of("m1").responseId, left?.responseId)
      assertLaws(wire.frames)
      assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
    })
  )

  it.effect("if-silent: once, so that a message that brings the program down does not do so for ever", () =>
    Effect.gen(function* () {
      const memory = yield* crashed({ rerunInterrupted: "if-silent" })
      const journal = { ...memory, end: () => Effect.succeed(false) }
      const second = yield* make({ journal, rerunInterrupted: "if-silent" })
      yield* second.dispatcher.recover
      yield* settle
      assert.strictEqual(second.stage.turns.length, 1)
      const third = yield* make({ journal: memory, rerunInterrupted: "if-silent" })
      assert.strictEqual(yield* third.dispatcher.recover, 2)
      yield* settle
      assert.strictEqual(third.stage.turns.length, 0)
    })
  )

  it.effect("if-silent: not what is stale", () =>
    Effect.gen(function* () {
      const journal = yield* crashed({ rerunInterrupted: "if-silent" })
      yield* TestClock.adjust(hour + 1)
      const { dispatcher, stage, wire } = yield* make({ journal, rerunInterrupted: "if-silent" })
      assert.strictEqual(yield* dispatcher.recover, 2)
      yield* settle
      assert.strictEqual(stage.turns.length, 0)
      assert.deepStrictEqual(wire.frames, [])
    })
  )
})
