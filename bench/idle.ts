// What an idle agent costs the platform: as many agents as asked for register, connect and say nothing.
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

interface Usage {
  readonly rss: number
}

const usage = (child: ChildProcess): Promise<Usage> =>
  new Promise((resolve) => {
    child.once("message", (message) => resolve(message as Usage))
    child.send("usage")
  })

export const ready = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let out = ""
    child.stdout?.on("data", (chunk: Buffer) => {
      out += String(chunk)
      const line = out.split("\n").find((l) => l.includes('"ready"'))
      if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url)
    })
    child.once("exit", (code) => reject(new Error(`the platform ended with code ${code}`)))
  })

export const register = async (
  url: string,
  name: string
): Promise<{ readonly app_key: string; readonly app_secret: string; readonly claw_id: string }> => {
  const answer = await fetch(`${url}/profiles/create`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      name,
      description: "",
      avatar: "",
      scene_tags: [],
      custom_tags: [],
      hourly_rate: 0,
      instance_type: 0
    })
  })
  if (!answer.ok) throw new Error(`registration answered ${answer.status}: ${await answer.text()}`)
  const body = (await answer.json()) as { data: { app_key: string; app_secret: string; claw_id: string } }
  return body.data
}

/** A client that costs next to nothing: a socket, the handshake, and nothing read after the greeting. */
const dial = (port: number, key: { readonly app_key: string; readonly app_secret: string }): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `GET /ws/chat HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nx-app-key: ${key.app_key}\r\nx-app-secret: ${key.app_secret}\r\n\r\n`
      )
    })
    let head = ""
    const onData = (chunk: Buffer) => {
      head += chunk.toString("latin1")
      if (!head.includes("\r\n\r\n")) return
      if (!head.startsWith("HTTP/1.1 101")) return reject(new Error(head.split("\r\n")[0]))
      if (!head.includes("session.auto_bound")) return
      socket.off("data", onData)
      socket.resume()
      resolve(socket)
    }
    socket.on("data", onData)
    socket.once("error", reject)
  })

const inBatches = async <A, B>(
  items: ReadonlyArray<A>,
  size: number,
  each: (item: A) => Promise<B>
): Promise<Array<B>> => {
  const out: Array<B> = []
  for (let i = 0; i < items.length; i += size) out.push(...(await Promise.all(items.slice(i, i + size).map(each))))
  return out
}

/** KiB of resident memory of the platform per idle agent socket. */
export const idle = async (count: number, say: (line: string) => void): Promise<number> => {
  const data = mkdtempSync(join(tmpdir(), "clawfiber-idle-"))
  const child = fork(
    new URL("../src/main.ts", import.meta.url),
    ["platform", "--json", "--port", "0", "--data", data],
    {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      execArgv: [
        "--expose-gc",
        "--import",
        new URL("./meter.ts", import.meta.url).href,
        "--disable-warning=ExperimentalWarning"
      ],
      env: { ...process.env, CLAWFIBER_LOG: "warn" }
    }
  )
  const sockets: Array<Socket> = []
  try {
    const url = await ready(child)
    const port = Number(new URL(url).port)
    const keys = await inBatches(
      Array.from({ length: count }, (_, i) => `idle ${i}`),
      50,
      (name) => register(url, name)
    )
    // A first hundred, so that what the platform sets up once is not charged to the others.
    sockets.push(...(await inBatches(keys.slice(0, 100), 50, (key) => dial(port, key))))
    const before = await usage(child)
    sockets.push(...(await inBatches(keys.slice(100), 50, (key) => dial(port, key))))
    const after = await usage(child)
    const kib = (after.rss - before.rss) / 1024 / (count - 100)
    say(
      `${count} sockets: ${(before.rss / 1048576).toFixed(0)} MiB before, ${(after.rss / 1048576).toFixed(0)} MiB after`
    )
    return kib
  } finally {
    for (const socket of sockets) socket.destroy()
    child.kill("SIGKILL")
    rmSync(data, { recursive: true, force: true })
  }
}
