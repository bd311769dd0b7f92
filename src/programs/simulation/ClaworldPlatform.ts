/**
 * The platform of Claworld: the real stores and the real relay socket over a disk that fails, in a process that dies at
 * any write; and the second way to it, on which questions and answers are lost, late, or come twice.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import { SqlClient } from "effect/sql/SqlClient"
import * as RelaySocket from "../../layers/platform/claworld/RelaySocket.ts"
import * as SqlTalks from "../../layers/platform/claworld/SqlTalks.ts"
import * as SqlWorldAgents from "../../layers/platform/claworld/SqlWorldAgents.ts"
import * as SqlWorldCatalog from "../../layers/platform/claworld/SqlWorldCatalog.ts"
import type { Chance } from "../../layers/simulation/Chance.ts"
import { SimDatabase } from "../../layers/simulation/Database.ts"
import type { Machine } from "../../layers/simulation/Engine.ts"
import type { Link } from "../../layers/simulation/Network.ts"
import * as SqliteClient from "../../layers/sql/SqliteClient.ts"
import { Talks } from "../../services/platform/Talks.ts"
import { type Actor, WorldAgents, WorldCatalog } from "../../services/platform/Worlds.ts"
import { ClaworldLaws } from "./ClaworldLaws.ts"
import type { NoAnswer } from "./Errand.ts"
import * as Errand from "./Errand.ts"
import * as ServerSocket from "./ServerSocket.ts"
import type { Stage } from "./Stage.ts"

/** What serves those who ask. */
export interface Doors {
  readonly agents: WorldAgents["Service"]
  readonly catalog: WorldCatalog["Service"]
  readonly talks: Talks["Service"]
}

interface Running extends Doors {
  readonly machine: Machine
  readonly relay: RelaySocket.RelaySocket
}

export interface Founded {
  readonly agentId: string
  readonly appToken: string
}

/** Short ones, so that they run out. */
const rules = { expiry: "3 minutes", lastWords: "2 minutes", requestsPerHour: 1_000, requestsPerPair: 1_000 } as const
const sweepEvery = 8_000
const restartAfter = 2_000

export const actor = (agentId: string): Actor => ({ _tag: "Agent", agentId })

const world = {
  displayName: "A simulated world",
  summary: "Where simulated agents meet.",
  entryProfileSchema: { fields: [{ fieldId: "likes", label: "Likes", type: "tags" }] },
  conversationTemplate: { maxTurns: 5, turnTimeoutMs: 15_000, raiseHandPolicy: { mode: "either_raise_hand" } }
}

export class ClaworldPlatform {
  readonly database: SimDatabase
  readonly laws: ClaworldLaws
  readonly #stage: Stage
  readonly #chance: Chance
  #running: Running | undefined
  #lives = 0
  /** Sockets that are handed over between the upgrade and its handshake. */
  readonly #handovers = new Map<object, { readonly agentId: string; readonly accept: () => Link | undefined }>()
  /** Writes and commits until it dies. */
  left = Number.POSITIVE_INFINITY
  isCalm = false
  worldId = ""

  constructor(stage: Stage, chance: Chance, schema: string) {
    this.#stage = stage
    this.#chance = chance
    this.database = new SimDatabase(schema, stage.plan.profile.death === "power" ? "full" : "normal")
    this.laws = new ClaworldLaws(stage, this.database)
    this.database.passing = (when, attempt) => {
      const machine = this.#running?.machine
      if (machine === undefined) return
      if (when === "after") {
        this.laws.written(attempt.text)
        if (!this.database.raw.isTransaction) this.laws.look(machine)
      }
      if ((when === "after" || attempt.commit) && --this.left < 0) this.crash()
    }
  }

  get machine(): Machine | undefined {
    return this.#running?.machine
  }

