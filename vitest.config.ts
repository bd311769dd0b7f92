import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * What takes long: how each place looks in every theme, width and language, whole ways through the page but for the
 * chat's, commands that start many programs, streams cut at every place, and random histories beside plain models.
 */
export const long = [
  "tests/browser/*[lL]ook.test.ts",
  "tests/browser/{agentWay,market,mine,work,worlds}.test.ts",
  "tests/layers/platform/**/*.{model,large}.test.ts",
  "tests/programs/{backup,claworld,register,tasks,upWork}.test.ts",
  "tests/programs/openclawInstaller/installer.test.ts",
  "tests/resume/cut.test.ts"
]

/** The longest of `npm test`, longest first: begun last, one of them alone would keep the run from its end. */
const first = [
  "tests/simulation/world.test.ts",
  "tests/programs/served.test.ts",
  "tests/browser/chat.test.ts",
  "tests/browser/agent.test.ts",
  "tests/security/programs.test.ts",
  "tests/programs/openclaw/reloads.test.ts"
]

/** A fresh clone has not yet measured its files, and would begin with those that have the most lines. */
class LongFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = first.findIndex((path) => moduleId.endsWith(`/${path}`))
      return at === -1 ? first.length : at
    }
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other))
  }
}

// Most of the time that a program takes to start goes into the compiling of its modules. Tests start hundreds.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("./node_modules/.cache/node-compile", import.meta.url))

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/postgres/setup.ts", "tests/browser/setup.ts"],
    exclude: ["**/node_modules/**", "tests/openclaw/**", "tests/crash/**", ...long],
    // Each does in seconds what it does; a machine that is busy with other things is no reason to fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What the product logs is shown of a test that fails.
    silent: "passed-only",
    // Real sockets, a real browser and a real Postgres on a shared machine: a check says twice before it says no.
    retry: process.env["CI"] === undefined ? 0 : 1,
    pool: "forks",
    maxWorkers: 2,
    // Modules are loaded once for each worker and not once for each file, which was a fifth of all the work. So no file
    // may change its process (environment, folder, listeners, what a module holds) for those that come after it.
    isolate: false,
    sequence: { sequencer: LongFirst }
  }
})
