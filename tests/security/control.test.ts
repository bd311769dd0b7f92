/** The operator's door: who may come in by it, and that no secret goes out by it. */
import { mkdtempSync, rmSync, statSync, chmodSync, writeFileSync, readFileSync } from "node:fs"
import { request } from "node:http"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import * as ControlDesk from "../../src/layers/channel/ControlDesk.ts"
import * as ControlGuards from "../../src/layers/channel/ControlGuards.ts"
import * as ControlRoutes from "../../src/layers/channel/ControlRoutes.ts"
import * as ControlServer from "../../src/layers/channel/ControlServer.ts"
import * as ControlToken from "../../src/layers/channel/ControlToken.ts"
import * as Server from "../../src/layers/platform/Server.ts"
import * as scripted from "../layers/channel/control/scripted.ts"

const token = Redacted.make("a-token-of-the-test")
const bearer = `Bearer ${Redacted.value(token)}`

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

/** As nobody's browser would let one: with any Host and Origin. `until`: hangs up once the text holds it. */
const ask = (
  url: string,
  path: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: string
    readonly until?: string
  } = {}
) =>
  new Promise<Answer>((resolve, reject) => {
    const asked = request(
      `${url}${path}`,
      { method: options.method ?? "GET", headers: { ...options.headers } },
      (response) => {
        let text = ""
        const done = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        response.on("data", (chunk) => {
          text += String(chunk)
          if (options.until !== undefined && text.includes(options.until)) {
            done()
            asked.destroy()
          }
        })
        response.on("end", done)
        response.on("error", () => {})
      }
    )
    asked.on("error", reject)
    asked.end(options.body)
  })

const codeOf = (answer: Answer): unknown => JSON.parse(answer.text).error.code

const desk = Effect.gen(function* () {
  const one = yield* scripted.account()
  const made = yield* ControlDesk.make({
    version: "1",
    settings: [{ name: "OPENAI_API_KEY", value: "set", source: "environment", description: "" }]
  })
  made.attach(
    yield* scripted.accounts([one]),
    scripted.methods([one], () => 0)
  )
  yield* one.goOnLine(scripted.profileOf(scripted.proposal), 0)
  return made
})

