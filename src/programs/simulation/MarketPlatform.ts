/**
 * The platform of a market: the real task pool over a disk that fails, in a process that dies at any write; and the way
 * to it, on which questions and answers are lost, late, or come twice.
 */
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import { SqlClient } from "effect/sql/SqlClient"
import * as SqlIdentities from "../../layers/platform/SqlIdentities.ts"
import * as SqlTaskPool from "../../layers/platform/SqlTaskPool.ts"
import type { Chance } from "../../layers/simulation/Chance.ts"
import { SimDatabase } from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"
import type { TaskPool } from "../../services/platform/TaskPool.ts"
import type { NoAnswer } from "./Errand.ts"
import * as Errand from "./Errand.ts"
import { MarketLaws } from "./MarketLaws.ts"
import type { Stage } from "./Stage.ts"

type Pool = TaskPool["Service"]

/** Short ones, so that they run out. */
const rules = {
  lease: "1 minute",
  unkept: "3 minutes",
  longest: "20 minutes",
  review: "5 minutes",
  rework: "4 minutes"
} as const

const sweepEvery = "25 seconds"
const restartAfter = 2_000
/** Longer than a database that is locked is asked again. */
const patience = 20_000

export class MarketPlatform {
  readonly database: SimDatabase
  readonly laws: MarketLaws
  readonly #stage: Stage
  readonly #chance: Chance
  readonly #owners = new Map<string, string>()
  #running: { readonly machine: Machine; readonly pool: Pool } | undefined
  #lives = 0
  /** Writes and commits until it dies. */
  left = Number.POSITIVE_INFINITY
  isCalm = false
  agents: ReadonlyArray<string> = []

  constructor(stage: Stage, chance: Chance, schema: string) {
    this.#stage = stage
    this.#chance = chance
    this.database = new SimDatabase(schema, stage.plan.profile.death === "power" ? "full" : "normal")
    this.laws = new MarketLaws(stage, this.database, this.#owners)
    this.database.passing = (when, attempt) => {
      const machine = this.#running?.machine
      if (machine === undefined) return
      if (when === "after" && !this.database.raw.isTransaction) this.laws.look(machine)
      if ((when === "after" || attempt.commit) && --this.left < 0) this.crash()
    }
  }

  get machine(): Machine | undefined {
    return this.#running?.machine
  }

  /** Some agents have an owner, who is paid for them. */
  async found(owners: ReadonlyArray<string | undefined>): Promise<void> {
    const machine = this.#stage.engine.machine("market/founding")
    const agents: Array<string> = []
    const founding = Effect.gen({ self: this }, function* () {
      const sql = yield* Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
      const identities = yield* SqlIdentities.make.pipe(Effect.provideService(SqlClient, sql))
      for (const [index, ownerId] of owners.entries()) {
        const { identity } = yield* identities.create({
          ownerId,
          name: `worker ${index}`,
          description: "",
          avatar: "",
          hourlyRate: 0,
          sceneTags: [],
          customTags: [],
          instanceType: 0
        })
        agents.push(identity.clawId)
        if (ownerId !== undefined) this.#owners.set(identity.clawId, `user:${ownerId}`)
      }
    })
    let done = false
    machine.fork(founding).addObserver(() => (done = true))
    await this.#stage.engine.run(this.#stage.now + 5_000, () => done)
    this.agents = agents
    this.start()
  }

  start(): void {
    if (this.#running !== undefined) return
    const machine = this.#stage.engine.machine(`market/${++this.#lives}`)
    const life = Effect.gen({ self: this }, function* () {
      const sql = yield* Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
      const pool = yield* SqlTaskPool.make(rules).pipe(Effect.provideService(SqlClient, sql))
      this.#running = { machine, pool }
      for (;;) {
        yield* Effect.sleep(sweepEvery)
        yield* Effect.ignore(pool.sweep)
      }
    })
    machine.fork(life).addObserver((exit) => {
      if (exit._tag === "Failure" && machine.alive) this.#stage.laws.report("stop", "the market's platform fell")
    })
  }

  /** Dies now, and is started again after a while. */
  crash(): void {
    const machine = this.#running?.machine
    if (machine === undefined) return
    this.#stage.trace("market", "the platform dies")
    this.#running = undefined
    this.left = Number.POSITIVE_INFINITY
    machine.kill()
    // Not from within the statement that it died in.
    this.#stage.outside.after(0, () => {
      this.database.crash()
      this.#stage.outside.after(restartAfter, () => this.start())
    })
  }

  /** Something arrives. `done` is told where there is an answer. */
  #serve<A, E>(run: (pool: Pool) => Effect.Effect<A, E>, done: (answer: Effect.Effect<A, E>) => void): void {
    const running = this.#running
    if (running === undefined) return
    const { machine, pool } = running
    const asked = machine.fork(run(pool))
    asked.addObserver((exit) => {
      if (machine.alive) done(exit)
    })
    // Who asks gives up and asks again: a question that nobody answers would be seen by nobody else.
    this.#stage.outside.after(patience, () => {
      const answered = !machine.alive || asked.pollUnsafe() !== undefined
      this.#stage.laws.check("drain", answered, () => `the market left a question open for ${patience / 1000} s`)
    })
  }

  /** A question from another machine, and its answer. */
  ask<A, E>(from: Machine, run: (pool: Pool) => Effect.Effect<A, E>): Effect.Effect<A, E | NoAnswer> {
    return Errand.ask<A, E>({
      stage: this.#stage,
      chance: this.#chance,
      isCalm: () => this.isCalm,
      from,
      serve: (done) => this.#serve(run, done)
    })
  }
}
