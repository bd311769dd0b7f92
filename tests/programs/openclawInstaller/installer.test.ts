/** `clawfiber openclaw …` where things are not as they should be. With the real host: tests/openclaw. */
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { afterEach } from "vitest"
import { folder, run } from "../cli.ts"
import { commands, FakeHost } from "./FakeHost.ts"

const text = `// my gateway
{
  gateway: { mode: 'local', auth: { token: "hush-hush" } }, // keep
  plugins: {
    allow: ["telegram"], // those I trust
  },
}
`

const made: Array<FakeHost> = []
const host = (...args: ConstructorParameters<typeof FakeHost>): FakeHost => {
  const fake = new FakeHost(...args)
  made.push(fake)
  return fake
}
afterEach(() => {
  for (const fake of made.splice(0)) fake.remove()
})

const backups = (fake: FakeHost) => readdirSync(fake.home).filter((name) => name.includes(".before-clawfiber-"))

describe("finding OpenClaw", () => {
  const nowhere = async (scripts: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) => {
    const { path, remove } = folder()
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(path, name, ".."), { recursive: true })
      writeFileSync(join(path, name), content)
    }
    const ended = await run(["openclaw", "doctor"], {
      cwd: path,
      env: { PATH: commands(path, { npm: `echo ${path}/npm`, ...scripts }) }
    })
    remove()
    return ended
  }

  it("says where it looked and how to get it, where there is none", async () => {
    const { code, stdout } = await nowhere({})
    assert.strictEqual(code, 1)
    assert.match(stdout, /OpenClaw was not found, neither on the PATH nor where npm installs.*npm install -g openclaw/)
  })

  it("knows npm's placeholder", async () => {
    const { code, stdout } = await nowhere(
      {},
      { "node_modules/openclaw/package.json": JSON.stringify({ name: "openclaw", version: "0.0.1" }) }
    )
    assert.strictEqual(code, 1)
    assert.match(stdout, /not OpenClaw but npm's empty placeholder \(0\.0\.1\).*Node 24/)
  })

  it("takes the one on the PATH, and says where it is too old", async () => {
    const { code, stdout } = await nowhere({ openclaw: `echo "OpenClaw 2026.9.5 (abc)"` })
    assert.strictEqual(code, 1)
    assert.match(stdout, /OpenClaw 2026\.9\.5 at .* is too old: clawfiber needs 2026\.9\.6 or later.*openclaw update/)
  })

  it("says what one says that does not run", async () => {
    const { code, stdout } = await nowhere({ openclaw: `echo "openclaw requires Node 22" >&2; exit 1` })
    assert.strictEqual(code, 1)
    assert.match(stdout, /does not say its version: openclaw requires Node 22/)
  })

  it("says where --openclaw leads nowhere", async () => {
    const { code, stderr } = await host(text).run("install", "--openclaw", "/nowhere/openclaw")
    assert.strictEqual(code, 1)
    assert.match(stderr, /^--openclaw names \/nowhere\/openclaw, and no OpenClaw is there\.\n$/)
  })
})

