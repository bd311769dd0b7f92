/** What operators write: good, wrong, elsewhere. The host starts all the same, and says what is wrong with our part. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Gateway } from "./Gateway.ts"
import { Platform } from "./Platform.ts"

interface Snapshot {
  readonly accountId: string
  readonly running: boolean
  readonly connected: boolean
  readonly lifecycle?: string
  readonly lastError?: string | null
  readonly lastConnectedAt?: number
  readonly reconnectAttempts?: number
  readonly probe?: { readonly ok: boolean; readonly keys: string; readonly error?: string; readonly clawId?: string }
}

let platform: Platform
let gateway: Gateway
let port: number
const secret = "a-secret-that-nobody-may-see"

beforeAll(async () => {
  platform = await Platform.start()
  port = Number(new URL(platform.url).port)
  const base = await platform.register("Base")
  const elsewhere = await platform.register("Elsewhere")
  const older = await platform.register("Older")
  const reference = (id: string) => ({ source: "env", provider: "default", id })
  gateway = await Gateway.make({
    modelUrl: "http://127.0.0.1:9/v1",
    channel: {
      enabled: true,
      wsUrl: platform.url,
      appKey: base.app_key,
      appSecret: base.app_secret,
      dmPolicy: "everyone",
      allowFrom: 7,
      app_key: "a slip of the pen",
      aKeyOfALaterHost: { a: 1 },
      accounts: {
        elsewhere: { appKey: elsewhere.app_key, appSecret: reference("ELSEWHERE_SECRET") },
        older: { clientId: older.app_key, clientSecret: older.app_secret },
        missing: { appKey: "k", appSecret: reference("THERE_IS_NO_SUCH_SECRET") },
        twin: { appKey: base.app_key, appSecret: secret },
        number: { appKey: 5, appSecret: secret },
        nowhere: { wsUrl: 17, appKey: "k", appSecret: secret },
        refused: { appKey: "nobody", appSecret: secret },
        junk: "x"
      }
    },
    env: { ELSEWHERE_SECRET: elsewhere.app_secret }
  })
  await gateway.start()
})

afterAll(async () => {
  await gateway?.stop()
  await platform?.stop()
  gateway?.remove()
})

const look = async (probe = false) => {
  const answer = (await gateway.call("channels.status", { probe, timeoutMs: 5_000 })) as {
    readonly channelAccounts: { readonly instaclaw: ReadonlyArray<Snapshot> }
  }
  return new Map(answer.channelAccounts.instaclaw.map((snapshot) => [snapshot.accountId, snapshot]))
}

const until = async (id: string, holds: (snapshot: Snapshot) => boolean): Promise<Snapshot> => {
  const deadline = Date.now() + 60_000
  for (;;) {
    const found = (await look()).get(id)
    if (found !== undefined && holds(found)) return found
    if (Date.now() > deadline) throw new Error(`${JSON.stringify(found)}\n${gateway.output.join("")}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe("configuration in the host", () => {
  it("good accounts connect, with secrets that lie elsewhere and under their older names", async () => {
    for (const id of ["default", "elsewhere", "older"]) {
      const snapshot = await until(id, ({ connected }) => connected)
      assert.strictEqual(snapshot.lifecycle, "ready")
      assert.isNull(snapshot.lastError)
      assert.isAbove(snapshot.lastConnectedAt ?? 0, 0)
    }
  })

  it("a fault is said of its own account, and keeps nobody else away", async () => {
    const expected = {
      missing: /unavailable|could not read/,
      twin: /same appKey as default/,
      number: /appKey must be a text/,
      nowhere: /wsUrl must be a text/,
      refused: /refused the key/,
      junk: /must be an object/
    }
    for (const [id, words] of Object.entries(expected)) {
      const snapshot = await until(id, ({ lastError }) => typeof lastError === "string")
      assert.isFalse(snapshot.connected, id)
      assert.match(String(snapshot.lastError), words)
    }
  })

  it("a probe asks the platform itself, about the key too, without taking the line", async () => {
    const probed = await look(true)
    assert.deepInclude(probed.get("default")?.probe, { ok: true, keys: "accepted" })
    assert.deepInclude(probed.get("elsewhere")?.probe, { ok: true, keys: "accepted" })
    assert.deepInclude(probed.get("refused")?.probe, { ok: false, keys: "refused" })
    // Its address is wrong, so its key is sent nowhere.
    assert.deepInclude(probed.get("nowhere")?.probe, { ok: false, keys: "none" })
    assert.isTrue((await look()).get("default")?.connected)
  })

  it("the commands say it in words, and never a secret", { timeout: 120_000 }, async () => {
    const validate = await gateway.cli("config", "validate")
    assert.strictEqual(validate.code, 0, validate.output)
    const { output } = await gateway.cli("channels", "status", "--probe")
    for (const part of ["default: enabled", "works", "app_key is no key", "dmPolicy names no policy", "same appKey"]) {
      assert.include(output, part)
    }
    assert.strictEqual(output.split("app_key is no key").length, 2, "told once")
    assert.notInclude(output + gateway.output.join(""), secret)
  })

  it(
    "law honest-status: a platform that goes away is told, and one that comes back",
    { timeout: 120_000 },
    async () => {
      await platform.stop()
      const away = await until("default", ({ connected, lastError }) => !connected && typeof lastError === "string")
      assert.strictEqual(away.lifecycle, "recovering")
      assert.match(String(away.lastError), /cannot be reached|dead/)
      assert.isTrue((await look(true)).get("older")?.probe?.ok === false)
      await until("default", ({ reconnectAttempts }) => (reconnectAttempts ?? 0) > 0)
      // Another one at the same address, that does not know the keys.
      platform = await Platform.start(port)
      const back = await until("default", ({ lifecycle }) => lifecycle === "blocked")
      assert.match(String(back.lastError), /refused the key/)
    }
  )
})
