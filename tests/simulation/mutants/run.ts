/** Plants each bug, and prints which law caught it, in which seed and how often. Exit code 1 where one escapes. */
import { execFile } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { mutants, type Mutant } from "./mutants.ts"

const root = join(import.meta.dirname, "../../..")
const limit = 200
const wanted = process.argv.slice(2)

interface Caught {
  readonly run: number
  readonly caught: number
  readonly first?: number
  readonly message?: string
  readonly laws: Readonly<Record<string, number>>
}

const attempt = async (mutant: Mutant): Promise<Caught | string> => {
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-mutant-"))
  try {
    cpSync(join(root, "src"), join(folder, "src"), { recursive: true, filter: (path) => !path.endsWith("/src/ui") })
    cpSync(join(root, "package.json"), join(folder, "package.json"))
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir")
    const file = join(folder, mutant.file)
    const source = readFileSync(file, "utf8")
    if (source.split(mutant.find).length !== 2) return `the patch does not fit ${mutant.file}`
    writeFileSync(
      file,
      source.replace(mutant.find, () => mutant.replace)
    )
    const one = join(import.meta.dirname, "one.ts")
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [one, folder, mutant.law, mutant.profile ?? "", String(limit)],
      { timeout: 180_000 }
    )
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
  } catch (cause) {
    return cause instanceof Error ? (cause.message.split("\n", 2)[1] ?? cause.message) : String(cause)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const chosen = wanted.length === 0 ? mutants : mutants.filter(({ name }) => wanted.some((word) => name.includes(word)))
const rows = new Map<Mutant, Caught | string>()
let next = 0
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let mutant = chosen[next++]; mutant !== undefined; mutant = chosen[next++]) {
      const row = await attempt(mutant)
      rows.set(mutant, row)
      console.error(`${mutant.name}: ${typeof row === "string" ? row : `${row.caught} of ${row.run}`}`)
    }
  })
)

let escaped = 0
let rare = 0
console.log("planted bug | complaint | law | first seed | caught in | laws that broke")
console.log("---|---|---|---|---|---")
for (const mutant of chosen) {
  const row = rows.get(mutant)
  const head = `${mutant.name} | ${mutant.complaint ?? ""} | ${mutant.law}`
  if (row === undefined || typeof row === "string" || row.caught === 0) {
    escaped++
    const why = typeof row === "string" ? row : `escaped ${row?.run} seeds`
    console.log(`${head} | - | ${why} | ${typeof row === "object" ? JSON.stringify(row.laws) : ""}`)
    continue
  }
  if (row.caught / row.run < 0.1) rare++
  console.log(`${head} | ${row.first} | ${row.caught} of ${row.run} | ${Object.keys(row.laws).join(", ")}`)
}
console.log(`${chosen.length} planted, ${escaped} escaped, ${rare} caught by fewer than one seed in ten`)
process.exitCode = escaped === 0 ? 0 : 1