describe("the operator's door", () => {
  const scope = Scope.makeUnsafe()
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-control-"))
  let url = ""
  /** The same routes in a platform that listens beyond this machine. */
  let open = { port: 0, url: "" }

  beforeAll(async () => {
    const make = Effect.gen(function* () {
      const made = yield* desk
      const own = yield* ControlServer.make({ desk: made, token, port: 0, uiRoot: folder })
      const platform = yield* Layer.build(
        Server.layer({
          host: "0.0.0.0",
          port: 0,
          uiRoot: folder,
          control: ControlRoutes.layer({ desk: made, token })
        })
      )
      return { own: own.url, port: Context.get(platform, Server.Server).port }
    })
    const { own, port } = await Effect.runPromise(Scope.provide(make, scope))
    url = own
    open = { port, url: `http://127.0.0.1:${port}` }
  })
  afterAll(async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    rmSync(folder, { recursive: true, force: true })
  })

  const doors = ["/control/snapshot", "/control/stream", "/control/call", "/control/else"]

  it("opens to nobody without the token, and to nobody with another one", async () => {
    for (const place of [url, open.url]) {
      for (const path of doors) {
        const method = path.endsWith("call") ? "POST" : "GET"
        for (const [headers, status, code] of [
          [{}, 401, "no_token"],
          [{ authorization: "Basic YTpi" }, 401, "no_token"],
          [{ authorization: "Bearer wrong" }, 403, "wrong_token"],
          [{ authorization: `${bearer}x` }, 403, "wrong_token"]
        ] as const) {
          const answer = await ask(place, path, { method, headers: { ...headers } })
          assert.strictEqual(answer.status, status, path)
          assert.strictEqual(codeOf(answer), code)
          assert.isUndefined(answer.headers["access-control-allow-origin"])
        }
        // The token counts in Authorization alone: an address is logged, kept and sent on.
        const inQuery = await ask(place, `${path}?token=${Redacted.value(token)}`, { method })
        assert.strictEqual(inQuery.status, 401)
      }
    }
  })

  it("answers no foreign name and no foreign page, not even with the token", async () => {
    const port = new URL(url).port
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "192.168.1.7", "[::2]"]) {
      for (const path of [...doors, "/"]) {
        const answer = await ask(url, path, { headers: { host, authorization: bearer } })
        assert.strictEqual(answer.status, 421, `${host} ${path}`)
        assert.strictEqual(codeOf(answer), "foreign_host")
      }
    }
    for (const origin of ["https://evil.example", "http://127.0.0.1:1", "null", `http://localhost:${port}`]) {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const answer = await ask(url, "/control/call", { method, headers: { origin, authorization: bearer } })
        assert.strictEqual(answer.status, 403, origin)
        assert.strictEqual(codeOf(answer), "foreign_origin")
        assert.isUndefined(answer.headers["access-control-allow-origin"])
      }
    }
    const own = await ask(url, "/control/snapshot", { headers: { origin: url, authorization: bearer } })
    assert.strictEqual(own.status, 200)
  })

  it("is shut to other machines, also where the platform is open to them", async () => {
    const address = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal)?.address
    if (address !== undefined) {
      // The peer is then this address and no loopback one.
      const answer = await ask(`http://${address}:${open.port}`, "/control/snapshot", {
        headers: { authorization: bearer, host: `127.0.0.1:${open.port}` }
      })
      assert.strictEqual(answer.status, 403)
      assert.strictEqual(codeOf(answer), "not_local")
    }
    for (const header of ["x-forwarded-for", "forwarded", "x-real-ip", "via"]) {
      const answer = await ask(open.url, "/control/snapshot", {
        headers: { authorization: bearer, [header]: "127.0.0.1" }
      })
      assert.strictEqual(answer.status, 403, header)
      assert.strictEqual(codeOf(answer), "not_local")
    }
    assert.strictEqual((await ask(open.url, "/control/snapshot", { headers: { authorization: bearer } })).status, 200)
  })

  it("judges every kind of peer", () => {
    const headers = { host: "127.0.0.1:8788" }
    for (const peer of ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]) {
      assert.isUndefined(ControlGuards.ofPlace({ peer, headers }), peer)
    }
    for (const peer of [undefined, "", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "unix"]) {
      assert.strictEqual(ControlGuards.ofPlace({ peer, headers })?.code, "not_local", String(peer))
    }
  })

  it("takes bodies up to a bound, JSON alone, and answers in a sentence", async () => {
    const call = (body: string, headers: Record<string, string> = {}) =>
      ask(url, "/control/call", {
        method: "POST",
        body,
        headers: { authorization: bearer, "content-type": "application/json", ...headers }
      })
    const large = JSON.stringify({ method: "instaclaw.registration.get", params: { x: "x".repeat(300_000) } })
    for (const answer of [await call(large), await call(large, { "transfer-encoding": "chunked" })]) {
      assert.strictEqual(answer.status, 413)
      assert.strictEqual(codeOf(answer), "too_large")
    }
    for (const body of ["", "{", "[]", "null", '{"method":5}']) {
      assert.strictEqual(codeOf(await call(body)), "not_json", body)
    }
    assert.strictEqual((await call("{}", { "content-type": "text/plain" })).status, 415)
    assert.strictEqual(codeOf(await call('{"method":"nothing"}')), "unknown_method")
    assert.strictEqual(
      codeOf(await call('{"method":"instaclaw.registration.get","params":{"account_id":"x"}}')),
      "unknown_account"
    )
    const got = await call('{"method":"instaclaw.registration.get"}')
    assert.strictEqual(JSON.parse(got.text).result.phase, "registered")
  })

  it("gives out no secret (law secret)", async () => {
    for (const place of [url, open.url]) {
      const headers = { authorization: bearer }
      const answers = [
        await ask(place, "/control/snapshot", { headers }),
        await ask(place, "/control/stream", { headers, until: "\n\n" }),
        await ask(place, "/control/call", {
          method: "POST",
          body: '{"method":"instaclaw.registration.get"}',
          headers: { ...headers, "content-type": "application/json" }
        }),
        await ask(place, "/"),
        await ask(place, "/places.json")
      ]
      for (const answer of answers) {
        assert.strictEqual(answer.status, 200)
        const all = JSON.stringify(answer.headers) + answer.text
        assert.isFalse(all.includes(scripted.canary))
        assert.isFalse(all.includes("app_test"))
        assert.isFalse(all.includes(Redacted.value(token)))
      }
      assert.include(answers[0]?.text, "claw_test")
      assert.match(String(answers[1]?.headers["content-type"]), /^text\/event-stream/)
      assert.include(answers[1]?.text, "event: snapshot")
    }
  })

  it("has a page with the headers of a page, and no page under its doors", async () => {
    const page = await ask(url, "/")
    assert.match(String(page.headers["content-security-policy"]), /script-src 'self'/)
    for (const path of ["/api/agents", "/v1/models"]) assert.strictEqual((await ask(url, path)).status, 404)
    assert.deepStrictEqual(JSON.parse((await ask(url, "/places.json")).text), { places: ["agent"] })
    assert.deepStrictEqual(JSON.parse((await ask(open.url, "/places.json")).text), {
      places: ["chat", "market", "worlds", "agent"]
    })
  })

  it("is full at sixteen readers, and has room again when one leaves (law bounded)", async () => {
    const headers = { authorization: bearer }
    const hold = () =>
      new Promise<() => void>((resolve, reject) => {
        const asked = request(`${url}/control/stream`, { headers }, (response) => {
          response.once("data", () => resolve(() => asked.destroy()))
          response.on("error", () => {})
        })
        asked.on("error", reject)
        asked.end()
      })
    const held = await Promise.all(Array.from({ length: 16 }, hold))
    const full = await ask(url, "/control/stream", { headers })
    assert.strictEqual(full.status, 503)
    assert.strictEqual(codeOf(full), "unavailable")
    for (const leave of held) leave()
    for (let tries = 0; ; tries++) {
      const again = await ask(url, "/control/stream", { headers, until: "\n\n" })
      if (again.status === 200) break
      assert.isBelow(tries, 100, "no room was made")
    }
  })
})

describe("the control token", () => {
  const load = (root: string) =>
    Effect.runPromise(
      ControlToken.load(root).pipe(
        Effect.map(Redacted.value),
        Effect.provide([NodeFileSystem.layer, SecureRandom.layerWebCrypto])
      )
    )
  const root = join(mkdtempSync(join(tmpdir(), "clawfiber-token-")), ".insta")
  const path = join(root, "control.token")
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it("is 32 random bytes in a file of its owner alone, and stays the same", async () => {
    const first = await load(root)
    assert.strictEqual(Buffer.from(first, "base64url").length, 32)
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    assert.strictEqual(statSync(root).mode & 0o777, 0o700)
    assert.strictEqual(await load(root), first)
  })

  it("is drawn anew where others could read it, or where it is none", async () => {
    const first = await load(root)
    chmodSync(path, 0o644)
    const second = await load(root)
    assert.notStrictEqual(second, first)
    assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    for (const text of ["", "short", "x".repeat(43).replace("x", "/")]) {
      writeFileSync(path, text)
      assert.notStrictEqual(await load(root), text)
    }
    assert.strictEqual(readFileSync(path, "utf8").trim(), await load(root))
  })
})
