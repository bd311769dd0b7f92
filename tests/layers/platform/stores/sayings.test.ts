/** What an agent says by itself: an exchange without a question, once, and only to whom it has a conversation with. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { People } from "../../../../src/services/platform/People.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

forEachDatabase("What agents say by themselves", (stores) => {
  it.effect("stands in the history between the exchanges, ended, and names the conversation", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const { clawId, sessionId } = session
      const { exchange, fresh } = yield* sessions.say({ clawId, sessionId, messageId: "k1", text: "Good morning!" })
      assert.isTrue(fresh)
      assert.deepInclude(exchange, { status: "completed", replyText: "Good morning!", parts: [], userId: "ann" })
      yield* sessions.accept(message(session, "m1"))
      yield* sessions.say({ clawId, sessionId, messageId: "k2", text: "And again." })
      const { items } = yield* sessions.history(sessionId, { limit: 10 })
      assert.deepStrictEqual(
        items.map(({ messageId }) => messageId),
        ["k2", "m1", "k1"]
      )
      assert.deepStrictEqual(yield* sessions.findExchange(exchange.responseId), exchange)
      assert.strictEqual((yield* sessions.find("ann", sessionId)).title, "Good morning!")
      // Nothing of it waits for the agent.
      assert.strictEqual(yield* sessions.countWaiting(clawId), 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("law once: the same key says nothing twice, also at the same time", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { clawId, sessionId } = yield* conversation("ann")
      const all = yield* Effect.all(
        Array.from({ length: 5 }, (_, n) => sessions.say({ clawId, sessionId, messageId: "k", text: `try ${n}` })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(all.filter(({ fresh }) => fresh).length, 1)
      assert.strictEqual(new Set(all.map(({ exchange }) => exchange.responseId)).size, 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("law confined: into no conversation of another agent, under no id of a person's message", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const own = yield* conversation("ann")
      const foreign = yield* conversation("bob")
      const say = (sessionId: string, messageId: string, text = "Hello") =>
        sessions.say({ clawId: own.clawId, sessionId, messageId, text })
      assert.strictEqual(yield* tagOf(say(foreign.sessionId, "k")), "NotFound")
      assert.strictEqual(yield* tagOf(say("sess_unknown\u0000", "k")), "NotFound")
      yield* sessions.accept(message(own, "m"))
      assert.strictEqual(yield* tagOf(say(own.sessionId, "m")), "Invalid")
      assert.strictEqual(yield* tagOf(say(own.sessionId, "k", " \n")), "Invalid")
      assert.strictEqual(yield* tagOf(say(own.sessionId, "k", "x".repeat(100_001))), "Invalid")
      assert.strictEqual(yield* tagOf(say(own.sessionId, "k\u0000")), "Invalid")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("law bounded: 200 a day in one conversation", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { clawId, sessionId } = yield* conversation("ann")
      const say = (n: number) => sessions.say({ clawId, sessionId, messageId: `k${n}`, text: "Hello" })
      for (let n = 0; n < 200; n++) yield* say(n)
      assert.strictEqual(yield* tagOf(say(200)), "LimitReached")
      // Said before is no more.
      assert.isFalse((yield* say(7)).fresh)
      yield* TestClock.adjust("25 hours")
      assert.isTrue((yield* say(200)).fresh)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("people are each named once, with the conversation they used last", () =>
    Effect.gen(function* () {
      const sessions = yield* Sessions
      const { person } = yield* (yield* People).signIn("Ann")
      const first = yield* conversation(person.userId)
      yield* TestClock.adjust(5)
      const second = yield* sessions.create(person.userId, first.clawId)
      yield* TestClock.adjust(5)
      const other = yield* sessions.create("u_other", first.clawId)
      const found = yield* sessions.correspondents(first.clawId, 10)
      assert.deepStrictEqual(
        found.map(({ name, session }) => [name, session.sessionId]),
        [
          ["", other.sessionId],
          ["Ann", second.sessionId]
        ]
      )
      const latest = (messageId?: string) =>
        Effect.map(sessions.latestWith(first.clawId, person.userId, messageId), ({ sessionId }) => sessionId)
      assert.strictEqual(yield* latest(), second.sessionId)
      yield* sessions.say({ clawId: first.clawId, sessionId: second.sessionId, messageId: "k", text: "Hi" })
      yield* TestClock.adjust(5)
      yield* sessions.accept(message(first, "m"))
      assert.strictEqual(yield* latest(), first.sessionId)
      assert.strictEqual(yield* latest("other"), first.sessionId)
      // Law once: what was said there is not said again somewhere else.
      assert.strictEqual(yield* latest("k"), second.sessionId)
      assert.strictEqual(yield* tagOf(sessions.latestWith(first.clawId, "u_stranger")), "NotFound")
    }).pipe(Effect.provide(stores()))
  )
})
