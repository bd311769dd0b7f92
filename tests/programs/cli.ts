/** Runs the real command line in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

const main = new URL("../../src/main.ts", import.meta.url).pathname

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Options {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Nothing of the surroundings but what a process needs: a developer's own key must not be spent. */
const compiled = process.env["NODE_COMPILE_CACHE"]
const environment = (env: Options["env"]) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "",
  ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
  ...env
})

/** `limit`: milliseconds. A test that fails must not leave its program running. */
const launch = (args: ReadonlyArray<string>, options: Options, limit: number): ChildProcess =>
  spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: environment(options.env),
    stdio: "pipe",
    timeout: limit,
    killSignal: "SIGKILL"
  })

const collect = (child: ChildProcess): Promise<Ended> => {
  let stdout = ""
  let stderr = ""
  child.stdout?.on("data", (chunk) => (stdout += String(chunk)))
  child.stderr?.on("data", (chunk) => (stderr += String(chunk)))
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })))
}

export const run = (args: ReadonlyArray<string>, options: Options): Promise<Ended> => {
  const child = launch(args, options, 60_000)
  const ended = collect(child)
  child.stdin?.end(options.input ?? "")
  return ended
}

export interface Served {
  /** The events of standard output up to and with the one that was waited for. */
  readonly events: ReadonlyArray<Record<string, unknown>>
  readonly event: Record<string, unknown>
  readonly ended: Promise<Ended>
  /** Sends the signal. Exit code 0 says that it ended within the two seconds after which it ends itself with 1. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Ended>
}

/** Starts a command that serves, with --json, and waits for the event. Rejects with its words if it ends before. */
export const serve = async (args: ReadonlyArray<string>, options: Options, until = "ready"): Promise<Served> => {
  // One that serves may serve all tests of its suite, on a machine that is busy with other things.
  const child = launch([...args, "--json"], options, 600_000)
  const ended = collect(child)
  const events: Array<Record<string, unknown>> = []
  const found = new Promise<Record<string, unknown>>((resolve) => {
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event: Record<string, unknown> = JSON.parse(line)
      events.push(event)
      if ((event["event"] ?? event["type"]) === until) resolve(event)
    })
  })
  const event = await Promise.race([
    found,
    ended.then((end) => Promise.reject(new Error(`${args.join(" ")} ended (${end.code}): ${end.stderr}${end.stdout}`)))
  ])
  return {
    events,
    event,
    ended,
    stop: (signal = "SIGINT") => {
      child.kill(signal)
      return ended
    }
  }
}

export const folder = (): { readonly path: string; readonly remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), "clawfiber-test-"))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
