/**
 * The story of Claworld (laws one-conversation, turn-order, hands, online-only, kickoff-once): a few agents ask each
 * other for talks and talk, over sockets that break, half open, stall and repeat, while either side and the platform die
 * at any write, disks fail, clocks jump and agents go away. Then nothing goes wrong any more, and every talk ends.
 */
import type { Chance } from "../../layers/simulation/Chance.ts"
import type { Refusal, SimDatabase } from "../../layers/simulation/Database.ts"
import { ClaworldAgent } from "./ClaworldAgent.ts"
import { ClaworldPerson } from "./ClaworldPerson.ts"
import { ClaworldPlatform } from "./ClaworldPlatform.ts"
import { schemas } from "./schemas.ts"
import type { Stage } from "./Stage.ts"

const minute = 60_000
const troubled = 2.5 * minute
/** A request that nobody decides about, then all turns of a talk, and some. */
const bound = 12 * minute
const troubles = 9
const names = ["ann", "bob", "cem"] as const

class Claworld {
  readonly #stage: Stage
  readonly #chance: Chance
  readonly #platform: ClaworldPlatform
  readonly #journal: string
  #agents: ReadonlyArray<ClaworldAgent> = []
  #people: ReadonlyArray<ClaworldPerson> = []

  constructor(stage: Stage, schema: string, journal: string) {
    this.#stage = stage
    this.#chance = stage.chance("claworld")
    this.#platform = new ClaworldPlatform(stage, stage.chance("claworld network"), schema)
    this.#journal = journal
  }

