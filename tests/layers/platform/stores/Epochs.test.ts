/** Only an agent's newest connection writes, whoever else still holds one: another socket, another process. */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SqlClient from "effect/sql/SqlClient"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation, message } from "./fixtures.ts"

const done = { text: "Done.", failure: undefined }
const replaced = { code: "INTERRUPTED", message: "Replaced." } as const
const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

/** A conversation with a message in the mailbox. */
const waiting = Effect.gen(function* () {
  const sessions = yield* Sessions
  const session = yield* conversation("ann")
  const { exchange } = yield* sessions.accept(message(session, "m"))
  const statusOf = Effect.map(sessions.findExchange(exchange.responseId), ({ status }) => status)
  return { sessions, session, responseId: exchange.responseId, statusOf }
})

forEachDatabase("Connections of an agent", (stores) => {
  it.effect("count up, each agent's by themselves", () =>
    Effect.gen(function* () {
      const { session, sessions } = yield* waiting
      const other = yield* conversation("bob")
      const epochs = yield* Effect.forEach([session, session, other, session], ({ clawId }) =>
        Effect.map(sessions.attach(clawId), ({ epoch }) => epoch)
      )
      assert.deepStrictEqual(epochs, [1, 2, 1, 3])
      assert.strictEqual(yield* tagOf(sessions.attach("claw_unknown")), "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("the newest one carries a message to its end", () =>
    Effect.gen(function* () {
      const { responseId, session, sessions, statusOf } = yield* waiting
      const hold = yield* sessions.attach(session.clawId)
      yield* hold.advance(responseId, "delivered")
      assert.strictEqual(yield* hold.requeue, 1)
      yield* hold.advance(responseId, "answering")
      yield* hold.advance(responseId, "delivered")
      assert.strictEqual(yield* statusOf, "answering")
      assert.isTrue(yield* hold.end(responseId, done))
      assert.isFalse(yield* hold.end(responseId, { text: "Again.", failure: undefined }))
      assert.strictEqual((yield* sessions.findExchange(responseId)).replyText, "Done.")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("an older one writes nothing at all (law one-socket)", () =>
    Effect.gen(function* () {
      const { responseId, session, sessions, statusOf } = yield* waiting
      const older = yield* sessions.attach(session.clawId)
      yield* older.advance(responseId, "delivered")
      const newer = yield* sessions.attach(session.clawId)
      assert.strictEqual(yield* tagOf(older.advance(responseId, "answering")), "StaleEpoch")
      assert.strictEqual(yield* tagOf(older.requeue), "StaleEpoch")
      assert.strictEqual(yield* tagOf(older.end(responseId, done)), "StaleEpoch")
      assert.strictEqual(yield* statusOf, "delivered")
      // It gets the same message again, and its answer is the one that counts.
      assert.strictEqual(yield* newer.requeue, 1)
      assert.deepStrictEqual(
        (yield* sessions.waiting(session.clawId, 5)).map(({ messageId }) => messageId),
        ["m"]
      )
      yield* newer.advance(responseId, "answering")
      assert.isFalse(yield* older.abandon(responseId, replaced))
      assert.isTrue(yield* newer.end(responseId, done))
      assert.strictEqual(yield* statusOf, "completed")
    }).pipe(Effect.provide(stores()))
  )

  it.effect(
    "what an older one had begun is ended by its platform, in words and without its text (law one-terminal)",
    () =>
      Effect.gen(function* () {
        const { responseId, session, sessions } = yield* waiting
        const older = yield* sessions.attach(session.clawId)
        yield* older.advance(responseId, "answering")
        const newer = yield* sessions.attach(session.clawId)
        assert.strictEqual(yield* newer.requeue, 0)
        assert.isTrue(yield* older.abandon(responseId, replaced))
        assert.isFalse(yield* older.abandon(responseId, replaced))
        const { failure, replyText, status } = yield* sessions.findExchange(responseId)
        assert.deepStrictEqual({ failure, replyText, status }, { failure: replaced, replyText: "", status: "failed" })
      }).pipe(Effect.provide(stores()))
  )

  it.effect("writes for no agent but its own", () =>
    Effect.gen(function* () {
      const { responseId, sessions, statusOf } = yield* waiting
      const other = yield* sessions.attach((yield* conversation("bob")).clawId)
      yield* other.advance(responseId, "answering")
      assert.strictEqual(yield* other.requeue, 0)
      assert.isFalse(yield* other.end(responseId, done))
      assert.strictEqual(yield* statusOf, "waiting")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("an end that meets a newer connection midway waits, and is then too late", () =>
    Effect.gen(function* () {
      const { responseId, session, sessions, statusOf } = yield* waiting
      const sql = yield* SqlClient.SqlClient
      const older = yield* sessions.attach(session.clawId)
      yield* older.advance(responseId, "answering")
      const come = yield* Deferred.make<void>()
      const seen = yield* Deferred.make<void>()
      const coming = yield* Effect.forkChild(
        sql.withTransaction(
          Effect.gen(function* () {
            yield* sessions.attach(session.clawId)
            yield* Deferred.succeed(come, undefined)
            yield* Deferred.await(seen)
          })
        )
      )
      yield* Deferred.await(come)
      const ending = yield* Effect.forkChild(tagOf(older.end(responseId, done)), { startImmediately: true })
      // SQLite's one connection keeps it waiting by itself.
      const waits = sql.onDialectOrElse({
        pg: () => sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%reply_text%'`,
        orElse: () => Effect.succeed([{}])
      })
      yield* Effect.repeat(waits, { until: (found) => found.length > 0 })
      yield* Deferred.succeed(seen, undefined)
      yield* Fiber.join(coming)
      assert.strictEqual(yield* Fiber.join(ending), "StaleEpoch")
      assert.strictEqual(yield* statusOf, "answering")
    }).pipe(Effect.provide(stores()))
  )
})
