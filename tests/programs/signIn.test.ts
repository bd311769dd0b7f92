/** Who a person is on a platform, on the command line: signed in, said, signed out. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"

describe("sign-in", () => {
  const own = folder()
  const home = folder()
  let up: Served
  let url: string
  const at = { cwd: own.path }
  const kept = () => `${own.path}/.insta/people`

  beforeAll(async () => {
    up = await serve(["up", "--port", "0", "--agent", "none"], { cwd: home.path })
    url = String(up.event["url"])
  })
  afterAll(async () => {
    await up.stop("SIGKILL")
    own.remove()
    home.remove()
  })

  it("is nobody before", async () => {
    const { code, stderr } = await run(["whoami", "--url", url], at)
    assert.strictEqual(code, 1)
    assert.include(stderr, `clawfiber sign-in --url ${url}`)
  })

  it("law secret: keeps the token in one file of the owner's, and shows it nowhere", async () => {
    const { code, stderr, stdout } = await run(["sign-in", "--url", url, "--name", "Ann"], at)
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /^Signed in at http:\/\/127\.0\.0\.1:\d+ as Ann \(user_/)
    const [file = "", ...others] = readdirSync(kept())
    assert.lengthOf(others, 0)
    assert.strictEqual(statSync(`${kept()}/${file}`).mode & 0o777, 0o600)
    assert.strictEqual(statSync(kept()).mode & 0o777, 0o700)
    const { token } = JSON.parse(readFileSync(`${kept()}/${file}`, "utf8"))
    assert.notInclude(stdout + stderr, token)
    const who = await run(["whoami", "--json"], at)
    assert.deepInclude(JSON.parse(who.stdout), { event: "person", name: "Ann", from: "sign-in" })
    assert.notInclude(who.stdout + who.stderr, token)
  })

  it("takes a key from standard input, and none that is not good", async () => {
    const { token } = JSON.parse(readFileSync(`${kept()}/${readdirSync(kept())[0] ?? ""}`, "utf8"))
    const made = await fetch(new URL("/api/keys", url), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ name: "laptop" })
    })
    const key = /"(?:key|secret)":"([^"]{20,})"/.exec(await made.text())?.[1] ?? ""
    assert.notStrictEqual(key, "")
    const good = await run(["sign-in", "--url", url, "--key"], { ...at, input: `${key}\n` })
    assert.strictEqual(good.code, 0, good.stderr)
    assert.match(good.stdout, / as Ann /)
    assert.notInclude(good.stdout + good.stderr, key)
    const bad = await run(["sign-in", "--url", url, "--key"], { ...at, input: "no-such-key" })
    assert.strictEqual(bad.code, 1)
    assert.notInclude(bad.stderr, "no-such-key")
    const empty = await run(["sign-in", "--url", url, "--key"], { ...at, input: "" })
    assert.match(empty.stderr, /--key < key\.txt/)
    // What was there stays.
    assert.strictEqual((await run(["whoami"], at)).code, 0)
  })

  it("law secret: sends the token to no other platform, and none in clear to another machine", async () => {
    const seen: Array<string | undefined> = []
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(401, { "content-type": "application/json" }).end('{"code":40100,"message":"No."}')
    })
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const asked = await run(["tasks", "mine", "--url", elsewhere], at)
    assert.strictEqual(asked.code, 1)
    assert.match(asked.stderr, /Nobody is signed in at/)
    assert.deepStrictEqual(seen, [])
    other.close()
    const clear = await run(["whoami", "--url", "http://claw.example"], { ...at, env: { CLAWFIBER_TOKEN: "abc" } })
    assert.match(clear.stderr, /not encrypted and not on this machine/)
  })

  it("says how where no name is enough", async () => {
    const closed = createServer((_, response) =>
      response.writeHead(403, { "content-type": "application/json" }).end('{"code":40300,"message":"By key only."}')
    )
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve))
    const address = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`
    const { code, stderr } = await run(["sign-in", "--url", address], at)
    assert.strictEqual(code, 1)
    assert.match(stderr, /^By key only\..*--key < file-with-the-key/)
    closed.close()
  })

  it("forgets, and says so where a file is damaged", async () => {
    const file = `${kept()}/${readdirSync(kept())[0] ?? ""}`
    const before = readFileSync(file, "utf8")
    writeFileSync(file, "{")
    const damaged = await run(["whoami", "--url", url], at)
    assert.strictEqual(damaged.code, 1)
    assert.match(damaged.stderr, /clawfiber sign-in/)
    writeFileSync(file, before)
    assert.match((await run(["sign-out", "--url", url], at)).stdout, /^Signed out of/)
    assert.isFalse(existsSync(file))
    const again = await run(["sign-out", "--url", url], at)
    assert.strictEqual(again.code, 0)
    assert.match(again.stdout, /^Nobody was signed in/)
  })
})