  #spoil(database: SimDatabase): void {
    const until = this.#stage.now + this.#chance.int(200, 4_000)
    const refusal = this.#chance.pick<Refusal>(["busy", "full", "broken"])
    database.refuse = (attempt) =>
      this.#stage.now < until && (attempt.write || attempt.commit || refusal !== "full") ? refusal : undefined
  }

  /** Two agents ask each other in the same moment. */
  #cross(): void {
    const first = this.#chance.int(0, this.#people.length - 1)
    const one = this.#people[first]
    const other = this.#people[(first + 1) % this.#people.length]
    if (one === undefined || other === undefined) return
    const isInWorld = this.#chance.flip(0.5)
    this.#stage.trace("claworld", `${one.agentId} and ${other.agentId} ask each other`)
    this.#platform.atOnce([one.request(other.agentId, isInWorld), other.request(one.agentId, isInWorld)])
  }

  #trouble(): void {
    const chance = this.#chance
    const platform = this.#platform
    const { engine } = this.#stage
    const agent = this.#agents[chance.int(0, this.#agents.length - 1)]
    if (agent === undefined) return
    const newest = [...agent.links].at(-1)
    const what = chance.pick([
      ...([
        "crash",
        "crash",
        "die",
        "die",
        "vanish",
        "vanish",
        "leave",
        "cut",
        "half",
        "stall",
        "replay",
        "replay"
      ] as const),
      ...(["freeze", "clock", "disk", "own disk"] as const)
    ])
    this.#stage.trace("claworld", `trouble: ${what} ${agent.name}`)
    switch (what) {
      case "crash":
        platform.left = chance.int(0, 20)
        return
      case "die":
        agent.left = chance.int(0, 12)
        return
      case "vanish":
        // Its machine is switched off, and nobody is told.
        newest?.halfOpen("both")
        return agent.die(chance.int(70_000, 150_000))
      case "leave":
        agent.refusedUntil = this.#stage.now + chance.int(5_000, 120_000)
        return newest?.cut(chance)
      case "cut":
        return newest?.cut(chance)
      case "half":
        return newest?.halfOpen(chance.pick(["both", "up", "down"]))
      case "stall":
        return newest?.stall(chance.int(3_000, 40_000), chance.pick(["both", "up", "down"]))
      case "replay":
        return agent.replay()
      case "freeze":
        platform.laws.troubled(agent.agentId)
        if (agent.machine !== undefined) engine.busy(agent.machine, chance.int(5_000, 100_000))
        return
      case "clock": {
        const machine = chance.flip(0.6) ? platform.machine : agent.machine
        if (machine === undefined) return
        if (machine === platform.machine) platform.laws.clockSetAt = this.#stage.now
        machine.skew += chance.int(-150, 150) * 1_000
        return
      }
      case "disk":
        return this.#spoil(platform.database)
      case "own disk":
        platform.laws.troubled(agent.agentId)
        return this.#spoil(agent.database)
    }
  }

  #isOver(): boolean {
    const { requests, talks } = this.#platform.laws
    return (
      [...talks.values()].every(({ status }) => status === "ended" || status === "kickoff_failed") &&
      [...requests.values()].every(({ status }) => status !== "pending") &&
      this.#agents.every((agent) => agent.isConnected && agent.unfinished === 0)
    )
  }

  #judge(): void {
    const { laws } = this.#stage
    for (const row of this.#platform.laws.talks.values()) {
      this.#stage.trace("claworld", `${row.conversation_key} ${row.status} ${row.end_reason} after ${row.turn} turns`)
      const isOver = row.status === "ended" || row.status === "kickoff_failed"
      laws.check("drain", isOver, () => `${row.conversation_id} is ${row.status} at turn ${row.turn} for ever`)
    }
    for (const row of this.#platform.laws.requests.values()) {
      laws.check("drain", row.status !== "pending", () => `${row.chat_request_id} is pending for ever`)
    }
    for (const agent of this.#agents) {
      laws.check("drain", agent.isConnected, () => `${agent.name} is not on the line any more`)
      laws.check("drain", agent.unfinished === 0, () => `${agent.name} never answers ${agent.unfinished} deliveries`)
    }
    const [open] = this.#platform.database.lookAll("SELECT count(*) AS n FROM deliveries WHERE open = 1")
    laws.check("drain", Number(open?.["n"]) === 0, () => `${open?.["n"]} deliveries wait for ever`)
    this.#platform.laws.judge()
  }

  async run(): Promise<void> {
    const { engine, outside } = this.#stage
    const chance = this.#chance
    const platform = this.#platform
    try {
      const founded = await platform.found(names)
      this.#agents = founded.map(
        (one, index) => new ClaworldAgent(this.#stage, platform, names[index] ?? "", one, this.#journal)
      )
      const ids = founded.map(({ agentId }) => agentId)
      this.#people = ids.map(
        (id) =>
          new ClaworldPerson(
            this.#stage,
            platform,
            id,
            ids.filter((other) => other !== id)
          )
      )
      for (const agent of this.#agents) outside.after(chance.int(0, 3_000), () => agent.start())
      for (const person of this.#people) outside.after(3_000, () => person.start())
      for (let i = 0; i < 3; i++) outside.after(chance.int(5_000, troubled), () => this.#cross())
      for (let i = 0; i < troubles; i++) outside.after(chance.int(8_000, troubled), () => this.#trouble())
      await engine.run(engine.now + troubled)
      this.#stage.trace("claworld", "nothing goes wrong any more")
      platform.isCalm = true
      platform.left = Number.POSITIVE_INFINITY
      platform.database.refuse = undefined
      for (const agent of this.#agents) {
        agent.left = Number.POSITIVE_INFINITY
        agent.database.refuse = undefined
        agent.refusedUntil = 0
      }
      const end = engine.now + bound
      while (engine.now < end && !this.#isOver()) {
        for (const agent of this.#agents) agent.mend()
        await engine.run(engine.now + 10_000)
      }
      this.#judge()
    } finally {
      for (const agent of this.#agents) agent.stop()
      for (const person of this.#people) person.stop()
      platform.stop()
      platform.database.close()
      for (const { database } of this.#agents) database.close()
    }
  }
}

/** Takes some five virtual minutes. */
export const run = async (stage: Stage): Promise<void> => {
  if (stage.plan.seed % 16 < 12) return
  const { claworld, journal } = await schemas()
  await new Claworld(stage, claworld, journal).run()
}
