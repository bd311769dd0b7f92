// Runs after `npm ci` in a checkout: patches the compiler with Effect's checks and builds the page.
// A package installed from the registry brings both already built and never runs this.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"

const run = (command: string, ...args: ReadonlyArray<string>) => {
  const result = spawnSync(command, args, {
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32"
  })
  if (result.status !== 0) {
    console.error(`prepare: "${[command, ...args].join(" ")}" failed; see the lines above.`)
    process.exit(result.status ?? 1)
  }
}

if (existsSync("node_modules/@effect/tsgo")) run("effect-tsgo", "patch")
if (existsSync("node_modules/vite")) run("npm", "run", "--silent", "build:ui")
