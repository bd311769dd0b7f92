/** Texts of many millions of characters. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

forEachDatabase("Sessions", (stores) => {
  it.effect("gives back the longest reply that a platform takes (law text)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { responseId } = (yield* sessions.accept(message(session, "m"))).exchange
      // 32 Mi characters of three bytes each.
      const text = "界".repeat(32 * 1024 * 1024)
      yield* sessions.end(responseId, { text, failure: undefined })
      assert.isTrue((yield* sessions.findExchange(responseId)).replyText === text)
      const [newest] = (yield* sessions.history(session.sessionId, { limit: 10 })).items
      assert.isTrue(newest?.replyText === text)
      yield* sessions.remove("ann", session.sessionId)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a page of history holds so much text at most, and no message is left out (law bounded)", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const mebi = 1024 * 1024
      for (const [id, characters] of [1, 3 * mebi, 9 * mebi, 3 * mebi, 4 * mebi, 1, 5 * mebi].entries()) {
        const { exchange } = yield* sessions.accept(message(session, `m${id}`))
        yield* sessions.end(exchange.responseId, { text: "x".repeat(characters), failure: undefined })
      }
      const pages: Array<ReadonlyArray<string>> = []
      let before: number | undefined
      do {
        const { items, next } = yield* sessions.history(session.sessionId, { limit: 5, before })
        pages.push(items.map(({ messageId }) => messageId))
        before = next
      } while (before !== undefined)
      assert.deepStrictEqual(pages, [["m6", "m5"], ["m4", "m3"], ["m2"], ["m1", "m0"]])
    }).pipe(Effect.provide(stores()))
  )
})