describe("installing", () => {
  it("shows the difference without what is secret, and changes nothing without a yes", async () => {
    const fake = host(text)
    const { code, stderr, stdout } = await fake.run("install")
    assert.strictEqual(code, 1)
    assert.match(stderr, /Nothing was changed\. Confirm it with --yes/)
    assert.match(stdout, /^ {2}- {5}allow: \["telegram"\], \/\/ those I trust$/m)
    assert.match(stdout, /^ {2}\+ {5}allow: \["telegram", "clawfiber"\], \/\/ those I trust$/m)
    assert.notInclude(stdout, "hush-hush")
    assert.strictEqual(fake.text, text)
    assert.deepStrictEqual(backups(fake), [])
  })

  it("keeps comments and order, changes nothing the second time, and undoes to the byte", async () => {
    const fake = host(text)
    chmodSync(fake.config, 0o640)
    const first = await fake.run("install", "--url", "http://127.0.0.1:8787", "--yes", "--json")
    assert.strictEqual(first.code, 0, first.stderr)
    const events = first.stdout
      .trim()
      .split("\n")
      .map((line): { readonly event: string } => JSON.parse(line))
    assert.deepStrictEqual(
      events.map(({ event }) => event),
      ["host", "difference", "written", "gateway"]
    )
    const installed = fake.text
    for (const kept of ["// my gateway", "mode: 'local'", "}, // keep", "// those I trust"])
      assert.include(installed, kept)
    assert.include(installed, `wsUrl: "ws://127.0.0.1:8787/ws/chat"`)
    assert.strictEqual(statSync(fake.config).mode & 0o777, 0o640)
    // A copy of a file with tokens in it is its owner's alone.
    assert.deepStrictEqual(
      backups(fake).map((name) => statSync(join(fake.home, name)).mode & 0o777),
      [0o600]
    )

    const second = await fake.run("install", "--yes")
    assert.strictEqual(second.code, 0, second.stderr)
    assert.match(second.stdout, /has all that is needed already/)
    assert.strictEqual(fake.text, installed)
    assert.strictEqual(backups(fake).length, 1)

    const other = await fake.run("install", "--url", "http://127.0.0.1:9999", "--yes")
    assert.strictEqual(other.code, 0, other.stderr)
    const undone = await fake.run("undo", "--yes")
    assert.strictEqual(undone.code, 0, undone.stderr)
    assert.strictEqual(fake.text, text)
    assert.deepStrictEqual(backups(fake), [])
  })

  it("takes out our keys alone where somebody has changed the file since, and keeps what it was", async () => {
    const fake = host(text)
    assert.strictEqual((await fake.run("install", "--yes")).code, 0)
    writeFileSync(fake.config, fake.text.replace("// my gateway", "// our gateway").replace("pairing", "open"))
    const { code, stderr } = await fake.run("uninstall", "--yes")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(fake.text, text.replace("// my gateway", "// our gateway"))
    assert.strictEqual(backups(fake).length, 2)
    const again = await fake.run("uninstall", "--yes")
    assert.strictEqual(again.code, 0)
  })

  it("writes nothing over what somebody else wrote in the meantime", async () => {
    const fake = host(text, { meanwhile: `fs.appendFileSync(config, "// theirs\\n")` })
    const { code, stderr } = await fake.run("install", "--yes")
    assert.strictEqual(code, 1)
    assert.match(stderr, /was changed by somebody else in the meantime\. Nothing was written/)
    assert.strictEqual(fake.text, `${text}// theirs\n`)
  })

  it("puts it back where the host does not take it", async () => {
    const fake = host(text, { issues: [{ path: "channels.instaclaw", message: "unknown channel" }] })
    const { code, stderr } = await fake.run("install", "--yes")
    assert.strictEqual(code, 1)
    assert.match(stderr, /so it is as it was before:\n {2}channels\.instaclaw: unknown channel/)
    assert.strictEqual(fake.text, text)
    assert.deepStrictEqual(backups(fake), [])
  })

  it("keeps the comments that the host's own installer loses", async () => {
    const fake = host(text, {
      installing: `value.plugins.entries = { clawfiber: { enabled: true } }; value.meta = { touched: "2026.9.6" }`
    })
    const archive = join(fake.home, "clawfiber-0.1.0.tgz")
    writeFileSync(archive, "")
    const { code, stderr } = await fake.run("install", "--from", "./clawfiber-0.1.0.tgz", "--yes")
    assert.strictEqual(code, 0, stderr)
    assert.include(fake.calls, `plugins install ${archive} --force --accept-capabilities`)
    for (const kept of ["// my gateway", "}, // keep", `"telegram", "clawfiber"], // those I trust`, "meta: {"]) {
      assert.include(fake.text, kept)
    }
    assert.notInclude(fake.text, "paths")
    assert.strictEqual((await fake.run("undo", "--yes")).code, 0)
    assert.strictEqual(fake.text, text)
  })

  it("uses a copy that the host has already", async () => {
    const fake = host(text, { plugin: { origin: "global", version: "0.1.0", enabled: true, status: "loaded" } })
    assert.strictEqual((await fake.run("install", "--yes")).code, 0)
    assert.notInclude(fake.text, "paths")
    assert.include(fake.text, "instaclaw")
  })

  for (const [name, config, words] of [
    ["a broken file", "{ gateway: { mode: }", /cannot be understood: .*\(1:\d+\).*Nothing was changed/],
    ["no file", undefined, /no configuration yet .* openclaw onboard/],
    [
      "a file that brings in another",
      `{ plugins: { $include: "./plugins.json5" } }`,
      /plugins is brought in.*\$include/
    ],
    ["plugins that are forbidden", `{ plugins: { deny: ["clawfiber"] } }`, /forbidden clawfiber/],
    ["a host without plugins", `{ plugins: { enabled: false } }`, /loads no plugins at all/],
    ["a part of another kind", `{ plugins: { load: [] } }`, /plugins\.load is no object/],
    ["a name that stands twice", `{ plugins: { allow: ["a"] }, plugins: { allow: ["b"] } }`, undefined]
  ] as const) {
    it(`${name}: a sentence, and nothing is changed`, async () => {
      const fake = host(config)
      const { code, stderr } = await fake.run("install", "--yes")
      // The last of two counts for every reader, and is the one that is edited.
      assert.strictEqual(code, words === undefined ? 0 : 1, stderr)
      if (words === undefined) return
      assert.match(stderr, words)
      assert.strictEqual(stderr.trim().split("\n").length, 1)
      if (config !== undefined) assert.strictEqual(fake.text, config)
    })
  }

  it("leaves a file alone that is read-only or managed elsewhere", async () => {
    const fake = host(text)
    chmodSync(fake.config, 0o400)
    const closed = await fake.run("install", "--yes")
    assert.strictEqual(closed.code, 1)
    assert.match(closed.stderr, /is read-only\. If it may be changed, run: chmod u\+w/)
    chmodSync(fake.config, 0o600)
    const managed = await fake.runWith({ OPENCLAW_CONFIG_READONLY: "1" }, "install", "--yes")
    assert.strictEqual(managed.code, 1)
    assert.match(managed.stderr, /^OPENCLAW_CONFIG_READONLY is set: .* not to be edited/)
    assert.strictEqual(fake.text, text)
  })

  it("puts Claworld in where it is asked for, keeps what it holds, and says what it lacks", async () => {
    const fake = host(text)
    const claworld = ["install", "--channel", "claworld", "--yes"]
    const nowhere = await fake.run(...claworld)
    assert.strictEqual(nowhere.code, 1)
    assert.match(nowhere.stderr, /Say it with --url/)
    const nameless = await fake.run(...claworld, "--url", "http://127.0.0.1:8787")
    assert.strictEqual(nameless.code, 1)
    assert.match(nameless.stderr, /Say it with --display-name/)
    const open = await fake.run(...claworld, "--url", "http://far.example", "--display-name", "Ada")
    assert.strictEqual(open.code, 1)
    assert.match(open.stderr, /no token is sent there/)
    const misplaced = await fake.run("install", "--agent-code", "ada", "--yes")
    assert.strictEqual(misplaced.code, 1)
    assert.match(misplaced.stderr, /--channel claworld/)
    assert.strictEqual(fake.text, text)

    const first = await fake.run(...claworld, "--url", "127.0.0.1:8787", "--display-name", "Ada", "--agent-code", "ada")
    assert.strictEqual(first.code, 0, first.stderr)
    const installed = fake.text
    assert.include(installed, `serverUrl: "http://127.0.0.1:8787/"`)
    assert.match(installed, /registration:\s*{\s*enabled: true,\s*displayName: "Ada",\s*agentCode: "ada"/)
    assert.notInclude(installed, "instaclaw")

    // Those that the host has are meant from now on.
    const again = await fake.run("install", "--yes")
    assert.strictEqual(again.code, 0, again.stderr)
    assert.strictEqual(fake.text, installed)
    const looked = await fake.run("doctor", "--json")
    assert.include(looked.stdout, "channels.claworld is there.")
    assert.notInclude(looked.stdout, "channels.instaclaw")
    assert.strictEqual((await fake.run("undo", "--yes")).code, 0)
    assert.strictEqual(fake.text, text)
  })

  it("refuses an address that no key may be sent to", async () => {
    const { code, stderr } = await host(text).run("install", "--url", "ws://claw.example", "--yes")
    assert.strictEqual(code, 1)
    assert.match(stderr, /is not encrypted and not on this machine/)
  })
})

describe("looking", () => {
  it("says of each thing whether it is good and what to do", async () => {
    const fake = host(text)
    const { code, stderr, stdout } = await fake.run("doctor", "--json")
    assert.strictEqual(code, 1)
    assert.match(stderr, /2 things are bad/)
    const findings = stdout
      .trim()
      .split("\n")
      .map((line): { readonly check: string; readonly state: string } => JSON.parse(line))
    assert.deepStrictEqual(
      findings.map(({ check, state }) => `${check} ${state}`),
      ["openclaw good", "config good", "plugin bad", "channel bad", "gateway unknown"]
    )
    assert.strictEqual(fake.text, text)
  })
})
