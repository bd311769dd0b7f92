/** What the stores say when the database refuses: one kind of error, whether it may pass, and nothing half done. */
import { assert, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { DatabaseSync } from "node:sqlite"
import { Files } from "../../../../src/services/platform/Files.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { People } from "../../../../src/services/platform/People.ts"
import type { StoreError } from "../../../../src/services/platform/PlatformError.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import { agent, conversation, message } from "./fixtures.ts"

const storeErrorOf = <A, E extends { readonly _tag: string }>(self: Effect.Effect<A, E | StoreError>) =>
  Effect.map(Effect.flip(self), (error) => {
    assert.strictEqual(error._tag, "StoreError")
    return error
  })

it.effect("a database that refuses to write fails every store alike, and nothing is half done", () =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const sessions = yield* Sessions
    const people = yield* People
    const session = yield* conversation("ann")
    const { exchange } = yield* sessions.accept(message(session, "first"))
    yield* sql`PRAGMA query_only = ON`
    const attempts: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>> = [
      sessions.accept(message(session, "second")),
      sessions.create("ann", session.clawId),
      sessions.advance(exchange.responseId, "delivered"),
      sessions.end(exchange.responseId, { text: "", failure: undefined }),
      sessions.remove("ann", session.sessionId),
      people.signIn("New"),
      people.issueTicket("ann"),
      people.createKey("ann", "key"),
      (yield* Identities).create(agent),
      (yield* Files).store({ userId: "ann", filename: "a", mediaType: "" }, Stream.make(Uint8Array.of(1)))
    ]
    for (const attempt of attempts) {
      const error = yield* Effect.flip(attempt)
      assert.strictEqual(error._tag, "StoreError")
      assert.notMatch(error.message, /sql|select|insert|readonly/i)
    }
    yield* sql`PRAGMA query_only = OFF`
    assert.isTrue((yield* sessions.accept(message(session, "second"))).fresh)
    assert.strictEqual(yield* sessions.countWaiting(session.clawId), 2)
  }).pipe(Effect.provide(Stores.layerTest()))
)

it.effect("a lock of another program's is a failure that may pass", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const filename = `${yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-locked-" })}/platform.sqlite`
    const client = SqliteClient.layer({ filename, busyTimeout: 0, patience: 0 })
    yield* Effect.gen(function* () {
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const other = new DatabaseSync(filename)
      other.exec("BEGIN IMMEDIATE")
      const writing = yield* Effect.forkChild(storeErrorOf(sessions.accept(message(session, "m"))), {
        startImmediately: true
      })
      yield* TestClock.adjust("1 second")
      const error = yield* Fiber.join(writing)
      assert.isTrue(error._tag === "StoreError" && error.transient)
      // Readers are not held up.
      assert.strictEqual((yield* sessions.list("ann")).length, 1)
      other.close()
      assert.isTrue((yield* sessions.accept(message(session, "m"))).fresh)
    }).pipe(Effect.provide(Stores.layerTemporary(client)))
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
)

it.effect("one that a newer version wrote is refused at start", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-newer-" })
    const filename = `${folder}/platform.sqlite`
    const client = Layer.fresh(SqliteClient.layer({ filename }))
    const build = Effect.scoped(Layer.build(Stores.layerTemporary(client)))
    yield* build
    yield* Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO clawfiber_migrations ${sql.insert({ migration_id: 9_000, name: "later" })}`
    }).pipe(Effect.provide(client))
    const error = yield* Effect.flip(build)
    assert.strictEqual(error._tag, "DatabaseError")
    assert.match(error.message, /newer version/)
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
)

it.effect("two platforms in one process share nothing", () =>
  Effect.gen(function* () {
    const countAfterOne = Effect.gen(function* () {
      const identities = yield* Identities
      yield* identities.create(agent)
      return (yield* identities.list({ limit: 10 })).items.length
    })
    const nested = Effect.zip(countAfterOne, Effect.provide(countAfterOne, Stores.layerTest()))
    assert.deepStrictEqual(yield* Effect.provide(nested, Stores.layerTest()), [1, 1])
  })
)
