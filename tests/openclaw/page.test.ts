/** The control page as a route of the real gateway: nobody without its token, every account, and in a real Chromium. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { launch, missing } from "../browser/chromium.ts"
import { Gateway } from "./Gateway.ts"
import { Model } from "./Model.ts"
import { Platform } from "./Platform.ts"

let model: Model
let platform: Platform
let gateway: Gateway
let root: string

const token = "test-gateway-token"
const authorization = `Bearer ${token}`

beforeAll(async () => {
  model = await Model.start()
  platform = await Platform.start()
  const [one, two] = [await platform.register("One"), await platform.register("Two")]
  const keys = ({ app_key: appKey, app_secret: appSecret }: typeof one) => ({ appKey, appSecret })
  gateway = await Gateway.make({
    modelUrl: model.url,
    channel: { wsUrl: platform.url, dmPolicy: "open", accounts: { one: keys(one), two: keys(two) } }
  })
  await gateway.start()
  root = `http://127.0.0.1:${gateway.port}/plugins/clawfiber`
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  await model?.stop()
  gateway?.remove()
})

interface Snapshot {
  readonly accounts: ReadonlyArray<{ readonly id: string; readonly connection: { readonly phase: string } | null }>
}

const snapshot = async (headers: Record<string, string>) => {
  const response = await fetch(`${root}/control/snapshot`, { headers })
  return { status: response.status, body: (await response.json().catch(() => undefined)) as Snapshot | undefined }
}

/** The plugin's routes are there once the accounts are. */
const connected = async (): Promise<Snapshot> => {
  const deadline = Date.now() + 60_000
  for (;;) {
    const { body, status } = await snapshot({ authorization })
    if (status === 200 && body?.accounts.length === 2) {
      if (body.accounts.every(({ connection }) => connection?.phase === "connected")) return body
    }
    if (Date.now() > deadline) throw new Error(`${status} ${JSON.stringify(body)}\n${gateway.output.join("")}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

const call = (headers: Record<string, string>) =>
  fetch(`${root}/control/call`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ method: "instaclaw.registration.get", params: { account_id: "two" } })
  })

describe("the control page in the host", () => {
  it("shows all accounts to whoever has the gateway's token", { timeout: 90_000 }, async () => {
    const { accounts } = await connected()
    assert.deepStrictEqual(accounts.map(({ id }) => id).toSorted(), ["one", "two"])

    const answered = await call({ authorization })
    assert.strictEqual(answered.status, 200)
    const { result } = (await answered.json()) as { readonly result: { readonly account_id: string } }
    assert.strictEqual(result.account_id, "two")

    const stream = await fetch(`${root}/control/stream?account=two`, { headers: { authorization } })
    assert.strictEqual(stream.headers.get("content-type"), "text/event-stream")
    const reader = (stream.body ?? assert.fail("no body")).pipeThrough(new TextDecoderStream()).getReader()
    let text = ""
    while (!text.includes("\n\n")) text += (await reader.read()).value ?? assert.fail("the stream ended")
    await reader.cancel()
    assert.match(text, /^event: snapshot\ndata: \{/)
    // Law secret.
    assert.notMatch(text, /app_secret|appSecret/)
  })

  it("answers nobody else, and no page of another address", async () => {
    for (const headers of [{}, { authorization: "Bearer wrong-gateway-token" }]) {
      assert.strictEqual((await snapshot(headers)).status, 401)
      assert.strictEqual((await call(headers)).status, 401)
      assert.strictEqual((await fetch(`${root}/control/stream`, { headers })).status, 401)
      assert.strictEqual((await fetch(`${root}/control/other`, { headers })).status, 401)
    }
    assert.strictEqual((await call({ authorization, origin: "http://evil.example" })).status, 403)
    assert.strictEqual((await call({ authorization, "x-openclaw-scopes": "operator.read" })).status, 403)
    assert.strictEqual((await fetch(`${root}/control/other`, { headers: { authorization } })).status, 404)
  })

  it("serves the page with the right addresses, and nothing beside it", async () => {
    const page = await fetch(`${root}/page/`)
    assert.strictEqual(page.status, 200)
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/)
    const html = await page.text()
    assert.include(html, `<meta name="clawfiber-base" content="/plugins/clawfiber" />`)
    const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((found) => found[1] ?? "")
    assert.isAbove(assets.length, 1)
    for (const asset of assets) {
      assert.match(asset, /^\/plugins\/clawfiber\/page\/assets\//)
      assert.strictEqual((await fetch(new URL(asset, root))).status, 200, asset)
    }
    for (const path of ["/page/../../../package.json", "/page/%2e%2e/package.json", "/page/assets/none.js"]) {
      assert.notStrictEqual((await fetch(`${root}${path}`)).status, 200, path)
    }
    assert.deepStrictEqual(await (await fetch(`${root}/places.json`)).json(), { places: ["agent"] })
  })

  it.skipIf(missing !== undefined)(
    "works in a browser with the token of the gateway",
    { timeout: 90_000 },
    async () => {
      const browser = await launch()
      try {
        const page = await browser.newPage()
        const faults: Array<string> = []
        page.on("pageerror", (error) => faults.push(error.message))
        page.on("requestfailed", (request) => faults.push(`${request.url()} failed`))
        await page.goto(`${root}/page/#/agent?token=wrong-gateway-token`)
        await page.getByRole("alert").getByText("That is not the token of the agent that runs now.").waitFor()
        assert.notInclude(page.url(), "token")
        await page.getByRole("textbox", { name: "Link or token", exact: true }).fill(token)
        await page.keyboard.press("Enter")
        await page.getByRole("heading", { name: "Who your agent is" }).waitFor()
        // There is nothing of a platform here.
        assert.deepStrictEqual(await page.getByRole("navigation").getByRole("link").allInnerTexts(), ["Agent"])
        assert.deepStrictEqual(faults, [])
      } finally {
        await browser.close()
      }
    }
  )
})
