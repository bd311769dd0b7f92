/** What every journal promises. Another layer is one more line in `layers`. */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import * as FaultyDatabase from "./faultyDatabase.ts"
import { Journal, type MessageKey, type Outcome } from "../../../../src/services/channel/Journal.ts"

/** Every other transaction finds the database locked by another program. */
const oftenBusy = Layer.unwrap(
  Effect.map(FaultyDatabase.movingClock, (onFault) => {
    let transactions = 0
    return FaultyDatabase.layer(SqliteClient.layer({ filename: ":memory:" }), {
      next: (text) =>
        text === "BEGIN IMMEDIATE" && ++transactions % 2 === 0
          ? FaultyDatabase.sqliteError(FaultyDatabase.codes.busy)
          : undefined,
      onFault
    })
  })
)

const layers = [
  { name: "memory", layer: Layer.fresh(MemoryJournal.layer()) },
  {
    name: "SQLite",
    layer: Layer.fresh(SqlJournal.layer().pipe(Layer.provide(SqliteClient.layer({ filename: ":memory:" }))))
  },
  {
    name: "SQLite whose index tells nothing apart",
    layer: Layer.fresh(
      Layer.effect(Journal, SqlJournal.make({ hash: () => 1 })).pipe(
        Layer.provide(SqliteClient.layer({ filename: ":memory:" }))
      )
    )
  },
  { name: "SQLite that is often locked", layer: Layer.fresh(SqlJournal.layer().pipe(Layer.provide(oftenBusy))) }
]

const key = (given: Partial<MessageKey> = {}): MessageKey => ({
  accountId: "acc",
  sessionId: "s1",
  messageId: "m1",
  ...given
})
const ids = (n: number) => ({ responseId: `resp_${n}`, itemId: `msg_${n}`, dialect: "gateway" as const })
const completed = (text: string): Outcome => ({ _tag: "Completed", text })
const failed: Outcome = { _tag: "Failed", text: "half", failure: { code: "TIMEOUT", message: "Too late." } }

