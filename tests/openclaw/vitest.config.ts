import { defineConfig } from "vitest/config"

export default defineConfig({
  // The plugin's own modules, where a test takes them up beside the host: with the host's SDK, as in the host.
  resolve: {
    alias: [
      {
        find: /^openclaw\/plugin-sdk\/(.*)$/,
        replacement: `${new URL("node_modules/openclaw/dist/plugin-sdk", import.meta.url).pathname}/$1.js`
      }
    ]
  },
  test: {
    root: new URL("../..", import.meta.url).pathname,
    include: ["tests/openclaw/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 420_000,
    // A real host on a shared machine: a check says twice before it says no.
    retry: process.env["CI"] === undefined ? 0 : 1,
    pool: "forks",
    // A gateway takes a gigabyte.
    fileParallelism: false
  }
})
