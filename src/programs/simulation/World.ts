/** One world from one seed: begins, goes wrong, comes to rest, is stopped, and is judged. */
import { Engine, Livelock } from "../../layers/simulation/Engine.ts"
import * as SimAgent from "../../layers/channel/SimAgent.ts"
import { AgentError, type AgentRuntime, Unavailable } from "../../services/channel/AgentRuntime.ts"
import { AgentNode } from "./AgentNode.ts"
import * as ClaworldNode from "./ClaworldNode.ts"
import { forged } from "./confined.ts"
import { type Broken, Laws } from "./Laws.ts"
import * as MarketNode from "./MarketNode.ts"
import { PersonNode } from "./PersonNode.ts"
import type { Act, Op, Plan, Submit } from "./Plan.ts"
import * as ProfileNode from "./ProfileNode.ts"
import { PlatformNode } from "./PlatformNode.ts"
import * as RegistrarNode from "./RegistrarNode.ts"
import { schemas } from "./schemas.ts"
import { type Figures, Stage } from "./Stage.ts"
import { trespass } from "./trespass.ts"

export interface Options {
  /** Writes down everything that happens. */
  readonly trace?: boolean | undefined
  /** Only these ops happen, by their index; undefined = all. */
  readonly only?: ReadonlySet<number> | undefined
  /** Who answers, instead of agents that follow the plan. */
  readonly agent?: ((account: number) => AgentRuntime["Service"]) | undefined
  /** The agent is made of promises: time waits for the event loop at each step. */
  readonly promises?: boolean | undefined
}

export interface Outcome {
  readonly plan: Plan
  readonly broken: ReadonlyArray<Broken>
  readonly figures: Figures
  readonly trace: ReadonlyArray<string>
}

/** What an agent's own error says, for its operator. */
const inside = "simulated: the key of the model in /home/operator/.env is wrong"

const toStep = (act: Act): SimAgent.Step => {
  switch (act._tag) {
    case "Say":
      return SimAgent.say(...act.pieces)
    case "Wait":
      return SimAgent.wait(act.millis)
    case "Busy":
      return SimAgent.emit({ _tag: "Activity", label: act.label })
    case "Fail":
      return SimAgent.fail(new AgentError({ reason: new Unavailable({ detail: inside }) }))
    case "Die":
      return SimAgent.die(new Error(inside))
    case "Stall":
      return SimAgent.stall
  }
}

const messageOf = (id: string | undefined): number => Number(id?.slice(1) ?? Number.NaN)

const planned = (plan: Plan): AgentRuntime["Service"] =>
  SimAgent.make({
    script: (turn) => {
      const op = plan.ops[messageOf(turn.messageId)]
      return op?._tag === "Submit" ? op.acts.map(toStep) : []
    }
  })

interface Row {
  readonly message_id: string
  readonly session_id: string
  readonly response_id: string
  readonly claw_id: string
  readonly ordinal: number
  readonly status: string
  readonly reply_text: string
  readonly failure_code: string | null
  readonly failure_message: string | null
}

class World {
  readonly plan: Plan
  readonly engine: Engine
  readonly laws: Laws
  readonly stage: Stage
  readonly platform: PlatformNode
  readonly agents: ReadonlyArray<AgentNode>
  readonly people: ReadonlyArray<PersonNode>
  readonly #ops: ReadonlyArray<Op>

  private constructor(stage: Stage, platform: PlatformNode, options: Options, journal: string | undefined) {
    this.stage = stage
    this.plan = stage.plan
    this.engine = stage.engine
    this.laws = stage.laws
    this.platform = platform
    const { only } = options
    this.#ops = only === undefined ? stage.plan.ops : stage.plan.ops.filter((op) => only.has(op.index))
    const runtime = planned(stage.plan)
    this.agents = stage.plan.accounts.map(
      (account, index) => new AgentNode(stage, platform, index, account, options.agent?.(index) ?? runtime, journal)
    )
    this.people = Array.from(
      { length: stage.plan.users },
      (_, index) => new PersonNode(stage, platform, index, stage.plan.windows)
    )
  }

  static async make(plan: Plan, options: Options): Promise<World> {
    const engine = new Engine({
      seed: plan.seed,
      disorder: plan.disorder,
      maxOps: plan.maxOps,
      promises: options.promises,
      logLevel: plan.profile.hostile ? "All" : "Warn"
    })
    const laws = new Laws(() => engine.now)
    const stage = new Stage(engine, laws, plan, options.trace ?? false)
    stage.inward.add(inside)
    const platform = await PlatformNode.make(stage)
    return new World(
      stage,
      platform,
      options,
      plan.profile.journal === "sqlite" ? (await schemas()).journal : undefined
    )
  }

