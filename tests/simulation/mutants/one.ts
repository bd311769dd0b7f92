/**
 * Runs seeds over the sources at `root` with a bug planted while they are loaded, until it is caught and a little
 * longer, to tell how often. Or, without a bug, the seeds it is told to. A line of JSON for each thing that is new.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { pathToFileURL } from "node:url"
import type * as SeedsModule from "../../../src/programs/simulation/Seeds.ts"
import type { Caught, Job } from "./jobs.ts"
import { planted } from "./jobs.ts"

const job: Job = JSON.parse(process.argv[2] ?? "")

const bugs = new Map<string, string>()
for (const { file } of job.patches) {
  const path = `${job.root}/${file}`
  const source = planted(readFileSync(path, "utf8"), file, job.patches)
  if (source._tag === "Unfit") throw new Error(source.why)
  bugs.set(pathToFileURL(path).href, source.text)
}
registerHooks({
  load: (url, context, next) => {
    const bug = bugs.get(url)
    const loaded = next(url, context)
    return bug === undefined ? loaded : { ...loaded, source: bug }
  }
})

// The same module, of another copy of the sources.
const seeds = (await import(pathToFileURL(`${job.root}/src/programs/simulation/Seeds.ts`).href)) as typeof SeedsModule

/** So many seeds tell a frequency well enough, once it was caught at all. */
const plenty = 20

const laws: Record<string, number> = {}
const caught: Array<{ readonly seed: number; readonly profile: string; readonly message: string }> = []
let run = 0
const tell = (): void => console.log(JSON.stringify({ run, caught, laws } satisfies Caught))
for (const [seed, name] of job.seeds) {
  const { broken, profile } = await seeds.runOne(seed, name)
  run++
  for (const known of broken) laws[known.law] = (laws[known.law] ?? 0) + 1
  const right = broken.find((known) => job.law === undefined || known.law === job.law)
  if (right !== undefined) caught.push({ seed, profile, message: right.message })
  tell()
  if (job.law !== undefined && (caught.length >= job.enough || (caught.length > 0 && run >= plenty))) break
}
tell()
