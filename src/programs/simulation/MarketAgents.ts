/**
 * Those who come to a market: agents that do paid work with the real WorkRunner, each over a disk of its own, in a
 * process that dies at any operation on it; and people who post tasks and look at what is handed in.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as SimAgent from "../../layers/channel/SimAgent.ts"
import * as WorkRunner from "../../layers/channel/WorkRunner.ts"
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import { SimFiles } from "../../layers/simulation/Files.ts"
import { AgentError, AgentRuntime, Unavailable } from "../../services/channel/AgentRuntime.ts"
import {
  AlreadyGrabbed,
  InvalidParameter,
  LeaseLost,
  NotAvailable,
  PlatformFailed,
  type Task,
  TaskApi,
  TaskApiError,
  type TaskReason,
  TaskUnknown
} from "../../services/channel/TaskApi.ts"
import * as Work from "../../services/channel/Work.ts"
import type { Task as PooledTask, TaskPool } from "../../services/platform/TaskPool.ts"
import type { NoAnswer } from "./Errand.ts"
import type { MarketPlatform } from "./MarketPlatform.ts"
import type { Stage } from "./Stage.ts"

const parse = (text: string): Work.Job | undefined => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const root = "/agent/.insta/work"
const lookEvery = "25 seconds"

type Pool = TaskPool["Service"]
type PoolError = Effect.Error<ReturnType<Pool["grab"] | Pool["deliver"] | Pool["keep"]>>

const reasonOf = (taskId: string, error: PoolError | NoAnswer): TaskReason => {
  switch (error._tag) {
    case "Taken":
      return new AlreadyGrabbed({ taskId })
    case "NotFound":
      return new TaskUnknown({ taskId })
    case "LeaseLost":
      return new LeaseLost({ taskId })
    case "WrongState":
    case "LimitReached":
      return new NotAvailable({ taskId, detail: error.message })
    case "Invalid":
      return new InvalidParameter({ detail: error.detail, param: error.param })
    case "StoreError":
      return new PlatformFailed({ detail: error.detail })
    case "NoAnswer":
      return new PlatformFailed({ detail: "nobody answers" })
  }
}

const toTask = (task: PooledTask): Task => ({ ...task, id: task.taskId, files: [] })

export class Worker {
  readonly name: string
  readonly clawId: string
  readonly files = new SimFiles()
  readonly #stage: Stage
  readonly #platform: MarketPlatform
  readonly #chance: Chance
  #machine: Machine | undefined
  #lives = 0
  /** Runs of the agent, by task and round. */
  readonly #runs = new Map<string, number>()

  constructor(stage: Stage, platform: MarketPlatform, name: string, clawId: string, chance: Chance) {
    this.#stage = stage
    this.#platform = platform
    this.#chance = chance
    this.name = name
    this.clawId = clawId
    this.files.died = () => this.die(this.#chance.int(500, 150_000))
  }

  get machine(): Machine | undefined {
    return this.#machine
  }

  #api(machine: Machine): TaskApi["Service"] {
    const platform = this.#platform
    const { clawId } = this
    const ask = <A, E extends PoolError>(taskId: string, run: (pool: Pool) => Effect.Effect<A, E>) =>
      Effect.mapError(platform.ask(machine, run), (error) => new TaskApiError({ reason: reasonOf(taskId, error) }))
    const under =
      (what: string, taskId: string, fencing: number | undefined) =>
      <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
        Effect.tap(self, () => Effect.sync(() => platform.laws.did(`${clawId} ${what}`, taskId, fencing)))
    const unused = () => Effect.fail(new TaskApiError({ reason: new PlatformFailed({ detail: "not simulated" }) }))
    return TaskApi.of({
      list: ({ page = 1, pageSize = 20 }) =>
        Effect.map(
          ask("", (pool) => pool.available({ page, pageSize })),
          ({ items, total }) => ({
            items: items.map((item) => ({ ...item, id: item.taskId })),
            total,
            page,
            pageSize,
            totalPages: Math.max(1, Math.ceil(total / pageSize))
          })
        ),
      get: (taskId) =>
        Effect.map(
          ask(taskId, (pool) => pool.find(clawId, taskId)),
          toTask
        ),
      grab: ({ attempt, taskId }) =>
        Effect.map(
          ask(taskId, (pool) =>
            Effect.tap(pool.grab(clawId, taskId, attempt), ({ lease }) =>
              Effect.sync(() => platform.laws.did(`${clawId} grabbed`, taskId, lease.fencing))
            )
          ),
          ({ lease }) => ({ taskId, lease })
        ),
      keep: ({ fencing, taskId }) =>
        ask(taskId, (pool) => under("kept it", taskId, fencing)(pool.keep(clawId, taskId, fencing))),
      release: ({ fencing, reason, taskId }) => {
        platform.laws.released.add(`${taskId} ${fencing}`)
        return ask(taskId, (pool) => pool.release(clawId, taskId, { fencing, reason }))
      },
      setStatus: ({ fencing, status, taskId }) =>
        ask(taskId, (pool) =>
          Effect.asVoid(under("worked on it", taskId, fencing)(pool.setStatus(clawId, taskId, status, fencing)))
        ),
      deliver: ({ attempt, fencing, resultDescription, taskId }) =>
        Effect.map(
          ask(taskId, (pool) =>
            under(
              "handed it in",
              taskId,
              fencing
            )(pool.deliver(clawId, taskId, { resultDescription, archiveId: undefined, fencing, attempt }))
          ),
          ({ deliverable }) => ({ resultZipUrl: undefined, uploadedAt: deliverable?.uploadedAt ?? 0 })
        ),
      upload: unused,
      download: unused
    })
  }

  #script(session: string): SimAgent.Script {
    const key = session.slice(0, session.lastIndexOf(":"))
    const runs = (this.#runs.get(key) ?? 0) + 1
    this.#runs.set(key, runs)
    this.#stage.laws.check("once", runs <= Work.maxRuns, () => `${this.name} was let ${runs} times at ${key}`)
    const pause = SimAgent.wait(this.#platform.isCalm ? 2_000 : this.#chance.int(500, 60_000))
    const end = this.#platform.isCalm ? "done" : this.#chance.pick(["done", "done", "done", "done", "cannot", "falls"])
    if (end === "falls") {
      const detail = "simulated"
      return [pause, SimAgent.fail(new AgentError({ reason: new Unavailable({ detail }) }))]
    }
    return [pause, SimAgent.say(end === "done" ? "It is done." : "NOT DONE: it is too hard.")]
  }

  start(): void {
    if (this.#machine !== undefined) return
    const machine = this.#stage.engine.machine(`${this.name}/${++this.#lives}`)
    this.#machine = machine
    this.files.left = this.#platform.isCalm ? Number.POSITIVE_INFINITY : this.#chance.int(15, 400)
    const life = Effect.gen({ self: this }, function* () {
      const runner = yield* WorkRunner.make({
        folder: root,
        uid: undefined,
        accountId: this.name,
        clawId: this.clawId,
        systemPrompt: undefined,
        limits: { categories: [], maxBounty: undefined },
        concurrency: 2,
        ask: undefined,
        turnTimeout: "4 minutes",
        keepEvery: "15 seconds",
        onStep: (job) =>
          Effect.sync(() => this.#stage.trace(this.name, `${job.taskId.slice(0, 12)} ${job.state} ${job.why ?? ""}`))
      })
      for (;;) {
        yield* Effect.ignore(runner.once())
        yield* Effect.sleep(lookEvery)
      }
    }).pipe(
      Effect.provideService(TaskApi, this.#api(machine)),
      Effect.provideService(AgentRuntime, SimAgent.make({ script: (turn) => this.#script(turn.responseId) })),
      Effect.provideService(FileSystem.FileSystem, this.files.service)
    )
    machine.fork(life).addObserver((exit) => {
      if (exit._tag === "Failure" && machine.alive) this.#stage.laws.report("stop", `${this.name} fell: ${exit.cause}`)
    })
  }

  /** Dies, and is started again after so many milliseconds. */
  die(away: number): void {
    const machine = this.#machine
    if (machine === undefined) return
    this.#stage.trace(this.name, "dies")
    this.#machine = undefined
    machine.kill()
    // What still runs of it in this very moment writes nothing more.
    this.files.left = -1
    this.#stage.outside.after(0, () => {
      if (this.#stage.plan.profile.death === "power") this.files.powerCut()
      else this.files.crash()
      this.#stage.outside.after(this.#platform.isCalm ? 500 : away, () => this.start())
    })
  }

  stop(): void {
    this.#machine?.kill()
    this.#machine = undefined
    this.files.died = undefined
  }

  /** What its files say. */
  jobs(): ReadonlyArray<Work.Job> {
    return this.files
      .under(root)
      .filter((path) => path.endsWith("/job.json"))
      .flatMap((path) => {
        const text = this.files.text(path)
        if (text === undefined) return []
        const job = parse(text)
        this.#stage.laws.check("whole-file", job !== undefined, () => `${this.name} has half of ${path}`)
        return job === undefined ? [] : [job]
      })
  }
}

/** Posts tasks, and looks at what is handed in: asks again under the same key until there is an answer. */
export class Poster {
  readonly userId: string
  readonly #stage: Stage
  readonly #platform: MarketPlatform
  readonly #chance: Chance
  readonly #machine: Machine
  posted = 0
  /** Times that a deliverable was sent back. */
  #returned = 0

  constructor(stage: Stage, platform: MarketPlatform, userId: string, chance: Chance) {
    this.#stage = stage
    this.#platform = platform
    this.#chance = chance
    this.userId = userId
    this.#machine = stage.engine.machine(userId)
  }

  #ask<A, E>(run: (pool: Pool) => Effect.Effect<A, E>): Effect.Effect<A, E | NoAnswer> {
    return this.#platform.ask(this.#machine, run)
  }

  /** `false`: the platform said no. */
  #insist<A, E extends { readonly _tag: string }>(run: (pool: Pool) => Effect.Effect<A, E>): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const got = yield* Effect.result(this.#ask(run))
        if (got._tag === "Success") return true
        if (got.failure._tag !== "NoAnswer" && got.failure._tag !== "StoreError") return false
        yield* Effect.sleep(this.#platform.isCalm ? 500 : this.#chance.int(500, 5_000))
      }
    })
  }

  start(tasks: number): void {
    const { userId } = this
    const program = Effect.gen({ self: this }, function* () {
      for (let i = 0; i < tasks; i++) {
        const bounty = String(this.#chance.int(1, 400))
        const task = { title: `Task ${i}`, description: "Do it.", category: "07001", inputFiles: [] }
        const isTaken = yield* this.#insist((pool) =>
          pool.post(userId, { ...task, bounty, deadline: undefined }, `${userId} ${i}`)
        )
        if (isTaken) this.posted++
        yield* Effect.sleep(this.#chance.int(100, 40_000))
      }
      for (;;) {
        yield* Effect.sleep("20 seconds")
        const mine = yield* Effect.option(this.#ask((pool) => pool.mine(userId, { limit: 9 })))
        if (mine._tag === "None") continue
        for (const task of mine.value.items) yield* this.#look(task)
      }
    })
    this.#machine.fork(program).addObserver((exit) => {
      if (exit._tag === "Failure" && this.#machine.alive) {
        this.#stage.laws.report("stop", `${userId} fell: ${exit.cause}`)
      }
    })
  }

  /** What is waiting is accepted in the end; before that it may come back, lie, change or go. */
  #look({ review, status, taskId }: PooledTask): Effect.Effect<unknown> {
    const { userId } = this
    const accept = this.#insist((pool) => pool.accept(userId, taskId, `${taskId} ${this.#returned}`))
    if (status === "completed" && review === "pending") {
      if (this.#platform.isCalm) return accept
      const mood = this.#chance.pick(["accept", "accept", "return", "lie"])
      if (mood === "accept") return accept
      if (mood === "lie" || this.#returned > 2) return Effect.void
      this.#returned++
      return Effect.ignore(this.#ask((pool) => pool.giveBack(userId, taskId, "Once more.")))
    }
    if (status !== "available" || this.#platform.isCalm) return Effect.void
    const mood = this.#chance.int(0, 19)
    if (mood === 0) return Effect.ignore(this.#ask((pool) => pool.withdraw(userId, taskId)))
    const bounty = String(this.#chance.int(1, 400))
    return mood < 3 ? Effect.ignore(this.#ask((pool) => pool.edit(userId, taskId, { bounty }))) : Effect.void
  }

  stop(): void {
    this.#machine.kill()
  }
}
