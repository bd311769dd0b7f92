/**
 * The commands on what a platform keeps, on the real command line beside a real platform. What they do is tried where
 * it is done (tests/layers/platform/stores); here it is their words, their exit codes and their place.
 */
import { readdirSync, statSync, writeFileSync } from "node:fs"
import { userInfo } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { afterAll, beforeAll } from "vitest"
import * as postgres from "../postgres/postgres.ts"
import { type Ended, folder, run, serve, type Served } from "./cli.ts"

const { path: cwd, remove } = folder()
afterAll(remove)

/** One sentence on standard error, nothing else, exit code 1. */
const refused = ({ code, stderr, stdout }: Ended, words: RegExp) => {
  assert.match(stderr, words)
  assert.strictEqual(stderr.trim().split("\n").length, 1, stderr)
  assert.strictEqual(stdout, "")
  assert.strictEqual(code, 1)
}

const event = ({ code, stderr, stdout }: Ended): Record<string, unknown> => {
  assert.strictEqual(code, 0, stderr)
  return JSON.parse(stdout)
}

const start = (data: string, env: Record<string, string> = {}) =>
  serve(["up", "--agent", "offline", "--port", "0", "--data", data], { cwd, env }, "connected")

const chat = async (served: Served): Promise<void> => {
  const url = String(served.events.find((event) => event["event"] === "ready")?.["url"])
  const { code, stderr } = await run(["chat", "--url", url, "Hello"], { cwd })
  assert.strictEqual(code, 0, stderr)
}

describe("beside a platform that runs", () => {
  let served: Served
  beforeAll(async () => {
    served = await start("data")
    await chat(served)
  })
  afterAll(() => served.stop())

  it("backs up, restores elsewhere, and not over it, not even by force", async () => {
    const made = event(await run(["backup", "b.tar.gz", "--data", "data", "--json"], { cwd }))
    assert.deepInclude(made, { event: "backup", file: "b.tar.gz", files: 0, missing: 0 })
    assert.strictEqual(statSync(`${cwd}/b.tar.gz`).mode & 0o777, 0o600)
    const [elsewhere, over] = await Promise.all([
      run(["restore", "b.tar.gz", "--data", "other", "--json"], { cwd }),
      run(["restore", "b.tar.gz", "--data", "data", "--force"], { cwd })
    ])
    assert.deepInclude(event(elsewhere), { event: "restored", rows: made["rows"] })
    refused(over, /^process \d+ on .* uses data already/)
  })

  it("gives a person out and deletes them", async () => {
    const name = userInfo().username
    const out = event(await run(["person", "export", name, "me.tar.gz", "--data", "data", "--json"], { cwd }))
    assert.deepInclude(out, { event: "exported", name, conversations: 1, messages: 1 })
    refused(await run(["person", "delete", name, "--data", "data"], { cwd }), /would be deleted .* Add --yes/)
    const gone = event(await run(["person", "delete", name, "--yes", "--data", "data", "--json"], { cwd }))
    assert.deepInclude(gone, { event: "deleted", name, conversations: 1 })
    refused(await run(["person", "export", name, "x.tar.gz", "--data", "data"], { cwd }), /^Nobody is called/)
  })
})

describe("where there is nothing to work on", () => {
  it("says so in one sentence, and makes nothing", async () => {
    writeFileSync(`${cwd}/notes.txt`, "These are notes.")
    // A bare DATABASE_URL is nobody's: the data folder is asked.
    const env = { DATABASE_URL: "postgres://a:hush@127.0.0.1:9/b" }
    const [backup, person, notes] = await Promise.all([
      run(["backup", "x.tar.gz", "--data", "nowhere"], { cwd, env }),
      run(["person", "delete", "Ann", "--yes", "--data", "nowhere"], { cwd }),
      run(["restore", "notes.txt", "--data", "new"], { cwd })
    ])
    refused(backup, /^There is no database in nowhere\..*--data/)
    refused(person, /^There is no database in nowhere/)
    refused(notes, /^notes\.txt is not a backup of clawfiber\. Nothing was changed\./)
    assert.isFalse(readdirSync(cwd).includes("nowhere"))
  })
})

describe("CLAWFIBER_DATABASE_URL", () => {
  it("that cannot be used is said at start, by name and without its password", async () => {
    const platform = (url: string, data: string) =>
      run(["platform", "--port", "0", "--data", data], { cwd, env: { CLAWFIBER_DATABASE_URL: url } })
    const [wrong, nobody] = await Promise.all([
      platform("mysql://a:hush@b/c", "pg1"),
      platform("postgres://a:hush@127.0.0.1:9/b", "pg2")
    ])
    refused(wrong, /^CLAWFIBER_DATABASE_URL holds something; allowed: an address like postgres:/)
    refused(nobody, /^No database answers at "127\.0\.0\.1:9\/b" \(ECONNREFUSED\)/)
    assert.notInclude(wrong.stderr + nobody.stderr, "hush")
  })

  describe.skipIf(postgres.missing !== undefined)("of a Postgres", () => {
    const scope = Scope.makeUnsafe()
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

    it("serves from what a backup of SQLite brought, and is not restored over while it serves", async () => {
      const address = await Effect.runPromise(Scope.provide(postgres.database, scope))
      const env = { CLAWFIBER_DATABASE_URL: address }
      const brought = event(await run(["restore", "b.tar.gz", "--data", "pg", "--json"], { cwd, env }))
      const served = await start("pg", env)
      try {
        await chat(served)
        const made = event(await run(["backup", "pg.tar.gz", "--data", "pg", "--json"], { cwd, env }))
        assert.isAbove(Number(made["rows"]), Number(brought["rows"]))
        const over = await run(["restore", "pg.tar.gz", "--data", "elsewhere", "--force"], { cwd, env })
        refused(over, /^A platform works on 127\.0\.0\.1:\d+\/d_/)
      } finally {
        const { code, stderr, stdout } = await served.stop()
        assert.strictEqual(code, 0, stderr)
        assert.notInclude(stderr + stdout, new URL(address).password)
      }
      assert.isFalse(readdirSync(`${cwd}/pg`).some((name) => name.startsWith("platform.sqlite")))
    })
  })
})
