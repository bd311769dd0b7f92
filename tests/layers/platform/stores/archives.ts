/** A platform with something in it, and what the suites of backups do with it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Files } from "../../../../src/services/platform/Files.ts"
import { Identities } from "../../../../src/services/platform/Identities.ts"
import { People } from "../../../../src/services/platform/People.ts"
import { Sessions } from "../../../../src/services/platform/Sessions.ts"
import * as ArchiveClient from "../../../../src/layers/platform/archive/ArchiveClient.ts"
import * as Backup from "../../../../src/layers/platform/archive/Backup.ts"
import * as Restore from "../../../../src/layers/platform/archive/Restore.ts"
import * as Stores from "../../../../src/layers/platform/Stores.ts"
import { agent, message } from "./fixtures.ts"

export const system = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)

/** Where a platform keeps everything: a folder, and perhaps a Postgres. */
export interface Home {
  readonly folder: string
  readonly postgres?: { readonly url: Redacted.Redacted<string> } | undefined
}

export const inFolder = <A, E, R>(body: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* body(yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-archive-" }))
  }).pipe(Effect.scoped, Effect.provide(system))

export const stores = ({ folder, postgres }: Home) =>
  Layer.fresh(
    postgres === undefined ? Stores.layerSqlite({ folder }) : Stores.layerPostgres({ folder, ...postgres })
  ).pipe(Layer.provide(system))

const text = (value: string) => new TextEncoder().encode(value)

/** Two people, an agent, conversations with texts of all kinds, files, a key, and one conversation that is gone. */
export const furnish = Effect.gen(function* () {
  const sessions = yield* Sessions
  const people = yield* People
  const files = yield* Files
  const { appSecret, identity } = yield* (yield* Identities).create({ ...agent, name: "Zoë 测试", hourlyRate: 0.1 })
  const ann = yield* people.signIn("Ann")
  const bob = yield* people.signIn("bob")
  const key = yield* people.createKey(ann.person.userId, "laptop")
  const write = Effect.fnUntraced(function* (userId: string, said: string, answer: string) {
    const session = yield* sessions.create(userId, identity.clawId)
    const { exchange } = yield* sessions.accept(message(session, "m1", said))
    yield* sessions.end(exchange.responseId, { text: answer, failure: undefined })
    yield* sessions.accept(message(session, "m2", "And then?"))
    return session
  })
  const ofAnn = yield* write(
    ann.person.userId,
    "quotes \"' \\ \u2028 😀 \u0000",
    "An answer\nof two lines, 汉字, \u0000."
  )
  yield* write(bob.person.userId, "Hi", "Hello.")
  const gone = yield* write(bob.person.userId, "Gone", "Soon.")
  const file = yield* files.store(
    { userId: ann.person.userId, filename: "plan é.txt", mediaType: "text/plain" },
    Stream.make(text("the plan"))
  )
  yield* files.bind(ann.person.userId, ofAnn.sessionId, [file.fileId])
  yield* files.store({ userId: bob.person.userId, filename: "b", mediaType: "" }, Stream.make(Uint8Array.of(0, 1, 255)))
  // The highest number of all: it must not be given again.
  yield* sessions.remove(bob.person.userId, gone.sessionId)
  return { identity, appSecret, ann, bob, key, ofAnn, file }
})

/** A file of the data folder that goes along, where it is there. */
export const extra = "agent/key.json"

export const backup = (home: Home, file: string) =>
  Backup.write({ folder: home.folder, filesFolder: `${home.folder}/files`, extras: [extra], file }).pipe(
    Effect.provide(ArchiveClient.layer({ ...home, access: "read" }))
  )

export const restore = (home: Home, file: string, force = false) =>
  Restore.read({
    folder: home.folder,
    filesFolder: `${home.folder}/files`,
    extras: [extra],
    file,
    name: "the place",
    force
  }).pipe(Effect.provide(ArchiveClient.layer({ ...home, access: "create" })))
