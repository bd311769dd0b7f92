/** Keys and people of another issuer, as every database keeps them. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { ExternalIssuer } from "../../src/services/platform/ExternalIssuer.ts"
import { Identities } from "../../src/services/platform/Identities.ts"
import { People } from "../../src/services/platform/People.ts"
import { forEachDatabase } from "../layers/platform/stores/databases.ts"
import { agent } from "../layers/platform/stores/fixtures.ts"

forEachDatabase("the secret of an agent", (stores) => {
  it.effect("is good until it is changed, the old one for the grace that was asked and no longer", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const { appSecret: first, identity } = yield* identities.create(agent)
      const isGood = (secret: Redacted.Redacted<string>) =>
        Effect.match(identities.authenticate(identity.appKey, secret), {
          onFailure: () => false,
          onSuccess: () => true
        })
      const { appSecret: second } = yield* identities.rotate(identity.clawId)
      assert.deepStrictEqual([yield* isGood(first), yield* isGood(second)], [false, true])
      const { appSecret: third } = yield* identities.rotate(identity.clawId, { grace: "1 minute" })
      assert.deepStrictEqual([yield* isGood(first), yield* isGood(second), yield* isGood(third)], [false, true, true])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([yield* isGood(second), yield* isGood(third)], [false, true])
      // What was revoked has no grace, and comes back under a new secret only.
      yield* identities.revoke(identity.clawId)
      assert.isFalse(yield* isGood(third))
      const { appSecret: fourth } = yield* identities.rotate(identity.clawId, { grace: "1 hour" })
      assert.deepStrictEqual([yield* isGood(third), yield* isGood(fourth)], [false, true])
      yield* identities.revoke(identity.clawId)
      assert.isFalse(yield* isGood(fourth))
      assert.strictEqual((yield* Effect.flip(identities.rotate("claw_none")))._tag, "NotFound")
      assert.strictEqual((yield* Effect.flip(identities.revoke("claw_none")))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )
})

forEachDatabase("a person", (stores) => {
  it.effect("revoking a key ends the tickets that were not used, and tells which key it was", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person } = yield* people.signIn("Ann")
      const { key } = yield* people.createKey(person.userId, "laptop")
      const ticket = yield* people.issueTicket(person.userId)
      const { hash } = yield* people.revokeKey(person.userId, key.keyId)
      assert.match(hash, /^[0-9a-f]{64}$/)
      assert.strictEqual((yield* Effect.flip(people.redeemTicket(ticket)))._tag, "Unauthorized")
      assert.strictEqual((yield* Effect.flip(people.revokeKey(person.userId, key.keyId)))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  // A stand-in for the issuer's check: what is tested is what the database makes of its claims.
  const issuer = Layer.succeed(ExternalIssuer, {
    issued: (token) => Redacted.value(token).startsWith("{"),
    verify: (token) => Effect.sync(() => ({ issuer: "https://issuer.example", ...JSON.parse(Redacted.value(token)) }))
  })

  it.effect("of another issuer is one by its subject, whatever it is called, and nobody who is from here", () =>
    Effect.gen(function* () {
      const people = yield* People
      const come = (subject: string, name: string) =>
        people.authenticate(Redacted.make(JSON.stringify({ subject, name })))
      const local = yield* people.signIn("Ann")
      const first = yield* come("sub-1", "Ann")
      assert.strictEqual(first.name, "Ann")
      assert.notStrictEqual(first.userId, local.person.userId)
      const renamed = yield* come("sub-1", "Ann Other")
      assert.deepStrictEqual(renamed, { ...first, name: "Ann Other" })
      assert.notStrictEqual((yield* come("sub-2", "Ann Other")).userId, first.userId)
      const both = yield* Effect.all([come("sub-3", "Cid"), come("sub-3", "Cid")], { concurrency: 2 })
      assert.strictEqual(both[0].userId, both[1].userId)
      const { secret } = yield* people.createKey(first.userId, "k")
      assert.deepStrictEqual(yield* people.authenticate(secret), renamed)
      assert.strictEqual((yield* people.signIn("Ann")).person.userId, local.person.userId)
      assert.strictEqual((yield* Effect.flip(people.signIn("\u001fhttps://issuer.example\u001fsub-1")))._tag, "Invalid")
    }).pipe(Effect.provide(stores().pipe(Layer.provide(issuer))))
  )
})
