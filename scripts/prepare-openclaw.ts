// What the tests in the real OpenClaw stand on. The host is kept apart from the project's own dependencies and installed
// on the first run (some 800 MB, half a minute); where the registry does not give it, that is said and nothing is tested.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"

const folder = "tests/openclaw"
const shell = process.platform === "win32"

if (!existsSync(`${folder}/node_modules/openclaw/openclaw.mjs`)) {
  console.log("Installing OpenClaw into tests/openclaw ...")
  const installed = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel", "error"], {
    cwd: folder,
    stdio: "inherit",
    shell
  })
  if (installed.status !== 0) {
    console.error("OpenClaw could not be installed, so the plugin was NOT tested in it. Look at the lines above.")
    process.exit(3)
  }
}
// What is built of an earlier state would be loaded instead of the sources; the page is always served as it was built.
const built = spawnSync("npm", ["run", "--silent", existsSync("dist/programs") ? "build" : "build:ui"], {
  stdio: "inherit",
  shell
})
process.exit(built.status ?? 1)
