/** `openclaw channels add --channel instaclaw …`: what the flags write, and what is refused before anything is. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as config from "../../../src/programs/openclaw/config.ts"
import * as configuring from "../../../src/programs/openclaw/configuring.ts"
import { applyAccountConfig, fields, validateInput } from "../../../src/programs/openclaw/setupInput.ts"
import { setupWizard } from "../../../src/programs/openclaw/wizard.ts"

const empty = { channels: { other: { token: "t" } }, gateway: { port: 1 } }
const good = { wsUrl: "wss://a.example", appKey: "k", appSecret: "s" }
const add = (cfg: config.Fields, accountId: string, input: object) => applyAccountConfig({ cfg, accountId, input })

describe("adding an account", () => {
  it("the base first, named ones beside it, and nothing of others is touched", () => {
    const one = add(empty, "default", { ...good, name: "Mine" })
    const two = add(one, "second", {
      appKey: "k2",
      appSecretEnv: "SECOND",
      dmPolicy: "allowlist",
      allowFrom: ["u_1", " "]
    })
    assert.deepStrictEqual(two["channels"], {
      other: { token: "t" },
      instaclaw: {
        enabled: true,
        name: "Mine",
        ...good,
        accounts: {
          second: {
            enabled: true,
            appKey: "k2",
            appSecret: { source: "env", provider: "default", id: "SECOND" },
            dmPolicy: "allowlist",
            allowFrom: ["u_1"]
          }
        }
      }
    })
    assert.deepStrictEqual(config.accountIds(two), ["default", "second"])
    // Again: nothing changes.
    assert.deepStrictEqual(add(two, "second", { appKey: "k2" }), two)
  })

  it("new keys take the place of keys under their older names", () => {
    const cfg = { channels: { instaclaw: { clientId: "old", clientSecret: "old" } } }
    const { appKey, appSecret } = config.resolveAccount(add(cfg, "default", good))
    assert.deepStrictEqual([appKey, appSecret], ["k", "s"])
  })

  it("what cannot work is refused in a sentence", () => {
    const refused = [
      { appKey: "k" },
      { appSecret: "s" },
      { ...good, wsUrl: "ftp://a" },
      { ...good, wsUrl: "ws://far.example" },
      { ...good, appSecretEnv: "S" },
      { appKey: "k", appSecretEnv: "no name" },
      { ...good, dmPolicy: "everyone" }
    ]
    for (const input of refused) {
      assert.match(validateInput({ cfg: empty, accountId: "default", input }) ?? "", /\.$/, JSON.stringify(input))
    }
    assert.isNull(validateInput({ cfg: empty, accountId: "default", input: good }))
    assert.isNull(validateInput({ cfg: empty, accountId: "default", input: {} }))
    const twin = add(empty, "default", good)
    assert.match(validateInput({ cfg: twin, accountId: "b", input: good }) ?? "", /same appKey/)
    assert.isString(validateInput({ cfg: empty, accountId: "../up", input: good }))
  })

  it("an account can be switched off and removed; the settings that others inherit stay", () => {
    const both = add(add(empty, "default", good), "second", { appKey: "k2", appSecret: "s2" })
    assert.isFalse(config.resolveAccount(configuring.setEnabled(both, "second", false), "second").enabled)
    const rest = configuring.remove(both, "default")
    assert.deepStrictEqual(config.accountIds(rest), ["second"])
    assert.strictEqual(config.resolveAccount(rest, "second").wsUrl, good.wsUrl)
    assert.deepStrictEqual(configuring.remove(add(empty, "default", good), "default"), empty)
  })
})

describe("the fields", () => {
  it("stand in package.json as they are, for the host shows them before it loads us", () => {
    const { openclaw } = JSON.parse(readFileSync("package.json", "utf8"))
    assert.deepStrictEqual(
      openclaw.channel.setup.fields,
      Object.entries(fields).map(([key, field]) => ({ key, ...field }))
    )
    for (const [key, { cli }] of Object.entries(fields)) {
      const flag = cli.flags.slice(2).split(" ")[0] ?? ""
      assert.strictEqual(
        flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
        key
      )
    }
  })
})

describe("the wizard", () => {
  const at = { cfg: {}, accountId: "default" }

  it("asks for the secret only of who has a key, and takes an address that is one", () => {
    const [address, key] = setupWizard.textInputs
    const [secret] = setupWizard.credentials
    assert.isFalse(secret?.shouldPrompt(at))
    assert.isString(address?.validate?.({ ...at, value: "ws://far.example" }))
    assert.isUndefined(address?.validate?.({ ...at, value: "wss://a.example" }))
    const withKey = key?.applySet({ ...at, value: "k" }) ?? {}
    assert.isTrue(secret?.shouldPrompt({ ...at, cfg: withKey }))
    const done = secret?.applySet({ ...at, cfg: withKey, value: "s" }) ?? {}
    assert.deepInclude(secret?.inspect({ ...at, cfg: done }), { accountConfigured: true, resolvedValue: "s" })
    const open = setupWizard.dmPolicy.setPolicy(done, "open")
    assert.deepInclude(config.resolveAccount(open), { dmPolicy: "open", allowFrom: ["*"] })
  })
})
