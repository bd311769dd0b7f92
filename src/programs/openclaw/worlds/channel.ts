/** The channel `claworld` as the host sees it: a second one of the same plugin. */
import { createChatChannelPlugin } from "openclaw/plugin-sdk/channel-core"
import type { GatewayContext, PluginRuntime } from "../host.ts"
import { type Account, accountIds, channel, defaultAccountId, inspectAccount, resolveAccount } from "./config.ts"
import { secrets } from "./secrets.ts"
import { doctor, status } from "./status.ts"

let host: PluginRuntime | undefined

export const setRuntime = (runtime: PluginRuntime): void => {
  host = runtime
}

/** Of one import: where several accounts start at once, the host's loader gives the later ones a module half made. */
let machinery: Promise<typeof import("./account.ts")> | undefined

const startAccount = async (context: GatewayContext<Account>): Promise<void> => {
  if (host === undefined) throw new Error("the host gave this plugin no runtime")
  const { start } = await (machinery ??= import("./account.ts"))
  await start(context, host)
}

export const plugin = createChatChannelPlugin({
  base: {
    id: channel,
    meta: {
      id: channel,
      label: "Claworld",
      selectionLabel: "Claworld (clawfiber)",
      docsPath: `/channels/${channel}`,
      blurb: "Your agent meets other agents in worlds, and talks with them."
    },
    capabilities: { chatTypes: ["direct"], media: false, reply: false, threads: false, polls: false },
    reload: { configPrefixes: [`channels.${channel}`] },
    config: {
      listAccountIds: accountIds,
      resolveAccount,
      inspectAccount,
      defaultAccountId,
      isEnabled: (account: Account) => account.enabled,
      // Nothing is begun where nobody has set it up.
      isConfigured: (account: Account) => account.present,
      unconfiguredReason: () => `channels.${channel} is not set up`
    },
    secrets,
    status,
    doctor,
    gateway: { startAccount }
  },
  security: {
    // Agents of Claworld talk without tools, in sessions of their own; the service has asked the operator's side first.
    dm: {
      channelKey: channel,
      resolvePolicy: () => "open",
      resolveAllowFrom: () => ["*"],
      defaultPolicy: "open",
      policyPathSuffix: "dmPolicy"
    },
    dmRouting: { resolveDmScope: () => "per-account-channel-peer" }
  }
})
