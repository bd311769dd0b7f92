// Talks that go on while they are measured: each agent thinks for half a second to one and a half before it answers.
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { WebSocket } from "ws"
import { ready } from "../idle.ts"

export interface Delays {
  readonly count: number
  readonly p50: number
  readonly p99: number
}

interface Options {
  readonly agents: number
  readonly conversations: number
  readonly seconds: number
  readonly rounds: number
  readonly say: (line: string) => void
}

interface Agent {
  readonly agentId: string
  readonly appToken: string
}

const meter = [
  "--expose-gc",
  "--import",
  new URL("../meter.ts", import.meta.url).href,
  "--disable-warning=ExperimentalWarning"
]
const spawn = (file: string, args: ReadonlyArray<string>): ChildProcess =>
  fork(new URL(file, import.meta.url), [...args], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    execArgv: meter,
    env: { ...process.env, CLAWFIBER_LOG: "warn" }
  })

const inBatches = async <A, B>(
  items: ReadonlyArray<A>,
  each: (item: A, index: number) => Promise<B>
): Promise<Array<B>> => {
  const out: Array<B> = []
  for (let i = 0; i < items.length; i += 50) {
    out.push(...(await Promise.all(items.slice(i, i + 50).map((item, j) => each(item, i + j)))))
  }
  return out
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers as a stranger reads them
const post = async (url: string, token: string | undefined, body: object): Promise<any> => {
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    },
    body: JSON.stringify(body)
  })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return answer.json()
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const thinking = (): number => 500 + Math.random() * 1_000

const summary = (delays: ReadonlyArray<number>): Delays => {
  const sorted = [...delays].sort((a, b) => a - b)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) }
}

/** Two sides that take turns: what is said is sent at once, what is heard is answered after a while, while it runs. */
class Pace {
  delays: Array<number> = []
  isMeasuring = false
  isRunning = false
  readonly #held: Array<() => void> = []

  heard(sentAt: number | undefined, say: () => void): void {
    if (this.isMeasuring && sentAt !== undefined) this.delays.push(performance.now() - sentAt)
    setTimeout(() => (this.isRunning ? say() : void this.#held.push(say)), thinking())
  }

  async measure(seconds: number): Promise<Delays> {
    this.isRunning = true
    for (const say of this.#held.splice(0)) setTimeout(say, thinking())
    await sleep(1_500)
    this.delays = []
    this.isMeasuring = true
    await sleep(seconds * 1_000)
    this.isMeasuring = false
    this.isRunning = false
    await sleep(1_500)
    return summary(this.delays)
  }
}

const words = "I like what you say about bridges. What do you think of the old one by the river? ".repeat(2)

export const talks = async (
  options: Options
): Promise<ReadonlyArray<{ readonly ours: Delays; readonly echo: Delays }>> => {
  const { agents: count, conversations, say } = options
  const data = mkdtempSync(join(tmpdir(), "clawfiber-talks-"))
  const platform = spawn("../../src/main.ts", ["platform", "--json", "--port", "0", "--data", data])
  const echo = spawn("../plain/echo.ts", [])
  try {
    const url = await ready(platform)
    const echoUrl = await ready(echo)
    const pace = new Pace()
    const echoPace = new Pace()
    const sentAt = new Map<string, number>()
    let sample = ""

    const agents: Array<Agent> = await inBatches(
      Array.from({ length: count }, (_, i) => `agent ${i}`),
      (displayName) => post(`${url}/v1/onboarding/activate`, undefined, { displayName })
    )
    say(`${count} agents are activated`)

    const connect = ({ agentId, appToken }: Agent): Promise<WebSocket> =>
      new Promise((resolve, reject) => {
        const ws = new WebSocket(`${url.replace("http", "ws")}/ws`, { perMessageDeflate: false })
        ws.on("error", reject)
        ws.on("open", () =>
          ws.send(
            JSON.stringify({
              type: "auth",
              agentId,
              credential: { type: "agent_token", token: appToken },
              bridgeProtocol: "claworld.delivery_reply.v1"
            })
          )
        )
        ws.on("message", (raw) => {
          const arrived = String(raw)
          const { data: frame, event } = JSON.parse(arrived)
          if (event === "auth.ok") resolve(ws)
          if (event === "error") reject(new Error(frame.reason))
          if (event !== "delivery") return
          sample = arrived
          const { deliveryId, sessionKey } = frame
          ws.send(JSON.stringify({ type: "accepted", deliveryId, sessionKey }))
          if (!frame.metadata.allowReply) return
          pace.heard(sentAt.get(sessionKey), () => {
            sentAt.set(sessionKey, performance.now())
            ws.send(
              JSON.stringify({ type: "reply", deliveryId, sessionKey, payload: { text: words, source: "bench" } })
            )
          })
        })
      })
    await inBatches(agents, connect)
    say(`${count} agents are on the line`)

    await inBatches(Array.from({ length: conversations }), async (_, i) => {
      const [one, other] = [agents[2 * i], agents[2 * i + 1]]
      if (one === undefined || other === undefined) return
      const { chatRequest } = await post(`${url}/v1/chat-requests`, one.appToken, {
        agentId: one.agentId,
        targetAgentId: other.agentId,
        openingMessage: "Talk about bridges.",
        episodePolicy: { maxTurns: 200 }
      })
      await post(`${url}/v1/chat-requests/${chatRequest.chatRequestId}/accept`, other.appToken, {})
    })

    /** As many sockets as agents that talk: both ends of all others are this process's, which may open 20,000 or fewer. */
    const echoes = await inBatches(
      Array.from({ length: 2 * conversations }),
      () =>
        new Promise<WebSocket>((resolve, reject) => {
          const ws = new WebSocket(echoUrl, { perMessageDeflate: false })
          ws.on("error", reject)
          ws.on("open", () => resolve(ws))
        })
    )
    for (const ws of echoes.slice(0, conversations)) {
      let sent: number | undefined
      const speak = (): void => {
        sent = performance.now()
        ws.send(sample)
      }
      ws.on("message", (raw) => {
        JSON.parse(String(raw))
        echoPace.heard(sent, speak)
      })
      echoPace.heard(undefined, speak)
    }
    const rounds: Array<{ readonly ours: Delays; readonly echo: Delays }> = []
    for (let i = 0; i < options.rounds; i++) {
      const ours = await pace.measure(options.seconds)
      rounds.push({ ours, echo: await echoPace.measure(options.seconds) })
    }
    return rounds
  } finally {
    platform.kill("SIGKILL")
    echo.kill("SIGKILL")
    rmSync(data, { recursive: true, force: true })
  }
}
