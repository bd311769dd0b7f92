import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import * as tar from "tar"
import { Files } from "../../../../src/services/platform/Files.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { People } from "../../../../src/services/platform/People.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as ArchiveClient from "../../../../src/layers/platform/archive/ArchiveClient.ts"
import * as Migrations from "../../../../src/layers/platform/Migrations.ts"
import * as Migrate from "../../../../src/layers/sql/Migrate.ts"
import * as postgres from "../../../postgres/postgres.ts"
import { backup, extra, furnish, type Home, inFolder, restore, stores } from "./archives.ts"
import { message } from "./fixtures.ts"

const tagOf = <A, E extends { readonly _tag: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => error._tag)
const errorOf = <A, E extends { readonly _tag: string; readonly message: string }, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(self), (error) => ({
    reason: "reason" in error ? error.reason : error._tag,
    text: error.message
  }))

/** What is in a backup, but for when it was made. */
const contentOf = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-content-" })
  yield* Effect.promise(() => tar.extract({ file, cwd: folder }))
  const content: Record<string, string> = {}
  for (const name of (yield* fs.readDirectory(folder, { recursive: true })).sort()) {
    if ((yield* fs.stat(`${folder}/${name}`)).type === "Directory") continue
    const bytes = yield* fs.readFile(`${folder}/${name}`)
    content[name] =
      name === "manifest.json"
        ? Buffer.from(bytes)
            .toString()
            .replace(/"createdAt": "[^"]*"/, "")
        : createHash("sha256").update(bytes).digest("hex")
  }
  return content
})

/** The same people, by the same secrets, see the same things; and what comes next gets a new number. */
const lookAround = Effect.fnUntraced(function* ({
  ann,
  appSecret,
  file,
  identity,
  key,
  ofAnn
}: Effect.Success<typeof furnish>) {
  const sessions = yield* Sessions
  const people = yield* People
  assert.deepStrictEqual(yield* people.authenticate(ann.token), ann.person)
  assert.deepStrictEqual(yield* people.authenticate(key.secret), ann.person)
  assert.strictEqual((yield* (yield* Identities).authenticate(identity.appKey, appSecret)).name, identity.name)
  assert.deepStrictEqual(
    (yield* sessions.history(ofAnn.sessionId, { limit: 9 })).items.map(({ ordinal, replyText, status }) => [
      ordinal,
      status,
      replyText
    ]),
    [
      [2, "waiting", ""],
      [1, "completed", "An answer\nof two lines, 汉字, \uFFFD."]
    ]
  )
  const bytes = yield* Stream.runCollect((yield* Files).read(file.fileId))
  assert.strictEqual(Buffer.concat(bytes).toString(), "the plan")
  const { exchange } = yield* sessions.accept(message(ofAnn, "m3"))
  assert.strictEqual(exchange.ordinal, 7)
})

describe("a backup", () => {
  it.effect("gives everything back, signed-in people included", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const home = { folder: `${root}/a` }
        const furnished = yield* Effect.provide(furnish, stores(home))
        const summary = yield* backup(home, `${root}/b.tar.gz`)
        assert.deepStrictEqual(summary, { rows: 13, files: 2, bytes: 11, missing: 0 })
        const other = { folder: `${root}/other` }
        yield* (yield* FileSystem.FileSystem).makeDirectory(other.folder)
        assert.deepInclude(yield* restore(other, `${root}/b.tar.gz`), { rows: 13, files: 2 })
        yield* Effect.provide(lookAround(furnished), stores(other))
      })
    )
  )

  it.effect("is kept to its owner, and leaves nothing else behind", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const home = { folder: `${root}/a` }
        yield* Effect.provide(furnish, stores(home))
        yield* backup(home, `${root}/b.tar.gz`)
        assert.strictEqual((yield* fs.stat(`${root}/b.tar.gz`)).mode & 0o777, 0o600)
        assert.deepStrictEqual((yield* fs.readDirectory(root)).sort(), ["a", "b.tar.gz"])
        const names = yield* fs.readDirectory(home.folder)
        assert.deepStrictEqual(names.filter((name) => !name.startsWith("platform.sqlite")).sort(), [
          "artifacts",
          "files"
        ])
        const { reason } = yield* errorOf(backup(home, `${root}/b.tar.gz`))
        assert.strictEqual(reason, "Exists")
      })
    )
  )

  it.effect("is of one moment, while the platform goes on writing", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const home = { folder: `${root}/a` }
        yield* Effect.gen(function* () {
          const { ofAnn } = yield* furnish
          const sessions = yield* Sessions
          let n = 0
          const writing = yield* Effect.forkChild(
            Effect.forever(
              Effect.andThen(
                Effect.suspend(() => sessions.accept(message(ofAnn, `x${++n}`))),
                Effect.yieldNow
              )
            )
          )
          yield* backup(home, `${root}/b.tar.gz`)
          assert.isUndefined(writing.pollUnsafe())
          assert.isAbove(n, 0)
        }).pipe(Effect.provide(stores(home)))
        const other = { folder: `${root}/a2` }
        yield* (yield* FileSystem.FileSystem).makeDirectory(other.folder)
        yield* restore(other, `${root}/b.tar.gz`)
      })
    )
  )

  it.effect("of a folder without a database is refused, and makes none", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const { reason } = yield* errorOf(backup({ folder: root }, `${root}/b.tar.gz`))
        assert.strictEqual(reason, "NothingThere")
        assert.deepStrictEqual(yield* (yield* FileSystem.FileSystem).readDirectory(root), [])
      })
    )
  )

  it.effect("leaves out what had lost its bytes, and says how many", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const home = { folder: `${root}/a` }
        const { file } = yield* Effect.provide(furnish, stores(home))
        yield* fs.remove(`${home.folder}/files/${file.fileId}`)
        assert.deepInclude(yield* backup(home, `${root}/b.tar.gz`), { rows: 12, files: 1, missing: 1 })
        yield* restore(home, `${root}/b.tar.gz`, true)
      })
    )
  )
})

