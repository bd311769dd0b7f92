/** Runs seeds over the sources at the first argument until the planted bug is caught: one line of JSON. */
import { pathToFileURL } from "node:url"
import type * as SeedsModule from "../../../src/programs/simulation/Seeds.ts"

const [root, law, profile, limit] = process.argv.slice(2)
// The same module, of another copy of the sources.
const seeds = (await import(pathToFileURL(`${root}/src/programs/simulation/Seeds.ts`).href)) as typeof SeedsModule

/** Enough to tell a frequency. */
const enough = 3

let run = 0
let caught = 0
let first: number | undefined
let message: string | undefined
const laws: Record<string, number> = {}
for (let seed = 1; seed <= Number(limit) && caught < enough; seed++) {
  const { broken } = await seeds.runOne(seed, profile === "" ? undefined : profile)
  run++
  for (const known of broken) laws[known.law] = (laws[known.law] ?? 0) + 1
  const right = broken.find((known) => known.law === law)
  if (right === undefined) continue
  caught++
  first ??= seed
  message ??= right.message
  if (run >= 60) break
}
console.log(JSON.stringify({ run, caught, first, message, laws }))
