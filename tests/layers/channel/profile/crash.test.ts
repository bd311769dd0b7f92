/**
 * Law whole-file: a disk that dies at its n-th operation, for every n, leaves the old profile or the new one, and the
 * next life writes over whatever lies about.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"
import { profile } from "./profiles.ts"

const crashed = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "any",
  description: "crash"
})

/** Lets `after` operations through; from then on nothing works any more, and a write stops half way. */
const dyingAfter = (real: FileSystem.FileSystem, after: number) => {
  let left = after
  const guarded = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | PlatformError.PlatformError, R> =>
    Effect.suspend((): Effect.Effect<A, E | PlatformError.PlatformError, R> => {
      left--
      return left < 0 ? Effect.fail(crashed) : effect
    })
  const half = (data: string) => data.slice(0, data.length / 2)
  const fs: FileSystem.FileSystem = {
    ...real,
    stat: (path) => guarded(real.stat(path)),
    chmod: (path, mode) => guarded(real.chmod(path, mode)),
    exists: (path) => guarded(real.exists(path)),
    link: (from, to) => guarded(real.link(from, to)),
    makeDirectory: (path, options) => guarded(real.makeDirectory(path, options)),
    readDirectory: (path, options) => guarded(real.readDirectory(path, options)),
    readFileString: (path, encoding) => guarded(real.readFileString(path, encoding)),
    remove: (path, options) => guarded(real.remove(path, options)),
    rename: (from, to) => guarded(real.rename(from, to)),
    writeFileString: (path, data, options) =>
      Effect.suspend(() =>
        left === 0
          ? Effect.andThen(real.writeFileString(path, half(data), options), guarded(Effect.void))
          : guarded(real.writeFileString(path, data, options))
      ),
    open: (path, options) =>
      Effect.map(guarded(real.open(path, options)), (file) => ({
        ...file,
        [FileSystem.FileTypeId]: FileSystem.FileTypeId,
        stat: file.stat,
        sync: guarded(file.sync),
        writeAll: (buffer) =>
          Effect.suspend(() =>
            left === 0
              ? Effect.andThen(file.writeAll(buffer.subarray(0, buffer.length / 2)), guarded(Effect.void))
              : guarded(file.writeAll(buffer))
          )
      }))
  }
  return { fs, died: () => left < 0 }
}

it.live("law whole-file: at every crash point the file is the old one or the new one", () =>
  Effect.gen(function* () {
    const real = yield* FileSystem.FileSystem
    const seen = new Set<string>()
    for (let after = 0; ; after++) {
      const root = `${yield* real.makeTempDirectoryScoped()}/.insta`
      const healthy = yield* FileProfileStore.make({ root })
      yield* healthy.save(profile({ name: "old" }))

      const dying = dyingAfter(real, after)
      const store = yield* FileProfileStore.make({ root, lockWait: 0 }).pipe(
        Effect.provideService(FileSystem.FileSystem, dying.fs)
      )
      const next = profile({ name: "new", app_secret: Redacted.make("s3cr3t-of-the-new") })
      const exit = yield* Effect.exit(store.save(next))

      const found = Option.getOrThrow(yield* healthy.load)
      const secret = Redacted.value(found.app_secret)
      assert.strictEqual(secret, found.name === "old" ? "s3cr3t-of-the-old" : "s3cr3t-of-the-new")
      seen.add(found.name)
      assert.strictEqual(((yield* real.stat(`${root}/config/profile.json`)).mode & 0o777).toString(8), "600")

      yield* healthy.save(profile({ name: "later" }))
      assert.strictEqual(Option.getOrThrow(yield* healthy.load).name, "later")
      assert.deepStrictEqual(yield* real.readDirectory(`${root}/config`), ["profile.json"])

      if (!dying.died()) {
        assert.isTrue(exit._tag === "Success")
        assert.isAbove(after, 8)
        break
      }
    }
    assert.deepStrictEqual([...seen].sort(), ["new", "old"])
  }).pipe(Effect.provide(NodeFileSystem.layer))
)