describe.skipIf(postgres.missing !== undefined)("a backup between databases (Postgres)", () => {
  it.effect("SQLite to Postgres to SQLite: the same, byte by byte", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const url = Redacted.make(yield* postgres.database)
        const first: Home = { folder: `${root}/first` }
        const second: Home = { folder: `${root}/second`, postgres: { url } }
        const third: Home = { folder: `${root}/third` }
        for (const { folder } of [second, third]) yield* fs.makeDirectory(folder)
        const furnished = yield* Effect.provide(furnish, stores(first))
        yield* backup(first, `${root}/1.tar.gz`)
        yield* restore(second, `${root}/1.tar.gz`)
        yield* backup(second, `${root}/2.tar.gz`)
        yield* restore(third, `${root}/2.tar.gz`)
        yield* backup(third, `${root}/3.tar.gz`)
        const [one, two, three] = yield* Effect.forEach([1, 2, 3], (n) => contentOf(`${root}/${n}.tar.gz`))
        assert.isAbove(Object.keys(one ?? {}).length, 9)
        assert.deepStrictEqual(two, one)
        assert.deepStrictEqual(three, one)
        yield* Effect.provide(lookAround(furnished), stores(second))
        yield* Effect.provide(lookAround(furnished), stores(third))
        const inUse = ArchiveClient.idle("there").pipe(
          Effect.provide(ArchiveClient.layer({ ...second, access: "create" }))
        )
        yield* inUse
        assert.strictEqual((yield* Effect.provide(errorOf(inUse), stores(second))).reason, "InUse")
      })
    )
  )
})

