/** `clawfiber openclaw …` with the real host and its running gateway, and `openclaw instaclaw …` inside it. */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Gateway } from "./Gateway.ts"
import { Model } from "./Model.ts"
import { Platform } from "./Platform.ts"

const project = fileURLToPath(new URL("../..", import.meta.url))

let model: Model
let platform: Platform
let gateway: Gateway
let config: string
let before: string

beforeAll(async () => {
  model = await Model.start()
  platform = await Platform.start()
  gateway = await Gateway.make({ modelUrl: model.url, channel: {} })
  config = join(gateway.home, "openclaw.json")
  const { channels: _, plugins: __, ...rest } = JSON.parse(readFileSync(config, "utf8")) as Record<string, object>
  // A host that knows nothing of us, set up by a person who writes notes.
  before = `// My gateway.\n${JSON.stringify(rest, undefined, 2).replace(/\n}$/, `,\n  // Only what I trust.\n  plugins: { slots: { memory: "none" }, }, // and no memory\n}\n`)}`
  writeFileSync(config, before, { mode: 0o600 })
  await gateway.start()
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const clawfiber = async (...args: ReadonlyArray<string>): Promise<Ended> => {
  const child = spawn(process.execPath, [join(project, "src/main.ts"), "openclaw", ...args], {
    env: gateway.environment,
    cwd: gateway.home,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", (data) => (stdout += String(data)))
  child.stderr.on("data", (data) => (stderr += String(data)))
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
  return { code, stdout, stderr }
}

const eventsOf = ({ stdout }: Ended) =>
  stdout
    .trim()
    .split("\n")
    .map((line): Record<string, unknown> => JSON.parse(line))

const jsonOf = (output: string): Record<string, unknown> => JSON.parse(output.slice(output.search(/^\{/m)))

describe("the installer and the real host", () => {
  it("installs into the running gateway and keeps the notes; twice is once", { timeout: 300_000 }, async () => {
    const first = await clawfiber("install", "--url", platform.url, "--yes", "--json")
    assert.strictEqual(first.code, 0, `${first.stderr}${first.stdout}\n${gateway.output.join("")}`)
    const events = eventsOf(first)
    assert.deepStrictEqual(
      events.map(({ event }) => event),
      ["host", "difference", "written", "account"],
      `${first.stdout}\n${gateway.output.join("")}`
    )
    assert.include(events.at(-1), { channel: "instaclaw", account: "default", connected: false })
    const text = readFileSync(config, "utf8")
    for (const note of ["// My gateway.\n", "// Only what I trust.\n", "// and no memory\n"]) assert.include(text, note)

    const second = await clawfiber("install", "--url", platform.url, "--yes", "--json")
    assert.strictEqual(second.code, 0, second.stderr)
    assert.strictEqual(eventsOf(second)[1]?.["event"], "unchanged")
    assert.strictEqual(readFileSync(config, "utf8"), text)
  })

  it("registers by the host's own command line, after a yes, and is on the line", { timeout: 300_000 }, async () => {
    const shown = await gateway.cli("instaclaw", "register", "--name", "Counter", "--description", "Counts.", "--json")
    assert.strictEqual(shown.code, 1, shown.output)
    assert.include(shown.output, "Nothing was registered. Confirm it with --yes", gateway.output.join(""))
    const done = await gateway.cli(
      "instaclaw",
      "register",
      "--name",
      "Counter",
      "--description",
      "Counts.",
      "--yes",
      "--json"
    )
    assert.strictEqual(done.code, 0, done.output)
    const { claw_id: clawId, registered } = jsonOf(done.output)
    assert.isTrue(registered)
    const again = await gateway.cli("instaclaw", "register", "--name", "Second", "--yes")
    assert.strictEqual(again.code, 1)
    assert.include(again.output, `registered already, as ${String(clawId)}`)

    const deadline = Date.now() + 60_000
    for (;;) {
      const { channelAccounts } = (await gateway.call("channels.status")) as {
        readonly channelAccounts: { readonly instaclaw: ReadonlyArray<{ readonly connected: boolean }> }
      }
      if (channelAccounts.instaclaw[0]?.connected === true) break
      assert.isBelow(Date.now(), deadline, gateway.output.join(""))
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    const { output } = await gateway.cli("instaclaw", "status", "--json")
    const { accounts } = jsonOf(output)
    assert.include((accounts as ReadonlyArray<object>)[0], {
      id: "default",
      connected: true,
      phase: "registered",
      claw_id: clawId,
      todo: null
    })
    const looked = await gateway.cli("instaclaw", "doctor")
    assert.strictEqual(looked.code, 0, looked.output)
    assert.match(looked.output, /^good {5}line \(default\): On the line, by pings and pongs\.$/m)
  })

  it("brings its skills", { timeout: 60_000 }, async () => {
    const { output } = await gateway.cli("skills", "list", "--json")
    for (const skill of ["clawfiber-help", "clawfiber-tasks"]) assert.include(output, `"${skill}"`)
  })

  it("updates, and says that all is good", { timeout: 300_000 }, async () => {
    const updated = await clawfiber("update", "--json")
    assert.strictEqual(updated.code, 0, `${updated.stderr}${updated.stdout}`)
    const events = eventsOf(updated)
    assert.include(
      events.map(({ event }) => event),
      "unchanged"
    )
    const findings = events.filter(({ check }) => check !== undefined)
    assert.deepStrictEqual(
      findings.filter(({ state }) => state === "bad"),
      []
    )
    for (const check of ["openclaw", "config", "plugin", "channel", "gateway"]) {
      assert.include(
        findings.find((found) => found["check"] === check),
        { state: "good" },
        updated.stdout
      )
    }
  })

  it("is taken out again, to the byte", { timeout: 240_000 }, async () => {
    const { code, stderr } = await clawfiber("uninstall", "--yes")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(readFileSync(config, "utf8"), before)
    assert.deepStrictEqual(
      readdirSync(gateway.home).filter((name) => name.includes("before-clawfiber")),
      []
    )
    // The gateway lets it go, and goes on.
    const deadline = Date.now() + 60_000
    const accounts = async () => {
      const { channelAccounts } = (await gateway.call("channels.status")) as { readonly channelAccounts: object }
      return Object.keys(channelAccounts)
    }
    while ((await accounts()).includes("instaclaw") && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    assert.notInclude(await accounts(), "instaclaw")
  })
})
