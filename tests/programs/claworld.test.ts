/** Two agents in processes of their own, from nothing to a talk that has ended, by the commands alone. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"

const answers = {
  ada: [
    "headline=Runner with a weakness for old maps",
    "intent=Somebody to run with",
    "location=Shanghai",
    "interests=maps,running"
  ],
  bo: ["headline=Cartographer", "intent=People who love maps", "location=Shanghai", "interests=maps"]
}

describe("Claworld, from the command line", () => {
  const home = folder()
  const homes = { ada: folder(), bo: folder() }
  const running: Array<Served> = []
  const agents = new Map<string, Served>()
  let url = ""

  type Who = keyof typeof homes
  const options = (who: Who) => ({ cwd: homes[who].path, env: { CLAWFIBER_CLAWORLD_URL: url } })
  const ask = (who: Who, ...args: ReadonlyArray<string>) => run(args, options(who))
  const json = async (who: Who, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await ask(who, ...args, "--json")
    assert.strictEqual(code, 0, `${args.join(" ")}: ${stderr}`)
    return JSON.parse(stdout)
  }
  const connect = async (who: Who) => {
    const served = await serve(
      ["connect", "--url", url, "--register", who, "--agent", "offline", "--no-control"],
      options(who),
      "connected"
    )
    running.push(served)
    agents.set(who, served)
    return served
  }
  /** An event of another process: looked for until it is there. */
  const until = async <A>(look: () => Promise<A | undefined>): Promise<A> => {
    const end = Date.now() + 20_000
    for (;;) {
      const found = await look()
      if (found !== undefined) return found
      assert.isBelow(Date.now(), end, "it did not come to this")
    }
  }
  const request = async (who: Who, id: string) =>
    (await json(who, "chats", "list")).items.find((item: { chatRequestId: string }) => item.chatRequestId === id)

  beforeAll(async () => {
    const platform = await serve(["platform", "--port", "0"], { cwd: home.path })
    running.push(platform)
    url = String(platform.event["url"])
    await Promise.all([connect("ada"), connect("bo")])
    for (const who of ["ada", "bo"] as const) {
      await until(async () => ((await ask(who, "worlds", "list")).code === 0 ? true : undefined))
    }
  }, 60_000)
  afterAll(async () => {
    for (const served of running) await served.stop("SIGKILL")
    for (const one of [home, homes.ada, homes.bo]) one.remove()
  })

  it("an account gets its identity by itself from a service on this machine, and keeps it for itself alone", async () => {
    const file = `${homes.ada.path}/.insta/claworld.json`
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    assert.strictEqual(JSON.parse(readFileSync(file, "utf8")).address, "ada@claworld.local")
    const again = await ask("ada", "worlds", "activate")
    assert.strictEqual(again.code, 1)
    assert.include(again.stderr, "ada@claworld.local already")
  })

  it("doctor says whether there is an identity, whether the service answers, and whether it takes the token", async () => {
    const own = folder()
    const look = async (change?: (identity: Record<string, string>) => Record<string, string>) => {
      if (change !== undefined) {
        const identity = JSON.parse(readFileSync(`${homes.ada.path}/.insta/claworld.json`, "utf8"))
        mkdirSync(`${own.path}/.insta`, { recursive: true, mode: 0o700 })
        writeFileSync(`${own.path}/.insta/claworld.json`, JSON.stringify(change(identity)), { mode: 0o600 })
      }
      const { stderr, stdout } = await run(["doctor", "--json", "--url", url], { cwd: own.path })
      const findings = stdout
        .trim()
        .split("\n")
        .map((line): { check: string; state: string; text: string } => JSON.parse(line))
      return { all: stdout + stderr, found: findings.filter(({ check }) => check === "claworld" || check === "token") }
    }
    try {
      const words = ({ found }: Awaited<ReturnType<typeof look>>) =>
        found.map(({ check, state, text }) => `${check} ${state}: ${text}`).join("\n")
      assert.match(words(await look()), /^claworld unknown: No identity there; .*worlds activate$/)
      const well = await look((identity) => identity)
      assert.match(words(well), /^claworld good: ada is ada@claworld\.local at .*, online\.\ntoken good: .*taken\.$/)
      const refused = await look((identity) => ({ ...identity, app_token: "canary-of-a-token" }))
      assert.match(words(refused), /^claworld good: .* answers\.\ntoken bad: .*does not take the app token \(401\)/)
      assert.notInclude(refused.all, "canary-of-a-token")
      const other = await look((identity) => ({ ...identity, agent_id: "agt_other" }))
      assert.match(words(other), /\ntoken bad: .*but claworld\.json says agt_other/)
      const away = await look((identity) => ({ ...identity, server_url: "http://127.0.0.1:9/" }))
      assert.match(
        words(away),
        /^claworld bad: .*nobody answers at http:\/\/127\.0\.0\.1:9\..*\ntoken unknown: Not tried/
      )
      const clear = await look((identity) => ({ ...identity, server_url: "http://192.0.2.1/" }))
      assert.match(words(clear), /^claworld bad: .*no token is sent there.*\ntoken unknown: Not tried/)
      const damaged = await look(() => ({ server_url: url }))
      assert.match(words(damaged), /^claworld bad: .*claworld\.json cannot be used.*\ntoken unknown: Not tried/)
    } finally {
      own.remove()
    }
  })

  it("worlds are listed and shown, and one that asks for more says for what", async () => {
    assert.include((await ask("ada", "worlds", "list")).stdout, "dating-demo-world")
    assert.include((await ask("ada", "worlds", "show", "dating-demo-world")).stdout, "headline (required)")
    const { code, stderr } = await ask("ada", "worlds", "join", "dating-demo-world", "--answer", "headline=Hi there")
    assert.strictEqual(code, 1)
    for (const field of ["intent", "location"]) assert.include(stderr, field)
    const missing = await ask("ada", "worlds", "show", "no-such-world")
    assert.strictEqual(missing.code, 1)
    assert.notInclude(missing.stderr, "at ")
  })

  it("two enter, one asks, the other accepts, and the talk goes to its end with each turn once", async () => {
    for (const who of ["ada", "bo"] as const) {
      const { code, stderr } = await ask(
        who,
        "worlds",
        "join",
        "dating-demo-world",
        ...answers[who].flatMap((text) => ["--answer", text])
      )
      assert.strictEqual(code, 0, stderr)
    }
    const { candidates } = await json("ada", "worlds", "candidates", "dating-demo-world")
    assert.lengthOf(candidates, 1)
    assert.include(candidates[0].matchedFieldIds, "interests")
    const made = await json(
      "ada",
      "chats",
      "request",
      candidates[0].targetAgentId,
      "--world",
      "dating-demo-world",
      "--about",
      "Old railways on maps"
    )
    const id: string = made.chatRequest.chatRequestId
    assert.strictEqual((await request("bo", id)).direction, "inbound")
    assert.strictEqual((await ask("ada", "chats", "accept", id)).code, 1)
    await json("bo", "chats", "accept", id)
    // In the middle of it bo dies, and comes back.
    await until(async () => ((await request("ada", id)).conversation?.turn >= 2 ? true : undefined))
    await agents.get("bo")?.stop("SIGKILL")
    const back = await connect("bo")
    const ended = await until(async () => {
      const { conversation } = await request("ada", id)
      return conversation.status === "ended" ? conversation : undefined
    })
    assert.include(["hands", "silence"], ended.endReason)
    const seen = [await json("ada", "chats", "show", id), await json("bo", "chats", "show", id)]
    assert.deepStrictEqual(seen[0].turns, seen[1].turns)
    const turns: ReadonlyArray<{ turn: number; fromAgentId: string; text: string }> = seen[0].turns
    assert.deepStrictEqual(
      turns.map(({ turn }) => turn),
      turns.map((_, at) => at + 1)
    )
    for (const [at, { fromAgentId }] of turns.entries()) {
      assert.strictEqual(fromAgentId === turns[0]?.fromAgentId, at % 2 === 0)
    }
    assert.include(turns[0]?.text, "railways")
    assert.notInclude(JSON.stringify(turns), "[[")
    assert.include((await ask("bo", "chats", "show", id)).stdout, "1. ")
    assert.strictEqual((await back.stop()).code, 0)
  }, 60_000)

  it("one who is offline cannot be asked; feedback gets an id", async () => {
    const { code, stderr } = await ask("ada", "chats", "request", "agt_nobody")
    assert.strictEqual(code, 1)
    assert.match(stderr, /\S/)
    const kept = await json("ada", "feedback", "It works", "--category", "feature_request")
    assert.match(kept.feedbackId, /\S/)
    assert.strictEqual(kept.impact, "medium")
  })
})
