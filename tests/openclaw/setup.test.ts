/** `openclaw channels add --channel instaclaw` of the real host: flags become configuration, bad ones are refused. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Gateway } from "./Gateway.ts"
import { type Keys, Platform } from "./Platform.ts"

let platform: Platform
let gateway: Gateway
let keys: Keys

const project = process.env["CLAWFIBER_TEST_PLUGIN"] ?? fileURLToPath(new URL("../..", import.meta.url))

/** As an installed plugin: the host offers the flags of those alone, not of what `plugins.load.paths` names. */
const install = () => {
  const folder = join(gateway.home, "state", "extensions", "clawfiber")
  mkdirSync(folder, { recursive: true })
  for (const part of ["src", "package.json", "openclaw.plugin.json", "secret-contract-api.ts"]) {
    cpSync(join(project, part), join(folder, part), { recursive: true })
  }
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"))
  const file = join(gateway.home, "openclaw.json")
  const { plugins, ...rest } = JSON.parse(readFileSync(file, "utf8")) as { readonly plugins: { load?: unknown } }
  delete plugins.load
  writeFileSync(file, JSON.stringify({ ...rest, plugins }))
}

beforeAll(async () => {
  platform = await Platform.start()
  keys = await platform.register("Added")
  gateway = await Gateway.make({ modelUrl: "http://127.0.0.1:9/v1", channel: { enabled: true } })
  install()
})

afterAll(async () => {
  await platform?.stop()
  gateway?.remove()
})

const written = () => {
  const { channels } = JSON.parse(readFileSync(join(gateway.home, "openclaw.json"), "utf8")) as {
    readonly channels: { readonly instaclaw: Record<string, unknown> }
  }
  return channels.instaclaw
}

const add = (...flags: ReadonlyArray<string>) => gateway.cli("channels", "add", "--channel", "instaclaw", ...flags)

describe("channels add", () => {
  it("writes an account from flags, after asking the platform about the key", { timeout: 240_000 }, async () => {
    const done = await add("--ws-url", platform.url, "--app-key", keys.app_key, "--app-secret", keys.app_secret)
    assert.strictEqual(done.code, 0, done.output)
    assert.deepInclude(written(), {
      enabled: true,
      wsUrl: platform.url,
      appKey: keys.app_key,
      appSecret: keys.app_secret
    })
    assert.include(done.output, "takes the key")
    assert.notInclude(done.output, keys.app_secret)
  })

  it("refuses what cannot work, and writes nothing of it", { timeout: 240_000 }, async () => {
    const before = written()
    const refused = await add("--account", "half", "--app-key", "only-a-key")
    assert.notStrictEqual(refused.code, 0)
    assert.include(refused.output, "appKey without appSecret")
    assert.deepStrictEqual(written(), before)
  })

  it("adds a named account beside the base, its secret elsewhere", { timeout: 240_000 }, async () => {
    const done = await add("--account", "second", "--app-key", "k2", "--app-secret-env", "SECOND_SECRET")
    assert.strictEqual(done.code, 0, done.output)
    assert.deepInclude(written(), { appKey: keys.app_key })
    assert.deepInclude((written()["accounts"] as Record<string, object>)["second"], {
      appKey: "k2",
      appSecret: { source: "env", provider: "default", id: "SECOND_SECRET" }
    })
  })
})
