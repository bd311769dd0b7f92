/** The types that we have written down of the host, against those that the installed host brings. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync, rmSync, writeFileSync } from "node:fs"

const compile = (config: string) => {
  const { status, stdout, stderr } = spawnSync("npx", ["tsc", "-p", config, "--pretty", "false"], { encoding: "utf8" })
  return { status, said: stdout + stderr }
}

describe("the host's types", () => {
  it("are those that we have written down", { timeout: 240_000 }, () => {
    const { said, status } = compile("tests/openclaw/types/tsconfig.json")
    assert.strictEqual(status, 0, said)
  })

  it("are looked at: a wrong line is found", { timeout: 240_000 }, () => {
    const folder = "tests/openclaw/types"
    writeFileSync(
      `${folder}/wrong.mts`,
      `${readFileSync(`${folder}/host.mts`, "utf8")}\nexport type Wrong = Gives<Result<Inbound["dispatch"]>, { nothing: 1 }>\n`
    )
    writeFileSync(`${folder}/wrong.json`, JSON.stringify({ extends: "./tsconfig.json", include: ["wrong.mts"] }))
    try {
      const { said, status } = compile(`${folder}/wrong.json`)
      assert.notStrictEqual(status, 0)
      assert.include(said, "wrong.mts")
    } finally {
      rmSync(`${folder}/wrong.mts`)
      rmSync(`${folder}/wrong.json`)
    }
  })
})
