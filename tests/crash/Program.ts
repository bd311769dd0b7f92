/** A real process of clawfiber that is started, killed and started again. */
import { spawn, type ChildProcess } from "node:child_process"
import { createInterface } from "node:readline"

export interface Options {
  readonly name: string
  /** Path of `main.js`. */
  readonly main: string
  readonly args: ReadonlyArray<string>
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** The event on standard output that says it is at work. */
  readonly ready: string
}

export interface Exited {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Program {
  readonly options: Options
  /** Everything that it ever wrote. */
  output = ""
  starts = 0
  kills = 0
  /** How it ended where nobody had asked it to, with its last words. */
  readonly surprises: Array<string> = []
  #child: ChildProcess | undefined
  #exited: Promise<Exited> | undefined
  #asked = false

  constructor(options: Options) {
    this.options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Settles when the process says that it is ready (its event), or has ended (undefined). */
  start(): Promise<Record<string, unknown> | undefined> {
    const { args, env, folder, main, ready } = this.options
    this.starts++
    this.#asked = false
    const from = this.output.length
    const child = spawn(process.execPath, [main, ...args, "--json"], {
      cwd: folder,
      // Nothing of the surroundings: a developer's own key must not be spent.
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    this.#child = child
    child.stderr.on("data", (chunk) => (this.output += String(chunk)))
    const exited = new Promise<Exited>((resolve) => {
      child.on("close", (code, signal) => {
        if (!this.#asked) {
          this.surprises.push(
            `${this.options.name} ended by itself (${code ?? signal}): ${this.output.slice(from).slice(-600)}`
          )
        }
        if (this.#child === child) this.#child = undefined
        resolve({ code, signal })
      })
    })
    this.#exited = exited
    const started = new Promise<Record<string, unknown>>((resolve) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        this.output += `${line}\n`
        if (!line.startsWith("{")) return
        const event: Record<string, unknown> = JSON.parse(line)
        if (event["event"] === ready) resolve(event)
      })
    })
    return Promise.race([started, exited.then(() => undefined)])
  }

  /** As a crash: it gets to do nothing more. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return
    this.#asked = true
    this.kills++
    this.#child.kill("SIGKILL")
    await this.#exited
  }

  /** As an operator stops it. Undefined where there was none. */
  async stop(): Promise<Exited | undefined> {
    if (this.#child === undefined) return undefined
    this.#asked = true
    this.#child.kill("SIGTERM")
    return await this.#exited
  }
}
