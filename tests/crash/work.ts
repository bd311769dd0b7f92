/**
 * `npm run crash:work`: `clawfiber up` and `clawfiber work`, and `kill -9` of the agent before and after each step of its
 * work, and of the platform in the middle of some. Afterwards each task was done and handed in once, is accepted, and
 * its points have moved once.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { createInterface } from "node:readline"
import { Program } from "./Program.ts"

const main = new URL("../../src/main.ts", import.meta.url).pathname
const dieAt = new URL("./dieAt.ts", import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), "clawfiber-crash-work-"))
const environment = { PATH: process.env["PATH"] ?? "", HOME: folder, OPENAI_API_KEY: "", CLAWFIBER_LOG: "error" }
const broken: Array<string> = []
const check = (holds: boolean, what: string): void => {
  if (holds) return
  broken.push(what)
  console.log(`    BROKEN: ${what}`)
}

/** Ends with the signal that ended it, or its code. `told`: each of its events. */
const clawfiber = (
  args: ReadonlyArray<string>,
  options: { readonly dieAt?: string; readonly told?: (event: Record<string, unknown>) => void } = {}
): Promise<string> =>
  new Promise((resolve) => {
    const preload = options.dieAt === undefined ? [] : ["--import", dieAt]
    const child = spawn(process.execPath, [...preload, main, ...args, "--json"], {
      cwd: folder,
      env: { ...environment, DIE_AT: options.dieAt ?? "" },
      // That it could not finish is said, and meant to be.
      stdio: ["ignore", "pipe", options.told === undefined ? "inherit" : "ignore"],
      timeout: 60_000,
      killSignal: "SIGTERM"
    })
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) options.told?.(JSON.parse(line))
    })
    child.on("close", (code, signal) => resolve(signal ?? String(code)))
  })

const work = ["work", "--once", "--auto"]

const platformArgs = (port: string) => ["up", "--agent", "none", "--port", port, "--data", join(folder, "data")]
let platform = new Program({
  name: "platform",
  main,
  args: platformArgs("0"),
  folder,
  env: environment,
  ready: "ready"
})
const url = String((await platform.start())?.["url"])
const restart = async (): Promise<void> => {
  await platform.kill()
  platform = new Program({ ...platform.options, args: platformArgs(new URL(url).port) })
  if ((await platform.start()) === undefined) throw new Error(platform.surprises.join("\n"))
}

