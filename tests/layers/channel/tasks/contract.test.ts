/** The contract of TaskApi, over the market in memory and over HTTP. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import * as HttpTaskApi from "../../../../src/layers/channel/HttpTaskApi.ts"
import * as MemoryTaskApi from "../../../../src/layers/channel/MemoryTaskApi.ts"
import * as PlatformAddress from "../../../../src/layers/channel/PlatformAddress.ts"
import type { TaskApi, TaskApiError } from "../../../../src/services/channel/TaskApi.ts"
import * as fakePlatform from "./fakePlatform.ts"

type Api = TaskApi["Service"]

interface World {
  readonly market: MemoryTaskApi.MemoryMarket
  /** The agent claw_1. */
  readonly ours: Api
  /** The agent claw_2, in memory always. */
  readonly theirs: Api
  readonly folder: string
}

const memory = Effect.fnUntraced(function* () {
  const market = new MemoryTaskApi.MemoryMarket()
  const ours = yield* MemoryTaskApi.make(market, "claw_1")
  return { market, ours }
})

const http = (bare: boolean) =>
  Effect.fnUntraced(function* () {
    const market = new MemoryTaskApi.MemoryMarket()
    const server = yield* Effect.acquireRelease(
      Effect.promise(() => fakePlatform.start(market, "claw_1")),
      ({ stop }) => Effect.promise(stop)
    )
    server.hooks.bare = bare
    const { artifactUrl, taskApiBaseUrl } = PlatformAddress.derive(server.url)
    const ours = yield* HttpTaskApi.make({
      baseUrl: taskApiBaseUrl,
      artifactUrl,
      appKey: "ak",
      appSecret: Redacted.make("sk"),
      issuer: server.url.origin,
      retries: 0
    }).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))
    return { market, ours }
  })

const worlds = { memory, "HTTP, wrapped": http(false), "HTTP, bare": http(true) }

const reasonOf = (effect: Effect.Effect<unknown, TaskApiError>) =>
  Effect.match(effect, { onFailure: ({ reason }) => reason._tag, onSuccess: () => "none" })

