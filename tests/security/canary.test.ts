/**
 * Law secret: known secrets go through everything, and every byte that comes out is searched for them: standard output
 * and error at `trace`, answers, frames, metrics, the page, what a collector gets, and what is kept on disk.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { WebSocket } from "ws"
import { run, serve, type Served } from "../programs/cli.ts"

const listen = async (answer: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void) => {
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => answer(request, Buffer.concat(chunks), response))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}

const modelKey = "sk-canary-0f3a9c5d7e1b2846-model"
const collectorKey = "canary-collector-77aa10c4"

describe("canary", () => {
  const cwd = mkdtempSync(join(tmpdir(), "clawfiber-canary-"))
  /** Everything that came out, by where. */
  const seen: Array<readonly [where: string, bytes: Buffer]> = []
  const secrets = new Map<string, string>()
  const collected: Array<string> = []
  const closers: Array<() => void> = []
  let up: Served | undefined

  const note = (where: string, text: string | Buffer): void => void seen.push([where, Buffer.from(text)])

  /** The answer is searched, but for those few that give out a secret. */
  // oxlint-disable-next-line typescript/no-explicit-any -- answers as a stranger reads them
  const ask = async (url: string, path: string, init: RequestInit = {}, issues?: string): Promise<any> => {
    const response = await fetch(url + path, {
      ...init,
      headers: { ...(init.body === undefined ? {} : { "content-type": "application/json" }), ...init.headers }
    })
    const text = await response.text()
    const headers = JSON.stringify([...response.headers])
    note(`headers of ${path}`, headers)
    if (issues === undefined) note(`answer of ${path}`, text)
    return text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text
  }
  const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    method: "POST",
    body: JSON.stringify(body),
    headers
  })

  /** All frames of a socket until one fits. */
  const socket = (url: string, headers: Record<string, string>, first: ReadonlyArray<object>, last: RegExp) =>
    new Promise<void>((resolve) => {
      const ws = new WebSocket(url.replace("http", "ws"), { headers })
      ws.on("open", () => {
        for (const frame of first) ws.send(JSON.stringify(frame))
      })
      ws.on("message", (data) => {
        note("frame", String(data))
        if (last.test(String(data))) ws.close()
      })
      ws.on("unexpected-response", (_, response) => {
        response.on("data", (chunk: Buffer) => note("refused upgrade", chunk))
        response.on("end", () => resolve())
      })
      ws.on("close", (_, reason) => {
        note("close reason", reason)
        resolve()
      })
      ws.on("error", () => {})
    })

  const start = async (env: Record<string, string>) => {
    up = await serve(["up", "--port", "0"], { cwd, env }, "connected")
    return String(up.events[0]?.["url"])
  }
  const stop = async () => {
    const end = await up?.stop()
    up = undefined
    assert.strictEqual(end?.code, 0)
    note("standard output of up", end?.stdout ?? "")
    note("standard error of up", end?.stderr ?? "")
  }

  beforeAll(async () => {
    // A provider that, like some real ones, says the key back in its error.
    const model = await listen((request, body, response) => {
      const key = String(request.headers.authorization ?? "")
      if (body.includes("please fail")) {
        response.writeHead(401, { "content-type": "application/json" })
        response.end(
          JSON.stringify({
            error: { message: `Incorrect API key provided: ${key}`, type: "invalid_request_error", code: key }
          })
        )
        return
      }
      response.writeHead(200, { "content-type": "text/event-stream" })
      const chunk = (delta: object, end: string | null) =>
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason: end }] })}\n\n`
      response.end(
        `${chunk({ role: "assistant", content: "Hello from the model." }, null)}${chunk({}, "stop")}data: [DONE]\n\n`
      )
    })
    const collector = await listen((request, body, response) => {
      collected.push(request.url ?? "")
      note(`collector ${request.url}`, request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body)
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
    closers.push(model.close, collector.close)
    const env = {
      OPENAI_API_KEY: modelKey,
      OPENAI_BASE_URL: `${model.url}/v1`,
      OPENAI_API: "chat",
      OPENAI_MODEL: "m",
      CLAWFIBER_LOG: "trace",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${collectorKey}`,
      OTEL_BSP_SCHEDULE_DELAY: "200",
      OTEL_BLRP_SCHEDULE_DELAY: "200",
      OTEL_METRIC_EXPORT_INTERVAL: "500"
    }
    secrets.set("the model's key", modelKey)
    secrets.set("the collector's key", collectorKey)

    const url = await start(env)
    const profile: { app_secret: string; app_key: string; claw_id: string } = JSON.parse(
      readFileSync(join(cwd, ".clawfiber/agent/.insta/config/profile.json"), "utf8")
    )
    secrets.set("app_secret of up's agent", profile.app_secret)

    const other = (await ask(url, "/profiles/create", post({ name: "Other" }), "app_secret")).data
    secrets.set("app_secret", other.app_secret)
    const { token } = (await ask(url, "/api/sign-in", post({ name: "Ann" }), "token")).data
    secrets.set("session token", token)
    const bearer = { authorization: `Bearer ${token}` }
    const key = (await ask(url, "/api/keys", post({ name: "laptop" }, bearer), "key")).data
    secrets.set("api key", key.key)
    const { ticket } = (await ask(url, "/api/ticket", { method: "POST", headers: bearer }, "ticket")).data
    secrets.set("ticket", ticket)
    const spare = (await ask(url, "/api/ticket", { method: "POST", headers: bearer }, "ticket")).data.ticket
    secrets.set("unused ticket", spare)

    // An agent that is registered with an activation token, twice by one attempt, and once too often.
    const activation = (await ask(url, "/api/activations", { method: "POST", headers: bearer }, "session_token")).data
    secrets.set("activation token", activation.session_token)
    const attempt = "attempt-3f0c41d2-9a51-4a7e"
    secrets.set("attempt", attempt)
    const withToken = { authorization: `Bearer ${activation.session_token}`, "idempotency-key": attempt }
    for (const name of ["first", "again"]) {
      const made = (await ask(url, "/profiles/create", post({ name: "Mine" }, withToken), "app_secret")).data
      secrets.set(`app_secret, ${name}`, made.app_secret)
    }
    await fetch(
      `${url}/profiles/create`,
      post({ name: "Late" }, { ...withToken, "idempotency-key": `${attempt}-late` })
    )

    // Talking: by ticket, by token, by key; well and badly.
    const session = (await ask(url, "/api/session/create", post({ claw_id: profile.claw_id }, bearer))).data.session_id
    const say = (id: string, text: string) => ({
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text }] }],
      metadata: { session_id: session, message_id: id }
    })
    await socket(`${url}/ws/chat?ticket=${ticket}`, {}, [say("m1", "hello")], /"response\.(completed|failed)"/)
    await socket(`${url}/ws/chat`, bearer, [say("m2", "please fail")], /"response\.(completed|failed)"/)
    await socket(`${url}/ws/chat?ticket=${ticket}`, {}, [], /never/)
    await socket(`${url}/ws/chat`, { "x-app-key": other.app_key, "x-app-secret": profile.app_secret }, [], /never/)
    await socket(`${url}/ws/chat`, { authorization: `Bearer ${token.slice(0, -3)}AAA` }, [], /never/)
    secrets.set("almost the session token", `${token.slice(0, -3)}AAA`)
    const byKey = { authorization: `Bearer ${key.key}` }
    const answered = await ask(url, "/v1/responses", post({ model: profile.claw_id, input: "hello" }, byKey))
    assert.strictEqual(answered.status, "completed", JSON.stringify(answered))
    const failed = await ask(url, "/v1/responses", post({ model: profile.claw_id, input: "please fail" }, byKey))
    assert.strictEqual(failed.status, "failed", JSON.stringify(failed))
    await ask(url, "/v1/responses", post({ model: "x", input: token }, byKey))

    // Everything that a stranger may look at, and secrets where they do not belong.
    for (const path of ["/", "/docs", "/openapi.json", "/metrics", "/healthz", "/readyz", "/chat/x"])
      await ask(url, path)
    for (const path of ["/api/me", "/api/keys", "/api/agents", "/v1/models", `/api/session/${session}/messages`]) {
      await ask(url, path, { headers: bearer })
    }
    await ask(url, `/ws/chat?ticket=${spare}`)
    await ask(url, "/api/me", { headers: { authorization: `Bearer ${other.app_secret}` } })
    await ask(url, `/nothing?ticket=${spare}&key=${key.key}`)
    await ask(url, "/v1/nothing", { headers: byKey })
    await ask(url, "/api/sign-in", post({ name: 7, token }))
    await ask(url, "/files/file_none", {
      headers: { "x-app-key": other.app_key, "x-app-secret": other.app_secret }
    })
    const rotated = await ask(
      url,
      "/profiles/rotate",
      post({}, { "x-app-key": other.app_key, "x-app-secret": other.app_secret }),
      "app_secret"
    )
    secrets.set("rotated app_secret", rotated.data.app_secret)

    // The other programs.
    for (const [args, more] of [
      [["chat", "--url", url, "hello"], { CLAWFIBER_TOKEN: key.key }],
      [["chat", "--url", url, "please fail"], { CLAWFIBER_TOKEN: token }],
      [["chat", "--url", url, "hello"], { CLAWFIBER_TOKEN: `${key.key}x` }],
      [["doctor", "--url", url], {}],
      [["doctor", "--json"], {}],
      [["connect", "--url", "http://127.0.0.1:9", "--register", "Nobody"], {}],
      [["platform", "--port", "99999"], {}]
    ] as ReadonlyArray<readonly [ReadonlyArray<string>, Record<string, string>]>) {
      const { stderr, stdout } = await run(args, { cwd, env: { ...env, ...more } })
      note(`standard output of ${args.join(" ")}`, stdout)
      note(`standard error of ${args.join(" ")}`, stderr)
    }
    await ask(url, `/api/keys/${key.key_id}`, { method: "DELETE", headers: byKey })
    await stop()

    // And once more over what is there, with faults in the settings first.
    for (const broken of [{ OPENAI_API_KEY: `${modelKey} with spaces` }, { CLAWFIBER_DATABASE_URL: `x:${modelKey}` }]) {
      const { stderr, stdout } = await run(["up", "--port", "0"], { cwd, env: { ...env, ...broken } })
      note("standard output of a broken start", stdout)
      note("standard error of a broken start", stderr)
    }
    const again = await start(env)
    await ask(again, "/api/me", { headers: bearer })
    await stop()

    for (const entry of readdirSync(cwd, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      // The one place where an agent keeps its own secret, mode 0600.
      if (entry.isFile() && entry.name !== "profile.json") note(path, readFileSync(path))
    }
  }, 120_000)

  afterAll(async () => {
    await up?.stop("SIGKILL")
    for (const close of closers) close()
    rmSync(cwd, { recursive: true, force: true })
  })

  it("sees what it is to see: logs, frames, a failure, all three signals of the collector, the database", () => {
    const all = seen.map(([where]) => where).join("\n")
    for (const where of [
      "answer of /metrics",
      "answer of /docs",
      "refused upgrade",
      "standard error of up",
      "platform.sqlite",
      "collector /v1/traces",
      "collector /v1/metrics",
      "collector /v1/logs"
    ]) {
      assert.include(all, where)
    }
    const text = (where: string) =>
      seen
        .filter(([place]) => place.includes(where))
        .map(([, bytes]) => bytes.toString("latin1"))
        .join("\n")
    assert.include(text("frame"), "Hello from the model.")
    assert.match(text("frame"), /response\.failed/)
    assert.include(text("collector /v1/traces"), "People.authenticate")
    assert.isAbove(text("standard error of up").length, 500)
    assert.isAbove(secrets.size, 8)
    for (const secret of secrets.values()) assert.isAbove(secret.length, 15)
  })

  it("finds no secret in any of it: as it is, in base64, in percent signs, or a long piece of it", () => {
    for (const [name, secret] of secrets) {
      const forms = [
        secret,
        Buffer.from(secret).toString("base64").replaceAll("=", ""),
        Buffer.from(secret).toString("hex"),
        encodeURIComponent(secret),
        // A log that cuts is a log that tells.
        secret.slice(0, Math.max(16, Math.floor(secret.length * 0.6))).length < 20
          ? secret
          : secret.slice(-Math.max(20, Math.floor(secret.length * 0.6)))
      ]
      for (const [where, bytes] of seen) {
        for (const form of forms) assert.isFalse(bytes.includes(form), `${name} in ${where}`)
      }
    }
  })
})
