import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import { Identities, type NewIdentity } from "../../../../src/services/platform/Identities.ts"
import { forEachDatabase } from "./databases.ts"
import { agent } from "./fixtures.ts"

forEachDatabase("Identities", (stores) => {
  it.effect("gives back what was created, by id and by secret", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      yield* TestClock.adjust("5 seconds")
      const { appSecret, identity } = yield* identities.create({ ...agent, ownerId: "user_1" })
      assert.match(identity.clawId, /^claw_[0-9a-f]{32}$/)
      assert.match(identity.appKey, /^ak_[0-9a-f]{32}$/)
      assert.strictEqual(Buffer.from(Redacted.value(appSecret), "base64url").length, 32)
      assert.strictEqual(identity.createdAt, 5_000)
      assert.deepStrictEqual(yield* identities.find(identity.clawId), identity)
      assert.deepStrictEqual(yield* identities.authenticate(identity.appKey, appSecret), identity)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("keeps no secret that could be read (law secret)", () =>
    Effect.gen(function* () {
      const { appSecret } = yield* (yield* Identities).create(agent)
      const sql = yield* SqlClient.SqlClient
      const stored = inspect(yield* sql`SELECT * FROM identities`)
      assert.isFalse(stored.includes(Redacted.value(appSecret)))
      assert.isFalse(JSON.stringify({ appSecret }).includes(Redacted.value(appSecret)))
    }).pipe(Effect.provide(stores()))
  )

  it.effect("answers a wrong key and a wrong secret alike", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const first = yield* identities.create(agent)
      const second = yield* identities.create(agent)
      const attempts = [
        identities.authenticate(first.identity.appKey, second.appSecret),
        identities.authenticate(first.identity.appKey, Redacted.make("")),
        identities.authenticate("ak_unknown", first.appSecret),
        identities.authenticate("", Redacted.make(""))
      ]
      const refusals = yield* Effect.forEach(attempts, Effect.flip)
      assert.deepStrictEqual([...new Set(refusals.map((error) => error._tag))], ["Unauthorized"])
      assert.strictEqual(new Set(refusals.map((error) => error.message)).size, 1)
    }).pipe(Effect.provide(stores()))
  )

  const long = (length: number) => "x".repeat(length)
  const refused: ReadonlyArray<readonly [what: string, change: Partial<NewIdentity>, param: string]> = [
    ["an empty name", { name: " \t " }, "name"],
    ["a long name", { name: long(65) }, "name"],
    ["a name with a control character", { name: "a\u0007b" }, "name"],
    ["a name that turns the reading direction", { name: "abc\u202Edef" }, "name"],
    ["half a character", { name: "a\uD83D" }, "name"],
    ["a long description", { description: long(2_001) }, "description"],
    ["a negative rate", { hourlyRate: -1 }, "hourly_rate"],
    ["a rate that is no number", { hourlyRate: Number.NaN }, "hourly_rate"],
    ["a rate without end", { hourlyRate: Number.POSITIVE_INFINITY }, "hourly_rate"],
    ["too many tags", { sceneTags: Array.from({ length: 21 }, (_, i) => `t${i}`) }, "scene_tags"],
    ["a long tag", { customTags: [long(33)] }, "custom_tags"],
    ["an avatar over plain http", { avatar: "http://example.org/a.png" }, "avatar"],
    ["a script as avatar", { avatar: "javascript:alert(1)" }, "avatar"],
    ["an inline page as avatar", { avatar: "data:text/html,<p>" }, "avatar"],
    ["a large inline picture", { avatar: `data:image/png;base64,${long(64 * 1024)}` }, "avatar"],
    ["half an instance", { instanceType: 0.5 }, "instance_type"]
  ]
  for (const [what, change, param] of refused) {
    it.effect(`refuses ${what} and names the field`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip((yield* Identities).create({ ...agent, ...change }))
        assert.strictEqual(error._tag, "Invalid")
        if (error._tag === "Invalid") assert.strictEqual(error.param, param)
      }).pipe(Effect.provide(stores()))
    )
  }

  const taken: ReadonlyArray<readonly [what: string, change: Partial<NewIdentity>]> = [
    ["64 characters, each of two units", { name: "😀".repeat(64) }],
    ["the longest description", { description: long(2_000) }],
    ["twenty tags of 32", { customTags: Array.from({ length: 20 }, (_, i) => `${i}`.padEnd(32, "x")) }],
    ["no rate", { hourlyRate: 0 }],
    ["an https avatar", { avatar: "https://example.org/a.png" }],
    ["an inline picture", { avatar: "data:image/svg+xml;utf8,<svg/>" }]
  ]
  for (const [what, change] of taken) {
    it.effect(`takes ${what}`, () =>
      Effect.gen(function* () {
        const identities = yield* Identities
        const { identity } = yield* identities.create({ ...agent, ...change })
        const found = yield* identities.find(identity.clawId)
        assert.deepStrictEqual(found, { ...found, ...agent, ...change })
      }).pipe(Effect.provide(stores()))
    )
  }

  it.effect("lists by name, then id, page by page, each once", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const names = ["Cleo", "Ada", "Bob", "Ada", "Ada"]
      const created = yield* Effect.forEach(names, (name) => identities.create({ ...agent, name }))
      const expected = created
        .map(({ identity }) => identity)
        .sort((a, b) => (a.name === b.name ? (a.clawId < b.clawId ? -1 : 1) : a.name < b.name ? -1 : 1))
        .map((identity) => identity.clawId)
      const seen: Array<string> = []
      let after: string | undefined
      do {
        const page = yield* identities.list({ limit: 2, after })
        assert.isAtMost(page.items.length, 2)
        seen.push(...page.items.map((identity) => identity.clawId))
        after = page.next
      } while (after !== undefined)
      assert.deepStrictEqual(seen, expected)
      assert.deepStrictEqual(yield* identities.list({ limit: 5, after: "claw_unknown" }), {
        items: [],
        next: undefined
      })
    }).pipe(Effect.provide(stores()))
  )

  it.effect("notes when an agent was seen", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const { identity } = yield* identities.create(agent)
      yield* TestClock.adjust("1 minute")
      yield* identities.seen(identity.clawId)
      assert.strictEqual((yield* identities.find(identity.clawId)).lastSeenAt, 60_000)
      assert.strictEqual((yield* Effect.flip(identities.find("claw_unknown")))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )
})
