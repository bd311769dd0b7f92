/** `channels.claworld`: what it says, and what is wrong with it, by code. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as config from "../../../src/programs/openclaw/worlds/config.ts"
import * as faults from "../../../src/programs/openclaw/worlds/faults.ts"
import * as seats from "../../../src/programs/openclaw/worlds/seats.ts"
import * as settingUp from "../../../src/programs/openclaw/worlds/settingUp.ts"
import { status } from "../../../src/programs/openclaw/worlds/status.ts"
import * as tools from "../../../src/programs/openclaw/tools.ts"
import { toolNames } from "../../../src/services/protocol/WorldTools.ts"

const of = (claworld: unknown) => ({ channels: { claworld } })
const good = { serverUrl: "http://127.0.0.1:8787", appToken: "cwa_1" }
const found = (claworld: unknown, id = config.defaultAccountId(of(claworld))) =>
  faults.faultsOf(of(claworld), id).map(({ blocks, code }) => ({ blocks, code }))

describe("accounts of Claworld", () => {
  it("are picked by name, then defaultAccount, then accounts.default, then the first", () => {
    const accounts = { ada: { appToken: "a" }, bo: { appToken: "b" } }
    const section = { serverUrl: "https://c.example", accounts, defaultAccount: "bo" }
    assert.deepStrictEqual(config.accountIds(of(section)), ["ada", "bo"])
    assert.strictEqual(config.resolveAccount(of(section), "ada").appToken, "a")
    assert.strictEqual(config.resolveAccount(of(section)).appToken, "b")
    const withDefault = { ...section, defaultAccount: "nobody", accounts: { ...accounts, default: { appToken: "d" } } }
    assert.strictEqual(config.resolveAccount(of(withDefault)).appToken, "d")
    assert.strictEqual(config.resolveAccount(of({ ...section, defaultAccount: undefined })).appToken, "a")
    assert.strictEqual(config.resolveAccount(of({ ...good, accountId: "main" })).accountId, "main")
  })

  it("take the relay's token before the channel's, and the host's references for no token", () => {
    const section = { ...good, relay: { appToken: "cwa_relay", agentId: "agt_1" } }
    assert.deepInclude(config.resolveAccount(of(section)), { appToken: "cwa_relay", agentId: "agt_1" })
    const reference = { source: "env", provider: "default", id: "TOKEN" }
    const account = config.resolveAccount(of({ ...good, appToken: reference }))
    assert.isUndefined(account.appToken)
    assert.match(faults.unresolved(account) ?? "", /env:default:TOKEN/)
    assert.deepStrictEqual(found({ ...good, appToken: reference }), [])
  })

  it("law secret: a token of the base goes to no other service, and to no other account", () => {
    const section = { ...good, accounts: { far: { serverUrl: "https://far.example" }, near: { appToken: "cwa_2" } } }
    assert.isUndefined(config.resolveAccount(of(section), "far").appToken)
    assert.deepInclude(found(section, "far"), { blocks: true, code: "missing_relay_app_token" })
    assert.deepInclude(config.resolveAccount(of(section), "near"), { appToken: "cwa_2", serverUrl: good.serverUrl })
  })

  it("where nothing is set up nothing is started and nothing is wrong", () => {
    assert.isFalse(config.resolveAccount({}, "default").present)
    assert.deepStrictEqual(faults.faultsOf({}, "default"), [])
  })

  it("of anything at all can be read", () => {
    const values = [undefined, null, 0, "", "x", [], [1], {}, { a: 1 }, true, NaN, () => 1, Symbol("x"), 1n]
    const keys = Object.keys(manifest.channelConfigs.claworld.schema.properties)
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

describe("faults of Claworld", () => {
  const cases: ReadonlyArray<readonly [code: faults.Code, blocks: boolean, section: object]> = [
    ["missing_required_keys", true, { appToken: "cwa_1" }],
    ["invalid_server_url", true, { ...good, serverUrl: "claworld" }],
    ["invalid_server_url_protocol", true, { ...good, serverUrl: "ftp://claworld.example" }],
    ["invalid_server_url_protocol", true, { ...good, serverUrl: "http://claworld.example" }],
    ["invalid_heartbeat_seconds", false, { ...good, heartbeatSeconds: 0 }],
    ["invalid_heartbeat_seconds", false, { ...good, heartbeatSeconds: 1.5 }],
    ["invalid_heartbeat_seconds", false, { ...good, heartbeatSeconds: "15" }],
    [
      "missing_default_account",
      false,
      { serverUrl: good.serverUrl, accounts: { ada: { appToken: "a" }, bo: { appToken: "b" } } }
    ],
    ["invalid_default_account", false, { ...good, defaultAccount: "nobody" }],
    ["missing_relay_app_token", true, { serverUrl: good.serverUrl }],
    [
      "missing_registration_display_name",
      true,
      { serverUrl: good.serverUrl, registration: { enabled: true, agentCode: "ada" } }
    ]
  ]

  for (const [code, blocks, section] of cases) {
    it(`${code}: ${JSON.stringify(section)}`, () => {
      assert.deepStrictEqual(found(section), [{ blocks, code }])
      const [fault] = faults.faultsOf(of(section), config.defaultAccountId(of(section)))
      // A sentence of what is wrong, and one of what to do.
      for (const said of [fault?.message, fault?.fix]) assert.match(said ?? "", /^\S+ .+\.$/)
    })
  }

  it("all eight are told apart", () => {
    assert.deepStrictEqual([...new Set(cases.map(([code]) => code))].toSorted(), [...faults.codes].toSorted())
  })

  it("there are none in a good configuration, whatever keys the host adds", () => {
    assert.deepStrictEqual(found({ ...good, enabled: true, heartbeatVisibility: {}, heartbeatSeconds: 1, x: 1 }), [])
    const registers = { serverUrl: "ws://localhost:1", registration: { enabled: true, displayName: "Ada" } }
    assert.deepStrictEqual(found(registers), [])
  })

  it("toolProfile and routing of older versions are passed over, and that is said", () => {
    for (const toolProfile of ["minimal", "full", "nonsense", 3]) {
      assert.deepStrictEqual(found({ ...good, toolProfile }), [{ blocks: false, code: "legacy_key" }])
    }
    assert.deepStrictEqual(found({ ...good, routing: { sessionTarget: "main" } }), [
      { blocks: false, code: "legacy_key" }
    ])
  })

  it("law one-socket: of two accounts with one token the later one stays away", () => {
    const section = { ...good, accounts: { twin: { appToken: good.appToken } } }
    assert.deepStrictEqual(found(section, "twin"), [{ blocks: true, code: "duplicate_app_token" }])
  })

  it("law secret: no value is repeated, and the token leaves for no address with a fault", async () => {
    const secret = "hunter2-hunter2"
    const wrong = of({
      serverUrl: [secret],
      appToken: [secret],
      apiKey: { [secret]: 1 },
      relay: { appToken: 5 },
      name: [secret]
    })
    assert.notInclude(JSON.stringify(faults.faultsOf(wrong, "default")), secret)
    const cfg = of({ serverUrl: "http://far.example", appToken: secret })
    const probed = await status.probeAccount({ account: config.resolveAccount(cfg), cfg, timeoutMs: 100 })
    assert.isFalse(probed.ok)
    assert.match(probed.error ?? "", /not encrypted/)
  })

  it("law honest-status: what does not run is not connected, and what blocks is told once", () => {
    const cfg = of({ appToken: "cwa_1" })
    const account = config.resolveAccount(cfg)
    const runtime = { accountId: "default", running: false, connected: true, lifecycle: "blocked" as const }
    const snapshot = status.buildAccountSnapshot({ account, cfg, runtime })
    assert.isFalse(snapshot.connected)
    assert.strictEqual(status.collectStatusIssues([snapshot, snapshot]).length, 1)
    const lastError = faults.blocking(cfg, "default") ?? ""
    assert.deepStrictEqual(status.collectStatusIssues([{ ...snapshot, lastError }]), [])
  })
})

interface Manifest {
  readonly channels: ReadonlyArray<string>
  readonly contracts: { readonly tools: ReadonlyArray<string> }
  readonly channelConfigs: { readonly claworld: { readonly schema: { readonly properties: object } } }
}
const manifest = JSON.parse(readFileSync("openclaw.plugin.json", "utf8")) as Manifest

describe("tools of the host", () => {
  const namesIn = (context: Parameters<typeof tools.factory>[0]) => tools.factory(context).map(({ name }) => name)

  it("are declared as they are offered, from one list of toolkits", () => {
    assert.sameMembers([...tools.names], [...manifest.contracts.tools])
    assert.includeMembers([...tools.names], [...toolNames])
  })

  it("law confined: none in a talk of Claworld or a stranger's chat; the nine for the operator where it is set up", () => {
    const configured = of(good)
    assert.includeMembers(namesIn({ config: configured }), [...toolNames])
    assert.deepStrictEqual(namesIn({ config: configured, messageChannel: "claworld", sessionKey: "s" }), [])
    assert.deepStrictEqual(namesIn({ config: configured, messageChannel: "instaclaw", sessionKey: "s" }), [])
    assert.isFalse(namesIn({ config: {} }).some((name) => name.startsWith("claworld_")))
  })

  it("without an account a call is told so, in the shape of every failure there", async () => {
    const tool = tools.factory({ config: of(good) }).find(({ name }) => name === "claworld_list_worlds")
    const answered = await tool?.execute("1", { accountId: 7 })
    assert.deepInclude(answered?.details, {
      status: "error",
      tool: "claworld_list_worlds",
      error: "claworld_tool_failed",
      code: "no_account",
      category: "config"
    })
  })

  it("find the account that is named, else the default one, else the first", () => {
    const seat = (accountId: string, isDefault: boolean) =>
      seats.put({ accountId, isDefault, tool: () => Promise.reject(new Error("not called")) })
    const leave = [seat("ada", false), seat("bo", true)]
    assert.strictEqual(seats.find("ada")?.accountId, "ada")
    assert.strictEqual(seats.find(undefined)?.accountId, "bo")
    assert.strictEqual(seats.find("nobody")?.accountId, "bo")
    const later = seat("ada", false)
    for (const one of leave) one()
    assert.strictEqual(seats.find("bo")?.accountId, "ada")
    later()
    assert.isUndefined(seats.find(undefined))
  })
})

describe("openclaw claworld setup", () => {
  const nothing: settingUp.Input = {
    account: undefined,
    name: undefined,
    serverUrl: undefined,
    displayName: undefined,
    agentCode: undefined,
    appToken: undefined,
    appTokenEnv: undefined,
    apiKeyEnv: undefined
  }
  const section = (config: object) => (config as { channels: { claworld: Record<string, unknown> } }).channels.claworld

  it("writes the base, or an account beside it; what is not named stays", () => {
    const first = settingUp.apply(
      { channels: { other: 1 } },
      { ...nothing, serverUrl: "https://c.example", displayName: "Ada" }
    )
    assert.deepStrictEqual(first.channels, {
      other: 1,
      claworld: {
        enabled: true,
        serverUrl: "https://c.example",
        registration: { enabled: true, displayName: "Ada" }
      }
    } as object)
    const coded = settingUp.apply(first, { ...nothing, agentCode: "ada", apiKeyEnv: "KEY" })
    assert.deepInclude(section(coded), {
      serverUrl: "https://c.example",
      registration: { enabled: true, displayName: "Ada", agentCode: "ada" },
      apiKey: { source: "env", provider: "default", id: "KEY" }
    })
    const second = settingUp.apply(coded, { ...nothing, account: "Bo", appTokenEnv: "BO_TOKEN" })
    const again = settingUp.apply(second, { ...nothing, account: "bo", name: "Bo's" })
    assert.deepStrictEqual(section(again)["accounts"], {
      Bo: { enabled: true, name: "Bo's", appToken: { source: "env", provider: "default", id: "BO_TOKEN" } }
    })
    assert.deepStrictEqual(section(again)["registration"], section(coded)["registration"])
  })

  it("refuses in words what cannot work", () => {
    const refused = (input: Partial<settingUp.Input>) => settingUp.refusal({}, { ...nothing, ...input })
    assert.match(refused({ displayName: "Ada" }) ?? "", /no serverUrl/)
    assert.match(refused({ serverUrl: "https://c.example" }) ?? "", /no app token and may not register/)
    assert.match(refused({ serverUrl: "http://c.example", displayName: "Ada" }) ?? "", /not encrypted/)
    assert.match(refused({ appToken: "a", appTokenEnv: "B" }) ?? "", /Give one of them/)
    assert.match(refused({ appTokenEnv: "no name" }) ?? "", /no name of an environment variable/)
    assert.match(refused({ account: "../up", serverUrl: "https://c.example", appToken: "a" }) ?? "", /folder/)
    assert.isUndefined(refused({ serverUrl: "https://c.example", displayName: "Ada" }))
    assert.isUndefined(refused({ serverUrl: "https://c.example", appTokenEnv: "TOKEN" }))
  })
})
