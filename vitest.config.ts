import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/postgres/setup.ts", "tests/browser/setup.ts"],
    exclude: ["**/node_modules/**", "tests/openclaw/**", "tests/crash/**"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Real sockets, a real browser and a real Postgres on a shared machine: a check says twice before it says no.
    retry: process.env["CI"] === undefined ? 0 : 1,
    pool: "forks",
    maxWorkers: 2
  }
})