for (const { layer, name } of layers) {
  describe(`Journal, ${name}`, () => {
    it.effect("accepts a message once, and gives a repeat the ids of the first time", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* TestClock.setTime(1_000)
        const first = yield* journal.accept(key(), ids(1))
        assert.deepStrictEqual(first, {
          _tag: "Accepted",
          entry: {
            key: key(),
            ...ids(1),
            acceptedAt: 1_000,
            outcome: undefined,
            endedAt: undefined,
            confirmedSequence: undefined
          }
        })
        yield* TestClock.setTime(2_000)
        assert.deepStrictEqual(yield* journal.accept(key(), ids(2)), { _tag: "Known", entry: first.entry })
        assert.isUndefined(yield* journal.find("resp_2"))
      }).pipe(Effect.provide(layer))
    )

    it.effect("tells accounts, sessions and messages apart, also where their ids run into each other", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const keys = [
          key(),
          key({ accountId: "other" }),
          key({ sessionId: "s2" }),
          key({ sessionId: undefined }),
          key({ sessionId: "" }),
          key({ messageId: "m2" }),
          key({ sessionId: "s1:m", messageId: "1" }),
          key({ sessionId: "s1", messageId: "m:1" }),
          key({ accountId: "a", sessionId: "cc", messageId: "x" }),
          key({ accountId: "ac", sessionId: "c", messageId: "x" }),
          key({ accountId: "a", sessionId: "b", messageId: "-:x" }),
          key({ accountId: "a1:b:", sessionId: undefined, messageId: "x" })
        ]
        for (const [n, each] of keys.entries()) {
          assert.strictEqual((yield* journal.accept(each, ids(n)))._tag, "Accepted", JSON.stringify(each))
        }
        for (const [n, each] of keys.entries()) {
          const again = yield* journal.accept(each, ids(100 + n))
          assert.deepStrictEqual([again._tag, again.entry.responseId], ["Known", `resp_${n}`])
        }
      }).pipe(Effect.provide(layer))
    )

    it.effect("gives of many at once the same message to one alone", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const given = yield* Effect.forEach(
          Arr.range(0, 49),
          (n) => journal.accept(key({ messageId: `m${n % 5}` }), ids(n)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          given.map(({ _tag, entry }) => [_tag, entry.responseId]),
          given.map((_, n) => [n < 5 ? "Accepted" : "Known", `resp_${n % 5}`])
        )
        const ends = yield* Effect.forEach(Arr.range(1, 9), (n) => journal.end("resp_3", completed(`${n}`)), {
          concurrency: "unbounded"
        })
        assert.deepStrictEqual(
          ends,
          Arr.makeBy(9, (n) => n === 0)
        )
        assert.deepStrictEqual((yield* journal.find("resp_3"))?.outcome, completed("1"))
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps a request until the reply has ended, and knows whether that has begun", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const request = JSON.stringify({ say: "你好" })
        yield* journal.accept(key(), { ...ids(1), request })
        assert.deepInclude((yield* journal.unfinished("acc"))[0], { request })
        assert.notProperty((yield* journal.unfinished("acc"))[0], "begun")
        yield* journal.begin("resp_1")
        yield* journal.begin("resp_unknown")
        assert.deepInclude((yield* journal.unfinished("acc"))[0], { request, begun: true })
        yield* journal.end("resp_1", completed("x"))
        const ended = yield* journal.find("resp_1")
        assert.notProperty(ended, "request")
        assert.notProperty(ended, "begun")
      }).pipe(Effect.provide(layer))
    )

    it.effect("takes each message without an id as a new one", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        const nameless = key({ messageId: undefined })
        assert.strictEqual((yield* journal.accept(nameless, ids(1)))._tag, "Accepted")
        assert.strictEqual((yield* journal.accept(nameless, ids(2)))._tag, "Accepted")
        assert.strictEqual((yield* journal.unfinished("acc")).length, 2)
      }).pipe(Effect.provide(layer))
    )

    it.effect("keeps the first outcome", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.accept(key(), ids(1))
        yield* TestClock.setTime(5_000)
        assert.isTrue(yield* journal.end("resp_1", failed))
        yield* TestClock.setTime(6_000)
        assert.isFalse(yield* journal.end("resp_1", completed("later")))
        assert.isFalse(yield* journal.end("resp_unknown", completed("")))
        const entry = yield* journal.find("resp_1")
        assert.deepInclude(entry, { outcome: failed, endedAt: 5_000 })
        const again = yield* journal.accept(key(), ids(2))
        assert.deepStrictEqual(again, { _tag: "Known", entry })
      }).pipe(Effect.provide(layer))
    )

    it.effect.prop("gives back any text as it was", [Schema.String], ([text]) =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.accept(key(), ids(1))
        yield* journal.end("resp_1", completed(text.toWellFormed()))
        assert.deepStrictEqual((yield* journal.find("resp_1"))?.outcome, completed(text.toWellFormed()))
      }).pipe(Effect.provide(layer))
    )

    it.effect("remembers the highest number confirmed, before and after the end", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        yield* journal.accept(key(), ids(1))
        for (const sequence of [0, 7, 3]) yield* journal.confirm("resp_1", sequence)
        assert.strictEqual((yield* journal.find("resp_1"))?.confirmedSequence, 7)
        yield* journal.end("resp_1", completed("x"))
        yield* journal.confirm("resp_1", 9)
        yield* journal.confirm("resp_unknown", 9)
        assert.deepInclude(yield* journal.find("resp_1"), { confirmedSequence: 9, outcome: completed("x") })
      }).pipe(Effect.provide(layer))
    )

    it.effect("lists what is unfinished, oldest first, and what is recent, newest first, by account", () =>
      Effect.gen(function* () {
        const journal = yield* Journal
        for (let n = 1; n <= 5; n++) yield* journal.accept(key({ messageId: `m${n}` }), ids(n))
        yield* journal.accept(key({ accountId: "other" }), ids(6))
        yield* journal.end("resp_4", completed("x"))
        yield* journal.end("resp_2", completed("x"))
        const named = (entries: ReadonlyArray<{ readonly responseId: string }>) =>
          entries.map((entry) => entry.responseId)
        assert.deepStrictEqual(named(yield* journal.unfinished("acc")), ["resp_1", "resp_3", "resp_5"])
        assert.deepStrictEqual(named(yield* journal.recent("acc", 3)), ["resp_5", "resp_4", "resp_3"])
        assert.deepStrictEqual(named(yield* journal.recent("acc", 0)), [])
        assert.deepStrictEqual(named(yield* journal.recent("nobody", 3)), [])
      }).pipe(Effect.provide(layer))
    )
  })
}
