import { spawnSync } from "node:child_process"
import { hostname } from "node:os"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import { plain, profile } from "./profiles.ts"

const setup = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = `${yield* fs.makeTempDirectoryScoped()}/.insta`
  yield* fs.makeDirectory(`${root}/config`, { recursive: true, mode: 0o700 })
  const file = `${root}/config/profile.json`
  const write = (text: string) => fs.writeFileString(file, text, { mode: 0o600 })
  const store = yield* FileProfileStore.make({ root, lockWait: "100 millis" })
  const modeOf = (path: string) => Effect.map(fs.stat(path), (info) => (info.mode & 0o777).toString(8))
  return { fs, root, file, write, store, modeOf }
})

const live = (name: string, body: (_: Effect.Success<typeof setup>) => Effect.Effect<void, unknown>) =>
  it.live(name, () => Effect.flatMap(setup, body).pipe(Effect.provide(NodeFileSystem.layer)))

describe("profile.json as others wrote it", () => {
  live(
    "takes the seed's shape, an instance type in words, and keeps keys it does not know",
    ({ fs, file, store, write }) =>
      Effect.gen(function* () {
        yield* write(
          JSON.stringify({
            app_key: "k",
            app_secret: "s",
            name: "N",
            description: null,
            claw_id: 17,
            hourly_rate: "9.50",
            scene_tags: [2001, "04003"],
            instance_type: "assistant",
            future: { deep: [1, 2] }
          })
        )
        const read = Option.getOrThrow(yield* store.load)
        assert.deepStrictEqual(plain(read), {
          ...plain(profile()),
          app_key: "k",
          app_secret: "s",
          name: "N",
          description: "",
          claw_id: "17",
          hourly_rate: 9.5,
          scene_tags: ["2001", "04003"],
          custom_tags: [],
          instance_type: "assistant",
          origin: undefined,
          extra: { future: { deep: [1, 2] } }
        })
        yield* store.save({ ...read, name: "M" })
        const written: unknown = JSON.parse(yield* fs.readFileString(file))
        assert.deepInclude(written, { name: "M", future: { deep: [1, 2] } })
      })
  )

  for (const [what, text] of [
    ["empty", ""],
    ["cut off", '{"app_key":"k","app_secret":"hush-hush'],
    ["a list", '["hush-hush"]'],
    ["without its secret", '{"app_key":"hush-hush","claw_id":"c"}'],
    ["with a secret that is no text", '{"app_key":"hush-hush","app_secret":["hush-hush"],"claw_id":"c"}']
  ] as const) {
    live(`${what}: a sentence that names the file and never repeats what is in it`, ({ store, write }) =>
      Effect.gen(function* () {
        yield* write(text)
        const error = yield* Effect.flip(store.load)
        assert.strictEqual(error.reason._tag, "ProfileDamaged")
        assert.match(error.message, /config\/profile\.json cannot be used: .*\. Mend it/)
        assert.notInclude(`${error.message} ${String(error)} ${JSON.stringify(error)}`, "hush")
      })
    )
  }

  live("an activation token of the wrong shape is told the same way", ({ fs, root, store }) =>
    Effect.gen(function* () {
      yield* fs.writeFileString(`${root}/.activate_session`, '{"session_token":""}', { mode: 0o600 })
      const error = yield* Effect.flip(store.activationToken)
      assert.match(error.message, /\.activate_session cannot be used: session_token is missing/)
      yield* fs.writeFileString(`${root}/.activate_session`, '{"session_token":"tok"}')
      assert.strictEqual(Redacted.value(Option.getOrThrow(yield* store.activationToken)), "tok")
      yield* store.clearActivationToken
      assert.isTrue(Option.isNone(yield* store.activationToken))
    })
  )
})

describe("law secret on disk", () => {
  live(
    "a saved profile is 0600 in folders of 0700, and nothing is left beside it",
    ({ file, fs, modeOf, root, store }) =>
      Effect.gen(function* () {
        yield* fs.chmod(root, 0o755)
        yield* store.save(profile())
        assert.strictEqual(yield* modeOf(file), "600")
        assert.strictEqual(yield* modeOf(`${root}/config`), "700")
        assert.strictEqual(yield* modeOf(root), "700")
        assert.deepStrictEqual(yield* fs.readDirectory(`${root}/config`), ["profile.json"])
      })
  )

  live("a file that others could read is tightened, and the log says so", ({ file, fs, modeOf, store }) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      yield* store.save(profile())
      yield* fs.chmod(file, 0o644)
      yield* store.load.pipe(
        Effect.provide(Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))]))
      )
      assert.strictEqual(yield* modeOf(file), "600")
      assert.strictEqual(lines.length, 1)
      assert.match(lines[0] ?? "", /profile\.json was open to other users/)
    })
  )

  live("a file of another user is refused", ({ fs, root, store }) =>
    Effect.gen(function* () {
      yield* store.save(profile())
      const other = yield* FileProfileStore.make({ root, uid: (process.getuid?.() ?? 0) + 1 }).pipe(
        Effect.provideService(FileSystem.FileSystem, fs)
      )
      assert.strictEqual((yield* Effect.flip(other.load)).reason._tag, "ForeignOwner")
      assert.strictEqual((yield* Effect.flip(other.save(profile()))).reason._tag, "ForeignOwner")
    })
  )
})

describe("the lock of two processes", () => {
  const claim = (over: object) =>
    JSON.stringify({ pid: process.pid, host: hostname(), token: "another", until: 8.64e15, ...over })
  const deadProcess = spawnSync(process.execPath, ["--version"]).pid

  live("a live owner keeps it: Locked, in words, and the old profile stays", ({ fs, root, store }) =>
    Effect.gen(function* () {
      yield* store.save(profile())
      // The parent of this test is alive and is not this process.
      yield* fs.writeFileString(`${root}/config/.profile.lock`, claim({ pid: process.ppid }))
      const error = yield* Effect.flip(store.save(profile({ name: "late" })))
      assert.strictEqual(error.reason._tag, "Locked")
      assert.isTrue(error.transient)
      assert.include(error.message, `process ${process.ppid} on`)
      assert.strictEqual(Option.getOrThrow(yield* store.load).name, "Ada")
      assert.isTrue(yield* fs.exists(`${root}/config/.profile.lock`))
    })
  )

  for (const [what, content] of [
    ["whose process is gone", claim({ pid: deadProcess })],
    ["of an earlier life with the same process id", claim({})],
    ["whose time has run out on another machine", claim({ host: "elsewhere", until: 1 })]
  ] as const) {
    live(`a lock ${what} is taken over`, ({ fs, root, store }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${root}/config/.profile.lock`, content)
        yield* store.save(profile())
        assert.deepStrictEqual(yield* fs.readDirectory(`${root}/config`), ["profile.json"])
      })
    )
  }
})
