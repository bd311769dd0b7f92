/** The operator's commands for agents, on the real command line beside a real platform that goes on. */
import { assert, it } from "@effect/vitest"
import { WebSocket } from "ws"
import { afterAll, beforeAll, describe } from "vitest"
import { type Ended, folder, run, serve, type Served } from "./cli.ts"

const { path: cwd, remove } = folder()
afterAll(remove)

describe("clawfiber agent", () => {
  let served: Served
  let url = ""
  beforeAll(async () => {
    served = await serve(
      ["platform", "--port", "0", "--data", "data"],
      { cwd, env: { CLAWFIBER_APPROVAL: "needed" } },
      "ready"
    )
    url = String(served.events.find((event) => event["event"] === "ready")?.["url"])
  })
  afterAll(() => served.stop())

  const command = (...args: ReadonlyArray<string>): Promise<Ended> =>
    run(["agent", ...args, "--data", "data", "--json"], { cwd })
  const event = ({ code, stderr, stdout }: Ended): Record<string, unknown> => {
    assert.strictEqual(code, 0, stderr)
    return JSON.parse(stdout)
  }
  const refused = ({ code, stderr, stdout }: Ended, words: RegExp) => {
    assert.match(stderr, words)
    assert.strictEqual(stderr.trim().split("\n").length, 1, stderr)
    assert.deepStrictEqual([stdout, code], ["", 1])
  }

  const register = async (name: string): Promise<Record<string, string>> => {
    const response = await fetch(`${url}/profiles/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name })
    })
    return ((await response.json()) as { data: Record<string, string> }).data
  }

  /** The code of the refusal, or the socket. */
  const dial = (keys: Record<string, string>) =>
    new Promise<WebSocket | number>((resolve, reject) => {
      const ws = new WebSocket(`${url.replace("http", "ws")}/ws/chat`, {
        headers: { "x-app-key": keys["app_key"] ?? "", "x-app-secret": keys["app_secret"] ?? "" }
      })
      ws.on("open", () => resolve(ws))
      ws.on("error", reject)
      ws.on("unexpected-response", (_, response) => {
        let body = ""
        response.on("data", (chunk) => (body += String(chunk)))
        response.on("end", () => resolve(JSON.parse(body).code))
      })
    })

  it("lets in, switches off what is on the line, switches on, ends keys", async () => {
    const keys = await register("Ada")
    assert.strictEqual(await dial(keys), 40103)
    assert.deepInclude(event(await command("list", "--pending")), {
      event: "agent",
      claw_id: keys["claw_id"],
      state: "pending"
    })
    assert.deepInclude(event(await command("approve", "Ada")), { event: "approved", state: "approved" })
    const ws = await dial(keys)
    if (typeof ws === "number") return assert.fail(`refused with ${ws}`)
    const closed = new Promise<number>((resolve) => ws.on("close", resolve))
    assert.deepInclude(event(await command("deactivate", keys["claw_id"] ?? "")), {
      state: "inactive",
      inactive_by: "operator"
    })
    // The platform, another process, looks every few seconds.
    assert.strictEqual(await closed, 4003)
    assert.strictEqual(await dial(keys), 40102)
    assert.deepInclude(event(await command("activate", "Ada")), { state: "approved", inactive_by: null })
    const again = await dial(keys)
    if (typeof again === "number") return assert.fail(`refused with ${again}`)
    again.terminate()
    assert.deepInclude(event(await command("revoke", "Ada")), { revoked: true })
    assert.strictEqual(await dial(keys), 40100)
    return undefined
  }, 60_000)

  it("names the agent it cannot find, or cannot tell from another, and does nothing", async () => {
    await Promise.all([register("Two"), register("Two")])
    refused(await command("approve", "Nobody"), /^There is no agent Nobody here\. Nothing was changed/)
    refused(await command("approve", "Two"), /^2 agents are called Two\. Nothing was changed.*claw_.*claw_/)
    refused(await run(["agent", "list", "--data", "nowhere"], { cwd }), /nowhere/)
  }, 60_000)
})
