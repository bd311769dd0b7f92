// A file on its way from an agent's disk to the platform's: how much more memory either side takes for a large one.
import { type ChildProcess, fork } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ready, register } from "../idle.ts"

/** Resident bytes at most. */
export interface Peak {
  readonly agent: number
  readonly platform: number
}

const answerOf = (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)))
    child.once("exit", (code) => reject(new Error(`it ended with code ${code}`)))
  })

const post = async (url: string): Promise<string> => {
  const ask = async (path: string, body: object, token = ""): Promise<Record<string, string>> => {
    const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) }
    const answer = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    return ((await answer.json()) as { data: Record<string, string> }).data
  }
  const { token } = await ask("/api/sign-in", { name: "Poster" })
  const task = { title: "Upload", description: "A file.", category: "07001", bounty: "1" }
  return (await ask("/api/tasks", task, token))["id"] ?? ""
}

/** Bytes that are not all the same. */
const write = (path: string, size: number): void => {
  const file = openSync(path, "w")
  const piece = Buffer.alloc(1024 * 1024, "a file of an agent, ")
  for (let left = size; left > 0; left -= piece.length) writeSync(file, piece, 0, Math.min(left, piece.length))
  closeSync(file)
}

const quiet = ["--disable-warning=ExperimentalWarning"]

/** A platform and an agent of their own, for one file of `size` bytes. */
export const upload = async (size: number): Promise<Peak> => {
  const data = mkdtempSync(join(tmpdir(), "clawfiber-upload-"))
  const platform = fork(
    new URL("../../src/main.ts", import.meta.url),
    ["platform", "--json", "--port", "0", "--data", join(data, "platform")],
    {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      execArgv: ["--import", new URL("./peak.ts", import.meta.url).href, ...quiet],
      env: { ...process.env, CLAWFIBER_LOG: "warn" }
    }
  )
  try {
    const url = await ready(platform)
    const key = await register(url, "uploader")
    const taskId = await post(url)
    const path = join(data, "file.bin")
    write(path, size)
    const agent = fork(
      new URL("../ours/upload.ts", import.meta.url),
      [url, key.app_key, key.app_secret, taskId, path],
      {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
        execArgv: quiet
      }
    )
    const own = await answerOf(agent)
    platform.send("peak")
    return { agent: own, platform: await answerOf(platform) }
  } finally {
    platform.kill("SIGKILL")
    rmSync(data, { recursive: true, force: true })
  }
}
