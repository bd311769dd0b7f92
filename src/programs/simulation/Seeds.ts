/** Many worlds, on all cores; and of one that failed the shortest history that fails the same way. */
import { availableParallelism } from "node:os"
import { setImmediate } from "node:timers/promises"
import { Worker } from "node:worker_threads"
import type { Broken, Law } from "./Laws.ts"
import * as Plan from "./Plan.ts"
import { find, profiles, type Profile } from "./Profiles.ts"
import type { Figures } from "./Stage.ts"
import * as World from "./World.ts"

/** What came of one seed. */
export interface Result {
  readonly seed: number
  readonly profile: string
  readonly broken: ReadonlyArray<Broken>
  readonly figures: Figures
}

/** Without a name the profiles take turns. */
export const profileOf = (seed: number, name: string | undefined): Profile => {
  const named = name === undefined ? undefined : find(name)
  return named ?? profiles[seed % profiles.length] ?? profiles[0]!
}

export const runOne = async (seed: number, name?: string | undefined): Promise<Result> => {
  const profile = profileOf(seed, name)
  const { broken, figures } = await World.run(Plan.make(seed, profile))
  // A world runs within one turn of the event loop, and what native handles hold is let go between two turns only:
  // without one each world would stay in memory until the last has run.
  await setImmediate()
  return { seed, profile: profile.name, broken, figures }
}

/** Below this many seeds a second core costs more than it brings. */
const fewest = 48

/** @param each Told of each result as it comes, in no certain order. */
export const runMany = async (
  given: { readonly from: number; readonly seeds: number; readonly profile: string | undefined },
  each: (result: Result) => void
): Promise<void> => {
  const workers = given.seeds < fewest ? 1 : Math.min(availableParallelism(), 8)
  if (workers === 1) {
    for (let i = 0; i < given.seeds; i++) each(await runOne(given.from + i, given.profile))
    return
  }
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js"
  await Promise.all(
    Array.from(
      { length: workers },
      (_, index) =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(new URL(file, import.meta.url), {
            workerData: { ...given, step: workers, offset: index },
            // Most of what a world makes is soon forgotten: room for it, so that it is collected seldom.
            resourceLimits: { maxYoungGenerationSizeMb: 96 }
          })
          worker.on("message", each)
          worker.on("error", reject)
          worker.on("exit", () => resolve())
        })
    )
  )
}

const fails = async (plan: Plan.Plan, law: Law, only: ReadonlySet<number>): Promise<boolean> =>
  (await World.run(plan, { only })).broken.some((broken) => broken.law === law)

/** Takes out ever smaller parts for as long as the same law breaks. Gives the indexes of the ops that are left. */
export const shrink = async (plan: Plan.Plan, law: Law, tries = 80): Promise<ReadonlyArray<number>> => {
  let kept = plan.ops.map((op) => op.index)
  let left = tries
  for (let size = Math.ceil(kept.length / 2); size >= 1 && left > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length && left > 0;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)]
      left--
      if (await fails(plan, law, new Set(fewer))) kept = fewer
      else from += size
    }
  }
  return kept
}