describe("a restore", () => {
  const prepared = <A, E, R>(body: (root: string, home: Home, bytes: Buffer) => Effect.Effect<A, E, R>) =>
    inFolder((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const home = { folder: `${root}/a` }
        yield* Effect.provide(furnish, stores(home))
        yield* backup(home, `${root}/b.tar.gz`)
        return yield* body(root, home, Buffer.from(yield* fs.readFile(`${root}/b.tar.gz`)))
      })
    )

  /** Everything in a database and its folder, to see that nothing changed. */
  const everythingIn = (home: Home) =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const fs = yield* FileSystem.FileSystem
      const tables = yield* sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`
      const rows = yield* Effect.forEach(tables, ({ name }) => sql`SELECT * FROM ${sql(name)}`)
      return JSON.stringify([tables, rows, (yield* fs.readDirectory(`${home.folder}/files`)).sort()])
    }).pipe(Effect.provide(ArchiveClient.layer({ ...home, access: "read" })))

  it.effect("does not touch what is there, unless it is told to", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        const { text } = yield* errorOf(restore(home, `${root}/b.tar.gz`))
        assert.match(text, /holds something already.*--force/)
        // What came after the backup is gone with it, rows and files.
        const late = yield* Effect.gen(function* () {
          const { person } = yield* (yield* People).signIn("Late")
          const files = yield* Files
          return yield* files.store(
            { userId: person.userId, filename: "l", mediaType: "" },
            Stream.make(Uint8Array.of(1))
          )
        }).pipe(Effect.provide(stores(home)))
        yield* restore(home, `${root}/b.tar.gz`, true)
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* tagOf((yield* Files).find(late.fileId)), "NotFound")
          const fs = yield* FileSystem.FileSystem
          assert.notInclude(yield* fs.readDirectory(`${home.folder}/files`), late.fileId)
        }).pipe(Effect.provide(stores(home)))
        yield* backup(home, `${root}/again.tar.gz`)
        assert.deepStrictEqual(yield* contentOf(`${root}/again.tar.gz`), yield* contentOf(`${root}/b.tar.gz`))
      })
    )
  )

  /** Packs the content of a backup anew after a change to its bytes. */
  const tampered = (bytes: Buffer, from: string, to: string): Buffer => {
    assert.strictEqual(from.length, to.length)
    const plain = gunzipSync(bytes)
    const at = plain.indexOf(from)
    assert.isAbove(at, -1)
    plain.write(to, at)
    return gzipSync(plain)
  }

  const broken: ReadonlyArray<readonly [what: string, make: (bytes: Buffer) => Buffer, reason: string]> = [
    ["cut in half", (bytes) => bytes.subarray(0, bytes.length >> 1), "Damaged"],
    ["without its last bytes", (bytes) => bytes.subarray(0, -12), "Damaged"],
    ["with another word in a row", (bytes) => tampered(bytes, "An answer", "No answer"), "Damaged"],
    ["with another word in a file", (bytes) => tampered(bytes, "the plan", "the pl4n"), "Damaged"],
    ["of a version to come", (bytes) => tampered(bytes, '"version": 1', '"version": 9'), "Newer"],
    [
      "of a schema to come",
      (bytes) => tampered(bytes, `"schema": ${Migrations.newest}`, `"schema": ${Migrations.newest + 1}`),
      "Newer"
    ],
    ["of another program", (bytes) => tampered(bytes, "clawfiber-backup", "clawfiber-bakcup"), "NotABackup"],
    ["that is a text", () => Buffer.from("These are notes. ".repeat(100)), "NotABackup"],
    ["that is empty", () => Buffer.alloc(0), "NotABackup"]
  ]
  for (const [what, make, reason] of broken) {
    it.effect(`of a file ${what} is refused, and changes nothing`, () =>
      prepared((root, home, bytes) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const before = yield* everythingIn(home)
          yield* fs.writeFile(`${root}/broken.tar.gz`, make(bytes))
          const error = yield* errorOf(restore(home, `${root}/broken.tar.gz`, true))
          assert.strictEqual(error.reason, reason)
          assert.match(error.text, /Nothing was changed/)
          assert.strictEqual(yield* everythingIn(home), before)
          assert.isFalse((yield* fs.readDirectory(home.folder)).some((name) => name.startsWith(".archive")))
        })
      )
    )
  }

  it.effect("of a file with a flipped bit is refused, wherever it is", () =>
    prepared((root, _, bytes) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const home = { folder: `${root}/empty` }
        yield* fs.makeDirectory(home.folder)
        // The first ten bytes are the header, where a time and a name of a system stand that nobody reads; nor does
        // anybody read the bits that fill up the last byte before the eight of the checksum and the length.
        const padded = bytes.length - 9
        for (let at = 10; at < bytes.length; at += 47) {
          if (at === padded) continue
          const other = Buffer.from(bytes)
          other.writeUInt8(other.readUInt8(at) ^ (1 << (at % 8)), at)
          yield* fs.writeFile(`${root}/broken.tar.gz`, other)
          assert.strictEqual((yield* errorOf(restore(home, `${root}/broken.tar.gz`))).reason, "Damaged", `byte ${at}`)
        }
      })
    )
  )

  it.effect("of rows that do not fit together is refused, and changes nothing", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const place = `${root}/unpacked`
        yield* fs.makeDirectory(place)
        yield* Effect.promise(() => tar.extract({ file: `${root}/b.tar.gz`, cwd: place }))
        // Somebody twice, and all the checksums right.
        const people = (yield* fs.readFileString(`${place}/tables/people.jsonl`)).split("\n")[0] ?? ""
        const twice = `${people}\n${people}\n`
        yield* fs.writeFileString(`${place}/tables/people.jsonl`, twice)
        const manifest = JSON.parse(yield* fs.readFileString(`${place}/manifest.json`))
        manifest.tables.people = { rows: 2, sha256: createHash("sha256").update(twice).digest("hex") }
        yield* fs.writeFileString(`${place}/manifest.json`, JSON.stringify(manifest))
        yield* Effect.promise(() =>
          tar.create({ file: `${root}/twice.tar.gz`, gzip: true, cwd: place }, ["manifest.json", "tables", "files"])
        )
        const before = yield* everythingIn(home)
        const error = yield* errorOf(restore(home, `${root}/twice.tar.gz`, true))
        assert.match(error.text, /rows do not fit together/)
        assert.strictEqual(yield* everythingIn(home), before)
      })
    )
  )

  it.effect("brings along what belongs to it, and puts another one there only when it is told to", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const other = { folder: `${root}/other` }
        for (const { folder } of [home, other]) yield* fs.makeDirectory(`${folder}/agent`, { recursive: true })
        yield* fs.writeFileString(`${home.folder}/${extra}`, "of a")
        yield* backup(home, `${root}/with.tar.gz`)
        yield* fs.writeFileString(`${other.folder}/${extra}`, "of other")
        const error = yield* errorOf(restore(other, `${root}/with.tar.gz`))
        assert.strictEqual(error.reason, "NotEmpty")
        assert.include(error.text, extra)
        assert.strictEqual(yield* fs.readFileString(`${other.folder}/${extra}`), "of other")
        yield* restore(other, `${root}/with.tar.gz`, true)
        assert.strictEqual(yield* fs.readFileString(`${other.folder}/${extra}`), "of a")
        assert.strictEqual((yield* fs.stat(`${other.folder}/${extra}`)).mode & 0o777, 0o600)
      })
    )
  )

  // The last step fails, when rows are written and files are moved: the folder that is to be made leads nowhere.
  it.effect("that fails midway leaves rows, files and all as they were", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${home.folder}/agent`)
        yield* fs.writeFileString(`${home.folder}/${extra}`, "of a")
        yield* backup(home, `${root}/with.tar.gz`)
        const other = { folder: `${root}/other` }
        yield* Effect.provide(
          Effect.flatMap(People, (people) => people.signIn("Cleo")),
          stores(other)
        )
        yield* fs.symlink(`${root}/nowhere`, `${other.folder}/agent`)
        const before = yield* everythingIn(other)
        yield* errorOf(restore(other, `${root}/with.tar.gz`, true))
        assert.strictEqual(yield* everythingIn(other), before)
        yield* fs.remove(`${other.folder}/agent`)
        yield* restore(other, `${root}/with.tar.gz`, true)
        assert.notStrictEqual(yield* everythingIn(other), before)
      })
    )
  )

  it.effect("of an older schema goes the way that its database would have gone", () =>
    inFolder((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const [old, home] = [{ folder: `${root}/old` }, { folder: `${root}/new` }]
        for (const { folder } of [old, home]) yield* fs.makeDirectory(`${folder}/files`, { recursive: true })
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* Migrate.run({ database: "old", migrations: Migrations.upTo(4) })
          yield* sql`INSERT INTO people ${sql.insert({ user_id: "user_old", name: "Old", created_at: 7 })}`
        }).pipe(Effect.provide(ArchiveClient.layer({ ...old, access: "create" })))
        yield* backup(old, `${root}/old.tar.gz`)
        yield* restore(home, `${root}/old.tar.gz`)
        const { person } = yield* Effect.provide(
          Effect.flatMap(People, (people) => people.signIn("Old")),
          stores(home)
        )
        assert.deepStrictEqual([person.userId, person.createdAt], ["user_old", 7])
      })
    )
  )

  it.effect("of an archive with a way out of the folder, or with links, is refused", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${root}/evil/files`, { recursive: true })
        yield* fs.symlink("/etc/passwd", `${root}/evil/files/link`)
        yield* Effect.promise(() =>
          tar.create({ file: `${root}/e.tar.gz`, gzip: true, cwd: `${root}/evil` }, ["files"])
        )
        assert.strictEqual((yield* errorOf(restore(home, `${root}/e.tar.gz`, true))).reason, "NotABackup")
        yield* fs.writeFileString(`${root}/out`, "out")
        yield* Effect.promise(() =>
          tar.create({ file: `${root}/f.tar.gz`, gzip: true, cwd: `${root}/evil`, preservePaths: true }, ["../out"])
        )
        assert.include(["NotABackup", "Damaged"], (yield* errorOf(restore(home, `${root}/f.tar.gz`, true))).reason)
      })
    )
  )

  it.effect("of a file that is not there is refused", () =>
    prepared((root, home) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* errorOf(restore(home, `${root}/none.tar.gz`, true))).reason, "Missing")
      })
    )
  )
})
