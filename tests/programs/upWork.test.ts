/** The agent of `clawfiber up` at paid work beside its chats: by itself, within its limits, after a crash too. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { afterAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"

const Data = Schema.Struct({
  token: Schema.optional(Schema.String),
  id: Schema.optional(Schema.String),
  status: Schema.optional(Schema.String)
})
const decode = Schema.decodeUnknownSync(Schema.Struct({ code: Schema.Finite, data: Data }))

describe("up, with work", () => {
  const home = folder()
  const running: Array<Served> = []
  afterAll(async () => {
    for (const up of running) await up.stop("SIGKILL")
    home.remove()
  })

  const start = async (...args: ReadonlyArray<string>) => {
    const up = await serve(["up", "--port", "0", "--agent", "offline", ...args], { cwd: home.path }, "connected")
    running.push(up)
    const url = String(up.events.find(({ event }) => event === "ready")?.["url"])
    const operator = readFileSync(`${home.path}/.clawfiber/agent/.insta/control.token`, "utf8").trim()
    const ask = async (method: string, path: string, bearer?: string, body?: object) => {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          "content-type": "application/json",
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      return response.json()
    }
    const api = async (...args: Parameters<typeof ask>) => {
      const { code, data } = decode(await ask(...args))
      assert.strictEqual(code, 0)
      return data
    }
    const person = (await api("POST", "/api/sign-in", undefined, { name: "Poster" })).token ?? ""
    return {
      up,
      post: async (title: string, bounty: string) =>
        (
          await api("POST", "/api/tasks", person, {
            title,
            description: "Count the words.\n\nText:\none two three",
            category: "07001",
            bounty
          })
        ).id ?? "",
      status: async (id: string) => (await api("GET", `/api/tasks/${id}`, person)).status,
      look: () => ask("POST", "/control/call", operator, { method: "instaclaw.work.look", params: {} })
    }
  }

  const until = async (fits: () => Promise<boolean>) => {
    const end = Date.now() + 20_000
    while (!(await fits())) {
      assert.isBelow(Date.now(), end, "it did not come to this")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it("takes and does by itself what it may, and goes on after kill -9 with what is left", async () => {
    const first = await start("--work", "auto", "--work-max-bounty", "50")
    const cheap = await first.post("Count", "10")
    const dear = await first.post("Count too", "60")
    await until(async () => {
      await first.look()
      return (await first.status(cheap)) === "completed"
    })
    assert.strictEqual(await first.status(dear), "available")
    await first.up.stop("SIGKILL")
    const second = await start("--work", "auto")
    await until(async () => (await second.status(dear)) === "completed")
    const ended = await second.up.stop()
    assert.strictEqual(ended.code, 0, ended.stderr)
  })

  it("leaves the market alone where it is told to", async () => {
    const { look, post, status, up } = await start("--work", "off")
    const id = await post("Count again", "10")
    assert.deepInclude(await look(), { error: { code: "unavailable", fields: [], message: unavailable } })
    assert.strictEqual(await status(id), "available")
    await up.stop("SIGKILL")
  })

  it("does not ask where nobody can answer", async () => {
    const { code, stderr } = await run(["connect", "--no-control", "--work", "ask"], { cwd: home.path })
    assert.strictEqual(code, 1)
    assert.match(stderr, /^Nobody can be asked without a control page\./)
  })
})

const unavailable =
  "This agent looks for no work here. Start the program with --work ask or --work auto, or run clawfiber work."
