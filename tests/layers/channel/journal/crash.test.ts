/** Real processes over a real file: killed in the middle, and two at once. */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlJournal from "../../../../src/layers/channel/SqlJournal.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"
import { codeOf, make, request } from "../dispatcher/harness.ts"

const victim = fileURLToPath(new URL("./victim.ts", import.meta.url))

const start = (filename: string, from: number): ChildProcess =>
  spawn(process.execPath, ["--disable-warning=ExperimentalWarning", victim, filename, String(from)], {
    stdio: ["ignore", "pipe", "inherit"]
  })

/** The lines of a process until it has ended; `enough` is asked after each whether to kill it. */
const linesOf = (
  child: ChildProcess,
  enough: (line: string, count: number) => boolean
): Promise<ReadonlyArray<string>> =>
  new Promise((resolve, reject) => {
    let rest = ""
    const lines: Array<string> = []
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (rest + chunk).split("\n")
      rest = parts.pop() ?? ""
      for (const line of parts) {
        lines.push(line)
        if (enough(line, lines.length)) child.kill("SIGKILL")
      }
    })
    child.once("error", reject)
    child.once("close", () => resolve(lines))
  })

const inFolder = <A, E, R>(body: (filename: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "clawfiber-journal-" })
    return yield* body(`${folder}/journal.sqlite`)
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

const open = (filename: string) => Layer.fresh(SqlJournal.layerFile({ filename }))

const numbers = (lines: ReadonlyArray<string>, word: string): ReadonlyArray<number> =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? [Number(line.slice(word.length + 1))] : []))

describe("a process that is killed (laws once and one-terminal)", () => {
  it.live(
    "leaves every promise behind that it made, and what it had not ended is ended once",
    () =>
      inFolder((filename) =>
        Effect.gen(function* () {
          const accepted: Array<number> = []
          const ended: Array<number> = []
          // Where it is hit differs by the number of lines, and by whatever the machine does meanwhile.
          for (const [round, count] of [3, 40, 211, 1_500].entries()) {
            const child = start(filename, round * 1_000_000)
            const lines = yield* Effect.promise(() => linesOf(child, (_, seen) => seen === count))
            assert.isAtLeast(lines.length, count, lines.join("\n"))
            assert.strictEqual(child.signalCode, "SIGKILL")
            accepted.push(...numbers(lines, "accepted"))
            ended.push(...numbers(lines, "ended"))
          }
          assert.isAbove(ended.length, 100)

          const left = yield* Effect.gen(function* () {
            const journal = yield* Journal
            const done = new Set(ended)
            for (const n of accepted) {
              const entry = yield* journal.find(`resp_${n}`)
              assert.isDefined(entry, `accepted ${n}`)
              if (done.has(n)) {
                assert.deepStrictEqual(entry.outcome, { _tag: "Completed", text: `text ${n} `.repeat(300) })
              }
            }
            const unfinished = yield* journal.unfinished("acc")
            const harness = yield* make({ journal })
            assert.strictEqual(yield* harness.dispatcher.recover, unfinished.length)
            assert.strictEqual(yield* harness.dispatcher.recover, 0)
            assert.deepStrictEqual(
              harness.seen().map((reply) => [reply.responseId, codeOf(reply)]),
              unfinished.map((entry) => [entry.responseId, "INTERRUPTED"])
            )
            return unfinished
          }).pipe(Effect.scoped, Effect.provide(open(filename)))
          const open3 = accepted.filter((n) => n % 3 === 0)
          assert.includeMembers(
            left.map((entry) => entry.responseId),
            open3.map((n) => `resp_${n}`)
          )

          // A start later nothing is left, and the message that comes again gets the same end.
          yield* Effect.gen(function* () {
            const journal = yield* Journal
            assert.deepStrictEqual(yield* journal.unfinished("acc"), [])
            const harness = yield* make({ journal })
            assert.strictEqual(yield* harness.dispatcher.recover, 0)
            const n = open3[0] ?? -1
            yield* harness.dispatcher.handle(request({ messageId: `m${n}`, sessionId: `s${n % 7}` }))
            assert.deepStrictEqual(
              harness.seen().map((reply) => [reply.responseId, codeOf(reply)]),
              [[`resp_${n}`, "INTERRUPTED"]]
            )
            assert.strictEqual(harness.stage.turns.length, 0)
          }).pipe(Effect.scoped, Effect.provide(open(filename)))
        })
      ),
    60_000
  )
})

describe("two processes on one journal", () => {
  it.live(
    "the second is refused with a sentence, and takes over when the first is dead",
    () =>
      inFolder((filename) =>
        Effect.gen(function* () {
          const first = start(filename, 0)
          yield* Effect.promise(
            () => new Promise<void>((resolve) => first.stdout?.on("data", () => resolve(undefined)))
          )
          const ours = yield* Effect.flip(Effect.scoped(Layer.build(open(filename))))
          assert.deepInclude(ours, { _tag: "DatabaseError", reason: "Locked" })
          const second = yield* Effect.promise(() => linesOf(start(filename, 0), () => false))
          assert.strictEqual(second.length, 1)
          assert.match(second[0] ?? "", /journal\.sqlite" is held by another program\. Stop the other one/)

          const dead = new Promise((resolve) => first.once("close", resolve))
          first.kill("SIGKILL")
          yield* Effect.promise(() => dead)
          assert.isTrue(Exit.isSuccess(yield* Effect.exit(Effect.scoped(Layer.build(open(filename))))))
        })
      ),
    60_000
  )

  it.live("nor twice in one process", () =>
    inFolder((filename) =>
      Effect.gen(function* () {
        yield* Layer.build(open(filename))
        const again = yield* Effect.flip(Effect.scoped(Layer.build(open(filename))))
        assert.strictEqual(again.reason, "Locked")
      }).pipe(Effect.scoped)
    )
  )
})
