/** The run itself: a platform, agents and people in one temporary folder, faults for a while, then quiet. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, copyFileSync, writeFileSync } from "node:fs"
import { spawnSync } from "node:child_process"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Chance } from "./Chance.ts"
import { Ledger } from "./Ledger.ts"
import { pace, paced, started } from "./pace.ts"
import { Person } from "./Person.ts"
import { Program } from "./Program.ts"
import { Proxy } from "./Proxy.ts"
import { Reader } from "./Reader.ts"

export interface Options {
  readonly seed: number
  /** Of the platform, and of the agents together. */
  readonly kills: number
  readonly agents: number
  readonly people: number
  /** Where the platform keeps everything. Undefined: SQLite in its folder. */
  readonly databaseUrl: string | undefined
  /** The tree whose `src` is run. */
  readonly tree: string
  readonly say: (line: string) => void
}

/**
 * Everything pending has to end within this time after the last fault: an agent may be in the longest wait of its
 * backoff (31 s), and the platform gives one that came back without its reply a minute.
 */
const drainBound = 100_000
/** Unless a process says so earlier, it did not start. */
const startBound = 20_000

/** Plain JavaScript starts faster, and nobody changes it while it runs. */
const compile = (tree: string, folder: string): string => {
  const out = join(folder, "program")
  mkdirSync(out)
  const result = spawnSync(
    process.execPath,
    [
      join(tree, "node_modules/typescript/bin/tsc"),
      "-p",
      join(tree, "tsconfig.build.json"),
      "--outDir",
      join(out, "dist"),
      "--declaration",
      "false"
    ],
    { encoding: "utf8" }
  )
  if (result.status !== 0) throw new Error(`${tree} does not compile: ${result.stdout.slice(0, 2_000)}${result.stderr}`)
  copyFileSync(join(tree, "package.json"), join(out, "package.json"))
  symlinkSync(join(tree, "node_modules"), join(out, "node_modules"))
  return join(out, "dist/main.js")
}

export interface Exchange {
  readonly message_id: string
  readonly response_id: string
  readonly session_id: string
  readonly ordinal: number
  readonly status: string
  readonly reply_text: string
  readonly error: { readonly code: string; readonly message: string } | null
  readonly ended_at: number | null
}

export interface Run {
  readonly session: string
  readonly message: string
  readonly process: number
}

export class Stage {
  readonly options: Options
  readonly ledger = new Ledger()
  readonly folder = mkdtempSync(join(tmpdir(), "clawfiber-crash-"))
  readonly runsFile = join(this.folder, "runs.jsonl")
  readonly programs: Array<Program> = []
  readonly proxies: Array<Proxy> = []
  readonly people: Array<Person> = []
  readonly readers: Array<Reader> = []
  /** Which person's token reads which session. */
  readonly sessions = new Map<string, string>()
  readonly #chance: Chance
  #platform: Program | undefined
  #main = ""
  /** Where the platform listens now. */
  url = ""
  #over = false

  constructor(options: Options) {
    this.options = options
    this.#chance = new Chance(options.seed)
    writeFileSync(this.runsFile, "")
  }

