import { spawn } from "node:child_process"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as FileProfileStore from "../../../../src/layers/channel/FileProfileStore.ts"

const writer = new URL("./writer.ts", import.meta.url).pathname

const write = (root: string, name: string, times: number) =>
  Effect.callback<number | null>((resume) => {
    const child = spawn(process.execPath, [writer, root, name, String(times)], { stdio: "inherit" })
    child.on("close", (code) => resume(Effect.succeed(code)))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

it.live("processes that write at once: every write goes through, the file is whole, and no lock stays", () =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = `${yield* fs.makeTempDirectoryScoped()}/.insta`
    const store = yield* FileProfileStore.make({ root })
    const writers = Effect.forEach(["a", "b", "c"], (name) => write(root, name, 15), { concurrency: 3 })
    // A reader in between sees nothing, or a whole profile.
    const reading = Effect.forever(Effect.delay(store.load, "2 millis"))
    const codes = yield* Effect.raceFirst(writers, reading)
    assert.deepStrictEqual(codes, [0, 0, 0])
    assert.strictEqual(Option.getOrThrow(yield* store.load).extra["count"], 15)
    assert.deepStrictEqual(yield* fs.readDirectory(`${root}/config`), ["profile.json"])
  }).pipe(Effect.provide(NodeFileSystem.layer))
)
