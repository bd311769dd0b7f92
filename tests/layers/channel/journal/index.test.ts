import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { hashOf, JournalIndex } from "../../../../src/layers/channel/journalIndex.ts"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"

const running = (row: number) => ({ row, accountId: "acc", ours: true })

describe("the index beside the rows", () => {
  it("gives whole numbers of 53 bits that differ with every part of a key", () => {
    const seen = new Set<number>()
    for (const accountId of ["", "a", "b", "ab"]) {
      for (const sessionId of [undefined, "", "a", "b", "ab"]) {
        for (let n = 0; n < 2_000; n++) seen.add(hashOf({ accountId, sessionId, messageId: `m${n}` }))
      }
    }
    assert.strictEqual(seen.size, 4 * 5 * 2_000)
    for (const hash of seen) assert.isTrue(Number.isSafeInteger(hash) && hash >= 0)
    // Spread over all their bits: halves of the range are hit about as often.
    for (const bit of [0, 10, 20, 21, 30, 40, 52]) {
      const set = [...seen].filter((hash) => Math.floor(hash / 2 ** bit) % 2 === 1).length
      assert.isAbove(set, seen.size * 0.45, `bit ${bit}`)
      assert.isBelow(set, seen.size * 0.55, `bit ${bit}`)
    }
  })

  it("takes back what a rollback takes back, and keeps what was committed", () => {
    const index = new JournalIndex()
    index.accepted("resp_1", running(1), 111)
    index.accepted("resp_2", running(2), 222)
    index.finished("resp_1", 10)
    index.commit()
    const look = () => [
      index.lastRow,
      index.ended,
      index.characters,
      [...index.running.keys()],
      [111, 222, 333].map((hash) => index.rowOf(hash)),
      ["resp_1", "resp_2", "resp_3"].map((id) => index.rowOfReply(id))
    ]
    const before = look()
    index.accepted("resp_3", running(3), 333)
    index.finished("resp_3", 5)
    index.finished("resp_2", 7)
    index.pruned(2, "resp_2", 222, 7)
    assert.notDeepEqual(look(), before)
    index.rollback()
    assert.deepStrictEqual(look(), before)
    index.rollback()
    assert.deepStrictEqual(look(), before)
  })

  it.effect.prop("never answers one message for another", [Schema.String, Schema.String], ([a, b]) =>
    Effect.gen(function* () {
      const journal = yield* SqlJournal.make()
      const of = (messageId: string) => ({ accountId: "acc", sessionId: "s", messageId: messageId.toWellFormed() })
      yield* journal.accept(of(a), { responseId: "resp_a", itemId: "msg_a" })
      const second = yield* journal.accept(of(b), { responseId: "resp_b", itemId: "msg_b" })
      const same = a.toWellFormed() === b.toWellFormed()
      assert.strictEqual(second._tag, same ? "Known" : "Accepted")
    }).pipe(Effect.scoped, Effect.provide(SqliteClient.layer({ filename: ":memory:" }), { local: true }))
  )
})
