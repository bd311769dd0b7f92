import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import type { Journal } from "../../../../src/services/channel/Journal.ts"

const key = (n: number) => ({ accountId: "acc", sessionId: "s", messageId: `m${n}` })
const ids = (n: number) => ({ responseId: `resp_${n}`, itemId: `msg_${n}` })
const accept = (journal: Journal["Service"], n: number) => journal.accept(key(n), ids(n))
const end = (journal: Journal["Service"], n: number, text = "x") =>
  journal.end(`resp_${n}`, { _tag: "Completed", text })
const kept = (journal: Journal["Service"]) =>
  Effect.map(journal.recent("acc", 1_000), (entries) => entries.map((entry) => entry.responseId))

describe("the memory journal is bounded (law bounded)", () => {
  it.effect("by entries: what ended first goes first, what is under way never", () =>
    Effect.gen(function* () {
      const journal = yield* MemoryJournal.make({ maxEntries: 3 })
      for (let n = 1; n <= 3; n++) yield* accept(journal, n)
      yield* end(journal, 3)
      yield* end(journal, 2)
      yield* accept(journal, 4)
      assert.deepStrictEqual(yield* kept(journal), ["resp_4", "resp_2", "resp_1"])
      for (let n = 5; n <= 8; n++) yield* accept(journal, n)
      assert.deepStrictEqual(yield* kept(journal), ["resp_8", "resp_7", "resp_6", "resp_5", "resp_4", "resp_1"])
      assert.strictEqual((yield* accept(journal, 3))._tag, "Accepted", "forgotten, so new")
      assert.strictEqual((yield* accept(journal, 1))._tag, "Known")
    })
  )

  it.effect("by age, counted from the end", () =>
    Effect.gen(function* () {
      const journal = yield* MemoryJournal.make({ maxAge: "1 hour" })
      yield* accept(journal, 1)
      yield* accept(journal, 2)
      yield* TestClock.adjust("2 hours")
      yield* end(journal, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* accept(journal, 1))._tag, "Known")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* accept(journal, 1))._tag, "Accepted")
      assert.strictEqual((yield* accept(journal, 2))._tag, "Known")
    })
  )

  it.effect("by text", () =>
    Effect.gen(function* () {
      const journal = yield* MemoryJournal.make({ maxCharacters: 10 })
      for (let n = 1; n <= 3; n++) {
        yield* accept(journal, n)
        yield* end(journal, n, "12345")
      }
      assert.deepStrictEqual(yield* kept(journal), ["resp_3", "resp_2"])
    })
  )
})
