// The main job, peer by peer: each in a process of its own, in turn, several rounds, medians and ratios within the run.
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expectedText, type Figures, listen, type Peer } from "./driver.ts"
import { pieces, type Shape } from "./workload.ts"

/** `memory` is ours without a lasting journal. */
export type PeerName = "ours" | "memory" | "plain" | "corked"

interface Usage {
  readonly cpu: number
  readonly rss: number
}

const files: Record<PeerName, string> = {
  ours: "./ours/main.ts",
  memory: "./ours/main.ts",
  plain: "./plain/main.ts",
  corked: "./plain/main.ts"
}

const usage = (child: ChildProcess): Promise<Usage> =>
  new Promise((resolve) => {
    child.once("message", (message) => resolve(message as Usage))
    child.send("usage")
  })

/** Starts one peer against a fresh driver, hands it to `use`, and ends it. */
const withPeer = async <A>(
  name: PeerName,
  shape: Shape | "paced",
  use: (peer: Peer, child: ChildProcess) => Promise<A>
): Promise<A> => {
  let connected: (peer: Peer) => void = () => {}
  const ready = new Promise<Peer>((resolve) => (connected = resolve))
  const { port, server } = await listen((peer) => connected(peer))
  // For what a peer keeps on disk. It is killed, so it cannot clear up itself.
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-bench-"))
  const child = fork(new URL(files[name], import.meta.url), [`ws://127.0.0.1:${port}/ws/chat`, shape, name, folder], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning"]
  })
  const died = new Promise<never>((_, reject) => {
    child.once("exit", (code) => reject(new Error(`the peer ${name} ended with code ${code}`)))
  })
  died.catch(() => {})
  try {
    const peer = await Promise.race([ready, died])
    return await Promise.race([use(peer, child), died])
  } finally {
    const gone = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    server.close()
    if (child.exitCode === null && child.signalCode === null) await gone
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Round extends Figures {
  /** CPU microseconds of the peer per request. */
  readonly cpuPerRequest: number
}

/** Ten in flight, as fast as it goes. */
export const saturated = (name: PeerName, shape: Shape, total: number): Promise<Round> =>
  withPeer(name, shape, async (peer, child) => {
    await peer.run({ total: Math.ceil(total / 3), inFlight: 10, expected: expectedText })
    const before = await usage(child)
    const figures = await peer.run({ total, inFlight: 10, expected: expectedText })
    const after = await usage(child)
    return { ...figures, cpuPerRequest: (after.cpu - before.cpu) / total }
  })

/** First words when pieces come as a model writes them. `inFlight` 1 = low load, 10 = all places taken. */
export const paced = (name: PeerName, inFlight: number, total: number): Promise<Round> =>
  withPeer(name, "paced", async (peer, child) => {
    const expected = pieces.slice(0, 10).join("")
    await peer.run({ total: Math.ceil(total / 3), inFlight, expected })
    const before = await usage(child)
    const figures = await peer.run({ total, inFlight, expected })
    const after = await usage(child)
    return { ...figures, cpuPerRequest: (after.cpu - before.cpu) / total }
  })

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.slice().sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
