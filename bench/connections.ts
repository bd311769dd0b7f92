// What an idle account costs the agent's side: a thousand of them in one process, ours and bare sockets.
import { type ChildProcess, fork } from "node:child_process"
import { type Each, each, type Usage } from "./accounts.ts"
import { listen } from "./driver.ts"

const ask = (child: ChildProcess, from: number, count: number): Promise<Usage> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Usage))
    child.once("exit", (code) => reject(new Error(`the process ended with code ${code}`)))
    child.send({ from, count })
  })

/** As for accounts: over the first hundred, and in the second half alone. */
export const connections = async (
  peer: "ours" | "bare",
  count: number
): Promise<{ readonly overFirst: Each; readonly slope: Each }> => {
  const { port, server } = await listen(() => {})
  const child = fork(new URL("./ours/idle.ts", import.meta.url), [`ws://127.0.0.1:${port}/ws/chat`, peer], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"]
  })
  try {
    // A first hundred, so that what is set up once is not charged to the others. Not more of them: pages that a larger
    // warm-up leaves free would hide what the measured ones take.
    const half = count / 2
    const few = await ask(child, 0, 100)
    const middle = await ask(child, 100, half - 100)
    const after = await ask(child, half, count - half)
    return { overFirst: each(few, after, count - 100), slope: each(middle, after, count - half) }
  } finally {
    child.kill("SIGKILL")
    server.close()
  }
}
