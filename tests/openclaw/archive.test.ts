/** What the registry would get, installed by the host's own installer: compiled files alone, without the sources. */
import { spawnSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"

const project = fileURLToPath(new URL("../..", import.meta.url))
const host = join(project, "tests/openclaw/node_modules")

const surroundings =
  /^(?:npm_config_(?:registry|cache|userconfig|cafile)|https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_\w+)$/i

let folder: string
let archive: string

const run = (cwd: string, command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = process.env) =>
  spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 600_000 })

/** Built in a copy: the checkout's own dist is what others load just now. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "clawfiber-archive-"))
  const copy = join(folder, "package")
  mkdirSync(copy)
  for (const name of readdirSync(project)) {
    if (["node_modules", ".git", "dist", "tests", "bench"].includes(name)) continue
    cpSync(join(project, name), join(copy, name), { recursive: true })
  }
  symlinkSync(join(project, "node_modules"), join(copy, "node_modules"))
  const bin = join(project, "node_modules/.bin")
  run(copy, join(bin, "tsc"), ["-p", "tsconfig.build.json"])
  // The page as it was built before the tests.
  cpSync(join(project, "dist/ui"), join(copy, "dist/ui"), { recursive: true })
  const packed = run(copy, "npm", ["pack", "--ignore-scripts", "--pack-destination", folder])
  assert.strictEqual(packed.status, 0, packed.stderr)
  archive = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "none")
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

describe("the package as an archive", () => {
  it("is installed with clawfiber's installer, loads, and brings its skills", { timeout: 600_000 }, () => {
    const home = join(folder, "home")
    mkdirSync(home)
    const config = join(home, "openclaw.json")
    writeFileSync(config, `{ // mine\n  gateway: { mode: "local", port: 1 },\n}\n`)
    const env = {
      // The host's installer asks npm for our dependencies, over whatever proxy and registry this machine has.
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => surroundings.test(name))),
      PATH: `${join(host, ".bin")}:${process.env["PATH"] ?? ""}`,
      HOME: home,
      OPENCLAW_STATE_DIR: join(home, "state"),
      OPENCLAW_CONFIG_PATH: config,
      NO_COLOR: "1"
    }
    const clawfiber = (...args: ReadonlyArray<string>) =>
      run(home, process.execPath, [join(project, "src/main.ts"), "openclaw", ...args], env)
    const openclaw = (...args: ReadonlyArray<string>) =>
      run(home, process.execPath, [join(host, "openclaw/openclaw.mjs"), ...args], env)

    const installed = clawfiber("install", "--from", archive, "--yes")
    assert.strictEqual(installed.status, 0, `${installed.stderr}${installed.stdout}`)
    assert.include(readFileSync(config, "utf8"), "// mine")
    const copy = join(home, "state/extensions/clawfiber")
    assert.isFalse(existsSync(join(copy, "src")))

    const inspected = openclaw("plugins", "inspect", "clawfiber", "--runtime")
    assert.match(inspected.stdout, /^Status: loaded$/m, `${inspected.stdout}${inspected.stderr}`)
    assert.match(inspected.stdout, /^Source: .*dist\/programs\/openclaw\/index\.js$/m)
    const { stdout: skills } = openclaw("skills", "list", "--json")
    for (const skill of ["clawfiber-help", "clawfiber-tasks"]) assert.include(skills, `"${skill}"`)

    const again = clawfiber("install", "--yes")
    assert.strictEqual(again.status, 0, again.stderr)
    assert.include(again.stdout, "has all that is needed already")
    const removed = clawfiber("uninstall", "--yes")
    assert.strictEqual(removed.status, 0, removed.stderr)
    assert.isFalse(existsSync(copy))
    assert.include(readFileSync(config, "utf8"), "// mine")
    assert.notInclude(readFileSync(config, "utf8"), "instaclaw")
  })
})
