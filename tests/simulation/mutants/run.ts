/**
 * Plants each bug, and prints which law caught it, in which seed and how often. Exit code 1 where one escapes, where a
 * patch does not fit any more, or where a seed that caught one is not clean without it.
 *
 *     npm run simulate:mutants                       # all of them, on all cores
 *     npm run simulate:mutants -- outbox --workers 1 # those with the word in their name or law
 *     npm run simulate:mutants -- --brief            # one catch is enough, save for rare ones; how often is not told
 *     npm run simulate:mutants -- --write            # the tables into docs/simulation.md as well
 */
import { type ChildProcess, spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join, sep } from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { type Caught, type Job, type Mutant, planted } from "./jobs.ts"
import { mutants } from "./mutants.ts"
import * as Table from "./table.ts"

const home = join(import.meta.dirname, "../../..")
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: "string", default: String(availableParallelism()) },
    seeds: { type: "string", default: "200" },
    brief: { type: "boolean", default: false },
    write: { type: "boolean", default: false }
  }
})
const limit = Number(values.seeds)
/** So many catches tell a frequency well enough. */
const plenty = 3
/** A bug may bring a world to a standstill. Milliseconds that one seed may take. */
const patience = 120_000
const begun = performance.now()
const seconds = (): string => `${Math.round((performance.now() - begun) / 1000)} s`
const say = (text: string): void => console.error(text)

// One copy for all, so that nobody's work on the sources changes them half-way.
const root = mkdtempSync(join(tmpdir(), "clawfiber-mutants-"))
const children = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL")
  rmSync(root, { recursive: true, force: true })
})
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))
cpSync(join(home, "src"), join(root, "src"), {
  recursive: true,
  filter: (path) => !path.endsWith(`${sep}src${sep}ui`)
})
cpSync(join(home, "package.json"), join(root, "package.json"))
symlinkSync(join(home, "node_modules"), join(root, "node_modules"), "dir")

/** What the process told last, also where it was stopped or fell. */
const work = (job: Job): Promise<{ readonly told: Caught | undefined; readonly fault: string | undefined }> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "one.ts"), JSON.stringify(job)], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    children.add(child)
    const kill = (): void => void child.kill("SIGKILL")
    let timer = setTimeout(kill, patience)
    let told: Caught | undefined
    let errors = ""
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (!line.startsWith('{"run"')) return
      told = JSON.parse(line)
      clearTimeout(timer)
      timer = setTimeout(kill, patience)
    })
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()))
    child.on("close", (code) => {
      clearTimeout(timer)
      children.delete(child)
      const why = /^\w*Error: .*$/m.exec(errors)?.[0] ?? errors.trim().split("\n").at(-1)
      resolve({
        told,
        fault: code === 0 ? undefined : code === null ? `a seed took more than ${patience / 1000} s` : why
      })
    })
  })

const unfit = (mutant: Mutant): string | undefined => {
  for (const { file } of mutant.patches) {
    const source = planted(readFileSync(join(root, file), "utf8"), file, mutant.patches)
    if (source._tag === "Unfit") return source.why
  }
  return undefined
}

/** Rare ones first: they take longest, and should not be waited for alone at the end. */
const chosen = mutants.filter(
  ({ law, name }) => positionals.length === 0 || positionals.some((word) => name.includes(word) || law === word)
)
const queue = chosen.toSorted((one, other) => Number(other.rare ?? false) - Number(one.rare ?? false))
const found = new Map<Mutant, Caught>()
const faults = new Map<Mutant, string>()

const attempt = async (mutant: Mutant): Promise<void> => {
  const why = unfit(mutant)
  if (why !== undefined) return void faults.set(mutant, why)
  const seeds = Array.from({ length: limit }, (_, index) => [index + 1, mutant.profile] as const)
  const enough = values.brief && mutant.rare !== true ? 1 : plenty
  const { fault, told } = await work({ root, patches: mutant.patches, law: mutant.law, enough, seeds })
  if (told !== undefined) found.set(mutant, told)
  if (fault !== undefined) faults.set(mutant, fault)
}

const concurrently = async <A>(jobs: ReadonlyArray<A>, run: (job: A) => Promise<void>): Promise<void> => {
  let next = 0
  await Promise.all(
    Array.from({ length: Number(values.workers) }, async () => {
      for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await run(job)
    })
  )
}

let done = 0
await concurrently(queue, async (mutant) => {
  await attempt(mutant)
  const { caught = [], run = 0 } = found.get(mutant) ?? {}
  const outcome =
    caught.length > 0
      ? `caught by seed ${caught[0]?.seed}, ${caught.length} of ${run}`
      : (faults.get(mutant) ?? "ESCAPED")
  say(`[${++done}/${queue.length}] ${seconds()} ${mutant.law}: ${mutant.name}: ${outcome}`)
})

// A catch counts where the same seed holds the laws without the bug.
const catches = [...found.values()].flatMap(({ caught }) => caught)
const pairs = [...new Set(catches.map(({ profile, seed }) => `${seed} ${profile}`))].map((pair) => {
  const [seed = "", profile] = pair.split(" ")
  return [Number(seed), profile] as const
})
say(`${seconds()} runs ${pairs.length} seeds without any bug`)
const dirty = new Map<string, string>()
const parts = Array.from({ length: Number(values.workers) }, (_, part) =>
  pairs.filter((_pair, index) => index % Number(values.workers) === part)
)
await concurrently(parts, async (seeds) => {
  const { fault, told } = await work({ root, patches: [], law: undefined, enough: seeds.length + 1, seeds })
  for (const { message, profile, seed } of told?.caught ?? []) dirty.set(`${seed} ${profile}`, message)
  if (fault === undefined && told?.run === seeds.length) return
  say(`the seeds without any bug could not be run: ${fault}`)
  process.exit(1)
})

const rows = chosen.map((mutant): Table.Row => {
  const { caught: all = [], laws = {}, run = 0 } = found.get(mutant) ?? {}
  const caught = all.filter(({ profile, seed }) => !dirty.has(`${seed} ${profile}`))
  const why = faults.get(mutant) ?? (all.length > 0 ? "only in seeds that are not clean" : `escaped ${run} seeds`)
  return { mutant, run, caught: caught.length, first: caught[0], laws: Object.keys(laws), why }
})
const tables = Table.print(rows)
console.log(tables)
const escaped = rows.filter((row) => row.first === undefined)
const rare = rows.filter(Table.isRare).length
const lacking =
  chosen.length < mutants.length ? [] : [...Table.lacking(rows), ...(values.brief ? [] : Table.tooEasy(rows))]
// One catch tells no frequency.
const often = values.brief ? "" : `${rare} caught by fewer than one seed in ten; `
const sum = `${rows.length} bugs planted, ${escaped.length} escaped; ${often}${seconds()} with ${values.workers} at once`
console.log(`\n${sum}`)
for (const row of escaped) say(`ESCAPED: ${row.mutant.name}: ${row.why}`)
for (const [seed, message] of dirty) say(`NOT CLEAN without any bug: seed ${seed}: ${message}`)
for (const text of lacking) say(`LACKING: ${text}`)
if (values.write) {
  const page = join(home, "docs/simulation.md")
  const [before = "", after = ""] = readFileSync(page, "utf8").split(/<!-- mutants -->[^]*<!-- \/mutants -->/)
  writeFileSync(page, `${before}<!-- mutants -->\n\n${sum}.\n\n${tables}\n\n<!-- /mutants -->${after}`)
}
process.exitCode = escaped.length + dirty.size + lacking.length === 0 ? 0 : 1
