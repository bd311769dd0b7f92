// Builds what the registry gets: JavaScript and types in dist/, and the page beside them.
import { spawnSync } from "node:child_process"
import { rmSync } from "node:fs"

const run = (command: string, ...args: ReadonlyArray<string>) => {
  const result = spawnSync(command, args, { stdio: "inherit", shell: process.platform === "win32" })
  if (result.status !== 0) process.exit(result.status ?? 1)
}

rmSync("dist", { recursive: true, force: true })
run("tsc", "-p", "tsconfig.build.json")
run("npm", "run", "--silent", "build:ui")
