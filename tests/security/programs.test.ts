/** What a program does not do without being told to, and whose files it takes for its own. */
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { folder, run, serve } from "../programs/cli.ts"

let own: ReturnType<typeof folder>
beforeEach(() => {
  own = folder()
})
afterEach(() => own.remove())

describe("the network", () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    it(`is not listened to on ${host} without --allow-network, which says what it means`, async () => {
      for (const command of ["up", "platform"]) {
        const { code, stderr, stdout } = await run([command, "--host", host, "--port", "0"], { cwd: own.path })
        assert.strictEqual(code, 1)
        assert.include(stderr, "--allow-network")
        assert.include(stderr, "in clear")
        assert.notInclude(stdout, "is up")
      }
    })
  }

  it("is listened to with it, and that keys travel in clear is said again", async () => {
    const up = await serve(["platform", "--host", "0.0.0.0", "--port", "0", "--allow-network"], { cwd: own.path })
    const url = String(up.event["url"])
    assert.strictEqual((await fetch(`${url}/healthz`)).status, 200)
    assert.strictEqual((await up.stop()).code, 0)
    const help = await run(["platform", "--help"], { cwd: own.path })
    assert.match(help.stdout, /--allow-network/)
    assert.match(help.stdout, /--behind-proxy/)
  })

  it("an issuer without an audience, or an audience without an issuer, stops the start", async () => {
    for (const env of [
      { CLAWFIBER_ISSUER: "https://issuer.example" },
      { CLAWFIBER_ISSUER_AUDIENCE: "here" },
      { CLAWFIBER_ISSUER: "http://issuer.example", CLAWFIBER_ISSUER_AUDIENCE: "here" }
    ] as ReadonlyArray<Record<string, string>>) {
      const { code, stderr } = await run(["platform", "--port", "0"], { cwd: own.path, env })
      assert.strictEqual(code, 1)
      assert.include(stderr, "CLAWFIBER_ISSUER")
    }
  })

  it("the limits of the environment hold", async () => {
    const env = { CLAWFIBER_RATE_SIGN_IN: "1", CLAWFIBER_RATE_LOOPBACK: "on", CLAWFIBER_MAX_BODY_BYTES: "16384" }
    const up = await serve(["platform", "--port", "0"], { cwd: own.path, env })
    const signIn = (name: string) =>
      fetch(`${String(up.event["url"])}/api/sign-in`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name })
      })
    assert.strictEqual((await signIn("x".repeat(20_000))).status, 413)
    assert.strictEqual((await signIn("Ann")).status, 200)
    assert.strictEqual((await signIn("Ann")).status, 429)
    await up.stop()
  })
})

describe.skipIf(process.getuid === undefined)("files", () => {
  const data = () => `${own.path}/.clawfiber`

  it("that others could read are shut, and that is said", async () => {
    mkdirSync(data(), { mode: 0o755 })
    chmodSync(data(), 0o755)
    const up = await serve(["platform", "--port", "0"], { cwd: own.path })
    assert.strictEqual(statSync(data()).mode & 0o777, 0o700)
    for (const name of ["platform.sqlite", "platform.sqlite-wal", ".lock"]) {
      assert.strictEqual(statSync(`${data()}/${name}`).mode & 0o077, 0, name)
    }
    assert.include((await up.stop()).stderr, "open to other users")
  })

  it("a .env that others can read is told of, by the names of what it holds", async () => {
    writeFileSync(`${own.path}/.env`, "CLAWFIBER_TOKEN=ck_of-nobody-at-all\nCLAWFIBER_LOG=info\n", { mode: 0o644 })
    chmodSync(`${own.path}/.env`, 0o644)
    const told = async () => (await (await serve(["platform", "--port", "0"], { cwd: own.path })).stop()).stderr
    const loose = await told()
    assert.match(loose, /CLAWFIBER_TOKEN.*chmod 600 \.env/)
    assert.notInclude(loose, "ck_of-nobody-at-all")
    chmodSync(`${own.path}/.env`, 0o600)
    assert.notInclude(await told(), "chmod")
  })

  // Only root can give a folder away.
  it.skipIf(process.getuid?.() !== 0)("of another user are not taken for our own", async () => {
    mkdirSync(data(), { mode: 0o700 })
    chownSync(data(), 65_534, 65_534)
    const { code, stderr } = await run(["platform", "--port", "0"], { cwd: own.path })
    assert.strictEqual(code, 1)
    assert.include(stderr, "belongs to another user")
  })
})

describe("a collector", () => {
  const collector = async () => {
    const asked: Array<string> = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? "")
      request.resume()
      request.on("end", () => response.writeHead(200).end())
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { asked, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  it("gets traces, metrics and the log where it is named, and only then; a stop is not kept by it", async () => {
    const { asked, server, url } = await collector()
    const quiet = await serve(["platform", "--port", "0"], { cwd: own.path, env: { OTEL_TRACES_EXPORTER: "otlp" } })
    await fetch(`${String(quiet.event["url"])}/docs`)
    await quiet.stop()
    assert.deepStrictEqual(asked, [])
    const loud = await serve(["platform", "--port", "0"], { cwd: own.path, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    await fetch(`${String(loud.event["url"])}/docs`)
    assert.strictEqual((await loud.stop()).code, 0)
    for (const path of ["/v1/traces", "/v1/metrics"]) assert.include(asked, path)
    server.close()
    server.closeAllConnections()
    const alone = await serve(["platform", "--port", "0"], { cwd: own.path, env: { OTEL_EXPORTER_OTLP_ENDPOINT: url } })
    await fetch(`${String(alone.event["url"])}/docs`)
    assert.strictEqual((await alone.stop()).code, 0)
  })

  it("elsewhere gets no headers in clear, and nothing that is no address", async () => {
    for (const env of [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.example:4318", OTEL_EXPORTER_OTLP_HEADERS: "authorization=abc" },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "collector" },
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }
    ] as ReadonlyArray<Record<string, string>>) {
      const up = await serve(["platform", "--port", "0"], { cwd: own.path, env })
      const { code, stderr } = await up.stop()
      assert.strictEqual(code, 0)
      assert.include(stderr, "Nothing is sent to OTEL_EXPORTER_OTLP_ENDPOINT")
      assert.notInclude(stderr, "authorization=abc")
    }
  })
})
