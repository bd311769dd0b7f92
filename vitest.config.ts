import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

/**
 * What takes long: how each place looks in every theme, width and language, whole ways through the page but for the
 * chat's, commands that start many programs, streams cut at every place, and random histories beside plain models.
 */
export const long = [
  "tests/browser/*[lL]ook.test.ts",
  "tests/browser/{agentWay,market,mine,work,worlds}.test.ts",
  "tests/layers/platform/**/*.model.test.ts",
  "tests/programs/{backup,claworld,register,tasks,upWork}.test.ts",
  "tests/programs/openclawInstaller/installer.test.ts",
  "tests/resume/cut.test.ts"
]

// Most of the time that a program takes to start goes into the compiling of its modules. Tests start hundreds.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("./node_modules/.cache/node-compile", import.meta.url))

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/postgres/setup.ts", "tests/browser/setup.ts"],
    exclude: ["**/node_modules/**", "tests/openclaw/**", "tests/crash/**", ...long],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What the product logs is shown of a test that fails.
    silent: "passed-only",
    // Real sockets, a real browser and a real Postgres on a shared machine: a check says twice before it says no.
    retry: process.env["CI"] === undefined ? 0 : 1,
    pool: "forks",
    maxWorkers: 2
  }
})
