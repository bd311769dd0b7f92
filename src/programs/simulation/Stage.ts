/** What all actors of one world share: time, chance, the network, the laws, and the trace. */
import { Chance } from "../../layers/simulation/Chance.ts"
import type { Engine, Machine } from "../../layers/simulation/Engine.ts"
import { Link, type NetworkOptions } from "../../layers/simulation/Network.ts"
import type { Laws } from "./Laws.ts"
import type { Plan } from "./Plan.ts"

export interface Figures {
  virtualMillis: number
  accounts: number
  users: number
  sockets: number
  messages: number
  completed: number
  failed: number
  faults: number
  /** Faults that struck while a reply of that account was under way. */
  faultsInFlight: number
  tasks: number
}

const quoted = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

/** Whether any of them is in a text: one pass over it, however many there are. */
class Seeker {
  readonly #sought: ReadonlySet<string>
  #pattern = /(?!)/
  #known = 0

  constructor(sought: ReadonlySet<string>) {
    this.#sought = sought
  }

  isIn(text: string): boolean {
    // They only ever become more.
    if (this.#known !== this.#sought.size) {
      this.#known = this.#sought.size
      this.#pattern = new RegExp(Array.from(this.#sought, quoted).join("|"))
    }
    return this.#pattern.test(text)
  }
}

export class Stage {
  readonly engine: Engine
  readonly laws: Laws
  readonly plan: Plan
  readonly figures: Figures
  /** Carries bytes; belongs to nobody. */
  readonly network: Machine
  /** Everyone outside of the processes under test: people, operators, whoever pulls the plug. */
  readonly outside: Machine
  readonly links = new Set<Link>()
  readonly lines: Array<string> | undefined
  /** What nothing may hold that leaves a process: no frame, no log, no error, no state that is shown. */
  readonly secrets = new Set<string>()
  /** What an agent's operator may find in a log, and nobody in a frame. */
  readonly inward = new Set<string>()
  readonly #secret = new Seeker(this.secrets)
  readonly #inner = new Seeker(this.inward)
  #dialed = 0
  /** The frame that was looked through last, and for how many secrets: it goes to several windows. */
  #clean = ""
  #known = 0

  constructor(engine: Engine, laws: Laws, plan: Plan, tracing: boolean) {
    this.engine = engine
    this.laws = laws
    this.plan = plan
    this.lines = tracing ? [] : undefined
    this.network = engine.machine("network")
    this.outside = engine.machine("outside")
    this.figures = {
      virtualMillis: 0,
      accounts: plan.accounts.length,
      users: plan.users,
      sockets: 0,
      messages: 0,
      completed: 0,
      failed: 0,
      faults: 0,
      faultsInFlight: 0,
      tasks: 0
    }
  }

  get now(): number {
    return this.engine.now
  }

  chance(stream: string): Chance {
    return new Chance(this.plan.seed, stream)
  }

  trace(who: string, what: string): void {
    this.lines?.push(`${(this.engine.now / 1000).toFixed(4).padStart(9)} ${who.padEnd(12)} ${what}`)
  }

  /** Law secret. `where`: "agent 1 logged". */
  guard(where: string, text: string): void {
    if (this.#secret.isIn(text)) this.laws.report("secret", `${where} a secret: ${text.slice(0, 80)}`)
  }

  /** The same for what travels, where an agent's insides are nobody's business either. */
  guardFrame(where: string, text: string): void {
    const known = this.secrets.size + this.inward.size
    // What was found in it is reported already.
    if (text === this.#clean && known === this.#known) return
    this.#clean = text
    this.#known = known
    this.guard(where, text)
    if (this.#inner.isIn(text)) {
      this.laws.report("secret", `${where} what is for the log alone: ${text.slice(0, 80)}`)
    }
  }

  link(client: Machine, server: Machine, options: NetworkOptions): Link {
    const number = ++this.#dialed
    const link = new Link({
      number,
      engine: this.engine,
      chance: this.chance(`link ${number}`),
      options,
      network: this.network,
      client,
      server,
      onEnd: (over) => this.links.delete(over)
    })
    this.links.add(link)
    this.figures.sockets++
    return link
  }

  /** A machine dies: its sockets are reset by its system. */
  unplug(machine: Machine): void {
    machine.kill()
    for (const link of this.links) {
      if (link.client.machine === machine) link.client.reset()
      if (link.server.machine === machine) link.server.reset()
    }
  }
}
