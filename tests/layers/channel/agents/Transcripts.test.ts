import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as FileTranscripts from "../../../../src/layers/channel/FileTranscripts.ts"
import * as MemoryTranscripts from "../../../../src/layers/channel/MemoryTranscripts.ts"
import { bounded } from "../../../../src/layers/channel/TranscriptBounds.ts"
import { type Said, Transcripts } from "../../../../src/services/channel/Transcripts.ts"

const said = (text: string, at = 0): ReadonlyArray<Said> => [
  { role: "user", text, at },
  { role: "assistant", text: `re: ${text}`, at: at + 1 }
]

const texts = (messages: ReadonlyArray<Said>): ReadonlyArray<string> => messages.map((message) => message.text)

const inFolder = <A, E>(
  body: (
    folder: string,
    fs: FileSystem.FileSystem
  ) => Effect.Effect<A, E, FileSystem.FileSystem | NodeServices.NodeServices>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* fs.makeTempDirectoryScoped()
    return yield* body(`${root}/transcripts`, fs)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

/** The contract, over every layer. */
const contract = (name: string, layer: (maxSessions: number) => Layer.Layer<Transcripts, unknown>) =>
  describe(`Transcripts: ${name}`, () => {
    it.effect("keeps sessions apart, in order, and forgets on request", () =>
      Effect.gen(function* () {
        const transcripts = yield* Transcripts
        assert.deepStrictEqual(yield* transcripts.load("a"), [])
        yield* transcripts.append("a", said("one"))
        yield* transcripts.append("b", said("other"))
        yield* transcripts.append("a", said("two"))
        assert.deepStrictEqual(texts(yield* transcripts.load("a")), ["one", "re: one", "two", "re: two"])
        assert.deepStrictEqual(texts(yield* transcripts.load("b")), ["other", "re: other"])
        yield* transcripts.forget("a")
        assert.deepStrictEqual(yield* transcripts.load("a"), [])
        assert.lengthOf(yield* transcripts.load("b"), 2)
      }).pipe(Effect.provide(layer(1000)))
    )

    it.effect("two replies of one session at the same time lose nothing", () =>
      Effect.gen(function* () {
        const transcripts = yield* Transcripts
        yield* Effect.all(
          Array.from({ length: 8 }, (_, i) => transcripts.append("a", said(String(i)))),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(yield* transcripts.load("a"), 16)
      }).pipe(Effect.provide(layer(1000)))
    )

    it.effect("is bounded in sessions", () =>
      Effect.gen(function* () {
        const transcripts = yield* Transcripts
        for (let i = 0; i < 5; i++) yield* transcripts.append(`s${i}`, said("x"))
        const kept = yield* Effect.forEach([0, 1, 2, 3, 4], (i) => transcripts.load(`s${i}`))
        assert.strictEqual(kept.filter((messages) => messages.length > 0).length, 3)
        assert.lengthOf(kept[4] ?? [], 2)
      }).pipe(Effect.provide(layer(3)))
    )
  })

contract("memory", (maxSessions) => MemoryTranscripts.layerWith({ maxSessions }))
contract("files", (maxSessions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      return FileTranscripts.layer({ folder, maxSessions })
    })
  ).pipe(Layer.provide(NodeServices.layer))
)

describe("bounded", () => {
  const Messages = Schema.Array(
    Schema.Struct({ role: Schema.Literals(["user", "assistant"]), text: Schema.String, at: Schema.Finite })
  )

  it.effect.prop("never more than the bounds, always the newest, always beginning with the user", [Messages], ([all]) =>
    Effect.sync(() => {
      const kept = bounded(all, { maxMessages: 4, maxCharacters: 30 })
      assert.isAtMost(kept.length, 4)
      assert.isAtMost(
        kept.reduce((sum, message) => sum + message.text.length, 0),
        30
      )
      if (kept.length > 0) {
        assert.strictEqual(kept[0]?.role, "user")
        assert.deepStrictEqual(
          kept.map((message) => message.role),
          all.slice(-kept.length).map((message) => message.role)
        )
      }
    })
  )

  it("one endless message does not push everything else out", () => {
    const kept = bounded([...said("before"), { role: "user", text: "x".repeat(1000), at: 2 }], {
      maxMessages: 10,
      maxCharacters: 100
    })
    assert.strictEqual(kept[0]?.text, "before")
    assert.lengthOf(kept, 3)
  })
})

describe("FileTranscripts", () => {
  it.effect("goes on after a restart; files are for the owner alone and name nobody", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const first = yield* FileTranscripts.make({ folder })
        yield* first.append("instaclaw:acc:../../etc", said("hello"))
        const second = yield* FileTranscripts.make({ folder })
        assert.deepStrictEqual(texts(yield* second.load("instaclaw:acc:../../etc")), ["hello", "re: hello"])
        const names = yield* fs.readDirectory(folder)
        assert.lengthOf(names, 1)
        assert.match(names[0] ?? "", /^[0-9a-f]{64}\.transcript\.json$/)
        const info = yield* fs.stat(`${folder}/${names[0]}`)
        assert.strictEqual(info.mode & 0o777, 0o600)
        assert.strictEqual((yield* fs.stat(folder)).mode & 0o777, 0o700)
      })
    )
  )

  it.effect("a damaged file is set aside, not overwritten, and the session goes on", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const transcripts = yield* FileTranscripts.make({ folder })
        yield* transcripts.append("a", said("lost"))
        const name = (yield* fs.readDirectory(folder))[0] ?? ""
        yield* fs.writeFileString(`${folder}/${name}`, '{"version":1,"messages":[')
        assert.deepStrictEqual(yield* transcripts.load("a"), [])
        yield* transcripts.append("a", said("new"))
        assert.deepStrictEqual(texts(yield* transcripts.load("a")), ["new", "re: new"])
        const aside = (yield* fs.readDirectory(folder)).filter((entry) => entry.includes(".damaged-"))
        assert.lengthOf(aside, 1)
        assert.include(yield* fs.readFileString(`${folder}/${aside[0]}`), "version")
      })
    )
  )

  it.effect("a half-written file of a process that died is cleared away at the start", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(folder, { recursive: true })
        yield* fs.writeFileString(`${folder}/abc.transcript.json.1.tmp`, "half")
        yield* FileTranscripts.make({ folder })
        assert.deepStrictEqual(yield* fs.readDirectory(folder), [])
      })
    )
  )

  it.effect("a folder that went away costs the memory, not the answer", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const transcripts = yield* FileTranscripts.make({ folder })
        yield* fs.remove(folder, { recursive: true })
        yield* transcripts.append("a", said("x"))
        assert.deepStrictEqual(yield* transcripts.load("a"), [])
      })
    )
  )
})