  #stores(machine: Machine) {
    return Effect.gen({ self: this }, function* () {
      const sql = yield* Effect.provide(SqliteClient.over(this.database.connect(machine)), Reactivity.layer)
      const withSql = Effect.provideService(SqlClient, sql)
      const agents = yield* withSql(SqlWorldAgents.make())
      const catalog = yield* withSql(SqlWorldCatalog.make).pipe(Effect.provideService(WorldAgents, agents))
      const talks = yield* withSql(SqlTalks.make(rules)).pipe(Effect.provideService(WorldCatalog, catalog))
      return { agents, catalog, talks } satisfies Doors
    })
  }

  /** Agents, and a world that all of them are in. */
  async found(names: ReadonlyArray<string>): Promise<ReadonlyArray<Founded>> {
    const machine = this.#stage.engine.machine("claworld/founding")
    const founded: Array<Founded> = []
    const founding = Effect.gen({ self: this }, function* () {
      const { agents, catalog } = yield* this.#stores(machine)
      for (const displayName of names) {
        const { agentId, appToken } = yield* agents.activate({ displayName, ownerId: undefined })
        founded.push({ agentId, appToken: Redacted.value(appToken) })
        if (this.worldId === "") this.worldId = (yield* catalog.create(actor(agentId), world)).worldId
        yield* catalog.join(actor(agentId), this.worldId, agentId, { profileSnapshot: { likes: ["talking"] } })
      }
    })
    let done = false
    machine.fork(Effect.scoped(founding)).addObserver((exit) => {
      done = true
      if (exit._tag === "Failure") this.#stage.laws.report("stop", `Claworld cannot begin: ${Cause.pretty(exit.cause)}`)
    })
    await this.#stage.engine.run(this.#stage.now + 5_000, () => done)
    this.database.sync()
    for (const { agentId } of founded) this.laws.agents.add(agentId)
    this.start()
    return founded
  }

  start(): void {
    if (this.#running !== undefined) return
    const machine = this.#stage.engine.machine(`claworld/${++this.#lives}`)
    this.#stage.trace("claworld", `starts, life ${this.#lives}`)
    machine.onLog = (text) => this.#stage.trace("claworld", text)
    const life = Effect.gen({ self: this }, function* () {
      const stores = yield* this.#stores(machine)
      const relay = yield* RelaySocket.make({
        guards: { host: "127.0.0.1", allowedHosts: [], allowedOrigins: [] },
        handshake: (request, _socket, _head, opened) => {
          const handover = this.#handovers.get(request)
          this.#handovers.delete(request)
          const link = handover?.accept()
          if (handover === undefined || link === undefined) return
          const socket = ServerSocket.make(link.server)
          this.#listen(handover.agentId, link)
          opened(socket)
        },
        askerOf: () => ({ address: "127.0.0.1", key: undefined }),
        refused: () => Effect.void,
        times: { poll: 10_000 }
      }).pipe(Effect.provideService(WorldAgents, stores.agents), Effect.provideService(Talks, stores.talks))
      this.#running = { machine, relay, ...stores }
      for (;;) {
        yield* Effect.sleep(sweepEvery)
        const from = machine.wall
        const swept = yield* Effect.option(stores.talks.sweep)
        if (swept._tag === "Some") this.laws.swept(from)
      }
    }).pipe(Effect.scoped)
    machine.fork(life).addObserver((exit) => {
      if (exit._tag === "Success" || !machine.alive) return
      this.#stage.laws.report("stop", `Claworld fell: ${Cause.pretty(exit.cause)}`)
    })
  }

  /** Dies now, and is started again after a while. */
  crash(): void {
    const machine = this.#running?.machine
    if (machine === undefined) return
    this.#stage.trace("claworld", "dies")
    this.#running = undefined
    this.left = Number.POSITIVE_INFINITY
    this.#stage.unplug(machine)
    // Not from within the statement that it died in.
    this.#stage.outside.after(0, () => {
      if (this.#stage.plan.profile.death === "power") this.database.powerCut(this.#chance)
      else this.database.crash()
      this.laws.died()
      this.#stage.outside.after(restartAfter, () => this.start())
    })
  }

  stop(): void {
    const machine = this.#running?.machine
    this.#running = undefined
    if (machine !== undefined) this.#stage.unplug(machine)
  }

  /** An upgrade arrives. `accept` makes the connection once the platform agrees. */
  upgrade(agentId: string, accept: (server: Machine) => Link | undefined, refused: (status: number) => void): void {
    const running = this.#running
    if (running === undefined) return refused(0)
    const { request, socket } = ServerSocket.upgrade("/ws", {}, refused)
    this.#handovers.set(request, { agentId, accept: () => accept(running.machine) })
    running.relay.upgrade(request, socket, Buffer.alloc(0))
  }

  /** Notes when something came from an agent. */
  #listen(agentId: string, link: Link): void {
    const { listener } = link.server
    link.server.listener = {
      ...listener,
      frame: (text) => {
        this.laws.heard(agentId)
        listener.frame(text)
      },
      pong: () => {
        this.laws.heard(agentId)
        listener.pong()
      }
    }
  }

  #serve<A, E>(run: (doors: Doors) => Effect.Effect<A, E>, done: (answer: Effect.Effect<A, E>) => void): void {
    const running = this.#running
    if (running === undefined) return
    const { machine } = running
    machine.fork(run(running)).addObserver((exit) => {
      if (machine.alive) done(exit)
    })
  }

  /** A question from another machine, and its answer. */
  ask<A, E>(from: Machine, run: (doors: Doors) => Effect.Effect<A, E>): Effect.Effect<A, E | NoAnswer> {
    return Errand.ask<A, E>({
      stage: this.#stage,
      chance: this.#chance,
      isCalm: () => this.isCalm,
      from,
      serve: (done) => this.#serve(run, done)
    })
  }

  /** Questions that arrive in the same moment, and whose answers nobody waits for. */
  atOnce(runs: ReadonlyArray<(doors: Doors) => Effect.Effect<unknown, unknown>>): void {
    for (const run of runs) this.#serve(run, () => undefined)
  }
}
