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
    ["a name that nobody sees", { name: "\u200D\u200B" }, "name"],
    ["a long description", { description: long(2_001) }, "description"],
    ["a negative rate", { hourlyRate: -1 }, "hourly_rate"],
    ["a rate that is no number", { hourlyRate: Number.NaN }, "hourly_rate"],
    ["a rate without end", { hourlyRate: Number.POSITIVE_INFINITY }, "hourly_rate"],
    ["too many tags", { sceneTags: Array.from({ length: 21 }, (_, i) => `${10_000 + i}`) }, "scene_tags"],
    ["a scene tag in words", { sceneTags: ["text"] }, "scene_tags"],
    ["a rate above all sense", { hourlyRate: 1_000_001 }, "hourly_rate"],
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
    ["an inline picture", { avatar: "data:image/svg+xml;utf8,<svg/>" }],
    ["an emoji of several", { name: "👩‍💻 Ada" }],
    ["a scene tag that is on no list", { sceneTags: ["99999"] }]
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

  it.effect("cleans what would hide in a name", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      for (const [given, kept] of [
        ["a\u0007b", "a b"],
        ["abc\u202Edef", "abc def"],
        [" a \n b ", "a b"],
        ["a\uD83D", "a\uFFFD"]
      ] as const) {
        const { identity } = yield* identities.create({ ...agent, name: given })
        assert.strictEqual((yield* identities.find(identity.clawId)).name, kept)
      }
    }).pipe(Effect.provide(stores()))
  )

  it.effect("tells all that is wrong at once", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        (yield* Identities).create({ ...agent, name: "", hourlyRate: -1, sceneTags: ["x"], avatar: "ftp://x" })
      )
      assert.strictEqual(error._tag, "Invalid")
      if (error._tag !== "Invalid") return
      assert.deepStrictEqual(
        error.fields?.map(({ field }) => field),
        ["name", "avatar", "scene_tags", "hourly_rate"]
      )
      for (const { message } of error.fields ?? []) assert.include(error.message, message)
    }).pipe(Effect.provide(stores()))
  )

  it.effect("changes what is named and keeps the rest, or changes nothing", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const { appSecret, identity } = yield* identities.create({ ...agent, ownerId: "user_1" })
      const edited = yield* identities.edit(identity.clawId, { name: "Bea", customTags: [], dialect: "gateway" })
      assert.deepStrictEqual(edited, { ...identity, name: "Bea", customTags: [], dialect: "gateway" })
      const error = yield* Effect.flip(identities.edit(identity.clawId, { name: "Cid", hourlyRate: -1 }))
      assert.strictEqual(error._tag, "Invalid")
      assert.deepStrictEqual(yield* identities.find(identity.clawId), edited)
      assert.deepStrictEqual(yield* identities.authenticate(identity.appKey, appSecret), edited)
      assert.strictEqual((yield* Effect.flip(identities.edit("claw_unknown", { name: "D" })))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("lets in whom the operator let in, and nobody who is switched off", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const { appSecret, identity } = yield* identities.create({ ...agent, isApproved: false })
      const { appKey, clawId } = identity
      const shown = Effect.map(Effect.result(identities.authenticate(appKey, appSecret)), (result) =>
        result._tag === "Success" ? result.success : result.failure
      )
      const standing = (value: unknown) =>
        typeof value === "object" && value !== null && "standing" in value ? value.standing : value
      assert.strictEqual(standing(yield* shown), "pending")
      // Who does not know the secret does not learn of it either.
      assert.strictEqual((yield* Effect.flip(identities.authenticate(appKey, Redacted.make("x"))))._tag, "Unauthorized")
      yield* identities.deactivate(clawId, "owner")
      assert.strictEqual(standing(yield* shown), "inactive")
      // Switching it on again is no way past the operator.
      assert.strictEqual((yield* identities.activate(clawId, "owner")).standing, "pending")
      assert.strictEqual((yield* identities.approve(clawId)).standing, "approved")
      assert.strictEqual(standing(yield* shown), "approved")
      yield* identities.deactivate(clawId, "operator")
      yield* identities.deactivate(clawId, "owner")
      assert.strictEqual((yield* Effect.flip(identities.activate(clawId, "owner")))._tag, "Forbidden")
      assert.strictEqual(standing(yield* shown), "inactive")
      assert.strictEqual((yield* identities.activate(clawId, "operator")).standing, "approved")
      assert.strictEqual((yield* Effect.flip(identities.activate("claw_unknown", "owner")))._tag, "NotFound")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("lists what is somebody's, and to others only whom the operator let in", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const made = yield* Effect.forEach(
        [
          { name: "A", ownerId: "user_1", isApproved: false },
          { name: "B", ownerId: "user_1" },
          { name: "C", ownerId: "user_2" },
          { name: "D", ownerId: undefined, isApproved: false }
        ],
        (change) => identities.create({ ...agent, ...change })
      )
      yield* identities.deactivate(made[1]?.identity.clawId ?? "", "owner")
      const names = (page: Parameters<typeof identities.list>[0]) =>
        Effect.map(identities.list(page), ({ items }) => items.map(({ name }) => name).join(""))
      assert.strictEqual(yield* names({ limit: 9 }), "ABCD")
      assert.strictEqual(yield* names({ limit: 9, ownerId: "user_1" }), "AB")
      assert.strictEqual(yield* names({ limit: 9, standing: "public" }), "BC")
      assert.strictEqual(yield* names({ limit: 9, standing: "pending" }), "AD")
      const first = yield* identities.list({ limit: 1, ownerId: "user_1" })
      assert.strictEqual(yield* names({ limit: 1, ownerId: "user_1", after: first.next }), "B")
    }).pipe(Effect.provide(stores()))
  )

  it.effect("says whom it shut out of late, and no longer once they are let in again", () =>
    Effect.gen(function* () {
      const identities = yield* Identities
      const made = yield* Effect.forEach(["A", "B", "C"], (name) => identities.create({ ...agent, name }))
      const ids = made.map(({ identity }) => identity.clawId)
      yield* TestClock.adjust("1 minute")
      yield* identities.deactivate(ids[0] ?? "", "owner")
      yield* identities.revoke(ids[1] ?? "")
      const shut = (since: number) =>
        Effect.map(identities.shutSince(since), (all) =>
          all
            .map(({ name }) => name)
            .sort()
            .join("")
        )
      assert.strictEqual(yield* shut(60_000), "AB")
      assert.strictEqual(yield* shut(60_001), "")
      yield* identities.activate(ids[0] ?? "", "owner")
      yield* identities.rotate(ids[1] ?? "")
      assert.strictEqual(yield* shut(0), "")
    }).pipe(Effect.provide(stores()))
  )

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
