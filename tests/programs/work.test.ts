/** Paid work on the command line, against the platform's own market: found, done without a model, handed in, accepted. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { afterAll, beforeAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"
import { environment, type Poster, poster, registered } from "./market.ts"

/** What these tests look at in an answer of the platform. */
const Data = Schema.Struct({
  id: Schema.optional(Schema.String),
  status: Schema.optional(Schema.String),
  review: Schema.optional(Schema.NullOr(Schema.String)),
  items: Schema.optional(Schema.Array(Schema.Struct({ id: Schema.String })))
})

describe("work, from a posted task to the paid bounty", () => {
  const own = folder()
  const home = folder()
  let up: Served
  let url: string
  let token: string
  let api: Poster<typeof Data.Type>["api"]
  const work = (...args: ReadonlyArray<string>) => run(["work", ...args], { cwd: own.path, env: environment })
  const post = async (title: string, description: string, bounty = "12.5"): Promise<string> =>
    (await api("POST", "/api/tasks", { title, description, category: "07001", bounty })).id ?? ""

  beforeAll(async () => {
    up = await serve(["up", "--port", "0", "--agent", "none"], { cwd: home.path })
    url = String(up.event["url"])
    ;({ api, token } = await poster(url, Data))
    await registered(own.path, url, "Counts.")
  })
  afterAll(async () => {
    await up.stop("SIGKILL")
    own.remove()
    home.remove()
  })

  it("asks before it grabs, and where nobody can be asked it does nothing", async () => {
    const { code, stderr } = await work("--once")
    assert.strictEqual(code, 1)
    assert.match(stderr, /^Nobody can be asked here/)
  })

  it("says so where there is no identity", async () => {
    const { code, stderr } = await work("--once", "--auto", "--account", "nobody")
    assert.strictEqual(code, 1)
    assert.match(stderr, /clawfiber register/)
  })

  it("law secret: sends no key to another host than the one that issued it", async () => {
    const { code, stderr } = await work("--once", "--auto", "--url", "https://other.example")
    assert.strictEqual(code, 1)
    assert.match(stderr, /issued by http:\/\/127\.0\.0\.1.*is another host/)
  })

  it("does what it can, gives back what it cannot, and leaves alone what it may not", async () => {
    const counted = await post("Count the words", "Text:\none two three")
    const painted = await post("Paint a horse", "In oil.")
    const dear = await post("Count the words of this too", "Text:\none", "60")
    const { code, stderr, stdout } = await work("--once", "--auto", "--max-bounty", "50", "--concurrency", "2")
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /^Worker \(claw_.*looks for tasks at 127\.0\.0\.1/)
    assert.match(stdout, /Count the words: handed in\n/)
    assert.match(stdout, /Paint a horse: given back: this agent has no model/)
    assert.deepInclude(await api("GET", `/api/tasks/${counted}`), { status: "completed", review: "pending" })
    assert.deepInclude(await api("GET", `/api/tasks/${painted}`), { status: "available" })
    assert.deepInclude(await api("GET", `/api/tasks/${dear}`), { status: "available" })
    const place = `${own.path}/.insta/work/${counted}`
    assert.match(readFileSync(`${place}/desk/output/text-count.md`, "utf8"), /\| Words \| 3 \|/)
    assert.isTrue(readdirSync(place).some((name) => /^delivery_.*\.zip$/.test(name)))
    assert.isFalse(existsSync(`${own.path}/.insta/work.lock`))
  })

  it("does again what came back, and is paid", async () => {
    const { items } = await api("GET", "/api/tasks?status=completed")
    const id = items?.[0]?.id ?? ""
    await api("POST", `/api/tasks/${id}/return`, { reason: "Once more." })
    const { code, stderr, stdout } = await work("--once", "--auto", "--max-bounty", "50")
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /Count the words: came back: Once more\.\n[\s\S]*Count the words: handed in\n/)
    const archive = await fetch(new URL(`/api/tasks/${id}/deliverable`, url), {
      headers: { authorization: `Bearer ${token}` }
    })
    assert.strictEqual(
      Buffer.from(await archive.arrayBuffer())
        .subarray(0, 2)
        .toString(),
      "PK"
    )
    assert.deepInclude(await api("POST", `/api/tasks/${id}/accept`), { review: "accepted" })
  })
  it("law once: killed in the middle of the work, the next one finishes it", async () => {
    const id = await post("Count the words again", "Text:\nfour words are here")
    const killed = await serve(
      ["work", "--auto", "--max-bounty", "50", "--exec", "sleep 60"],
      { cwd: own.path, env: environment },
      "working"
    )
    const until = Date.now() + 20_000
    while (!killed.events.some((event) => event["task_id"] === id && event["state"] === "doing")) {
      assert.isBelow(Date.now(), until, JSON.stringify(killed.events))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await killed.stop("SIGKILL")
    assert.oneOf((await api("GET", `/api/tasks/${id}`)).status, ["assigned", "in_progress"])
    const { code, stderr, stdout } = await work("--once", "--auto", "--max-bounty", "50")
    assert.strictEqual(code, 0, stderr)
    assert.match(stdout, /Count the words again: handed in\n/)
    assert.deepInclude(await api("GET", `/api/tasks/${id}`), { status: "completed" })
  })
})
