/** The market in backups, and when a person asks for what is kept of them or leaves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import * as tar from "tar"
import * as PersonData from "../../../../src/layers/platform/archive/PersonData.ts"
import { Artifacts } from "../../../../src/services/platform/Artifacts.ts"
import { People } from "../../../../src/services/platform/People.ts"
import { TaskPool } from "../../../../src/services/platform/TaskPool.ts"
import * as postgres from "../../../postgres/postgres.ts"
import { backup, type Home, inFolder, restore, stores } from "../stores/archives.ts"
import { balanced, newAgent, task } from "./fixtures.ts"
import { good } from "./zips.ts"

/** Ann has a task in each state, one of Bob's is held; two artifacts have the same bytes. */
const furnish = Effect.gen(function* () {
  const pool = yield* TaskPool
  const artifacts = yield* Artifacts
  const people = yield* People
  const ann = (yield* people.signIn("Ann")).person
  const bob = (yield* people.signIn("Bob")).person
  const claw = yield* newAgent(bob.userId)
  const hand = Effect.fnUntraced(function* (creatorId: string) {
    const { taskId } = yield* pool.post(creatorId, task)
    yield* pool.grab(claw, taskId)
    const archive = yield* artifacts.store(
      {
        clawId: claw,
        taskId,
        sessionId: undefined,
        filename: "delivery.zip",
        mediaType: "application/zip",
        archive: true,
        sha256: undefined,
        attempt: undefined
      },
      Stream.make(good)
    )
    yield* pool.deliver(claw, taskId, { resultDescription: "Done.", archiveId: archive.artifactId })
    return { taskId, archive }
  })
  yield* pool.post(ann.userId, task)
  const accepted = yield* hand(ann.userId)
  yield* pool.accept(ann.userId, accepted.taskId)
  const waiting = yield* hand(ann.userId)
  const ofBob = yield* hand(bob.userId)
  return { ann, bob, claw, waiting, ofBob, sha256: ofBob.archive.sha256 }
})

const databases = [
  { name: "SQLite", missing: undefined, home: (folder: string) => Effect.succeed<Home>({ folder }) },
  {
    name: "Postgres",
    missing: postgres.missing,
    home: (folder: string) =>
      Effect.map(postgres.database, (url): Home => ({ folder, postgres: { url: Redacted.make(url) } }))
  }
]

for (const { home: homeIn, missing, name } of databases) {
  describe.skipIf(missing !== undefined)(`the market in the archives (${name})`, () => {
    it.effect("a backup brings back tasks, points and what was handed in", () =>
      inFolder((root) =>
        Effect.gen(function* () {
          const from = yield* homeIn(`${root}/a`)
          const to = yield* homeIn(`${root}/b`)
          const { ann, sha256, waiting } = yield* furnish.pipe(Effect.provide(stores(from)))
          const written = yield* backup(from, `${root}/all.tar.gz`)
          assert.deepInclude(written, { files: 3, missing: 0 })
          yield* (yield* FileSystem.FileSystem).makeDirectory(to.folder, { recursive: true })
          yield* restore(to, `${root}/all.tar.gz`)
          yield* Effect.gen(function* () {
            const pool = yield* TaskPool
            const { deliverable } = yield* pool.findMine(ann.userId, waiting.taskId)
            assert.strictEqual(deliverable?.archiveId, waiting.archive.artifactId)
            const bytes = yield* Stream.runCollect((yield* Artifacts).read(waiting.archive.artifactId))
            assert.deepStrictEqual(new Uint8Array(Buffer.concat([...bytes])), good)
            assert.strictEqual((yield* pool.ledger(ann.userId, { limit: 1 })).balance, "962.5")
            yield* pool.accept(ann.userId, waiting.taskId)
            yield* balanced
          }).pipe(Effect.provide(stores(to)))
          const fs = yield* FileSystem.FileSystem
          assert.deepStrictEqual(yield* fs.readDirectory(`${root}/b/artifacts`), [sha256])
          // Over a place that holds something, and whole again.
          yield* restore(from, `${root}/all.tar.gz`, true)
          yield* balanced.pipe(Effect.provide(stores(from)))
          assert.deepStrictEqual(yield* fs.readDirectory(`${root}/a/artifacts`), [sha256])
        })
      )
    )

    it.effect(
      "a person gets their tasks and points; who leaves pays what is done and keeps no name (law ledger-zero)",
      () =>
        inFolder((root) =>
          Effect.gen(function* () {
            const home = yield* homeIn(`${root}/a`)
            const fs = yield* FileSystem.FileSystem
            const place = { folder: home.folder, filesFolder: `${home.folder}/files` }
            yield* Effect.gen(function* () {
              const pool = yield* TaskPool
              const sql = yield* SqlClient.SqlClient
              const { ann, bob, ofBob, sha256, waiting } = yield* furnish
              const file = `${root}/ann.tar.gz`
              assert.deepInclude(yield* PersonData.exportTo(ann, { ...place, file }), { tasks: 3, files: 0 })
              yield* fs.makeDirectory(`${root}/out`)
              yield* Effect.promise(() => tar.extract({ file, cwd: `${root}/out` }))
              const data = JSON.parse(yield* fs.readFileString(`${root}/out/person.json`))
              assert.lengthOf(data.points, 4)
              assert.lengthOf(data.handed_in, 2)
              assert.deepStrictEqual(new Uint8Array(yield* fs.readFile(`${root}/out/${data.handed_in[0].path}`)), good)

              const before = (yield* pool.ledger(bob.userId, { limit: 1 })).balance
              assert.deepInclude(yield* PersonData.remove(ann, place), { tasks: 3 })
              assert.strictEqual(before, "1000")
              assert.strictEqual((yield* pool.ledger(bob.userId, { limit: 1 })).balance, "1012.5")
              yield* balanced
              for (const table of ["ledger", "accounts", "tasks", "artifacts"]) {
                const text = JSON.stringify(yield* sql`SELECT * FROM ${sql(table)}`, (_, value) =>
                  typeof value === "bigint" ? String(value) : value
                )
                assert.notInclude(text, ann.userId, table)
                assert.notInclude(text, waiting.archive.artifactId, table)
              }
              // Bob's has the same bytes, and needs them.
              assert.deepStrictEqual(yield* fs.readDirectory(`${home.folder}/artifacts`), [sha256])
              assert.strictEqual((yield* pool.findMine(bob.userId, ofBob.taskId)).review, "pending")
              yield* PersonData.remove(bob, place)
              assert.deepStrictEqual(yield* fs.readDirectory(`${home.folder}/artifacts`), [])
              yield* balanced
            }).pipe(Effect.provide(stores(home)))
          })
        )
    )
  })
}
