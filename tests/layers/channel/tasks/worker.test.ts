/** An account at paid work as its operator sees and steers it: questions, the log, the stop, what became of it. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as ControlDesk from "../../../../src/layers/channel/ControlDesk.ts"
import * as LiveWorker from "../../../../src/layers/channel/LiveWorker.ts"
import * as LiveWorking from "../../../../src/layers/channel/LiveWorking.ts"
import * as MemoryTaskApi from "../../../../src/layers/channel/MemoryTaskApi.ts"
import * as Methods from "../../../../src/layers/channel/Methods.ts"
import { AgentRuntime, type ReplyPart, type Turn } from "../../../../src/services/channel/AgentRuntime.ts"
import { Snapshot } from "../../../../src/services/channel/Control.ts"
import { PlatformFailed, TaskApiError } from "../../../../src/services/channel/TaskApi.ts"
import * as Work from "../../../../src/services/channel/Work.ts"
import type { Worker, WorkState } from "../../../../src/services/channel/Working.ts"
import * as scripted from "../control/scripted.ts"

type Reply = (turn: Turn) => Stream.Stream<ReplyPart>

const writes: Reply = (turn) =>
  Stream.unwrap(
    Effect.as(
      turn.toolbox.call("write_file", { path: "output/a.md", text: "42" }),
      Stream.make<ReadonlyArray<ReplyPart>>({ _tag: "Text", text: "Forty-two." })
    )
  )

interface World {
  readonly market: MemoryTaskApi.MemoryMarket
  readonly worker: (
    options?: Partial<LiveWorker.Options>,
    reply?: Reply,
    api?: MemoryTaskApi.Options
  ) => Effect.Effect<Worker, never, FileSystem.FileSystem | Scope.Scope>
}

const world = <A, E>(body: (world: World) => Effect.Effect<A, E, FileSystem.FileSystem | Scope.Scope>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = `${yield* fs.makeTempDirectoryScoped()}/work`
    const market = new MemoryTaskApi.MemoryMarket()
    return yield* body({
      market,
      worker: (options = {}, reply = writes, faults = {}) =>
        Effect.gen(function* () {
          const api = yield* MemoryTaskApi.make(market, "claw_1", faults)
          return yield* LiveWorker.make({
            mode: "ask",
            folder,
            uid: undefined,
            accountId: "default",
            systemPrompt: undefined,
            limits: { categories: [], maxBounty: undefined },
            concurrency: 1,
            claim: Effect.void,
            market: Effect.succeedSome({ api, clawId: "claw_1" }),
            lookEvery: "20 millis",
            ...options
          }).pipe(
            Effect.provideService(AgentRuntime, { description: "", model: "", reply }),
            Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
          )
        })
    })
  }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

/** Files are real here, so the time is too: waits for what is said, not for how long it takes. */
const until = Effect.fnUntraced(function* (worker: Worker, fits: (state: WorkState) => boolean) {
  for (;;) {
    const state = yield* worker.state
    if (fits(state)) return state
    yield* Effect.sleep("5 millis")
  }
})

const first = (state: WorkState) => state.jobs[0]