  get platform(): Program {
    if (this.#platform === undefined) throw new Error("the platform was not started")
    return this.#platform
  }

  get agents(): ReadonlyArray<Program> {
    return this.programs.filter((program) => program !== this.#platform)
  }

  async call<A>(path: string, token: string | undefined, body?: object): Promise<A> {
    const response = await fetch(this.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    if (!response.ok) throw new Error(`${path} was refused with ${response.status}: ${await response.text()}`)
    const answer = (await response.json()) as { readonly data: A }
    return answer.data
  }

  async #startPlatform(): Promise<boolean> {
    const begun = performance.now()
    const event = await this.platform.start()
    if (event === undefined) return false
    started(performance.now() - begun)
    this.url = String(event["url"])
    const port = Number(new URL(this.url).port)
    for (const proxy of this.proxies) proxy.target = port
    return true
  }

  async #killPlatform(): Promise<void> {
    for (const proxy of this.proxies) proxy.target = undefined
    await this.platform.kill()
    this.ledger.noteAll("the platform was killed")
  }

  async #proxy(name: string): Promise<Proxy> {
    const proxy = new Proxy(this.#chance.for(name))
    await proxy.listen()
    this.proxies.push(proxy)
    return proxy
  }

  #program(name: string, ready: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Program {
    const folder = join(this.folder, name)
    mkdirSync(folder)
    const program = new Program({ name, main: this.#main, args, folder, env, ready })
    this.programs.push(program)
    return program
  }

  /** Everything up, registered and signed in, over a network without faults. */
  async build(): Promise<void> {
    const { agents, databaseUrl, options, people } = { ...this.options, options: this.options }
    this.#main = compile(options.tree, this.folder)
    const log = { CLAWFIBER_LOG: "debug" }
    this.#platform = this.#program("platform", "ready", ["platform", "--port", "0", "--data", "data"], {
      ...log,
      ...(databaseUrl === undefined ? {} : { CLAWFIBER_DATABASE_URL: databaseUrl })
    })
    if (databaseUrl !== undefined) this.ledger.secrets.add(new URL(databaseUrl).password)
    if (!(await this.#startPlatform())) throw new Error(this.platform.surprises.join("\n"))
    const door = await this.#proxy("people")
    door.target = Number(new URL(this.url).port)

    const script = new URL("agent.ts", import.meta.url).pathname
    const clawIds: Array<string> = []
    for (let index = 0; index < agents; index++) {
      const proxy = await this.#proxy(`agent ${index}`)
      proxy.target = door.target
      const name = `agent-${index}`
      const agent = this.#program(
        name,
        "connected",
        ["connect", "--url", proxy.url, "--register", name, "--agent", script],
        {
          ...log,
          CRASH_RUNS: this.runsFile,
          INSTACLAW_HEARTBEAT_INTERVAL: "400",
          INSTACLAW_TIMEOUT_THRESHOLD: "900"
        }
      )
      const event = await agent.start()
      if (event === undefined) throw new Error(agent.surprises.join("\n"))
      clawIds.push(String(event["claw_id"]))
      const profile: Record<string, unknown> = JSON.parse(
        readFileSync(join(this.folder, name, ".insta/config/profile.json"), "utf8")
      )
      this.ledger.secrets.add(String(profile["app_secret"]))
    }

    for (let index = 0; index < people; index++) {
      const name = `person-${index}`
      const { token } = await this.call<{ readonly token: string }>("/api/sign-in", undefined, { name })
      this.ledger.secrets.add(token)
      const openSession = async (clawId: string): Promise<string> => {
        const body = { claw_id: clawId }
        const { session_id } = await this.call<{ readonly session_id: string }>("/api/session/create", token, body)
        this.sessions.set(session_id, token)
        return session_id
      }
      const given = { name, url: door.url, token, ledger: this.ledger }
      const own: Array<string> = []
      for (let count = 0; count < 3; count++) own.push(await openSession(clawIds[(index + count) % agents] ?? ""))
      this.people.push(new Person({ ...given, sessions: own, chance: this.#chance.for(name) }))
      const model = clawIds[(index + 3) % agents] ?? ""
      const session = await openSession(model)
      this.readers.push(new Reader({ ...given, model, session, chance: this.#chance.for(`${name} on /v1`) }))
    }
  }

  /** A moment at random: often in the middle of something, sometimes after a long peace, so that work gets done. */
  async #moment(chance: Chance, proxies: ReadonlyArray<Proxy>, longest: number): Promise<void> {
    const dice = chance.next()
    if (dice > 0.92) return void (await sleep(paced(5_000)))
    // An agent has just got a message, and perhaps begun, and the platform does not hear of it any more.
    if (dice > 0.67 && proxies.length === 1) return await this.#unheard(chance, proxies, longest)
    if (dice < 0.35) return void (await sleep(chance.scale(5, longest / 3)))
    if (dice < 0.5) return void (await sleep(chance.between(longest / 3, longest)))
    const count = () => proxies.reduce((sum, { chunks }) => sum + chunks, 0)
    const until = count() + chance.scale(1, 60)
    const deadline = performance.now() + longest / 2
    while (count() < until && performance.now() < deadline) await sleep(3)
    await sleep(chance.between(0, 8))
  }

  async #unheard(chance: Chance, proxies: ReadonlyArray<Proxy>, longest: number): Promise<void> {
    const count = () => proxies.reduce((sum, { requests }) => sum + requests, 0)
    const before = count()
    const deadline = performance.now() + longest / 2
    while (count() === before && performance.now() < deadline) await sleep(1)
    for (const proxy of proxies) proxy.hush()
    await sleep(chance.between(0, 30))
  }

  async #killAndRestart(
    program: Program,
    name: string,
    kills: number,
    moment: (chance: Chance) => Promise<void>,
    start: () => Promise<unknown>,
    kill: () => Promise<void>
  ): Promise<void> {
    const chance = this.#chance.for(`kills of ${name}`)
    await moment(chance)
    while (program.kills < kills && !this.#over) {
      await kill()
      const started = start()
      // Some die while they are still coming up. Nobody waits for long: an agent may find no platform for half a minute.
      const patience = chance.happens(0.12) ? chance.between(20, 600) : paced(2_500)
      await Promise.race([started, sleep(patience)])
      if (program.pid === undefined && program.surprises.length > 5) return
      await moment(chance)
    }
  }

  /** People send, processes die, the network is bad: until all kills are done. */
  async rage(): Promise<void> {
    const { agents, kills, say } = this.options
    for (const person of this.people) person.begin()
    for (const reader of this.readers) reader.begin()
    for (const proxy of this.proxies) proxy.calm = false
    const progress = setInterval(() => say(this.progress()), 5_000)
    const platform = this.#killAndRestart(
      this.platform,
      "platform",
      kills,
      (chance) => this.#moment(chance, this.proxies, paced(2_400)),
      () => this.#startPlatform(),
      () => this.#killPlatform()
    )
    const others = this.agents.map((agent, index) =>
      this.#killAndRestart(
        agent,
        agent.options.name,
        Math.floor(kills / agents) + (index < kills % agents ? 1 : 0),
        (chance) => this.#moment(chance, this.proxies.slice(index + 1, index + 2), paced(7_000)),
        () => agent.start(),
        async () => {
          await agent.kill()
          this.ledger.noteAll(`${agent.options.name} was killed`)
        }
      )
    )
    await Promise.all([platform, ...others])
    clearInterval(progress)
  }

  get pending(): number {
    return [...this.people, ...this.readers].reduce((sum, { pending }) => sum + pending, 0)
  }

  progress(): string {
    const kills = this.agents.reduce((sum, agent) => sum + agent.kills, 0)
    let ended = 0
    for (const { terminal } of this.ledger.messages.values()) if (terminal !== undefined) ended++
    const broken = this.ledger.violations.length
    return `${this.ledger.at().padStart(8)} s  kills: platform ${this.platform.kills}, agents ${kills}  pace: ${pace().toFixed(1)}  messages: ${this.ledger.messages.size}, ended ${ended}${broken === 0 ? "" : `  BROKEN: ${broken}`}`
  }

  /** No more faults. Gives how long the rest took; what has not ended then never will. */
  async settle(): Promise<number> {
    const begun = performance.now()
    for (const proxy of this.proxies) proxy.mend()
    for (const one of [...this.people, ...this.readers]) one.rest()
    while (this.pending > 0 && performance.now() - begun < paced(drainBound)) await sleep(50)
    for (const one of [...this.people, ...this.readers]) one.end()
    await Promise.race([Promise.all(this.readers.map(({ running }) => running)), sleep(startBound)])
    return performance.now() - begun
  }

  /** What is stored, session by session, oldest first. */
  async history(session: string): Promise<ReadonlyArray<Exchange>> {
    const all: Array<Exchange> = []
    let before: number | null = null
    do {
      const path = `/api/session/${session}/messages?limit=200${before === null ? "" : `&before=${before}`}`
      const page: { readonly items: ReadonlyArray<Exchange>; readonly next: number | null } = await this.call(
        path,
        this.sessions.get(session)
      )
      all.push(...page.items)
      before = page.next
    } while (before !== null)
    return all.reverse()
  }

  runs(): ReadonlyArray<Run> {
    return readFileSync(this.runsFile, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Run)
  }

  /** Stops everything in order. */
  async stop(): Promise<void> {
    this.#over = true
    for (const program of [...this.agents, this.platform]) {
      const begun = performance.now()
      const pid = program.pid
      const exited = await program.stop()
      if (exited === undefined) continue
      const took = performance.now() - begun
      if (exited.code !== 0 || took > paced(2_500)) {
        const how = exited.code ?? exited.signal
        this.ledger.break(
          "stop",
          `${program.options.name} (process ${pid}) took ${Math.round(took)} ms and ended with ${how}`
        )
      }
    }
    for (const proxy of this.proxies) await proxy.close()
  }

  /** Leaves nothing running whatever happened. */
  async abort(): Promise<void> {
    this.#over = true
    await Promise.all(this.programs.map((program) => program.kill()))
    for (const one of [...this.people, ...this.readers]) one.end()
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
