import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { SignJWT } from "jose"
import { inspect } from "node:util"
import { People } from "../../../../src/services/platform/People.ts"
import { forEachDatabase } from "./databases.ts"

forEachDatabase("People", (stores) => {
  it.effect("takes the same name for the same person, however it is typed", () =>
    Effect.gen(function* () {
      const people = yield* People
      const first = yield* people.signIn("Zoë")
      const again = yield* people.signIn("  Zoe\u0308 ")
      const other = yield* people.signIn("zoë")
      assert.deepStrictEqual(again.person, first.person)
      assert.notStrictEqual(other.person.userId, first.person.userId)
      assert.deepStrictEqual(yield* people.authenticate(again.token), first.person)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("makes one person of many sign-ins at once", () =>
    Effect.gen(function* () {
      const people = yield* People
      const all = yield* Effect.forEach(Array.from({ length: 20 }), () => people.signIn("Ann"), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(all.map(({ person }) => person.userId)).size, 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("refuses a name that is empty, long or cannot be shown", () =>
    Effect.gen(function* () {
      const people = yield* People
      for (const name of ["", "   ", "x".repeat(65), "a\u0000b", "a\nb"]) {
        assert.strictEqual((yield* Effect.flip(people.signIn(name)))._tag, "Invalid", JSON.stringify(name))
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a token is good for thirty days and then says so", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person, token } = yield* people.signIn("Ann")
      yield* TestClock.adjust("29 days")
      assert.deepStrictEqual(yield* people.authenticate(token), person)
      yield* TestClock.adjust("1 day")
      const error = yield* Effect.flip(people.authenticate(token))
      assert.strictEqual(error._tag, "Unauthorized")
      assert.match(error.message, /expired/)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("refuses what it did not sign, and what says it needs no signature", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person, token } = yield* people.signIn("Ann")
      const [header = "", payload = "", signature = ""] = Redacted.value(token).split(".")
      const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")
      const forged = yield* Effect.promise(() =>
        new SignJWT({ sub: person.userId, iss: "clawfiber", aud: "clawfiber/people", exp: 4_000_000_000 })
          .setProtectedHeader({ alg: "HS256" })
          .sign(new Uint8Array(32))
      )
      const bad = ["", "garbage", "a.b.c", `${none}.${payload}.`, `${none}.${payload}.${signature}`, forged]
      bad.push(`${header}.${payload}.${signature.slice(0, -2)}AA`)
      bad.push(`${header}.${Buffer.from('{"sub":"x"}').toString("base64url")}.${signature}`)
      for (const value of bad) {
        const error = yield* Effect.flip(people.authenticate(Redacted.make(value)))
        assert.strictEqual(error._tag, "Unauthorized", value)
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("refuses a token of the right key for another audience, issuer or without an end", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person } = yield* people.signIn("Ann")
      const sql = yield* SqlClient.SqlClient
      const [row] = yield* sql<{ value: string }>`SELECT value FROM settings WHERE name = 'token_secret'`
      const sign = (claims: Record<string, unknown>, alg = "HS256") =>
        Effect.promise(() =>
          new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(row?.value ?? "", "base64url"))
        )
      const good = { sub: person.userId, iss: "clawfiber", aud: "clawfiber/people", exp: 1_000 }
      const { exp: _, ...endless } = good
      assert.deepStrictEqual(yield* people.authenticate(Redacted.make(yield* sign(good))), person)
      const bad = [
        yield* sign({ ...good, aud: "other" }),
        yield* sign({ ...good, iss: "other" }),
        yield* sign({ ...good, sub: "user_unknown" }),
        yield* sign(endless),
        // The right secret does not make another algorithm right.
        yield* sign(good, "HS384")
      ]
      for (const value of bad) {
        assert.strictEqual((yield* Effect.flip(people.authenticate(Redacted.make(value))))._tag, "Unauthorized")
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a ticket opens one connection", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person } = yield* people.signIn("Ann")
      const ticket = yield* people.issueTicket(person.userId)
      const tries = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.result(people.redeemTicket(ticket)),
        { concurrency: "unbounded" }
      )
      const won = tries.filter((result) => result._tag === "Success")
      assert.strictEqual(won.length, 1)
      assert.deepStrictEqual(won[0]?._tag === "Success" ? won[0].success : undefined, person)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a ticket is good for 90 seconds, and old ones are cleared away", () =>
    Effect.gen(function* () {
      const people = yield* People
      const sql = yield* SqlClient.SqlClient
      const { person } = yield* people.signIn("Ann")
      const [early, late, left] = yield* Effect.all([
        people.issueTicket(person.userId),
        people.issueTicket(person.userId),
        people.issueTicket(person.userId)
      ])
      yield* TestClock.adjust("89 seconds")
      assert.deepStrictEqual(yield* people.redeemTicket(early), person)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(people.redeemTicket(late)))._tag, "Unauthorized")
      assert.isFalse(inspect(yield* sql`SELECT * FROM tickets`).includes(Redacted.value(left)))
      yield* people.issueTicket(person.userId)
      assert.strictEqual((yield* sql`SELECT * FROM tickets`).length, 1)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a key opens until it is revoked, by its owner alone", () =>
    Effect.gen(function* () {
      const people = yield* People
      const ann = yield* people.signIn("Ann")
      const bob = yield* people.signIn("Bob")
      const { key, secret } = yield* people.createKey(ann.person.userId, " laptop ")
      assert.strictEqual(key.name, "laptop")
      assert.isTrue(Redacted.value(secret).startsWith(key.hint) && key.hint.startsWith("ck_"))
      assert.isAtMost(key.hint.length, 8)
      assert.deepStrictEqual(yield* people.listKeys(ann.person.userId), [key])
      assert.deepStrictEqual(yield* people.listKeys(bob.person.userId), [])
      assert.deepStrictEqual(yield* people.authenticate(secret), ann.person)
      assert.strictEqual((yield* Effect.flip(people.revokeKey(bob.person.userId, key.keyId)))._tag, "NotFound")
      assert.deepStrictEqual(yield* people.authenticate(secret), ann.person)
      yield* people.revokeKey(ann.person.userId, key.keyId)
      assert.strictEqual((yield* Effect.flip(people.authenticate(secret)))._tag, "Unauthorized")
      assert.strictEqual((yield* Effect.flip(people.revokeKey(ann.person.userId, key.keyId)))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("notes the last use of a key at most once a minute", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person } = yield* people.signIn("Ann")
      const { secret } = yield* people.createKey(person.userId, "laptop")
      const lastUse = Effect.map(people.listKeys(person.userId), ([key]) => key?.lastUsedAt)
      yield* TestClock.adjust("1 second")
      yield* people.authenticate(secret)
      assert.strictEqual(yield* lastUse, 1_000)
      yield* TestClock.adjust("59 seconds")
      yield* people.authenticate(secret)
      assert.strictEqual(yield* lastUse, 1_000)
      yield* TestClock.adjust("1 second")
      yield* people.authenticate(secret)
      assert.strictEqual(yield* lastUse, 61_000)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("gives nobody more than twenty keys, also when asked for many at once (law bounded)", () =>
    Effect.gen(function* () {
      const people = yield* People
      const { person } = yield* people.signIn("Ann")
      const tries = yield* Effect.forEach(
        Array.from({ length: 30 }),
        (_, i) => Effect.result(people.createKey(person.userId, `key ${i}`)),
        { concurrency: "unbounded" }
      )
      const refused = tries.flatMap((result) => (result._tag === "Failure" ? [result.failure._tag] : []))
      assert.deepStrictEqual(
        refused,
        Array.from({ length: 10 }, () => "LimitReached" as const)
      )
      assert.strictEqual((yield* people.listKeys(person.userId)).length, 20)
    }).pipe(Effect.provide(stores()))
  )
})