  // ---- what happens ----

  #schedule(): void {
    const waiting = new Map<string, Array<{ readonly frames: number; readonly op: Op }>>()
    for (const op of this.#ops) {
      if (op.on === undefined) {
        this.stage.outside.after(op.at, () => this.#happen(op))
        continue
      }
      const key = `m${op.on.message}`
      const list = waiting.get(key) ?? []
      list.push({ frames: op.on.frames, op })
      waiting.set(key, list)
    }
    for (const agent of this.agents) {
      agent.onFrame = (messageId, frames) => {
        const list = waiting.get(messageId)
        if (list === undefined) return
        waiting.set(
          messageId,
          list.filter((entry) => {
            if (entry.frames > frames) return true
            // Not from within the write that set it off.
            if (this.stage.now < this.plan.calmAt) this.stage.outside.after(0, () => this.#happen(entry.op))
            return false
          })
        )
      }
    }
  }

  #submitOf(index: number): Submit | undefined {
    const op = this.plan.ops[index]
    return op?._tag === "Submit" ? op : undefined
  }

  #happen(op: Op): void {
    switch (op._tag) {
      case "Submit":
        return this.people[op.user]?.submit(op)
      case "Resend":
      case "Cancel": {
        const submit = this.#submitOf(op.message)
        const person = submit === undefined ? undefined : this.people[submit.user]
        return op._tag === "Resend" ? person?.send(`m${op.message}`) : person?.cancel(`m${op.message}`)
      }
      case "Trespass":
        return trespass(this, op)
      default:
        return this.#goWrong(op)
    }
  }

  #goWrong(op: Exclude<Op, { readonly _tag: "Submit" | "Resend" | "Cancel" | "Trespass" }>): void {
    const { figures } = this.stage
    figures.faults++
    const hit = "account" in op && typeof op.account === "number" ? this.agents[op.account]?.turnsNow : undefined
    const any = this.agents.some((agent) => agent.turnsNow > 0)
    if ((hit ?? 0) > 0 || (hit === undefined && any)) figures.faultsInFlight++
    this.stage.trace("fault", JSON.stringify(op))
    const agent = "account" in op && typeof op.account === "number" ? this.agents[op.account] : undefined
    if (agent !== undefined) agent.disturbedAt = this.stage.now
    const newest = [...(agent?.links ?? [])].at(-1)
    switch (op._tag) {
      case "Cut":
        return newest?.cut(this.stage.chance(`fault ${op.index}`))
      case "HalfOpen":
        return newest?.halfOpen(op.direction)
      case "Stall":
        return newest?.stall(op.millis, op.direction)
      case "Refuse":
        if (agent === undefined) return
        agent.refusing = { how: op.how, until: Math.min(this.stage.now + op.millis, this.plan.calmAt) }
        return newest?.cut(this.stage.chance(`fault ${op.index}`))
      case "Credentials":
        return agent === undefined ? undefined : this.#credentials(agent, op.millis, op.index)
      case "Notice":
        return newest?.server.send(JSON.stringify({ type: "SYSTEM", headers: { topic: "disconnect" } }))
      case "Replay":
        // A gateway on the way that is not sure whether its last frames came through.
        for (const frame of agent?.recent ?? []) newest?.server.send(frame)
        return
      case "ClockJump": {
        const machine = op.account === "platform" ? this.platform.machine : agent?.machine
        if (machine !== undefined) machine.skew += op.millis
        return
      }
      case "PersonCut":
        return this.people[op.user]?.windows[op.socket]?.cut(op.away)
      case "RestartAgent":
        return agent?.stop(true)
      case "CrashAgent":
        return agent === undefined ? undefined : this.#crashAgent(agent, op.writes, op.when)
      case "CrashPlatform":
        return this.#crashPlatform(op.writes, op.when)
      case "PlatformDisk": {
        const until = Math.min(this.stage.now + op.millis, this.plan.calmAt)
        this.platform.database.refuse = (attempt) =>
          this.stage.now < until && (attempt.write || attempt.commit || op.refusal !== "full") ? op.refusal : undefined
        return
      }
      case "Compute": {
        const machine = agent?.machine
        if (machine === undefined) return
        return this.engine.busy(machine, Math.min(op.millis, this.plan.calmAt - this.stage.now))
      }
      case "AgentDisk": {
        const until = Math.min(this.stage.now + op.millis, this.plan.calmAt)
        if (agent?.database === undefined) return
        agent.database.refuse = (attempt) =>
          this.stage.now < until && (attempt.write || attempt.commit || op.refusal !== "full") ? op.refusal : undefined
        return
      }
    }
  }

  #credentials(agent: AgentNode, millis: number, index: number): void {
    const until = Math.min(this.stage.now + millis, this.plan.calmAt)
    agent.refusing = { how: "credentials", until }
    for (const link of agent.links) link.cut(this.stage.chance(`fault ${index}`))
    // Somebody notices, and mends it.
    this.stage.outside.after(until - this.stage.now + 2_000, () => this.#mend(agent))
  }

  #mend(agent: AgentNode): void {
    if (agent.state?.phase === "blocked") agent.unblock()
  }

  #crashAgent(agent: AgentNode, writes: number, when: "before" | "after"): void {
    const { database } = agent
    if (writes === 0 || database === undefined) return agent.crash()
    let left = writes
    database.passing = (now) => {
      if (now !== when || --left > 0) return
      database.passing = undefined
      agent.crash()
    }
  }

  #crashPlatform(writes: number, when: "before" | "after"): void {
    const { database } = this.platform
    if (writes === 0) return this.platform.crash()
    let left = writes
    database.passing = (now) => {
      if (now !== when || --left > 0) return
      database.passing = undefined
      this.platform.crash()
    }
  }

  // ---- its course ----

  async run(): Promise<void> {
    const { plan, stage } = this
    await this.platform.found()
    this.platform.start()
    for (const agent of this.agents) stage.outside.after(agent.index * 7, () => agent.start())
    for (const person of this.people) person.start()
    this.#schedule()
    await this.engine.run(plan.calmAt)
    this.platform.database.passing = undefined
    this.platform.database.refuse = undefined
    for (const { database } of this.agents) {
      if (database !== undefined) database.passing = database.refuse = undefined
    }
    stage.trace("world", "nothing goes wrong any more")
    // Who was replaced or refused is helped by a person, who also reloads the page now and then.
    const help = (): void => {
      for (const agent of this.agents) this.#mend(agent)
      for (const person of this.people) person.nag()
      stage.outside.after(15_000, help)
    }
    help()
    const bound = plan.calmAt + plan.profile.drainBound
    await this.engine.run(bound, () => this.#atRest())
    if (!this.#atRest()) this.#drained()
    stage.trace("world", "is at rest")
    await this.engine.run(Math.max(plan.profile.length, this.engine.now))
    for (const person of this.people) person.closed = true
    for (const agent of this.agents) agent.stop(false)
    await this.engine.run(this.engine.now + 20_000)
    this.platform.stop()
    const stopAt = this.engine.now
    await this.engine.run(this.engine.now + 40_000)
    const { stopped } = this.platform
    this.laws.check("stop", stopped !== undefined && stopped.at - stopAt < 10_000, () => "the platform did not stop")
    this.laws.check(
      "stop",
      stopped === undefined || (stopped.machine.timers === 0 && stopped.machine.ready === 0),
      () => `the platform left ${stopped?.machine.timers} timers behind`
    )
    stage.figures.virtualMillis = Math.floor(this.engine.now)
    if (plan.profile.messages > 0) {
      await ProfileNode.run(stage)
      await RegistrarNode.run(stage)
      await MarketNode.run(stage)
      await ClaworldNode.run(stage)
    }
    this.#judge()
  }

  #rows(): ReadonlyArray<Row> {
    const rows: ReadonlyArray<object> = this.platform.database.raw
      .prepare("SELECT * FROM exchanges ORDER BY ordinal")
      .all()
    return rows as ReadonlyArray<Row>
  }

  #open(): number {
    const row = this.platform.database.look("SELECT count(*) AS n FROM exchanges WHERE ended_at IS NULL")
    return Number(row?.["n"] ?? 0)
  }

  #atRest(): boolean {
    return (
      this.platform.up &&
      this.agents.every(
        (agent) => agent.turnsNow === 0 && agent.state?.phase === "connected" && agent.state.outboxBytes === 0
      ) &&
      this.people.every((person) => person.settled()) &&
      this.agents.every((agent) => agent.inFlight() === 0) &&
      this.#open() === 0
    )
  }

  #drained(): void {
    const pending: Array<string> = []
    if (!this.platform.up) pending.push("the platform is down")
    for (const agent of this.agents) {
      if (agent.state?.phase !== "connected") pending.push(`${agent.name} is ${agent.state?.phase ?? "down"}`)
      if (agent.turnsNow > 0) pending.push(`${agent.name} runs ${agent.turnsNow} replies`)
      if (agent.inFlight() > 0) pending.push(`${agent.name} holds ${agent.inFlight()} replies`)
      const bytes = agent.state?.outboxBytes ?? 0
      if (bytes > 0) pending.push(`${agent.name} holds ${bytes} bytes`)
    }
    const open = this.#open()
    if (open > 0) pending.push(`${open} messages have no end`)
    for (const person of this.people) if (!person.settled()) pending.push(`user ${person.index} still waits`)
    this.laws.report(
      "drain",
      `${this.plan.profile.drainBound / 1000} s after the last fault ${pending.slice(0, 4).join(", ")}`
    )
  }

  // ---- the end ----

  #judge(): void {
    const { figures } = this.stage
    figures.tasks = this.engine.tasksRun
    const rows = this.#rows()
    const byMessage = new Map(rows.map((row) => [row.message_id, row]))
    for (const row of rows) {
      const ended = row.status === "completed" || row.status === "failed"
      if (row.status === "completed") figures.completed++
      if (row.status === "failed") figures.failed++
      this.laws.check("one-terminal", ended, () => `${row.message_id} is stored as ${row.status}`)
      this.#agree(row)
      this.#confined(row)
    }
    this.stage.guard("the platform's tables hold", this.platform.database.dump())
    for (const { database, name } of this.agents)
      this.stage.guard(`the journal of ${name} holds`, database?.dump() ?? "")
    for (const person of this.people) {
      for (const window of person.windows) {
        for (const view of window.views.values()) {
          const row = byMessage.get(view.messageId)
          if (row === undefined || view.end === undefined) continue
          this.laws.check(
            "agreement",
            view.end === row.status && view.text === row.reply_text && (view.code ?? null) === row.failure_code,
            () =>
              `${window.name} saw ${view.messageId} ${view.end} (${view.code}), stored is ${row.status} (${row.failure_code})`
          )
        }
      }
    }
    this.#order(byMessage)
  }

  /** What is stored is what the agent said, all of it or, of a reply that failed, its beginning. */
  #agree(row: Row): void {
    const agent = this.agents[this.platform.accounts.findIndex(({ clawId }) => clawId === row.claw_id)]
    const turns = agent?.turns.filter((turn) => turn.messageId === row.message_id) ?? []
    if (row.status === "completed") {
      this.laws.check(
        "agreement",
        turns.some((turn) => turn.text === row.reply_text && turn.end === "completed"),
        () =>
          `${row.message_id} is stored as completed with ${row.reply_text.length} characters; the agent ${turns.map((turn) => `${turn.end} ${turn.text.length}`).join(", ") || "was never asked"}`
      )
    } else if (row.reply_text !== "") {
      this.laws.check(
        "agreement",
        turns.some((turn) => turn.text.startsWith(row.reply_text)),
        () => `${row.message_id} is stored as ${row.failure_code} with what its agent never said`
      )
    }
  }

  /** Who does not know a reply's ids by right can do nothing to it. */
  #confined(row: Row): void {
    const { message_id: id } = row
    const person = this.people.find(({ written }) => written.has(id))
    this.laws.check("confined", person !== undefined, () => `${id} was written into a session by a stranger`)
    this.laws.check("confined", !row.reply_text.includes(forged), () => `${id} was answered by another's agent`)
    const stopped = row.failure_code !== "CANCELLED" || person?.stopped.has(id) === true
    this.laws.check("confined", stopped, () => `${id} was stopped, and not by who wrote it`)
    this.stage.guardFrame(`the platform keeps of ${id}`, `${row.failure_message} ${row.reply_text}`)
  }

  #order(byMessage: ReadonlyMap<string, Row>): void {
    for (const agent of this.agents) {
      const last = new Map<string, number>()
      for (const turn of agent.turns) {
        const row = byMessage.get(turn.messageId)
        if (row === undefined) continue
        const key = `${turn.life} ${row.session_id}`
        const before = last.get(key) ?? 0
        this.laws.check(
          "order",
          row.ordinal >= before,
          () => `${agent.name} answered ${turn.messageId} after a later message of its session`
        )
        last.set(key, Math.max(before, row.ordinal))
      }
    }
  }
}

export const run = async (plan: Plan, options: Options = {}): Promise<Outcome> => {
  const world = await World.make(plan, options)
  try {
    await world.run()
  } catch (cause) {
    if (!(cause instanceof Livelock)) throw cause
    world.laws.report("drain", cause.message)
  } finally {
    world.platform.database.close()
    for (const { database } of world.agents) database?.close()
  }
  return { plan, broken: world.laws.broken, figures: world.stage.figures, trace: world.stage.lines ?? [] }
}
