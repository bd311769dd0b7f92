/**
 * The story of a market (laws one-winner and ledger-zero): a few agents are after the same tasks, two of them under one
 * identity, while processes die at any write, freeze for longer than a lease, disks fail, clocks jump, and questions
 * and answers are lost, late or come twice. Then nothing goes wrong any more, and all comes to its end.
 */
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Refusal } from "../../layers/simulation/Database.ts"
import * as Work from "../../services/channel/Work.ts"
import { Poster, Worker } from "./MarketAgents.ts"
import { MarketPlatform } from "./MarketPlatform.ts"
import { schemas } from "./schemas.ts"
import type { Stage } from "./Stage.ts"

const minute = 60_000
const troubled = 4 * minute
/** The longest lease, the longest turn, a review, and some. */
const bound = 20 * minute
const troubles = 6

class Market {
  readonly #stage: Stage
  readonly #chance: Chance
  readonly #platform: MarketPlatform
  #workers: ReadonlyArray<Worker> = []
  readonly #posters: ReadonlyArray<Poster>

  constructor(stage: Stage, schema: string) {
    this.#stage = stage
    this.#chance = stage.chance("market")
    this.#platform = new MarketPlatform(stage, stage.chance("market network"), schema)
    this.#posters = ["poster_1", "poster_2"].map(
      (userId) => new Poster(stage, this.#platform, userId, stage.chance(userId))
    )
  }

  #trouble(): void {
    const chance = this.#chance
    const platform = this.#platform
    const { engine } = this.#stage
    const worker = this.#workers[chance.int(0, this.#workers.length - 1)]
    const machine = chance.flip(0.4) ? platform.machine : worker?.machine
    const what = chance.pick(["crash", "crash", "freeze", "freeze", "die", "clock", "disk"])
    this.#stage.trace("market", `trouble: ${what} ${machine?.name ?? ""}`)
    switch (what) {
      case "crash":
        platform.left = chance.int(0, 12)
        return
      case "die":
        return worker?.die(chance.int(500, 200_000))
      case "freeze":
        if (worker?.machine !== undefined) engine.busy(worker.machine, chance.int(20_000, 240_000))
        return
      case "clock":
        if (machine === undefined) return
        if (machine === platform.machine) platform.laws.clockSetAt = this.#stage.now
        machine.skew += chance.int(-4, 4) * minute
        return
      case "disk": {
        const until = this.#stage.now + chance.int(200, 4_000)
        const refusal = chance.pick<Refusal>(["busy", "full", "broken"])
        platform.database.refuse = (attempt) =>
          this.#stage.now < until && (attempt.write || attempt.commit || refusal !== "full") ? refusal : undefined
        return
      }
    }
  }

  /** Nobody owes anything: what is not over is open to all, and no agent is at it. */
  #isOver(): boolean {
    const tasks = [...this.#platform.laws.tasks.values()]
    return (
      tasks.every(({ review, status }) => status === "available" || status === "cancelled" || review === "accepted") &&
      this.#workers.every((worker) => worker.machine !== undefined && worker.jobs().every(Work.isEnded))
    )
  }

  #judge(): void {
    const { laws } = this.#stage
    const { tasks } = this.#platform.laws
    for (const worker of this.#workers) {
      for (const job of worker.jobs()) {
        const open = !Work.isEnded(job)
        laws.check("drain", !open, () => `${worker.name} is ${job.state} of ${job.taskId.slice(0, 12)} for ever`)
      }
    }
    for (const { review, status, task_id } of tasks.values()) {
      const isOpen = status !== "available" && status !== "cancelled" && review !== "accepted"
      laws.check("drain", !isOpen, () => `${task_id.slice(0, 12)} is ${review ?? status} for ever`)
    }
    const posted = this.#posters.reduce((sum, poster) => sum + poster.posted, 0)
    laws.check("once", tasks.size === posted, () => `${posted} tasks were posted, and there are ${tasks.size}`)
  }

  async run(): Promise<void> {
    const { engine, outside } = this.#stage
    const chance = this.#chance
    const platform = this.#platform
    try {
      await platform.found(["poster_1", undefined])
      const [first = "", second = ""] = platform.agents
      // Two machines of one agent: only the number of the grab tells them apart.
      this.#workers = [first, first, second].map(
        (clawId, index) =>
          new Worker(this.#stage, platform, `worker ${index}`, clawId, this.#stage.chance(`worker ${index}`))
      )
      for (const poster of this.#posters) poster.start(chance.int(1, 2))
      for (const worker of this.#workers) outside.after(chance.int(0, 20_000), () => worker.start())
      for (let i = 0; i < troubles; i++) outside.after(chance.int(5_000, troubled - minute), () => this.#trouble())
      await engine.run(engine.now + troubled)
      this.#stage.trace("market", "nothing goes wrong any more")
      platform.isCalm = true
      platform.left = Number.POSITIVE_INFINITY
      platform.database.refuse = undefined
      for (const { files } of this.#workers) files.left = Number.POSITIVE_INFINITY
      const end = engine.now + bound
      // What was sent before may be on its way still.
      await engine.run(engine.now + 2 * minute)
      while (engine.now < end && !this.#isOver()) await engine.run(engine.now + 20_000)
      this.#judge()
    } finally {
      for (const worker of this.#workers) worker.stop()
      for (const poster of this.#posters) poster.stop()
      platform.machine?.kill()
      platform.database.close()
    }
  }
}

/** Takes some ten virtual minutes. Of each eight worlds four tell it, one of each kind: it is a fifth of their work. */
export const run = async (stage: Stage): Promise<void> => {
  if (stage.plan.seed % 8 < 4) await new Market(stage, (await schemas()).market).run()
}
