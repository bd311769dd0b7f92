import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as tar from "tar"
import { Activations } from "../../../../src/services/platform/Activations.ts"
import { Files } from "../../../../src/services/platform/Files.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { People } from "../../../../src/services/platform/People.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as PersonData from "../../../../src/layers/platform/archive/PersonData.ts"
import * as postgres from "../../../postgres/postgres.ts"
import { furnish, type Home, inFolder, stores } from "./archives.ts"
import { agent } from "./fixtures.ts"

const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)

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
  describe.skipIf(missing !== undefined)(`what is kept of a person (${name})`, () => {
    const prepared = <A, E, R>(
      body: (
        root: string,
        place: PersonData.Options,
        furnished: Effect.Success<typeof furnish>
      ) => Effect.Effect<A, E, R>
    ) =>
      inFolder((root) =>
        Effect.gen(function* () {
          const home = yield* homeIn(`${root}/a`)
          return yield* Effect.gen(function* () {
            return yield* body(root, { folder: home.folder, filesFolder: `${home.folder}/files` }, yield* furnish)
          }).pipe(Effect.provide(stores(home)))
        })
      )

    it.effect("is found by id and by name, and nobody else is", () =>
      prepared((_, __, { ann }) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* PersonData.find(ann.person.userId, "here"), ann.person)
          assert.deepStrictEqual(yield* PersonData.find(" Ann ", "here"), ann.person)
          for (const who of ["ann", "", "user_", "a\u0000", "%"]) {
            assert.strictEqual(yield* tagOf(PersonData.find(who, "here")), "NotFound")
          }
        })
      )
    )

    it.effect("is given out whole, without a secret and without others (law secret)", () =>
      prepared((root, place, { ann, bob, key }) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const file = `${root}/ann.tar.gz`
          const counts = yield* PersonData.exportTo(ann.person, { ...place, file })
          assert.deepStrictEqual(counts, { conversations: 1, messages: 2, files: 1, tasks: 0 })
          yield* fs.makeDirectory(`${root}/out`)
          yield* Effect.promise(() => tar.extract({ file, cwd: `${root}/out` }))
          const text = yield* fs.readFileString(`${root}/out/person.json`)
          const data = JSON.parse(text)
          assert.strictEqual(data.person.name, "Ann")
          assert.strictEqual(data.conversations[0].messages[0].answer, "An answer\nof two lines, 汉字, \uFFFD.")
          assert.strictEqual(data.keys[0].name, "laptop")
          assert.strictEqual(yield* fs.readFileString(`${root}/out/${data.files[0].path}`), "the plan")
          assert.match(data.files[0].path, /^files\/file_[0-9a-f]+-plan é\.txt$/)
          for (const foreign of [bob.person.userId, Redacted.value(key.secret), "hash"])
            assert.notInclude(text, foreign)
        })
      )
    )

    it.effect("is deleted whole, and nothing of others", () =>
      prepared((_, place, { ann, bob, file, key, ofAnn }) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const sql = yield* SqlClient.SqlClient
          const people = yield* People
          const sessions = yield* Sessions
          const ticket = yield* people.issueTicket(ann.person.userId)
          const { token } = yield* (yield* Activations).start(ann.person.userId)
          const gone = yield* PersonData.remove(ann.person, place)
          assert.deepStrictEqual(gone, { conversations: 1, messages: 2, files: 1, tasks: 0 })
          assert.strictEqual(yield* tagOf(people.authenticate(ann.token)), "Unauthorized")
          assert.strictEqual(yield* tagOf(people.authenticate(key.secret)), "Unauthorized")
          assert.strictEqual(yield* tagOf(people.redeemTicket(ticket)), "Unauthorized")
          assert.strictEqual(yield* tagOf(sessions.find(ann.person.userId, ofAnn.sessionId)), "NotFound")
          assert.strictEqual(yield* tagOf((yield* Files).find(file.fileId)), "NotFound")
          assert.notInclude(yield* fs.readDirectory(place.filesFolder), file.fileId)
          const registered = (yield* Identities).register({ identity: agent, token })
          assert.strictEqual(yield* tagOf(registered), "TokenRefused")
          for (const table of ["people", "api_keys", "tickets", "activations", "sessions", "exchanges", "files"]) {
            const left = yield* sql`SELECT 1 FROM ${sql(table)} WHERE user_id = ${ann.person.userId}`
            assert.strictEqual(left.length, 0, table)
          }
          assert.deepStrictEqual(yield* people.authenticate(bob.token), bob.person)
          assert.strictEqual((yield* sessions.list(bob.person.userId)).length, 1)
          // The same name is somebody else from now on.
          assert.notStrictEqual((yield* people.signIn("Ann")).person.userId, ann.person.userId)
        })
      )
    )
  })
}