for (const [name, make] of Object.entries(worlds)) {
  const test = (words: string, body: (world: World) => Effect.Effect<void, TaskApiError, FileSystem.FileSystem>) =>
    it.live(words, () =>
      Effect.scoped(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const folder = yield* fs.makeTempDirectoryScoped()
          const { market, ours } = yield* make()
          const theirs = yield* MemoryTaskApi.make(market, "claw_2")
          market.post({ id: "t1", title: "Count", description: "Count the words.", bounty: "12.5", deadline: 4e12 })
          market.post({ id: "t2", title: "Clean", category: "02001" })
          yield* body({ market, ours, theirs, folder })
        })
      ).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)
    )

  describe(name, () => {
    test("lists by pages and by category", ({ ours }) =>
      Effect.gen(function* () {
        const all = yield* ours.list({ pageSize: 1, page: 2 })
        assert.deepStrictEqual(
          all.items.map(({ id }) => id),
          ["t2"]
        )
        assert.strictEqual(all.total, 2)
        assert.strictEqual(all.totalPages, 2)
        const some = yield* ours.list({ category: "02001" })
        assert.deepStrictEqual(
          some.items.map(({ id }) => id),
          ["t2"]
        )
      }))

    test("tells a task whole", ({ market, ours }) =>
      Effect.gen(function* () {
        market.post({
          id: "t3",
          title: "File",
          files: [{ fileId: "f1", filename: "a.txt", size: 3, sha256: undefined, url: "/files/f1" }]
        })
        const task = yield* ours.get("t1")
        assert.strictEqual(task.description, "Count the words.")
        assert.strictEqual(task.bounty, "12.5")
        assert.strictEqual(task.deadline, 4e12)
        assert.strictEqual(task.status, "available")
        assert.deepInclude((yield* ours.get("t3")).files[0], { fileId: "f1", filename: "a.txt", size: 3 })
        assert.strictEqual(yield* reasonOf(ours.get("nothing")), "TaskUnknown")
        assert.strictEqual(yield* reasonOf(ours.get("..")), "TaskUnknown")
      }))

    test("law one-winner: a grab is had by one; the same attempt again has the same answer", ({
      market,
      ours,
      theirs
    }) =>
      Effect.gen(function* () {
        const first = yield* ours.grab({ taskId: "t1", attempt: "a" })
        assert.isDefined(first.lease)
        assert.deepStrictEqual(yield* ours.grab({ taskId: "t1", attempt: "a" }), first)
        assert.strictEqual(yield* reasonOf(theirs.grab({ taskId: "t1", attempt: "b" })), "AlreadyGrabbed")
        assert.strictEqual(yield* reasonOf(ours.grab({ taskId: "t1", attempt: "c" })), "AlreadyGrabbed")
        assert.strictEqual(market.grabsOf("t1"), 1)
        yield* theirs.grab({ taskId: "t2", attempt: "d" })
        assert.strictEqual(yield* reasonOf(ours.grab({ taskId: "t2", attempt: "e" })), "AlreadyGrabbed")
        assert.strictEqual(yield* reasonOf(ours.get("t2")), "TaskUnknown")
      }))

    test("keeps a grab alive, and gives it back", ({ ours, theirs }) =>
      Effect.gen(function* () {
        const { lease } = yield* ours.grab({ taskId: "t1", attempt: "a" })
        const fencing = lease?.fencing ?? -1
        assert.isAtLeast((yield* ours.keep({ taskId: "t1", fencing })).until, lease?.until ?? Infinity)
        yield* ours.setStatus({ taskId: "t1", status: "in_progress", fencing })
        yield* ours.release({ taskId: "t1", fencing, reason: "too hard" })
        assert.strictEqual(yield* reasonOf(ours.keep({ taskId: "t1", fencing })), "LeaseLost")
        yield* theirs.grab({ taskId: "t1", attempt: "b" })
        assert.strictEqual(yield* reasonOf(ours.keep({ taskId: "t1", fencing })), "LeaseLost")
        const late = ours.deliver({ taskId: "t1", resultDescription: "x", archive: undefined, fencing, attempt: "c" })
        assert.strictEqual(yield* reasonOf(late), "LeaseLost")
      }))

    test("hands in an archive once, with progress, byte by byte the same", ({ folder, market, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const archive = `${folder}/delivery "t1".zip`
        const bytes = new Uint8Array(300_000).map((_, at) => at % 251)
        yield* Effect.orDie(fs.writeFile(archive, bytes))
        const { lease } = yield* ours.grab({ taskId: "t1", attempt: "a" })
        const told: Array<readonly [number, number]> = []
        const deliver = ours.deliver({
          taskId: "t1",
          resultDescription: "Done: 数到 42.",
          archive,
          fencing: lease?.fencing,
          attempt: "d",
          progress: (sent, total) => Effect.sync(() => void told.push([sent, total]))
        })
        yield* deliver
        assert.deepStrictEqual(told.at(-1), [300_000, 300_000])
        assert.isTrue(told.length > 1)
        yield* deliver
        assert.deepStrictEqual(market.deliveries, [
          {
            taskId: "t1",
            clawId: "claw_1",
            resultDescription: "Done: 数到 42.",
            sha256: createHash("sha256").update(bytes).digest("hex"),
            size: 300_000
          }
        ])
        assert.deepInclude(yield* ours.get("t1"), { status: "completed", review: "pending", assignedClawId: "claw_1" })
        const nothing = ours.deliver({ taskId: "t1", resultDescription: " ", archive, attempt: "e" })
        assert.strictEqual(yield* reasonOf(nothing), "InvalidParameter")
      }))

    test("uploads a file bound to its task", ({ folder, market, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* Effect.orDie(fs.writeFileString(`${folder}/a.txt`, "hello"))
        const upload = ours.upload({ path: `${folder}/a.txt`, to: { taskId: "t1" }, attempt: "u" })
        assert.strictEqual(yield* reasonOf(upload), "TaskUnknown")
        yield* ours.grab({ taskId: "t1", attempt: "a" })
        const artifact = yield* upload
        assert.deepInclude(artifact, {
          filename: "a.txt",
          size: 5,
          sha256: createHash("sha256").update("hello").digest("hex")
        })
        assert.strictEqual((yield* upload).artifactId, artifact.artifactId)
        assert.strictEqual(market.artifacts.length, 1)
      }))

    test("refuses what is no plain file", ({ folder, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* Effect.orDie(fs.writeFileString(`${folder}/real`, "x"))
        yield* Effect.orDie(fs.symlink(`${folder}/real`, `${folder}/link`))
        for (const path of [`${folder}/link`, folder, `${folder}/absent`, "/dev/zero"]) {
          const upload = ours.upload({ path, to: { taskId: "t1" }, attempt: "u" })
          assert.strictEqual(yield* reasonOf(upload), "FileUnusable", path)
        }
      }))

    test("law bounded: a file of 10 GB is refused before it is read, as an archive too", ({ folder, market, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = `${folder}/huge.zip`
        // Of nothing but a hole: whoever read it would take long, and fill the disk of the other side.
        yield* Effect.orDie(fs.writeFile(path, new Uint8Array(1)))
        yield* Effect.orDie(fs.truncate(path, 10 * 1024 ** 3))
        yield* ours.grab({ taskId: "t1", attempt: "a" })
        const progress = () => Effect.die("it is read")
        const upload = ours.upload({ path, to: { taskId: "t1" }, attempt: "u", progress })
        const deliver = ours.deliver({
          taskId: "t1",
          resultDescription: "Done.",
          archive: path,
          attempt: "d",
          progress
        })
        for (const refused of [yield* Effect.orDie(Effect.flip(upload)), yield* Effect.orDie(Effect.flip(deliver))]) {
          assert.strictEqual(refused.reason._tag, "FileUnusable")
          assert.include(refused.message, "larger than 512 MiB")
        }
        assert.deepStrictEqual([market.artifacts.length, market.deliveries.length], [0, 0])
      }))

    test("a file that changes while it is read is not sent", ({ folder, market, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = `${folder}/growing`
        yield* Effect.orDie(fs.writeFile(path, new Uint8Array(500_000)))
        yield* ours.grab({ taskId: "t1", attempt: "a" })
        const upload = ours.upload({
          path,
          to: { taskId: "t1" },
          attempt: "u",
          progress: () => Effect.orDie(fs.writeFileString(path, "more", { flag: "a" }))
        })
        assert.strictEqual(yield* reasonOf(upload), "FileUnusable")
        assert.strictEqual(market.artifacts.length, 0)
      }))

    test("downloads a file of the task", ({ folder, market, ours }) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        market.contents.set("/files/f1", new TextEncoder().encode("a,b\n1,2\n"))
        const file = { fileId: "f1", filename: "a.csv", size: 8, sha256: undefined, url: "/files/f1" }
        yield* ours.download({ file, path: `${folder}/a.csv` })
        assert.strictEqual(yield* Effect.orDie(fs.readFileString(`${folder}/a.csv`)), "a,b\n1,2\n")
        const shorter = ours.download({ file: { ...file, size: 9 }, path: `${folder}/b.csv` })
        assert.strictEqual(yield* reasonOf(shorter), "PlatformFailed")
        assert.isFalse(yield* Effect.orDie(fs.exists(`${folder}/b.csv`)))
      }))
  })
}
