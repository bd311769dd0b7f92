import { assert, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import { Files } from "../../../../src/services/platform/Files.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import * as SqliteClient from "../../../../src/layers/sql/SqliteClient.ts"
import { forEachDatabase } from "./databases.ts"
import { conversation } from "./fixtures.ts"

class HungUp extends Data.TaggedError("HungUp")<{}> {}

const system = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)
const bytes = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 31) % 251)
const text = (value: string) => new TextEncoder().encode(value)
const notes = { userId: "ann", filename: "notes.txt", mediaType: "text/plain" }
const collect = <E, R>(body: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(body), (parts) => Buffer.concat(parts))
const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

forEachDatabase("Files", (stores, runs) => {
  it.effect.prop(
    "gives back the bytes, however they were cut",
    [Schema.Array(Schema.Uint8Array)],
    ([pieces]) =>
      Effect.gen(function* () {
        const files = yield* Files
        const whole = Buffer.concat(pieces)
        const meta = yield* files.store({ ...notes, mediaType: "x/y" }, Stream.fromIterable(pieces))
        assert.strictEqual(meta.size, whole.length)
        assert.strictEqual(meta.sha256, createHash("sha256").update(whole).digest("hex"))
        assert.deepStrictEqual(yield* files.find(meta.fileId), meta)
        assert.isTrue((yield* collect(files.read(meta.fileId))).equals(whole))
      }).pipe(Effect.provide(stores())),
    { arbitrary: { runs: runs(15) } }
  )

  it.effect("takes a file of exactly the limit, and stops at one byte more (law bounded)", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const meta = yield* files.store(notes, Stream.make(bytes(700), bytes(300)))
      assert.strictEqual(meta.size, 1_000)
      let pulled = 0
      const endless = Stream.forever(Stream.make(bytes(300))).pipe(Stream.tap(() => Effect.sync(() => (pulled += 1))))
      assert.strictEqual(yield* tagOf(files.store(notes, endless)), "LimitReached")
      assert.isAtMost(pulled, 5)
    }).pipe(Effect.provide(stores({ files: { maxSize: 1_000 } })))
  )

  it.effect("keeps each person within their quota, also when many files come at once (law bounded)", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const tries = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => Effect.result(files.store(notes, Stream.make(bytes(300)))),
        { concurrency: "unbounded" }
      )
      const tags = tries.map((result) => (result._tag === "Success" ? "stored" : result.failure._tag))
      assert.strictEqual(tags.filter((tag) => tag === "stored").length, 3)
      assert.strictEqual(tags.filter((tag) => tag === "LimitReached").length, 5)
      assert.strictEqual((yield* files.store({ ...notes, userId: "bob" }, Stream.make(bytes(300)))).size, 300)
    }).pipe(Effect.provide(stores({ files: { quota: 1_000 } })))
  )

  it.effect("joins one's own files to a conversation, all or none", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const other = yield* sessions.create("ann", session.clawId)
      const store = (userId: string) => files.store({ ...notes, userId }, Stream.make(text("hi")))
      const [one, two, foreign] = yield* Effect.all([store("ann"), store("ann"), store("bob")])
      const boundTo = (fileId: string) => Effect.map(files.find(fileId), (meta) => meta.sessionId)

      assert.strictEqual(yield* tagOf(files.bind("ann", session.sessionId, [one.fileId, foreign.fileId])), "NotFound")
      assert.strictEqual(yield* tagOf(files.bind("ann", session.sessionId, [one.fileId, "file_unknown"])), "NotFound")
      assert.strictEqual(yield* tagOf(files.bind("bob", session.sessionId, [foreign.fileId])), "NotFound")
      assert.isUndefined(yield* boundTo(one.fileId))

      yield* files.bind("ann", session.sessionId, [one.fileId, two.fileId, one.fileId])
      yield* files.bind("ann", session.sessionId, [one.fileId])
      assert.strictEqual(yield* boundTo(one.fileId), session.sessionId)
      assert.strictEqual(yield* boundTo(two.fileId), session.sessionId)
      assert.strictEqual(yield* tagOf(files.bind("ann", other.sessionId, [one.fileId])), "NotFound")
      yield* files.bind("ann", session.sessionId, [])
    }).pipe(Effect.provide(stores()))
  )

  it.effect("a removed conversation takes its files along, and gives their room back", () =>
    Effect.gen(function* () {
      const files = yield* Files
      const sessions = yield* Sessions
      const session = yield* conversation("ann")
      const meta = yield* files.store(notes, Stream.make(bytes(900)))
      yield* files.bind("ann", session.sessionId, [meta.fileId])
      assert.strictEqual(yield* tagOf(files.store(notes, Stream.make(bytes(200)))), "LimitReached")
      yield* sessions.remove("ann", session.sessionId)
      assert.strictEqual(yield* tagOf(files.find(meta.fileId)), "NotFound")
      assert.strictEqual(yield* tagOf(collect(files.read(meta.fileId))), "NotFound")
      assert.strictEqual((yield* files.store(notes, Stream.make(bytes(900)))).size, 900)
    }).pipe(Effect.provide(stores({ files: { quota: 1_000 } })))
  )
})

