/** The real command line against the real platform, on free ports, in folders of its own. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { afterAll, beforeAll } from "vitest"
import { folder, run, serve, type Served } from "./cli.ts"

const filesUnder = (path: string): Array<string> =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)

describe("up", () => {
  const own = folder()
  let up: Served
  let url: string
  const chat = (args: ReadonlyArray<string>, input?: string) =>
    run(["chat", "--url", url, ...args], { cwd: own.path, ...(input === undefined ? {} : { input }) })
  const profilePath = `${own.path}/.clawfiber/agent/.insta/config/profile.json`
  const profile = (): { app_key: string; app_secret: string; claw_id: string } =>
    JSON.parse(readFileSync(profilePath, "utf8"))

  beforeAll(async () => {
    up = await serve(["up", "--port", "0", "--agent", "offline"], { cwd: own.path }, "connected")
    url = String(up.events[0]?.["url"])
  })
  afterAll(async () => {
    await up.stop("SIGKILL")
    own.remove()
  })

  it("says that it is ready and that its agent is connected, one object a line", () => {
    assert.deepStrictEqual(
      up.events.map((event) => event["event"]),
      ["ready", "connected"]
    )
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.strictEqual(up.event["claw_id"], profile().claw_id)
    assert.match(String(up.event["agent"]), /offline/)
  })

  it("chat prints the reply and nothing else, and ends with 0", async () => {
    const { code, stderr, stdout } = await chat(["Good morning, you"])
    assert.strictEqual(stderr, "")
    assert.include(stdout, "Good morning, you")
    assert.isTrue(stdout.endsWith("\n"))
    assert.strictEqual(code, 0)
  })

  it("chat - takes the message from standard input", async () => {
    const { code, stdout } = await chat(["-"], "from the pipe\n")
    assert.include(stdout, "from the pipe")
    assert.strictEqual(code, 0)
  })

  it("chat --json prints every event of the reply: in sequence, one terminal, deltas that join to the text", async () => {
    const { code, stdout } = await chat(["--json", "count my words"])
    assert.strictEqual(code, 0)
    const [session, ...events] = stdout
      .trim()
      .split("\n")
      .map((line): Record<string, unknown> => JSON.parse(line))
    assert.strictEqual(session?.["event"], "session")
    assert.deepStrictEqual(
      events.map((event) => event["sequence_number"]),
      events.map((_, index) => index)
    )
    const joined = events
      .map((event) => (event["type"] === "response.output_text.delta" ? event["delta"] : ""))
      .join("")
    assert.strictEqual(events.find((event) => event["type"] === "response.output_text.done")?.["text"], joined)
    assert.strictEqual(events.at(-1)?.["type"], "response.completed")

    const again = await chat(["--session", String(session?.["session_id"]), "and again"])
    assert.strictEqual(again.code, 0)
    assert.include(again.stdout, "message 2 of this session")
  })

  for (const [args, words] of [
    [["--agent", "nobody", "hi"], /^There is no agent nobody at http.*There are: Claw \(/],
    [["--session", "nowhere", "hi"], /^There is no session nowhere of yours/],
    [["-"], /^The message is empty/]
  ] as const) {
    it(`chat ${args.join(" ")}: a sentence and 1`, async () => {
      const { code, stderr, stdout } = await chat(args, "")
      assert.match(stderr, words)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    })
  }

  it("doctor finds the platform well and its clock in step, and knocks without a key", async () => {
    const { stdout } = await run(["doctor", "--json", "--url", url], { cwd: own.path })
    const findings = new Map(
      stdout
        .trim()
        .split("\n")
        .map((line): [string, string] => {
          const { check, state }: { check: string; state: string } = JSON.parse(line)
          return [check, state]
        })
    )
    assert.deepInclude(Object.fromEntries(findings), {
      platform: "good",
      clock: "good",
      dns: "good",
      tls: "good",
      upgrade: "good",
      credentials: "unknown",
      data: "good"
    })
  })

  it("another program on the same folder, or on the same port, is turned away in a sentence", async () => {
    const sameFolder = await run(["platform", "--port", "0"], { cwd: own.path })
    assert.match(sameFolder.stderr, /^process \d+ on .* uses \.clawfiber already/)
    assert.strictEqual(sameFolder.code, 1)
    const samePort = await run(["platform", "--port", new URL(url).port, "--data", "other"], { cwd: own.path })
    assert.match(samePort.stderr, /^Port \d+ on 127\.0\.0\.1 is in use/)
    assert.strictEqual(samePort.code, 1)
    assert.isFalse(existsSync(`${own.path}/other/.lock`))
  })

  it("an agent of one's own joins by connect, replies, and two of one profile do not take the line from each other", async () => {
    const mine = folder()
    writeFileSync(
      `${mine.path}/echo.ts`,
      "export default async function* (turn: { text: string }) { yield 'echo: '; yield turn.text }\n"
    )
    const connected = await serve(
      ["connect", "--url", url, "--register", "Echo", "--agent", "./echo.ts"],
      { cwd: mine.path },
      "connected"
    )
    try {
      const { code, stdout } = await chat(["--agent", "echo", "over here"])
      assert.strictEqual(stdout, "echo: over here\n")
      assert.strictEqual(code, 0)
      assert.match((await chat(["hi"])).stderr, /^There are several agents: Claw \(.*Echo \(/)

      const second = await run(["connect", "--url", url], { cwd: mine.path })
      assert.match(second.stderr, /is on the line with this profile already/)
      assert.strictEqual(second.code, 1)
      const doctor = await run(["doctor", "--json", "--url", url], { cwd: mine.path })
      assert.match(
        doctor.stdout,
        /"check":"credentials","state":"unknown".*is on the line with this key, so it was not tried again/
      )
    } finally {
      const end = await connected.stop("SIGTERM")
      assert.strictEqual(end.code, 0)
      const { app_secret }: { app_secret: string } = JSON.parse(
        readFileSync(`${mine.path}/.insta/config/profile.json`, "utf8")
      )
      assert.notInclude(end.stdout + end.stderr, app_secret)
    }
    const alone = await run(["doctor", "--json", "--url", url], { cwd: mine.path })
    const found = Object.fromEntries(
      alone.stdout
        .trim()
        .split("\n")
        .map((line): [string, string] => {
          const { check, state }: { check: string; state: string } = JSON.parse(line)
          return [check, state]
        })
    )
    assert.deepInclude(found, {
      modes: "good",
      profile: "good",
      lock: "good",
      journal: "good",
      upgrade: "good",
      credentials: "good",
      ping: "good",
      message: "good"
    })
    assert.strictEqual(alone.code, 0, alone.stdout)
    assert.deepStrictEqual(
      // The journal's empty lock file stays: the system holds the lock, not the file.
      filesUnder(`${mine.path}/.insta`).filter((file) => /\.lock|\.tmp$/.test(file)),
      []
    )
    const away = await chat(["--agent", "Echo", "hi"])
    assert.match(away.stderr, /^Echo \(.*\) is not on the line just now/)
    assert.strictEqual(away.code, 1)
    mine.remove()
  })

  it("ends on a signal within two seconds with 0, leaves no lock, told no secret, and is the same agent again, also after kill -9", async () => {
    const before = profile()
    const end = await up.stop("SIGINT")
    assert.strictEqual(end.code, 0, end.stderr)
    assert.notInclude(end.stdout + end.stderr, before.app_secret)
    assert.isFalse(existsSync(`${own.path}/.clawfiber/.lock`))
    assert.strictEqual(statSync(`${own.path}/.clawfiber`).mode & 0o777, 0o700)
    assert.strictEqual(statSync(profilePath).mode & 0o777, 0o600)

    const env = { INSTACLAW_WS_URL: "nonsense", INSTACLAW_PROFILE_CREATE_URL: "https://claw.example/profiles/create" }
    const again = await serve(["up", "--port", "0", "--agent", "offline"], { cwd: own.path, env }, "connected")
    assert.strictEqual(again.event["claw_id"], before.claw_id)
    await again.stop("SIGKILL")
    assert.isTrue(existsSync(`${own.path}/.clawfiber/.lock`))

    const third = await serve(["up", "--port", "0", "--agent", "offline"], { cwd: own.path, env }, "connected")
    assert.strictEqual(third.event["claw_id"], before.claw_id)
    const stopped = await third.stop("SIGTERM")
    assert.strictEqual(stopped.code, 0)
    assert.deepStrictEqual(profile(), before)
    assert.isFalse(existsSync(`${own.path}/.insta`))
  })
})

describe("a signal in the middle of a reply", () => {
  const own = folder()
  afterAll(own.remove)

  it("the reply ends as INTERRUPTED in words, and the program within two seconds", async () => {
    writeFileSync(
      `${own.path}/slow.ts`,
      "export default async function* () { yield 'I begin'; await new Promise(() => setTimeout(() => {}, 1e9)) }\n"
    )
    const up = await serve(["up", "--port", "0", "--agent", "./slow.ts"], { cwd: own.path }, "connected")
    const chat = await serve(
      ["chat", "--url", String(up.events[0]?.["url"]), "hi"],
      { cwd: own.path },
      "response.output_text.delta"
    )
    const [end, chatEnd] = await Promise.all([up.stop("SIGINT"), chat.ended])
    assert.strictEqual(end.code, 0, end.stderr)
    assert.strictEqual(chatEnd.code, 1)
    assert.notStrictEqual(chatEnd.stderr, "")
    assert.strictEqual(chat.events.at(-1)?.["type"], "response.failed")
    assert.match(JSON.stringify(chat.events.at(-1)), /INTERRUPTED/)
  })
})

describe("who answers", () => {
  const own = folder()
  afterAll(own.remove)

  it("a model named in .env: said with its host at the start, asked with the key, which is told nowhere", async () => {
    const asked: Array<{ authorization: string | undefined; body: string }> = []
    const provider = createHttpServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => (body += String(chunk)))
      request.on("end", () => {
        asked.push({ authorization: request.headers.authorization, body })
        response.writeHead(200, { "content-type": "text/event-stream" })
        const chunk = (delta: object, finish: string | null) =>
          `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "tiny-1", choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
        response.end(`${chunk({ content: "from the " }, null)}${chunk({ content: "model" }, "stop")}data: [DONE]\n\n`)
      })
    })
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve))
    const address = provider.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    writeFileSync(
      `${own.path}/.env`,
      `OPENAI_BASE_URL=http://127.0.0.1:${port}/v1\nOPENAI_MODEL=tiny-1\nOPENAI_API=chat\nOPENAI_API_KEY=sk-hush-hush\nCLAWFIBER_SYSTEM_PROMPT="Be brief."\nCLAWFIBER_LOG=debug\n`
    )
    const up = await serve(["up", "--port", "0"], { cwd: own.path }, "connected")
    const chat = await run(["chat", "--url", String(up.events[0]?.["url"]), "who are you?"], { cwd: own.path })
    const end = await up.stop()
    provider.close()
    assert.include(String(up.event["agent"]), "tiny-1")
    assert.include(String(up.event["agent"]), "127.0.0.1")
    assert.strictEqual(chat.stdout, "from the model\n")
    assert.deepStrictEqual(
      asked.map(({ authorization }) => authorization),
      ["Bearer sk-hush-hush"]
    )
    assert.include(asked[0]?.body, "who are you?")
    assert.include(asked[0]?.body, "Be brief.")
    assert.notInclude(end.stdout + end.stderr + chat.stdout + chat.stderr, "hush")
    for (const file of filesUnder(`${own.path}/.clawfiber`))
      assert.notInclude(readFileSync(file, "latin1"), "hush", file)
  })

  it("the agent of the README, in a folder where nothing is installed", async () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
    const [, example = ""] = /```ts\n(\/\/ my-agent\.ts\n[^]*?)```/.exec(readme) ?? []
    writeFileSync(`${own.path}/my-agent.ts`, example)
    const up = await serve(
      ["up", "--port", "0", "--data", "r", "--agent", "./my-agent.ts"],
      { cwd: own.path },
      "connected"
    )
    const chat = await run(["chat", "--url", String(up.events[0]?.["url"]), "good day"], { cwd: own.path })
    assert.strictEqual(chat.stdout, "You said: good day\n")
    assert.strictEqual((await up.stop()).code, 0)
  })

  it("a reason of the contract that an agent's file throws is taken for what it is", async () => {
    writeFileSync(
      `${own.path}/busy.ts`,
      `import { AgentError, RateLimited } from "clawfiber/services/channel/AgentRuntime"
      export default () => { throw new AgentError({ reason: new RateLimited({ retryAfterSeconds: undefined }) }) }\n`
    )
    const up = await serve(["up", "--port", "0", "--data", "b", "--agent", "./busy.ts"], { cwd: own.path }, "connected")
    const chat = await run(["chat", "--json", "--url", String(up.events[0]?.["url"]), "hi"], { cwd: own.path })
    assert.include(chat.stdout, '"code":"RATE_LIMIT"')
    assert.strictEqual((await up.stop()).code, 0)
  })

  it("a command", async () => {
    const env = { OPENAI_MODEL: "", OPENAI_BASE_URL: "", OPENAI_API_KEY: "" }
    const up = await serve(
      ["up", "--port", "0", "--data", "d", "--exec", "tr a-z A-Z"],
      { cwd: own.path, env },
      "connected"
    )
    const chat = await run(["chat", "--url", String(up.events[0]?.["url"]), "loud please"], { cwd: own.path })
    assert.strictEqual(chat.stdout.trim(), "LOUD PLEASE")
    assert.strictEqual((await up.stop()).code, 0)
  })

  it("code of one's own that leaves a promise behind harms nobody; that throws between two turns, stops all in order", async () => {
    writeFileSync(
      `${own.path}/careless.ts`,
      `export default (turn: { text: string }) => {
        if (turn.text === "promise") void Promise.reject(new Error("left behind"))
        if (turn.text === "throw") setTimeout(() => { throw new Error("out of the blue") }, 1)
        return "said: " + turn.text
      }\n`
    )
    const up = await serve(
      ["up", "--port", "0", "--data", "c", "--agent", "./careless.ts"],
      { cwd: own.path },
      "connected"
    )
    const chat = (text: string) => run(["chat", "--url", String(up.events[0]?.["url"]), text], { cwd: own.path })
    assert.strictEqual((await chat("promise")).stdout, "said: promise\n")
    assert.strictEqual((await chat("again")).stdout, "said: again\n")
    await chat("throw")
    const end = await up.ended
    assert.strictEqual(end.code, 1)
    assert.match(end.stderr, /nobody waited for it: Error: left behind/)
    assert.match(end.stderr, /everything stops: Error: out of the blue/)
    assert.isFalse(existsSync(`${own.path}/c/.lock`))
  })

  it("nobody: the platform is up, and chat says that there is no agent", async () => {
    const up = await serve(["up", "--port", "0", "--data", "n", "--agent", "none"], { cwd: own.path })
    const { code, stderr } = await run(["chat", "--url", String(up.event["url"]), "hi"], { cwd: own.path })
    assert.match(stderr, /^There is no agent at http.* yet\. Connect one with: clawfiber connect --url http/)
    assert.strictEqual(code, 1)
    assert.strictEqual((await up.stop()).code, 0)
    assert.deepStrictEqual(
      up.events.map((event) => event["event"]),
      ["ready"]
    )
  })

  it("a mailbox holds as many messages, and as long, as the settings say", async () => {
    const env = { CLAWFIBER_MAILBOX_MAX_MESSAGES: "1", CLAWFIBER_MAILBOX_LIFETIME: "1000" }
    for (const command of [["up", "--agent", "none"], ["platform"]]) {
      const served = await serve([...command, "--port", "0", "--data", command[0]!], { cwd: own.path, env })
      const call = async (path: string, body?: unknown, token?: string) => {
        const response = await fetch(`${String(served.event["url"])}${path}`, {
          ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
          headers: {
            "content-type": "application/json",
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
          }
        })
        return JSON.parse(await response.text())
      }
      const { claw_id: model } = (await call("/profiles/create", { name: "Away" })).data
      const { token } = (await call("/api/sign-in", { name: "Ann" })).data
      const ask = () => call("/v1/responses", { model, input: "hi", background: true }, token)
      const first = await ask()
      assert.strictEqual(first.status, "queued")
      assert.match((await ask()).error.message, /^1 messages? already waits? for this agent/)
      const until = Date.now() + 10_000
      let now = first
      while (now.status === "queued" && Date.now() < until)
        now = await call(`/v1/responses/${first.id}`, undefined, token)
      assert.strictEqual(now.status, "failed")
      assert.strictEqual(now.error.code, "TIMEOUT")
      assert.strictEqual((await served.stop()).code, 0)
    }
  })

  it("a model without a key or a server of its own: a sentence", async () => {
    const env = { OPENAI_MODEL: "tiny-1", OPENAI_BASE_URL: "", OPENAI_API_KEY: "" }
    const { code, stderr } = await run(["up", "--port", "0", "--data", "e"], { cwd: own.path, env })
    assert.match(stderr, /^tiny-1 needs a key: set OPENAI_API_KEY/)
    assert.strictEqual(code, 1)
  })
})

describe("what cannot start says why", () => {
  const own = folder()
  afterAll(own.remove)

  it("an agent file that is not there, or is no agent: before anything is begun", async () => {
    writeFileSync(`${own.path}/nothing.ts`, "export const a = 1\n")
    const missing = await run(["up", "--port", "0", "--agent", "./missing.ts"], { cwd: own.path })
    assert.match(missing.stderr, /^There is no file \.\/missing\.ts/)
    const none = await run(["up", "--port", "0", "--agent", "./nothing.ts"], { cwd: own.path })
    assert.match(none.stderr, /^\.\/nothing\.ts is no agent/)
    assert.deepStrictEqual([missing.code, none.code, existsSync(`${own.path}/.clawfiber`)], [1, 1, false])
  })

  it("a data folder that is a file, a database that is none, a damaged profile, a profile of elsewhere", async () => {
    writeFileSync(`${own.path}/file`, "")
    const file = await run(["up", "--port", "0", "--data", "file"], { cwd: own.path })
    assert.match(file.stderr, /^file .*--data/)
    assert.strictEqual(file.code, 1)

    const up = await serve(["up", "--port", "0", "--agent", "offline"], { cwd: own.path }, "connected")
    await up.stop()
    const profile = `${own.path}/.clawfiber/agent/.insta/config/profile.json`
    const text = readFileSync(profile, "utf8")
    writeFileSync(profile, text.slice(0, 30))
    const damaged = await run(["up", "--port", "0", "--agent", "offline"], { cwd: own.path })
    assert.match(damaged.stderr, /\.clawfiber\/agent\/\.insta\/config\/profile\.json cannot be used/)
    assert.strictEqual(damaged.code, 1)

    writeFileSync(profile, text.replace(/"app_key": "[^"]*"/, '"app_key": "of-another-platform"'))
    const stranger = await run(["up", "--port", "0", "--agent", "offline"], { cwd: own.path })
    assert.match(stranger.stderr, /does not know the agent in .*Move .* away, and the next start registers a new agent/)
    assert.strictEqual(stranger.code, 1)

    writeFileSync(profile, text)
    writeFileSync(`${own.path}/.clawfiber/platform.sqlite`, "this is no database, not even a little one ".repeat(100))
    const broken = await run(["up", "--port", "0", "--agent", "offline"], { cwd: own.path })
    assert.match(broken.stderr, /platform\.sqlite.*is not a database/)
    assert.strictEqual(broken.code, 1)
  })

  it("a port that another program has", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const { code, stderr } = await run(["up", "--port", String(port), "--data", "p"], { cwd: own.path })
    server.close()
    assert.match(stderr, new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use by another program`))
    assert.strictEqual(code, 1)
  })
})
