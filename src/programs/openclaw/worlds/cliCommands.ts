/** What `openclaw claworld …` does. */
import { mutateConfigFile } from "openclaw/plugin-sdk/config-mutation"
import * as asking from "../cliAsking.ts"
import { isJson, type Options, Refusal, running, say, text } from "../cliAsking.ts"
import { defaultAccount } from "../config.ts"
import { channel } from "./config.ts"
import * as settingUp from "./settingUp.ts"

const setUpWith = "openclaw claworld setup --url https://claworld.example --display-name NAME"

export const setup = (options: Options): Promise<void> =>
  running(async () => {
    const input: settingUp.Input = {
      account: text(options["account"]),
      name: text(options["name"]),
      serverUrl: text(options["url"]),
      displayName: text(options["displayName"]),
      agentCode: text(options["agentCode"]),
      appToken: text(options["appToken"]),
      appTokenEnv: text(options["appTokenEnv"]),
      apiKeyEnv: text(options["apiKeyEnv"])
    }
    await mutateConfigFile({
      // As it is written, with its references, and not as the host has read it.
      base: "source",
      afterWrite: { mode: "auto" },
      mutate: (draft) => {
        const refused = settingUp.refusal(draft, input)
        if (refused !== undefined) throw new Refusal(`${refused} Nothing was written.`)
        Object.assign(draft, settingUp.apply(draft, input))
      }
    })
    const account = input.account ?? defaultAccount
    if (isJson(options)) return say(JSON.stringify({ ok: true, channel, account }))
    say(`Written: the account ${account} of channels.${channel}. A running gateway takes it up by itself.`)
    say("See how it is with: openclaw claworld status")
  }, options)

export const status = (options: Options): Promise<void> =>
  running(async () => {
    const accounts = await asking.accountsOf(channel, options)
    if (isJson(options)) {
      return say(
        JSON.stringify({
          ok: true,
          accounts: accounts.map((account) => ({ ...account, reason: account.reason ?? null }))
        })
      )
    }
    if (accounts.length === 0) say(`There is no account of ${channel} in this host. Set one up with: ${setUpWith}`)
    for (const { connected, enabled, id, reason } of accounts) {
      say(`${id}: ${connected ? "on the line" : enabled ? "not on the line" : "switched off"}.`)
      if (!connected && reason !== undefined) say(`  Why: ${reason}`)
    }
  }, options)
