// A thousand accounts in one process, each with a profile on disk: what one costs, how fast they dial, and how long it
// takes from a changed profile to the next dial.
import { type ChildProcess, fork } from "node:child_process"
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { listen } from "./driver.ts"

export interface Usage {
  readonly heapUsed: number
  readonly rss: number
}

/** KiB for each, of the heap and of resident memory, each measured after a forced collection. */
export interface Each {
  readonly heap: number
  readonly rss: number
}

export interface Figures {
  /** What each costs from the first hundred to the last: V8's young generation grows meanwhile, and is in it. */
  readonly overFirst: Each
  /** What each costs in the second half alone, where nothing grows any more but what there is for each. */
  readonly slope: Each
  /** The most dials within any one second. */
  readonly burst: number
  /** Milliseconds from the rename of a profile to the dial with its key. */
  readonly changed: number
}

const write = (root: string, name: string, key: string): void => {
  const folder = join(root, "accounts", name, "config")
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const text = JSON.stringify({ app_key: key, app_secret: "bench", claw_id: name, name, description: "idle" })
  writeFileSync(join(folder, "new.json"), text, { mode: 0o600 })
  renameSync(join(folder, "new.json"), join(folder, "profile.json"))
}

const told = <A>(child: ChildProcess): Promise<A> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as A))
    child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)))
  })

export const each = (from: Usage, to: Usage, count: number): Each => ({
  heap: (to.heapUsed - from.heapUsed) / 1024 / count,
  rss: (to.rss - from.rss) / 1024 / count
})

const burstOf = (times: ReadonlyArray<number>): number => {
  let most = 0
  let from = 0
  for (let to = 0; to < times.length; to++) {
    while (times[to]! - times[from]! >= 1_000) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}

export const accounts = async (count: number, rate: number): Promise<Figures> => {
  const root = join(mkdtempSync(join(tmpdir(), "clawfiber-accounts-")), ".insta")
  const dials: Array<number> = []
  let heard: (() => void) | undefined
  const { port, server } = await listen(() => {
    dials.push(performance.now())
    heard?.()
  })
  const names = Array.from({ length: count }, (_, n) => `agent-${n}`)
  for (const name of names) write(root, name, `key of ${name}`)
  const child = fork(
    new URL("./ours/accounts.ts", import.meta.url),
    [`ws://127.0.0.1:${port}/ws/chat`, root, String(rate)],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"]
    }
  )
  try {
    await told(child)
    const more = (names: ReadonlyArray<string>) => {
      child.send({ names })
      return told<Usage>(child)
    }
    const first = Math.min(100, count / 4)
    const half = count / 2
    const few = await more(names.slice(0, first))
    const middle = await more(names.slice(first, half))
    const after = await more(names.slice(half))
    const dialed = new Promise<number>((resolve) => {
      heard = () => resolve(performance.now())
    })
    const begun = performance.now()
    write(root, "agent-7", "another key of agent 7")
    const changed = (await dialed) - begun
    return {
      overFirst: each(few, after, count - first),
      slope: each(middle, after, count - half),
      burst: burstOf(dials),
      changed
    }
  } finally {
    child.kill("SIGKILL")
    server.close()
    rmSync(join(root, ".."), { recursive: true, force: true })
  }
}
