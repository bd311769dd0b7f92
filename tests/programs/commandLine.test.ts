import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { afterAll } from "vitest"
import { folder, run } from "./cli.ts"

const { path: cwd, remove } = folder()
afterAll(remove)

describe("the command line", () => {
  it("alone prints the help and is content", async () => {
    const { code, stderr, stdout } = await run([], { cwd })
    assert.strictEqual(code, 0)
    for (const command of ["up", "platform", "connect", "chat", "doctor"])
      assert.match(stdout, new RegExp(`\\n  ${command} `))
    assert.strictEqual(stderr, "")
  })

  for (const [args, words] of [
    [["up", "--prot", "1"], /^Unrecognized flag: --prot .*See: clawfiber up --help\n$/],
    [["frob"], /^Unknown subcommand "frob" .*See: clawfiber --help\n$/],
    [
      ["up", "--port", "70000"],
      /^Invalid value for flag --port: "70000".*between 0 and 65535.*See: clawfiber up --help\n$/
    ],
    [
      ["connect", "--agent", "a.ts", "--exec", "cat", "--url", "http://127.0.0.1:9"],
      /^--agent and --exec both say who answers/
    ],
    [
      ["chat", "--url", "http://127.0.0.1:9", "hi"],
      /^No platform answers at http:\/\/127\.0\.0\.1:9\. Start one with: clawfiber up/
    ],
    [["chat", "--url", "ftp://x", "hi"], /^ftp:\/\/x is no address of a platform/],
    [
      ["chat", "--url", "http://claw.example", "hi"],
      /^http:\/\/claw\.example is not encrypted and not on this machine: nobody signs in there/
    ],
    [["chat"], /^Say what to send/],
    [
      ["connect", "--url", "ws://claw.example/ws/chat"],
      /is not encrypted and not on this machine: no key is sent there/
    ],
    [["connect", "--account", "../up"], /^"\.\.\/up" cannot be the name of an account/],
    [["doctor", "--account", "a/b"], /^"a\/b" cannot be the name of an account/]
  ] as const) {
    it(`${args.join(" ")}: one sentence on standard error, exit code 1`, async () => {
      const { code, stderr, stdout } = await run(args, { cwd })
      assert.match(stderr, words)
      assert.strictEqual(stderr.trim().split("\n").length, 1)
      assert.strictEqual(stdout, "")
      assert.strictEqual(code, 1)
    })
  }

  it("lists all wrong variables at once, from the environment and from .env, and shows no secret", async () => {
    const own = folder()
    writeFileSync(
      `${own.path}/.env`,
      "CLAWFIBER_DIALECT=latin\nMAX_CONCURRENT_REQUESTS=none\nOPENAI_API_KEY=hush hush\n"
    )
    const { code, stderr, stdout } = await run(["connect"], {
      cwd: own.path,
      env: { MAX_CONCURRENT_REQUESTS: "0", SDK_REQUEST_TIMEOUT: "soon" }
    })
    own.remove()
    assert.strictEqual(code, 1)
    assert.match(stderr, /^4 settings cannot be used:/)
    assert.include(stderr, 'CLAWFIBER_DIALECT holds "latin"; allowed: one of')
    assert.include(stderr, 'MAX_CONCURRENT_REQUESTS holds "0"')
    assert.include(stderr, 'SDK_REQUEST_TIMEOUT holds "soon"')
    assert.include(stderr, "OPENAI_API_KEY holds something")
    assert.notInclude(stderr + stdout, "hush")
  })
})

describe("a profile of another platform", () => {
  const own = folder()
  afterAll(own.remove)
  mkdirSync(`${own.path}/.insta/config`, { recursive: true, mode: 0o700 })
  const file = `${own.path}/.insta/config/profile.json`
  const text = JSON.stringify({
    app_key: "key-of-claw",
    app_secret: "hush-hush",
    claw_id: "c-1",
    name: "Ada",
    origin: "https://claw.int-os.com"
  })
  writeFileSync(file, text, { mode: 0o600 })

  it("is not shown to a host that did not issue it, unless --trust-host", async () => {
    const { code, stderr } = await run(["connect", "--url", "http://127.0.0.1:9", "--no-control"], {
      cwd: own.path
    })
    assert.strictEqual(code, 1)
    assert.match(
      stderr,
      /was issued by https:\/\/claw\.int-os\.com, and http:\/\/127\.0\.0\.1:9 is another host.*--trust-host/
    )
    assert.strictEqual(readFileSync(file, "utf8"), text)
  })

  it("damaged: a sentence that names the file, and nothing of what is in it", async () => {
    writeFileSync(file, text.slice(0, 40))
    const { code, stderr, stdout } = await run(["connect", "--no-control"], { cwd: own.path })
    assert.strictEqual(code, 1)
    assert.match(stderr, /\n\.insta\/config\/profile\.json cannot be used: it is not whole JSON[^\n]*\n$/)
    assert.notInclude(stderr + stdout, "key-of-claw")
  })
})

describe("doctor", () => {
  it("says of each thing whether it is good, one object a line, and ends with 1 where something is bad", async () => {
    const own = folder()
    const { code, stderr, stdout } = await run(["doctor", "--json", "--url", "http://127.0.0.1:9"], {
      cwd: own.path,
      env: { MAX_CONCURRENT_REQUESTS: "0", CLAWFIBER_GRACE: "long" }
    })
    own.remove()
    assert.strictEqual(code, 1)
    const findings = stdout
      .trim()
      .split("\n")
      .map((line): { check: string; state: string; text: string } => JSON.parse(line))
    assert.deepStrictEqual(
      findings.map(({ check, state }) => `${check} ${state}`),
      [
        "version good",
        "node good",
        "settings bad",
        "settings bad",
        "data unknown",
        "journal unknown",
        "dns good",
        "tls good",
        "platform bad",
        "clock unknown",
        "modes unknown",
        "profile unknown",
        "lock good",
        "upgrade bad",
        "credentials unknown",
        "ping unknown",
        "message unknown",
        "claworld unknown",
        "model unknown"
      ]
    )
    assert.match(stderr, /^4 things are bad/)
  })
})