/** The same in a folder that the test can look into and start again on. */
const inFolder = <A, E, R>(
  body: (folder: string, files: FileSystem.FileSystem) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Layer.Success<typeof system>>> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* Effect.orDie(fs.makeTempDirectoryScoped({ prefix: "clawfiber-files-" }))
    return yield* body(folder, fs)
  }).pipe(Effect.scoped, Effect.provide(system))

const start = (folder: string) => Layer.fresh(Stores.layerSqlite({ folder }))
const namesIn = (fs: FileSystem.FileSystem, folder: string) => fs.readDirectory(`${folder}/files`)

it.effect("leaves nothing behind of a body that fails, is too large or is given up", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const files = yield* Files
      const half = Stream.concat(Stream.make(bytes(10)), Stream.fail(new HungUp()))
      assert.strictEqual(yield* tagOf(files.store(notes, half)), "HungUp")
      assert.strictEqual(yield* tagOf(files.store(notes, Stream.make(bytes(21 * 1024 * 1024)))), "LimitReached")
      const stuck = Stream.concat(Stream.make(bytes(10)), Stream.never)
      const fiber = yield* Effect.forkChild(files.store(notes, stuck), { startImmediately: true })
      while ((yield* namesIn(fs, folder)).length === 0) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* namesIn(fs, folder), [])
    }).pipe(Effect.provide(start(folder)))
  )
)

it.effect("keeps files to the owner of the process, beside a database that is so too", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const meta = yield* (yield* Files).store(notes, Stream.make(text("hi")))
      const modeOf = (name: string) => Effect.map(fs.stat(`${folder}/data/${name}`), (info) => info.mode & 0o777)
      assert.strictEqual(yield* modeOf("."), 0o700)
      assert.strictEqual(yield* modeOf("files"), 0o700)
      assert.strictEqual(yield* modeOf(`files/${meta.fileId}`), 0o600)
      assert.strictEqual(yield* modeOf("platform.sqlite"), 0o600)
      assert.strictEqual(yield* modeOf("platform.sqlite-wal"), 0o600)
    }).pipe(Effect.provide(start(`${folder}/data`)))
  )
)

it.effect("survives a restart, clears what was half written and what belongs to no conversation any more", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const { dead, kept } = yield* Effect.gen(function* () {
        const files = yield* Files
        const session = yield* conversation("ann")
        const kept = yield* files.store(notes, Stream.make(text("kept")))
        const dead = yield* files.store(notes, Stream.make(text("dead")))
        yield* files.bind("ann", session.sessionId, [dead.fileId])
        yield* (yield* Sessions).remove("ann", session.sessionId)
        return { dead, kept }
      }).pipe(Effect.provide(start(folder)))
      yield* fs.writeFileString(`${folder}/files/file_half.part`, "half")
      assert.isTrue((yield* namesIn(fs, folder)).includes(dead.fileId))
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* namesIn(fs, folder), [kept.fileId])
        assert.strictEqual((yield* collect((yield* Files).read(kept.fileId))).toString(), "kept")
      }).pipe(Effect.provide(start(folder)))
    })
  )
)

it.effect("the bytes of a removed conversation go within the hour", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const files = yield* Files
      const session = yield* conversation("ann")
      const dead = yield* files.store(notes, Stream.make(text("dead")))
      const kept = yield* files.store(notes, Stream.make(text("kept")))
      yield* files.bind("ann", session.sessionId, [dead.fileId])
      yield* (yield* Sessions).remove("ann", session.sessionId)
      assert.strictEqual((yield* namesIn(fs, folder)).length, 2)
      yield* TestClock.adjust("1 hour")
      while ((yield* namesIn(fs, folder)).length > 1) yield* Effect.yieldNow
      assert.deepStrictEqual(yield* namesIn(fs, folder), [kept.fileId])
    }).pipe(Effect.provide(start(folder)))
  )
)

it.effect("bytes that are gone are not found, rather than a fault", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      const files = yield* Files
      const meta = yield* files.store(notes, Stream.make(text("hi")))
      yield* fs.remove(`${folder}/files/${meta.fileId}`)
      assert.strictEqual(yield* tagOf(collect(files.read(meta.fileId))), "NotFound")
      assert.strictEqual(yield* tagOf(collect(files.read("../platform.sqlite"))), "NotFound")
    }).pipe(Effect.provide(start(folder)))
  )
)

it.effect("a folder that cannot be one is said so at start", () =>
  inFolder((folder, fs) =>
    Effect.gen(function* () {
      yield* fs.writeFileString(`${folder}/taken`, "")
      const layer = Stores.layer({ filesFolder: `${folder}/taken`, artifactsFolder: `${folder}/artifacts` }).pipe(
        Layer.provide(SqliteClient.layerMemory)
      )
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.strictEqual(error._tag, "FilesFolderError")
      assert.include(error.message, `${folder}/taken`)
    })
  )
)
