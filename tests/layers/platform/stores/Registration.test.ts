import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { Activations } from "../../../../src/services/platform/Activations.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { forEachDatabase } from "./databases.ts"
import { agent } from "./fixtures.ts"

const attempt = Redacted.make("attempt-0123456789")

const count = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  return (yield* sql`SELECT claw_id FROM identities`).length
})

forEachDatabase("Registration", (stores) => {
  it.effect("a token makes the agent its person's, once", () =>
    Effect.gen(function* () {
      const activations = yield* Activations
      const identities = yield* Identities
      const { activation, token } = yield* activations.start("user_1")
      assert.match(Redacted.value(token), /^cact_[\w-]{43}$/)
      assert.strictEqual(activation.hint, Redacted.value(token).slice(0, 9))
      assert.strictEqual(activation.expiresAt, activation.createdAt + 15 * 60_000)
      yield* TestClock.adjust("1 minute")
      const { identity, isAgain } = yield* identities.register({ identity: agent, token })
      assert.isFalse(isAgain)
      assert.strictEqual(identity.ownerId, "user_1")
      assert.deepStrictEqual(yield* activations.list("user_1"), [
        { ...activation, usedAt: 60_000, clawId: identity.clawId }
      ])
      const again = yield* Effect.flip(identities.register({ identity: agent, token }))
      assert.deepInclude(again, { _tag: "TokenRefused", why: "used" })
      assert.strictEqual(yield* count, 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("of two that come at once with one token, one is registered", () =>
    Effect.gen(function* () {
      const activations = yield* Activations
      const identities = yield* Identities
      for (let round = 1; round <= 5; round++) {
        const { token } = yield* activations.start("user_1")
        const results = yield* Effect.all(
          Array.from({ length: 4 }, () => Effect.result(identities.register({ identity: agent, token }))),
          { concurrency: "unbounded" }
        )
        const refused = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
        assert.lengthOf(refused, 3)
        for (const error of refused) assert.deepInclude(error, { _tag: "TokenRefused", why: "used" })
        assert.strictEqual(yield* count, round)
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("refuses what is unknown, withdrawn, too old, and a profile that does not fit, and uses nothing up", () =>
    Effect.gen(function* () {
      const activations = yield* Activations
      const identities = yield* Identities
      const why = (token: Redacted.Redacted<string>) =>
        Effect.map(Effect.flip(identities.register({ identity: agent, token })), (error) =>
          error._tag === "TokenRefused" ? error.why : error._tag
        )
      assert.strictEqual(yield* why(Redacted.make("cact_nobody")), "unknown")
      assert.strictEqual(yield* why(Redacted.make("")), "unknown")
      const withdrawn = yield* activations.start("user_1")
      const { activationId } = withdrawn.activation
      assert.strictEqual((yield* Effect.flip(activations.withdraw("user_2", activationId)))._tag, "NotFound")
      yield* activations.withdraw("user_1", activationId)
      assert.strictEqual((yield* Effect.flip(activations.withdraw("user_1", activationId)))._tag, "NotFound")
      assert.strictEqual(yield* why(withdrawn.token), "unknown")

      const { token } = yield* activations.start("user_1")
      const error = yield* Effect.flip(identities.register({ identity: { ...agent, name: "" }, token }))
      assert.strictEqual(error._tag, "Invalid")
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual(yield* why(token), "expired")
      assert.strictEqual(yield* count, 0)
      assert.deepStrictEqual(
        (yield* activations.list("user_1")).map(({ usedAt }) => usedAt),
        [undefined]
      )
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* activations.list("user_1"), [])
    }).pipe(Effect.provide(stores()))
  )

  it.effect("keeps no token that could be read (law secret)", () =>
    Effect.gen(function* () {
      const { token } = yield* (yield* Activations).start("user_1")
      yield* (yield* Identities).register({ identity: agent, token, attempt })
      const sql = yield* SqlClient.SqlClient
      const stored = inspect([yield* sql`SELECT * FROM activations`, yield* sql`SELECT * FROM registrations`])
      assert.isFalse(stored.includes(Redacted.value(token)))
      assert.isFalse(stored.includes(Redacted.value(attempt)))
    }).pipe(Effect.provide(stores()))
  )

  it.effect("twenty tokens may wait to be used; the next is refused in words", () =>
    Effect.gen(function* () {
      const activations = yield* Activations
      const results = yield* Effect.all(
        Array.from({ length: 22 }, () => Effect.result(activations.start("user_1"))),
        { concurrency: "unbounded" }
      )
      const refused = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
      assert.deepStrictEqual(
        refused.map(({ _tag }) => _tag),
        ["LimitReached", "LimitReached"]
      )
      yield* activations.start("user_2")
      yield* TestClock.adjust("15 minutes")
      yield* activations.start("user_1")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("the same attempt is the same agent, with a secret that works", () =>
    Effect.gen(function* () {
      const activations = yield* Activations
      const identities = yield* Identities
      const { token } = yield* activations.start("user_1")
      const first = yield* identities.register({ identity: agent, token, attempt })
      const second = yield* identities.register({ identity: agent, token, attempt })
      assert.isTrue(second.isAgain)
      assert.deepStrictEqual(second.identity, first.identity)
      assert.strictEqual(yield* count, 1)
      const old = yield* Effect.flip(identities.authenticate(first.identity.appKey, first.appSecret))
      assert.strictEqual(old._tag, "Unauthorized")
      yield* identities.authenticate(first.identity.appKey, second.appSecret)
      // Somebody holds it now.
      const third = yield* Effect.flip(identities.register({ identity: agent, token, attempt }))
      assert.strictEqual(third._tag, "Conflict")
      yield* identities.authenticate(first.identity.appKey, second.appSecret)
      assert.strictEqual(yield* count, 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("an attempt takes no secret from an owner who changed it, and brings back no revoked agent", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const { identity } = yield* identities.register({ identity: agent, attempt })
      const { appSecret } = yield* identities.rotate(identity.clawId)
      assert.strictEqual((yield* Effect.flip(identities.register({ identity: agent, attempt })))._tag, "Conflict")
      yield* identities.authenticate(identity.appKey, appSecret)
      const other = Redacted.make("attempt-9876543210")
      const revoked = yield* identities.register({ identity: agent, attempt: other })
      yield* identities.revoke(revoked.identity.clawId)
      assert.strictEqual(
        (yield* Effect.flip(identities.register({ identity: agent, attempt: other })))._tag,
        "Conflict"
      )
    }).pipe(Effect.provide(stores()))
  )

  it.effect("attempts at once make one agent, and another attempt or another day makes another", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const all = yield* Effect.all(
        Array.from({ length: 4 }, () => identities.register({ identity: agent, attempt })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(all.map(({ identity }) => identity.clawId)).size, 1)
      assert.lengthOf(
        all.filter(({ isAgain }) => !isAgain),
        1
      )
      yield* identities.register({ identity: agent, attempt: Redacted.make("attempt-other-000") })
      assert.strictEqual(yield* count, 2)
      yield* TestClock.adjust("1 day")
      assert.isFalse((yield* identities.register({ identity: agent, attempt })).isAgain)
      assert.strictEqual(yield* count, 3)
    }).pipe(Effect.provide(stores()))
  )
})
