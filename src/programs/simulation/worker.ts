/** Every n-th seed of a run, on a core of its own. */
import { parentPort, workerData } from "node:worker_threads"

// Set by `runMany`, which is the only one to start this file.
const { from, offset, profile, seeds, step } = workerData as {
  readonly from: number
  readonly offset: number
  readonly profile: string | undefined
  readonly seeds: number
  readonly step: number
}

// Nobody reads where an error of a simulated process came from: each costs more than what it tells of.
Error.stackTraceLimit = 0

// Nor an async context: fibers take one along for each time they wait, where there is such a thing when they are loaded.
const builtins = process.getBuiltinModule
process.getBuiltinModule = (id: string) => (id === "node:async_hooks" ? undefined : builtins(id))
const { runOne } = await import("./Seeds.ts")
process.getBuiltinModule = builtins

for (let i = offset; i < seeds; i += step) {
  const result = await runOne(from + i, profile)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(result)
}
