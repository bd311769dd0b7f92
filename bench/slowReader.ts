// What one stalled reader costs the others: a thousand readers of one reply, the agent sending the next pieces when all
// who read have the last ones.
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { ready, register } from "./idle.ts"
import { median } from "./mainJob.ts"

const call = async (
  url: string,
  path: string,
  token: string | undefined,
  body: object
): Promise<Readonly<Record<string, string>>> => {
  const answer = await fetch(url + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    },
    body: JSON.stringify(body)
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
  return ((await answer.json()) as { data: Readonly<Record<string, string>> }).data
}

/** A reader that costs next to nothing: it counts how often a mark comes by. */
class Reader {
  readonly socket: Socket
  #tail = ""
  #seen = 0
  #waiting: (() => void) | undefined
  #wanted = 0

  constructor(port: number, token: string) {
    this.socket = connect(port, "127.0.0.1", () =>
      this.socket.write(
        `GET /ws/chat HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nAuthorization: Bearer ${token}\r\n\r\n`
      )
    )
    this.socket.on("error", () => {})
    this.socket.on("data", (chunk: Buffer) => {
      const text = this.#tail + chunk.toString("latin1")
      let at = 0
      for (let found = text.indexOf("<mark>"); found >= 0; found = text.indexOf("<mark>", at)) {
        this.#seen++
        at = found + 6
      }
      if (text.includes("session.auto_bound", at)) this.#seen++
      this.#tail = text.slice(Math.max(at, text.length - 5))
      if (this.#seen >= this.#wanted) this.#waiting?.()
    })
  }

  /** Resolves when it has seen so many marks, its greeting counted as one. */
  marks(count: number): Promise<void> {
    if (this.#seen >= count) return Promise.resolve()
    this.#wanted = count
    return new Promise((resolve) => (this.#waiting = resolve))
  }
}

interface Stage {
  readonly child: ChildProcess
  readonly data: string
  readonly port: number
  readonly agent: WebSocket
  readonly token: string
  readonly sessionId: string
  readonly person: WebSocket
}

const stage = async (readers: number): Promise<Stage> => {
  const data = mkdtempSync(join(tmpdir(), "clawfiber-slow-"))
  const child = fork(
    new URL("../src/main.ts", import.meta.url),
    ["platform", "--json", "--port", "0", "--data", data],
    {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      execArgv: ["--import", new URL("./meter.ts", import.meta.url).href, "--disable-warning=ExperimentalWarning"],
      env: { ...process.env, CLAWFIBER_LOG: "warn", CLAWFIBER_MAX_SOCKETS_PER_KEY: String(readers + 10) }
    }
  )
  const url = await ready(child)
  const keys = await register(url, "bench")
  const { token = "" } = await call(url, "/api/sign-in", undefined, { name: "bench" })
  const { session_id: sessionId = "" } = await call(url, "/api/session/create", token, { claw_id: keys.claw_id })
  const ws = url.replace(/^http/, "ws") + "/ws/chat"
  const agent = new WebSocket(ws, {
    headers: { "x-app-key": keys.app_key, "x-app-secret": keys.app_secret, "x-claw-dialect": "gateway" }
  })
  await new Promise((resolve) => agent.once("message", resolve))
  const person = new WebSocket(ws, { headers: { authorization: `Bearer ${token}` } })
  await new Promise((resolve) => person.once("message", resolve))
  return { child, data, port: Number(new URL(url).port), agent, token, sessionId, person }
}

let replies = 0

/** Asks, and begins to answer. */
const begin = async ({ agent, person, sessionId }: Stage) => {
  const id = `r${replies}`
  const metadata = { session_id: sessionId, message_id: `m${replies++}` }
  const asked = new Promise((resolve) => agent.once("message", resolve))
  person.send(
    JSON.stringify({
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "?" }] }],
      metadata
    })
  )
  await asked
  const say = (frame: object) => agent.send(JSON.stringify(frame))
  say({ type: "response.created", response: { id, object: "response", status: "in_progress", metadata } })
  return {
    delta: (delta: string) => say({ type: "response.output_text.delta", response_id: id, delta }),
    end: () =>
      say({
        type: "response.failed",
        response: { id, object: "response", error: { code: "SDK_ERROR", message: "over" }, metadata }
      })
  }
}

const pieces = 32
const piece = "好的，我先读三份纪要，再按项目合并。".repeat(4)

interface Readers {
  /** Writes so many pieces and resolves when all who read have them. */
  readonly window: () => Promise<void>
  readonly close: () => void
}

const open = async (readers: number, stalled: boolean): Promise<Readers> => {
  const on = await stage(readers)
  const lines: Array<Reader> = []
  const close = () => {
    for (const line of lines) line.socket.destroy()
    on.agent.terminate()
    on.person.terminate()
    on.child.kill("SIGKILL")
    rmSync(on.data, { recursive: true, force: true })
  }
  if (stalled) {
    // Filled beyond what the system and its socket hold, below the bound that would end it.
    const slow = new Reader(on.port, on.token)
    lines.push(slow)
    await slow.marks(1)
    slow.socket.pause()
    const fill = await begin(on)
    for (let n = 0; n < 70; n++) fill.delta("x".repeat(100_000))
    const told = new Promise<void>((resolve) =>
      on.person.on("message", (data) => String(data).includes("<filled>") && resolve())
    )
    fill.delta("<filled>")
    await told
  }
  const others: Array<Reader> = []
  while (others.length < readers - 1) {
    const some = Array.from({ length: Math.min(50, readers - 1 - others.length) }, () => new Reader(on.port, on.token))
    await Promise.all(some.map((reader) => reader.marks(1)))
    others.push(...some)
  }
  lines.push(...others)
  on.person.removeAllListeners("message")
  const reply = await begin(on)
  let marks = 1
  const window = async () => {
    marks++
    for (let n = 1; n < pieces; n++) reply.delta(piece)
    reply.delta("<mark>")
    await Promise.all(others.map((reader) => reader.marks(marks)))
  }
  return { window, close }
}

const timed = async (readers: Readers): Promise<number> => {
  const began = performance.now()
  await readers.window()
  return performance.now() - began
}

/**
 * Deltas per second that reach each of the others, without a stalled reader and with one. Two platforms take turns
 * window by window, so that whatever else the machine does hits both alike; medians over the windows.
 */
export const throughput = async (
  readers: number,
  windows: number
): Promise<{ readonly without: number; readonly stalled: number }> => {
  const without = await open(readers, false)
  const stalled = await open(readers, true)
  try {
    const times = { without: [] as Array<number>, stalled: [] as Array<number> }
    for (let n = 0; n < windows; n++) {
      const first = n % 2 === 0
      if (first) times.without.push(await timed(without))
      times.stalled.push(await timed(stalled))
      if (!first) times.without.push(await timed(without))
    }
    // The first quarter warms up.
    const rate = (all: ReadonlyArray<number>) => (pieces * 1_000) / median(all.slice(Math.ceil(windows / 4)))
    return { without: rate(times.without), stalled: rate(times.stalled) }
  } finally {
    without.close()
    stalled.close()
  }
}
