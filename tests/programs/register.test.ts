/** The way to an identity on the command line: an empty folder, a proposal, a confirmation, the line; and its files by hand. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"

describe("an identity, from an empty folder to the line", () => {
  const own = folder()
  const home = folder()
  const profilePath = `${own.path}/.insta/config/profile.json`
  const profile = (): Record<string, unknown> => JSON.parse(readFileSync(profilePath, "utf8"))
  let up: Served
  let url: string
  let connected: Served
  const register = (...args: ReadonlyArray<string>) =>
    run(["register", "--url", url, ...args], { cwd: own.path, env: { OPENAI_API_KEY: "" } })
  /** The next event of this name, of those that come from now on or came after so many. */
  const event = async (name: string, after: number) => {
    const until = Date.now() + 20_000
    while (Date.now() < until) {
      const found = connected.events.slice(after).find((one) => one["event"] === name)
      if (found !== undefined) return found
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`no ${name} came: ${JSON.stringify(connected.events)}`)
  }
  const chat = (text: string) => run(["chat", "--url", url, text], { cwd: own.path })

  beforeAll(async () => {
    up = await serve(["up", "--port", "0", "--agent", "none"], { cwd: home.path })
    url = String(up.event["url"])
    writeFileSync(`${own.path}/README.md`, "# Weather bot\n\nTells people what the weather will be like.\n")
    connected = await serve(["connect", "--url", url, "--control-port", "0"], { cwd: own.path }, "pending")
  })
  afterAll(async () => {
    await connected.stop("SIGKILL")
    await up.stop("SIGKILL")
    own.remove()
    home.remove()
  })

  it("connect registers nothing by itself: it proposes, keeps that, and says where the control page is", () => {
    assert.deepInclude(connected.event["proposal"], { name: "Weather bot" })
    assert.match(String(connected.events[0]?.["url"]), /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.isFalse(existsSync(profilePath))
    assert.strictEqual(statSync(`${own.path}/.insta/pending.json`).mode & 0o777, 0o600)
    assert.notInclude(JSON.stringify(connected.events), "token")
  })

  it("register shows the proposal and does nothing without --yes", async () => {
    const { code, stderr, stdout } = await register()
    assert.match(stdout, /It would register as:\n {2}Name +Weather bot\n/)
    assert.match(stderr, /^Nothing was registered\. Confirm it with --yes/)
    assert.strictEqual(code, 1)
  })

  it("register names every field that cannot be taken by its flag", async () => {
    const { code, stderr } = await register(
      "--yes",
      "--tags",
      "1,2",
      "--rate",
      "a lot",
      "--avatar",
      "file:///etc/passwd"
    )
    assert.strictEqual(code, 1)
    for (const flag of ["--tags", "--rate", "--avatar"]) assert.include(stderr, `  ${flag}: `)
    assert.isFalse(existsSync(profilePath))
  })

  it("register --yes: the connect that runs is on the line, and people can chat", async () => {
    const { code, stdout } = await register("--yes", "--json", "--rate", "12", "--custom-tags", "rain, sun")
    assert.strictEqual(code, 0)
    const told: Record<string, unknown> = JSON.parse(stdout)
    assert.deepInclude(told, { event: "registered", account: "default", name: "Weather bot" })
    const online = await event("connected", 0)
    assert.strictEqual(online["claw_id"], told["claw_id"])
    assert.deepInclude(profile(), { hourly_rate: 12, custom_tags: ["rain", "sun"] })
    assert.isFalse(existsSync(`${own.path}/.insta/pending.json`))
    assert.strictEqual((await chat("good morning")).code, 0)
    const again = await register("--yes")
    assert.match(again.stderr, /^This agent is registered already, as Weather bot \(/)
    assert.strictEqual(again.code, 1)
  })

  it("a file taken away takes the agent off the line, and back brings it back; another key is another line", async () => {
    const before = connected.events.length
    renameSync(profilePath, `${own.path}/away.json`)
    const until = Date.now() + 20_000
    let away = await chat("still there?")
    while (away.code === 0 && Date.now() < until) away = await chat("still there?")
    assert.match(away.stderr, /is not on the line just now/)
    renameSync(`${own.path}/away.json`, profilePath)
    await event("connected", before)
    assert.strictEqual((await chat("back again?")).code, 0)

    const other = folder()
    assert.strictEqual(
      (await run(["register", "--url", url, "--name", "Second", "--yes"], { cwd: other.path })).code,
      0
    )
    const count = connected.events.length
    renameSync(`${other.path}/.insta/config/profile.json`, profilePath)
    const online = await event("connected", count)
    assert.strictEqual(online["name"], "Second")
    other.remove()
  })

  it("ends in order, and leaves no lock behind", async () => {
    const end = await connected.stop("SIGTERM")
    assert.strictEqual(end.code, 0, end.stderr)
    assert.isFalse(existsSync(`${own.path}/.insta/.line.lock`))
  })
})

describe("several accounts in one process", () => {
  const own = folder()
  const home = folder()
  let up: Served
  afterAll(async () => {
    await up.stop("SIGKILL")
    own.remove()
    home.remove()
  })

  it("are all on the line; one that is stuck does not end the others", async () => {
    up = await serve(["up", "--port", "0", "--agent", "none"], { cwd: home.path })
    const url = String(up.event["url"])
    for (const id of ["ada", "bob"]) {
      const { code, stderr } = await run(["register", "--url", url, "--account", id, "--name", id, "--yes"], {
        cwd: own.path
      })
      assert.strictEqual(code, 0, stderr)
    }
    const bob = `${own.path}/.insta/accounts/bob/config/profile.json`
    const text = readFileSync(bob, "utf8")
    writeFileSync(bob, text.replace(/"origin": "[^"]*"/, '"origin": "https://elsewhere.example"'))
    const connected = await serve(["connect", "--url", url, "--no-control"], { cwd: own.path }, "stuck")
    assert.strictEqual(connected.event["account"], "bob")
    assert.match(String(connected.event["message"]), /was issued by https:\/\/elsewhere\.example/)
    const chat = await run(["chat", "--url", url, "--agent", "ada", "hello"], { cwd: own.path })
    assert.strictEqual(chat.code, 0, chat.stderr)
    writeFileSync(bob, text)
    const until = Date.now() + 20_000
    const both = () => connected.events.filter((one) => one["event"] === "connected").map((one) => one["account"])
    while (both().length < 2 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepStrictEqual(both().toSorted(), ["ada", "bob"])
    assert.strictEqual((await connected.stop()).code, 0)
    assert.isTrue(existsSync(`${own.path}/.insta/journal.sqlite`))
    assert.isFalse(existsSync(`${own.path}/.insta/accounts/ada/journal.sqlite`))

    const one = await serve(
      ["connect", "--url", url, "--account", "bob", "--no-control"],
      { cwd: own.path },
      "connected"
    )
    assert.strictEqual(one.event["account"], "bob")
    const second = await run(["connect", "--url", url, "--no-control"], { cwd: own.path })
    assert.match(second.stderr, /^process \d+ on .* is on the line with this profile already/)
    assert.strictEqual(second.code, 1)
    assert.strictEqual((await one.stop()).code, 0)
  })
})
