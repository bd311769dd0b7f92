/** Agents of before there was approval: they were let in, and stay. */
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Migrations from "../../../../src/layers/platform/Migrations.ts"
import * as secrets from "../../../../src/layers/platform/secrets.ts"
import * as SqlIdentities from "../../../../src/layers/platform/SqlIdentities.ts"
import * as Migrate from "../../../../src/layers/sql/Migrate.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import * as postgres from "../../../postgres/postgres.ts"

for (const { client, missing, name } of [
  { name: "SQLite", client: SqliteClient.layerMemory, missing: undefined },
  { name: "Postgres", client: postgres.schema, missing: postgres.missing }
]) {
  describe.skipIf(missing !== undefined)(`an agent of an older database (${name})`, () => {
    it.effect("is approved, on, and comes in with its secret as before", () =>
      Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* Migrate.run({ database: "old", migrations: Migrations.upTo(6) })
        const row = {
          claw_id: "claw_old",
          app_key: "ak_old",
          secret_hash: secrets.hash("secret"),
          owner_id: "user_old",
          name: "Old",
          description: "",
          avatar: "",
          hourly_rate: 0,
          scene_tags: '["word"]',
          custom_tags: "[]",
          instance_type: 0,
          created_at: 7
        }
        yield* sql`INSERT INTO identities ${sql.insert(row)}`
        yield* sql`INSERT INTO identities ${sql.insert({ ...row, claw_id: "claw_ended", app_key: "ak_ended", revoked_at: 9 })}`
        yield* Migrations.run("old")
        const identities = yield* SqlIdentities.make.pipe(Effect.provide(SecureRandom.layerWebCrypto))
        const identity = yield* identities.authenticate("ak_old", Redacted.make("secret"))
        assert.deepInclude(identity, { standing: "approved", isRevoked: false, ownerId: "user_old" })
        const ended = yield* Effect.flip(identities.authenticate("ak_ended", Redacted.make("secret")))
        assert.strictEqual(ended._tag, "Unauthorized")
        const page = yield* identities.list({ limit: 9, standing: "public" })
        assert.lengthOf(page.items, 2)
        // What it was allowed to say then stands until somebody changes it.
        const refused = yield* Effect.flip(identities.edit("claw_old", { name: "New" }))
        assert.deepInclude(refused, { _tag: "Invalid", param: "scene_tags" })
        yield* identities.edit("claw_old", { name: "New", sceneTags: [] })
      }).pipe(Effect.provide(client))
    )
  })
}
