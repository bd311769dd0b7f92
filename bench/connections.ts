// What an idle account costs the agent's side: a thousand of them in one process, ours and bare sockets.
import { type ChildProcess, fork } from "node:child_process"
import { listen } from "./driver.ts"

interface Usage {
  readonly heapUsed: number
  readonly rss: number
}

const ask = (child: ChildProcess, from: number, count: number): Promise<Usage> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Usage))
    child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)))
    child.send({ from, count })
  })

/** KiB per connection, of the heap and of resident memory. */
export const connections = async (
  peer: "ours" | "bare",
  count: number
): Promise<{ readonly heap: number; readonly rss: number }> => {
  const { port, server } = await listen(() => {})
  const child = fork(new URL("./ours/idle.ts", import.meta.url), [`ws://127.0.0.1:${port}/ws/chat`, peer], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"]
  })
  try {
    // A first hundred, so that what is set up once is not charged to the others. Not more of them: pages that a larger
    // warm-up leaves free would hide what the measured ones take.
    const before = await ask(child, 0, 100)
    const after = await ask(child, 100, count - 100)
    const each = (figure: keyof Usage) => (after[figure] - before[figure]) / 1024 / (count - 100)
    return { heap: each("heapUsed"), rss: each("rss") }
  } finally {
    child.kill("SIGKILL")
    server.close()
  }
}
