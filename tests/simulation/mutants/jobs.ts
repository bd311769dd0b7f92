/** What is asked of one process that runs seeds, what it answers, and how a bug is planted. */
import type { Law } from "../../../src/programs/simulation/Laws.ts"

/** Text of a file of the sources that stands there exactly once, and what is put in its place. */
export interface Patch {
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  /** The one that has to catch it. */
  readonly law: Law
  /** The complaint that it is about, if it is one of the twelve. */
  readonly complaint?: number
  /** The world in which it shows; the seeds' own turn without one. */
  readonly profile?: string
  /** Takes many seeds: begun first. Whether it is rare the run finds out. */
  readonly rare?: true
  readonly patches: ReadonlyArray<Patch>
}

export interface Job {
  /** Folder of a copy of the sources. */
  readonly root: string
  readonly patches: ReadonlyArray<Patch>
  /** The law that is to catch it; without one every seed is run, and every law counts. */
  readonly law: Law | undefined
  /** Ends with so many catches. */
  readonly enough: number
  /** Number and profile; without a profile the world's own turn. */
  readonly seeds: ReadonlyArray<readonly [seed: number, profile: string | undefined]>
}

export interface Caught {
  readonly run: number
  readonly caught: ReadonlyArray<{ readonly seed: number; readonly profile: string; readonly message: string }>
  /** In how many of the seeds each law broke. */
  readonly laws: Readonly<Record<string, number>>
}

export type Planted =
  | { readonly _tag: "Planted"; readonly text: string }
  | { readonly _tag: "Unfit"; readonly why: string }

/** All patches of this file, one after the other. */
export const planted = (source: string, file: string, patches: ReadonlyArray<Patch>): Planted => {
  let text = source
  for (const patch of patches) {
    if (patch.file !== file) continue
    const times = text.split(patch.find).length - 1
    if (times !== 1) {
      const found = times === 0 ? "is not in it any more" : `is in it ${times} times`
      return { _tag: "Unfit", why: `the patch does not fit ${file}: "${patch.find.trim().split("\n")[0]}" ${found}` }
    }
    text = text.replace(patch.find, () => patch.replace)
  }
  return { _tag: "Planted", text }
}
