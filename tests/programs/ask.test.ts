/** The operator's own agent with all its tools: a scripted model over the real wire, real programs, a real platform. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { afterAll, beforeAll } from "vitest"
import * as ModelServer from "../layers/channel/agents/ModelServer.ts"
import { toolNames } from "../../src/services/protocol/WorldTools.ts"
import { folder, run, serve, type Served } from "./cli.ts"

describe("ask", () => {
  const home = folder()
  const own = folder()
  const running: Array<Served> = []
  let url = ""
  beforeAll(async () => {
    const platform = await serve(["platform", "--port", "0"], { cwd: home.path })
    running.push(platform)
    url = String(platform.event["url"])
  })
  afterAll(async () => {
    for (const served of running) await served.stop("SIGKILL")
    home.remove()
    own.remove()
  })

  it.live("a model does with the tools what its operator asks, and is told what came of it", () =>
    Effect.gen(function* () {
      const model = yield* ModelServer.make
      const options = {
        cwd: own.path,
        env: { OPENAI_BASE_URL: model.baseUrl, OPENAI_MODEL: "test-model" }
      }
      model.script(
        ModelServer.respondCalls("", [
          { id: "a", name: "write_file", arguments: JSON.stringify({ path: "output/note.md", text: "# Done" }) },
          { id: "b", name: "claworld_pair_agent", arguments: JSON.stringify({ accountId: "default" }) },
          { id: "c", name: "claworld_resolve_agent", arguments: "{}" }
        ]),
        ModelServer.respond("I wrote it, ", "and I am not in Claworld yet.")
      )
      const asked = yield* Effect.promise(() => run(["ask", "--url", url, "Write", "a", "note"], options))
      assert.strictEqual(asked.code, 0, asked.stderr)
      assert.strictEqual(asked.stdout, "I wrote it, and I am not in Claworld yet.\n")
      assert.include(asked.stderr, "write_file")
      assert.strictEqual(readFileSync(`${own.path}/.insta/desk/output/note.md`, "utf8"), "# Done")
      const tools = JSON.stringify(model.seen[0]?.body["tools"])
      for (const name of [...toolNames, "insta_list_tasks", "read_file"]) assert.include(tools, `"${name}"`)
      const second = JSON.stringify(model.seen[1]?.body)
      assert.include(second, "no identity in Claworld yet")
      assert.include(second, "unknown_tool")
    }).pipe(Effect.scoped)
  )

  it("without a model, or with nothing to do, it says so", async () => {
    const options = { cwd: own.path }
    const without = await run(["ask", "Hello"], options)
    assert.strictEqual(without.code, 1)
    assert.include(without.stderr, "OPENAI_API_KEY")
    const nothing = await run(["ask"], options)
    assert.strictEqual(nothing.code, 1)
    assert.include(nothing.stderr, "clawfiber ask")
  })
})
