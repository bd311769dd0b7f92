/** The real OpenClaw gateway in a folder of its own, and a raw client of its socket. */
import { spawn, type ChildProcess } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { WebSocket } from "ws"

const here = fileURLToPath(new URL(".", import.meta.url))
/** The plugin: this checkout, or a copy of it that nobody edits meanwhile (the host refuses what changes under it). */
const project = process.env["CLAWFIBER_TEST_PLUGIN"] ?? fileURLToPath(new URL("../..", import.meta.url))
const bin = (name: string) => join(here, "node_modules", ".bin", name)

export const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

export interface Options {
  readonly modelUrl: string
  /** `channels.instaclaw`. */
  readonly channel: object
  readonly tools?: object | undefined
  /** The host ends a run after so many. 60 where absent. */
  readonly timeoutSeconds?: number | undefined
  /** Count what the process holds: see `counts`. */
  readonly counted?: boolean | undefined
  /** More for the environment of the host. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

const token = "test-gateway-token"

interface Waiting {
  readonly resolve: (payload: unknown) => void
  readonly reject: (error: Error) => void
}

const every = ["operator.read", "operator.write", "operator.admin", "operator.pairing", "operator.approvals"]

/** A backend client on loopback: protocol 4, role operator. */
class Client {
  private readonly socket: WebSocket
  private readonly waiting = new Map<string, Waiting>()
  private count = 0
  /** Told of what the gateway says unasked. */
  onEvent: ((event: string, payload: unknown) => void) | undefined

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as {
        readonly type: string
        readonly id: string
        readonly ok: boolean
        readonly event?: string
        readonly payload: unknown
        readonly error?: { readonly code: string; readonly message: string; readonly details?: unknown }
      }
      if (frame.type === "event") this.onEvent?.(frame.event ?? "", frame.payload)
      if (frame.type !== "res") return
      const waiting = this.waiting.get(frame.id)
      this.waiting.delete(frame.id)
      if (frame.ok) waiting?.resolve(frame.payload)
      else {
        waiting?.reject(
          Object.assign(new Error(frame.error?.message ?? "refused"), {
            code: frame.error?.code,
            details: frame.error?.details
          })
        )
      }
    })
    socket.on("close", () => {
      for (const { reject } of this.waiting.values()) reject(new Error("the gateway hung up"))
    })
  }

  static async open(port: number, scopes: ReadonlyArray<string> = every): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`)
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve)
      socket.once("error", reject)
    })
    const client = new Client(socket)
    await client.call("connect", {
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: "gateway-client", version: "1.0.0", platform: process.platform, mode: "backend" },
      role: "operator",
      scopes,
      caps: [],
      auth: { token }
    })
    return client
  }

  call(method: string, params: object = {}): Promise<unknown> {
    const id = String(++this.count)
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.socket.send(JSON.stringify({ type: "req", id, method, params }))
    })
  }

  close(): void {
    this.socket.close()
  }
}

export class Gateway {
  readonly home: string
  readonly port: number
  readonly output: Array<string> = []
  private process: ChildProcess | undefined
  private own: Client | undefined
  private env: Readonly<Record<string, string>> = {}

  private constructor(home: string, port: number) {
    this.home = home
    this.port = port
  }

  static async make(options: Options): Promise<Gateway> {
    const gateway = new Gateway(mkdtempSync(join(tmpdir(), "clawfiber-openclaw-")), await freePort())
    mkdirSync(join(gateway.home, "workspace"), { recursive: true })
    gateway.configure(options)
    return gateway
  }

  configure(options: Options): void {
    const counting = pathToFileURL(join(here, "counting.mjs")).href
    this.env = {
      ...(options.counted === true
        ? { NODE_OPTIONS: `--import=${counting}`, CLAWFIBER_TEST_COUNTS: join(this.home, "counts.json") }
        : {}),
      ...options.env
    }
    const config = {
      gateway: {
        mode: "local",
        bind: "loopback",
        port: this.port,
        auth: { mode: "token", token },
        controlUi: { enabled: false }
      },
      discovery: { mdns: { mode: "off" } },
      update: { checkOnStart: false },
      models: {
        mode: "replace",
        providers: {
          mock: {
            baseUrl: options.modelUrl,
            apiKey: "none",
            api: "openai-completions",
            models: [
              {
                id: "echo",
                name: "echo",
                reasoning: false,
                input: ["text"],
                cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
                contextWindow: 128_000,
                maxTokens: 4096,
                compat: { supportsUsageInStreaming: true }
              }
            ]
          }
        }
      },
      agents: {
        defaults: {
          workspace: join(this.home, "workspace"),
          model: { primary: "mock/echo" },
          skipBootstrap: true,
          timeoutSeconds: options.timeoutSeconds ?? 60
        }
      },
      tools: options.tools ?? { toolSearch: false },
      plugins: {
        enabled: true,
        allow: ["clawfiber"],
        load: { paths: [project] },
        entries: { clawfiber: { enabled: true } },
        slots: { memory: "none" }
      },
      channels: { instaclaw: options.channel }
    }
    writeFileSync(join(this.home, "openclaw.json"), JSON.stringify(config, undefined, 2))
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: `${join(here, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
      HOME: this.home,
      OPENCLAW_STATE_DIR: join(this.home, "state"),
      OPENCLAW_CONFIG_PATH: join(this.home, "openclaw.json"),
      OPENCLAW_GATEWAY_TOKEN: token,
      NO_COLOR: "1",
      ...this.env
    }
  }

  /** Until the gateway takes calls. */
  async start(): Promise<void> {
    const child = spawn(
      bin("node"),
      [
        join(here, "node_modules/openclaw/openclaw.mjs"),
        "gateway",
        "run",
        "--port",
        String(this.port),
        "--bind",
        "loopback"
      ],
      {
        env: this.environment,
        cwd: this.home,
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    this.process = child
    let died: string | undefined
    child.once("exit", (code, signal) => (died = `the gateway ended with ${code ?? signal}`))
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => this.output.push(String(data)))
    const deadline = Date.now() + 400_000
    for (;;) {
      try {
        this.own = await Client.open(this.port)
        return
      } catch (cause) {
        if (died !== undefined) throw new Error(`${died}\n${this.output.join("")}`, { cause })
        if (Date.now() > deadline) throw new Error(`the gateway does not come up\n${this.output.join("")}`, { cause })
        await new Promise((resolve) => setTimeout(resolve, 200))
      }
    }
  }

  call(method: string, params: object = {}): Promise<unknown> {
    if (this.own === undefined) throw new Error("the gateway is not up")
    return this.own.call(method, params)
  }

  /** What the gateway tells its operators, from now on. */
  listen(onEvent: (event: string, payload: unknown) => void): void {
    if (this.own === undefined) throw new Error("the gateway is not up")
    this.own.onEvent = onEvent
  }

  /** One that may do less. */
  client(scopes: ReadonlyArray<string>): Promise<Client> {
    return Client.open(this.port, scopes)
  }

  /** The command line, as a person uses it. */
  async cli(...args: ReadonlyArray<string>): Promise<{ readonly code: number | null; readonly output: string }> {
    const child = spawn(bin("node"), [join(here, "node_modules/openclaw/openclaw.mjs"), ...args], {
      env: this.environment,
      cwd: this.home,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)))
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
    return { code, output }
  }

  /** Timers, sockets, files, listeners and fibers of the gateway's process, by name: see counting.mjs. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const file = join(this.home, "counts.json")
    rmSync(file, { force: true })
    writeFileSync(`${file}.ask`, "")
    const deadline = Date.now() + 60_000
    while (!existsSync(file)) {
      if (Date.now() > deadline) throw new Error("the gateway does not count")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, number>>
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.own?.close()
    this.own = undefined
    const child = this.process
    this.process = undefined
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    child.kill(signal)
    const late = setTimeout(() => child.kill("SIGKILL"), 20_000)
    await gone
    clearTimeout(late)
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 })
  }
}