describe("an account at paid work", () => {
  it.live("asks before it takes a task, and takes it at once where the operator says yes", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "Count", description: "Count it." })
        const one = yield* worker({ lookEvery: "1 hour" })
        const asking = yield* until(one, (state) => first(state)?.question !== undefined)
        assert.strictEqual(first(asking)?.question?.description, "Count it.")
        assert.strictEqual(market.grabsOf("t1"), 0)
        assert.isTrue(yield* one.answer("t1", true))
        assert.isFalse(yield* one.answer("t1", true))
        const done = yield* until(one, (state) => first(state)?.job.state === "reported")
        assert.strictEqual(market.deliveries.length, 1)
        const log = first(done)?.log ?? []
        assert.deepStrictEqual(
          log.filter(({ kind }) => kind !== "step").map(({ failed, kind, path, text }) => [kind, text, path, failed]),
          [
            ["tool", "write_file", "output/a.md", false],
            ["said", "Forty-two.", undefined, false]
          ]
        )
        assert.includeMembers(
          log.filter(({ kind }) => kind === "step").map(({ text }) => text),
          ["asking", "grabbed", "doing", "submitting", "reported"]
        )
      })
    )
  )

  it.live("asks about several at once, at most five (law bounded), and leaves alone what is declined, for good", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        for (let index = 0; index < 7; index++) market.post({ id: `t${index}`, title: `Task ${index}` })
        const one = yield* worker()
        const openIn = (state: WorkState) => state.jobs.flatMap(({ job, question }) => (question ? [job.taskId] : []))
        const before = openIn(yield* until(one, (state) => openIn(state).length >= 5))
        assert.lengthOf(before, 5)
        const [declined = "", taken = ""] = before
        yield* one.answer(declined, false)
        yield* one.answer(taken, true)
        const after = yield* until(
          one,
          (state) =>
            openIn(state).length === 5 && state.jobs.some(({ job }) => job.taskId === taken && Work.isEnded(job))
        )
        assert.strictEqual(after.jobs.find(({ job }) => job.taskId === declined)?.job.state, "declined")
        assert.strictEqual(after.jobs.find(({ job }) => job.taskId === taken)?.job.state, "reported")
        assert.strictEqual(market.grabsOf(declined), 0)
        assert.lengthOf(market.deliveries, 1)
      })
    )
  )

  it.live("takes a question back when the task is gone from the market", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "One" })
        const one = yield* worker()
        yield* until(one, (state) => first(state)?.question !== undefined)
        const other = yield* Effect.provide(MemoryTaskApi.make(market, "claw_2"), NodeFileSystem.layer)
        yield* other.grab({ taskId: "t1", attempt: "x" })
        const gone = yield* until(one, (state) => first(state)?.question === undefined)
        assert.strictEqual(first(gone)?.job.state, "declined")
        assert.isFalse(yield* one.answer("t1", true))
      })
    )
  )

  it.live("asks again where its poster has changed what the operator said yes to", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "One", bounty: "20" })
        const one = yield* worker({ lookEvery: "1 hour" })
        yield* until(one, (state) => first(state)?.question !== undefined)
        // Nobody has looked since.
        market.post({ id: "t1", title: "One", bounty: "2.5" })
        assert.isTrue(yield* one.answer("t1", true))
        const again = yield* until(one, (state) => first(state)?.question !== undefined)
        assert.strictEqual(first(again)?.job.state, "asking")
        assert.strictEqual(first(again)?.job.bounty, "2.5")
        assert.strictEqual(market.grabsOf("t1"), 0)
        assert.isTrue(yield* one.answer("t1", true))
        yield* until(one, (state) => first(state)?.job.state === "reported")
      })
    )
  )

  it.live("asks again where its poster has put another file in the place of one", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        const file = (fileId: string) => ({
          fileId,
          filename: "notes.txt",
          size: 1,
          sha256: undefined,
          url: `/files/${fileId}`
        })
        market.post({ id: "t1", title: "One", files: [file("file_1")] })
        const one = yield* worker({ lookEvery: "1 hour" })
        yield* until(one, (state) => first(state)?.question !== undefined)
        market.post({ id: "t1", title: "One", files: [file("file_2")] })
        assert.isTrue(yield* one.answer("t1", true))
        const again = yield* until(one, (state) => first(state)?.question !== undefined)
        assert.strictEqual(first(again)?.question?.files[0]?.fileId, "file_2")
        assert.strictEqual(market.grabsOf("t1"), 0)
      })
    )
  )

  it.live("takes a question back when its poster has changed the task to one that the operator lets nobody take", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "One", bounty: "20" })
        const one = yield* worker({ limits: { categories: [], maxBounty: "30" } })
        yield* until(one, (state) => first(state)?.question !== undefined)
        market.post({ id: "t1", title: "One", bounty: "30.5" })
        const gone = yield* until(one, (state) => first(state)?.question === undefined)
        assert.strictEqual(first(gone)?.job.state, "declined")
        assert.strictEqual(market.grabsOf("t1"), 0)
      })
    )
  )

  it.live("stops in the middle and gives the task back (law stop)", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "One" })
        let begun = false
        let ended = false
        const endless: Reply = () =>
          Stream.unwrap(
            Effect.sync(() => {
              begun = true
              return Stream.ensuring(
                Stream.never,
                Effect.sync(() => void (ended = true))
              )
            })
          )
        const one = yield* worker({ mode: "auto" }, endless)
        const doing = yield* until(one, (state) => begun && first(state)?.job.state === "doing")
        assert.isDefined(first(doing)?.leaseUntil)
        assert.isTrue(yield* one.stop("t1"))
        const over = yield* until(one, (state) => first(state)?.job.state === "released")
        assert.isTrue(ended)
        assert.match(first(over)?.job.why ?? "", /operator stopped/)
        assert.strictEqual(market.taskOf("t1")?.status, "available")
        assert.isFalse(yield* one.stop("t1"))
        assert.isFalse(yield* one.stop("unknown"))
      })
    )
  )

  it.live("says what became of what was handed in", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "One" })
        const one = yield* worker({ mode: "auto" })
        yield* until(one, (state) => first(state)?.job.state === "reported")
        const posted = market.posted.get("t1") ?? assert.fail()
        posted.task = { ...posted.task, review: "accepted" }
        yield* until(one, (state) => first(state)?.job.accepted === true)
      })
    )
  )

  it.live("says what is wrong, and goes on when it is mended", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        let away = true
        const gone = new TaskApiError({ reason: new PlatformFailed({ detail: "it is away" }) })
        const one = yield* worker({ mode: "auto" }, writes, {
          fault: () => Effect.suspend(() => (away ? Effect.fail(gone) : Effect.void))
        })
        market.post({ id: "t1", title: "One" })
        const stuck = yield* until(one, ({ fault }) => fault !== undefined)
        assert.match(stuck.fault ?? "", /it is away/)
        away = false
        const well = yield* until(one, (state) => first(state)?.job.state === "reported")
        assert.isDefined(well)
        yield* until(one, ({ fault }) => fault === undefined)
      })
    )
  )

  it.live("is shown at the operator's desk by named fields, and steered by its methods", () =>
    world(({ market, worker }) =>
      Effect.gen(function* () {
        market.post({ id: "t1", title: "Count", description: "Count it.", bounty: "12.5" })
        const one = yield* scripted.account()
        const idle = yield* scripted.account("idle")
        const accounts = yield* scripted.accounts([one, idle])
        const working = yield* LiveWorking.make(yield* scripted.accounts([one]), () => worker())
        const desk = yield* ControlDesk.make({ version: "1", settings: [] })
        const { call } = Methods.make(accounts, working)
        desk.attach(accounts, call, working)
        const shown = Effect.gen(function* () {
          for (;;) {
            const snapshot = yield* desk.snapshot("default")
            yield* Schema.decodeUnknownEffect(Snapshot)(JSON.parse(JSON.stringify(snapshot)))
            const [account] = snapshot.accounts
            if (account?.jobs[0]?.question !== null && account?.jobs[0] !== undefined) return snapshot
            yield* Effect.sleep("5 millis")
          }
        })
        const { accounts: views } = yield* shown
        assert.deepInclude(views[0]?.jobs[0], { task_id: "t1", bounty: "12.5", state: "asking" })
        assert.deepStrictEqual(views[0]?.jobs[0]?.question, { description: "Count it.", files: [] })
        assert.strictEqual(views[0]?.work?.mode, "ask")
        assert.isNull(views[1]?.work)
        const refused = yield* Effect.flip(call("instaclaw.work.stop", { account_id: "idle", task_id: "t1" }))
        assert.strictEqual(refused.code, "unavailable")
        assert.deepStrictEqual(
          yield* call("instaclaw.work.answer", { account_id: "default", task_id: "t1", take: false }),
          { heard: true }
        )
        assert.deepStrictEqual(yield* call("instaclaw.work.stop", { account_id: "default", task_id: "t1" }), {
          stopped: false
        })
        assert.deepStrictEqual(yield* call("instaclaw.work.look", { account_id: "default" }), {})
      })
    )
  )
})
