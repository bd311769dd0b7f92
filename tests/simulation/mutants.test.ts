/** The planted bugs still fit the sources, and are enough. Whether they are caught is told by `npm run simulate:mutants`. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { planted } from "./mutants/jobs.ts"
import { complaints, mutants } from "./mutants/mutants.ts"
import { promised } from "./mutants/table.ts"

const root = join(import.meta.dirname, "../..")

describe("the planted bugs", () => {
  it("fit the sources, each where it is to be", () => {
    const unfit = mutants.flatMap(({ name, patches }) =>
      patches.flatMap(({ file }) => {
        const source = planted(readFileSync(join(root, file), "utf8"), file, patches)
        return source._tag === "Unfit" ? [`${name}: ${source.why}`] : []
      })
    )
    assert.deepStrictEqual(unfit, [])
  })

  it("are of every law and every complaint, each under a name of its own", () => {
    assert.isAtLeast(mutants.length, 24)
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
    for (const law of promised) assert.isAtLeast(mutants.filter((mutant) => mutant.law === law).length, 2, law)
    for (const [index, text] of complaints.entries()) {
      assert.isTrue(
        mutants.some(({ complaint }) => complaint === index + 1),
        text
      )
    }
  })

  it("change a text that stands there once, and say where it does not", () => {
    const patch = { file: "a.ts", find: "one", replace: "$& two" }
    assert.deepStrictEqual(planted("one;", "a.ts", [patch]), { _tag: "Planted", text: "$& two;" })
    for (const source of ["", "one one"]) assert.strictEqual(planted(source, "a.ts", [patch])._tag, "Unfit")
  })
})