let token = ""
const ask = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
  const answer = await fetch(new URL(path, url), {
    method,
    headers: { "content-type": "application/json", ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const { data, message } = (await answer.json()) as { data?: Record<string, unknown>; message?: string }
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${message}`)
  return data ?? {}
}
token = String((await ask("POST", "/api/sign-in", { name: "Poster" }))["token"])
const registered = await clawfiber(["register", "--url", url, "--name", "Worker", "--description", "Counts.", "--yes"])
check(registered === "0", `the agent could not be registered (${registered})`)

interface Story {
  readonly title: string
  readonly bounty: number
  /** Where the agent dies. */
  readonly dieAt?: string
  /** The step in which the platform does. */
  readonly platformAt?: string | undefined
  /** It is given back: there is no model that could do it. */
  readonly isBeyond?: boolean
}

const steps = [
  "chosen",
  "grabbing",
  "grabbed",
  "doing",
  "collecting",
  "archiving",
  "uploading",
  "submitting",
  "reported"
] as const

const stories: ReadonlyArray<Story> = [
  ...steps.flatMap((step) =>
    ["before", "after"].map((when) => ({
      title: `Count the words (${step}:${when})`,
      bounty: 1.25,
      dieAt: `${step}:${when}`
    }))
  ),
  ...["releasing:before", "releasing:after", "released:before"].map((at) => ({
    title: `Paint a horse (${at})`,
    bounty: 2,
    dieAt: at,
    isBeyond: true
  })),
  ...["grabbing", "uploading", "submitting"].map((step) => ({
    title: `Count the words (the platform in ${step})`,
    bounty: 3,
    platformAt: step
  }))
]

const begun = performance.now()
const posted: Array<Story & { readonly id: string }> = []
for (const story of stories.filter(({ title }) => title.includes(process.argv[2] ?? ""))) {
  const description = story.isBeyond === true ? "In oil." : "Text:\none two three"
  const task = { title: story.title, description, category: "07001", bounty: String(story.bounty) }
  const id = String((await ask("POST", "/api/tasks", task))["id"])
  posted.push({ ...story, id })
  console.log(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${story.title}`)
  if (story.dieAt !== undefined) {
    const ended = await clawfiber(work, { dieAt: story.dieAt })
    check(ended === "SIGKILL", `${story.title}: it was to die and ended with ${ended}`)
  }
  let back: Promise<void> | undefined
  const told = (event: Record<string, unknown>): void => {
    if (event["task_id"] === id && event["state"] === story.platformAt) back ??= restart()
  }
  let ended = await clawfiber(work, { told })
  if (story.platformAt !== undefined) {
    check(back !== undefined, `${story.title}: that step was not seen`)
    await back
    // What it could not finish meanwhile it finishes now.
    if (ended !== "0") ended = await clawfiber(work)
  }
  check(ended === "0", `${story.title}: the next one ended with ${ended}`)
  const { review, status } = await ask("GET", `/api/tasks/${id}`)
  if (story.isBeyond === true) {
    check(status === "available", `${story.title}: it is ${String(status)} and not given back`)
    await ask("DELETE", `/api/tasks/${id}`)
    continue
  }
  check(status === "completed" && review === "pending", `${story.title}: it is ${String(status)}, ${String(review)}`)
  if (status === "completed") await ask("POST", `/api/tasks/${id}/accept`)
  const job = JSON.parse(readFileSync(join(folder, ".insta/work", id, "job.json"), "utf8"))
  check(job["state"] === "reported", `${story.title}: the agent thinks that it is ${job["state"]}`)
  // Only its own run dies with the agent, and is begun anew once.
  const runs = story.dieAt === "doing:after" || story.dieAt === "collecting:before" ? 2 : 1
  check(job["runs"] === runs, `${story.title}: the agent was let ${job["runs"]} times at it`)
}

await platform.stop()
const database = new DatabaseSync(join(folder, "data/platform.sqlite"), { readOnly: true })
const number = (sql: string, ...values: ReadonlyArray<string>): number =>
  Number(Object.values(database.prepare(sql).get(...values) ?? {})[0])
for (const { bounty, id, isBeyond = false, platformAt, title } of posted) {
  check(number("SELECT fencing FROM tasks WHERE task_id = ?", id) === 1, `law one-winner: ${title} was grabbed anew`)
  const artifacts = number("SELECT count(*) FROM artifacts WHERE task_id = ?", id)
  // A file that could not be uploaded by itself is in the archive, and the report says so.
  const isRight = isBeyond ? artifacts === 0 : artifacts === 2 || (platformAt !== undefined && artifacts === 1)
  check(isRight, `law once: ${title} has ${artifacts} files and not one and its archive`)
  const of = (kind: string) =>
    number("SELECT coalesce(sum(amount), 0) FROM ledger WHERE task_id = ? AND kind = ? AND amount > 0", id, kind)
  const [reserved, paid, released] = [of("reserve"), of("pay"), of("release")]
  const due = bounty * 100
  check(
    reserved === due && paid === (isBeyond ? 0 : due) && released === (isBeyond ? due : 0),
    `law ledger-zero: for ${title} ${reserved} were reserved, ${paid} paid and ${released} given back`
  )
}
check(number("SELECT sum(amount) FROM ledger") === 0, "law ledger-zero: the movements do not sum to zero")
check(number("SELECT sum(balance) FROM accounts") === 0, "law ledger-zero: the accounts do not sum to zero")
check(
  number("SELECT count(*) FROM accounts WHERE account LIKE 'escrow:%' AND balance <> 0") === 0,
  "law ledger-zero: something is reserved still"
)
database.close()
for (const surprise of platform.surprises) check(false, surprise)
rmSync(folder, { recursive: true, force: true })
console.log(
  `\n${posted.length} tasks, ${broken.length} laws broken, ${((performance.now() - begun) / 1_000).toFixed(0)} s`
)
process.exit(broken.length === 0 ? 0 : 1)
