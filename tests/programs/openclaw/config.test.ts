/** `channels.instaclaw`: what it says, and what is wrong with it. */
import { assert, describe, it } from "@effect/vitest"
import * as config from "../../../src/programs/openclaw/config.ts"
import * as faults from "../../../src/programs/openclaw/faults.ts"
import { status } from "../../../src/programs/openclaw/status.ts"

const of = (instaclaw: unknown) => ({ channels: { instaclaw } })
const messages = (instaclaw: unknown, id = "default") =>
  faults.faultsOf(of(instaclaw), id).map(({ message }) => message)

describe("accounts", () => {
  const section = {
    wsUrl: "wss://one.example",
    appKey: "k",
    appSecret: "s",
    dmPolicy: "open",
    systemPrompt: "Be kind.",
    accounts: {
      second: { appKey: "k2", appSecret: "s2", dmPolicy: "allowlist", allowFrom: ["u_1", 7], debug: true },
      Old: { clientId: "k3", clientSecret: "s3" },
      off: { enabled: false, appKey: "k4", appSecret: "s4" }
    }
  }

  it("are the base, and each named one merged over it", () => {
    assert.deepStrictEqual(config.accountIds(of(section)), ["default", "second", "Old", "off"])
    const second = config.resolveAccount(of(section), "second")
    assert.deepInclude(second, {
      appKey: "k2",
      appSecret: "s2",
      wsUrl: "wss://one.example",
      dmPolicy: "allowlist",
      systemPrompt: "Be kind.",
      debug: true
    })
    assert.deepStrictEqual(second.allowFrom, ["u_1", "7"])
    assert.isFalse(config.resolveAccount(of(section), "off").enabled)
  })

  it("understand the older names, also over newer ones of the base, and the host's spelling of an id", () => {
    assert.deepInclude(config.resolveAccount(of(section), "old"), { appKey: "k3", appSecret: "s3" })
  })

  it("law secret: a secret of the base never goes with a key of an account", () => {
    const half = { ...section, accounts: { half: { appKey: "other" } } }
    assert.isUndefined(config.resolveAccount(of(half), "half").appSecret)
    assert.match(messages(half, "half").join(), /appKey without appSecret/)
  })

  it("a reference to a secret is no secret, and says where it lies", () => {
    const account = config.resolveAccount(
      of({ appKey: "k", appSecret: { source: "env", provider: "default", id: "S" } })
    )
    assert.isUndefined(account.appSecret)
    assert.strictEqual(account.secretReference, "env:default:S")
    assert.match(faults.unresolved(account) ?? "", /env:default:S/)
    assert.deepStrictEqual(messages({ appKey: "k", appSecret: { source: "env", provider: "default", id: "S" } }), [])
  })

  it("of anything at all can be read", () => {
    const values = [undefined, null, 0, "", "x", [], [1], {}, { a: 1 }, true, NaN, () => 1, Symbol("x"), 1n]
    const keys = ["enabled", "name", "appKey", "appSecret", "wsUrl", "dialect", "dmPolicy", "allowFrom", "accounts"]
    for (const value of values) {
      for (const id of config.accountIds(of(value))) faults.faultsOf(of(value), id)
      for (const key of keys) {
        const odd = of({ [key]: value, accounts: key === "accounts" ? value : { one: { [key]: value }, two: value } })
        for (const id of [...config.accountIds(odd), "__proto__", "../up"]) {
          config.resolveAccount(odd, id)
          config.inspectAccount(odd, id)
          faults.faultsOf(odd, id)
        }
      }
    }
  })
})

describe("faults", () => {
  it("there are none in a good configuration, whatever keys the host adds", () => {
    const good = { enabled: true, appKey: "k", appSecret: "s", wsUrl: "wss://a.example", heartbeatVisibility: {}, x: 1 }
    assert.deepStrictEqual(messages(good), [])
    assert.deepStrictEqual(messages(undefined), [])
  })

  it("name what is wrong, and whether the account can run with it", () => {
    const found = faults.faultsOf(
      of({ app_key: "k", dmPolicy: "everyone", dialect: 3, allowFrom: "u_1", name: 5, debug: "yes" }),
      "default"
    )
    assert.deepStrictEqual(
      found.map(({ blocks }) => blocks),
      found.map(() => false)
    )
    const all = found.map(({ fix, message }) => `${message} ${fix}`).join("\n")
    for (const part of ["appKey", "dmPolicy", "dialect", "allowFrom", "name", "debug"]) assert.include(all, part)
    for (const wrong of [{ enabled: "no" }, { wsUrl: 17 }, { appKey: 5 }, { appSecret: ["x"], appKey: "k" }, "x"]) {
      assert.isDefined(faults.blocking(of(wrong), "default"), JSON.stringify(wrong))
    }
  })

  it("law secret: an address that is not encrypted gets no key, and no value is repeated", () => {
    assert.match(faults.blocking(of({ wsUrl: "ws://far.example" }), "default") ?? "", /not encrypted/)
    const secret = "hunter2-hunter2"
    const said = messages({ appKey: [secret], appSecret: { [secret]: secret }, wsUrl: { secret }, name: [secret] })
    assert.notInclude(said.join(), secret)
  })

  it("law one-socket: of two accounts with one key the later one stays away, and is told", () => {
    const twins = { appKey: "k", appSecret: "s", accounts: { twin: { appKey: "k", appSecret: "s" }, heir: {} } }
    assert.isUndefined(faults.blocking(of(twins), "default"))
    assert.match(faults.blocking(of(twins), "twin") ?? "", /same appKey as default/)
    assert.match(faults.blocking(of(twins), "heir") ?? "", /same appKey as default/)
    const off = {
      ...twins,
      accounts: { one: { enabled: false, clientId: "q", clientSecret: "s" }, two: { appKey: "q", appSecret: "s" } }
    }
    assert.isUndefined(faults.blocking(of(off), "two"))
  })
})

describe("status", () => {
  const account = config.resolveAccount(of({ appKey: "k", appSecret: "s" }))

  it("law honest-status: what does not run is not connected", () => {
    const cfg = of({ appKey: "k", appSecret: "s" })
    const snapshot = status.buildAccountSnapshot({
      account,
      cfg,
      runtime: { accountId: "default", running: false, connected: true }
    })
    assert.isFalse(snapshot.connected)
    assert.notInclude(JSON.stringify(snapshot), '"s"')
  })

  it("issues are told once, and none of what is switched off", () => {
    const cfg = of({
      appKey: "k",
      appSecret: "s",
      dmPolicy: "everyone",
      accounts: { b: { appKey: "q", appSecret: "s" } }
    })
    const snapshots = ["default", "b"].map((id) =>
      status.buildAccountSnapshot({ account: config.resolveAccount(cfg, id), cfg })
    )
    const issues = status.collectStatusIssues(snapshots)
    assert.strictEqual(issues.length, 1)
    assert.match(issues[0]?.message ?? "", /dmPolicy/)
    assert.deepStrictEqual(
      status.collectStatusIssues(snapshots.map((snapshot) => ({ ...snapshot, enabled: false }))),
      []
    )
  })

  it("law secret: a key whose address has a fault is sent nowhere, not even to be looked at", async () => {
    const cfg = of({ appKey: "k", appSecret: "s", wsUrl: 17 })
    const probe = await status.probeAccount({ account: config.resolveAccount(cfg), cfg, timeoutMs: 100 })
    assert.isFalse(probe.ok)
    assert.strictEqual(probe.platform, "")
    assert.match(probe.error ?? "", /wsUrl/)
  })
})
