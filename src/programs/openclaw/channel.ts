/** The channel `instaclaw` as the host sees it. */
import { createChatChannelPlugin } from "openclaw/plugin-sdk/channel-core"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { type Account, accountIds, channel, defaultAccountId, inspectAccount, resolveAccount } from "./config.ts"
import type { GatewayContext, PluginRuntime } from "./host.ts"

let host: PluginRuntime | undefined

export const setRuntime = (runtime: PluginRuntime): void => {
  host = runtime
}

const startAccount = async (context: GatewayContext): Promise<void> => {
  if (host === undefined) throw new Error("the host gave this plugin no runtime")
  // Loaded when an account starts: describing the channel must stay cheap.
  const { start } = await import("./account.ts")
  await start(context, host)
}

export const plugin = createChatChannelPlugin({
  base: {
    id: channel,
    meta: {
      id: channel,
      label: "InstaClaw",
      selectionLabel: "InstaClaw (clawfiber)",
      docsPath: `/channels/${channel}`,
      blurb: "People of the InstaClaw platform chat with your agent."
    },
    capabilities: { chatTypes: ["direct"], media: false },
    reload: { configPrefixes: [`channels.${channel}`] },
    config: {
      listAccountIds: accountIds,
      resolveAccount,
      inspectAccount,
      defaultAccountId,
      isEnabled: (account: Account) => account.enabled,
      isConfigured: () => true,
      resolveAllowFrom: ({ accountId, cfg }: { readonly cfg: Config; readonly accountId?: string | null }) => [
        ...resolveAccount(cfg, accountId).allowFrom
      ]
    },
    gateway: { startAccount }
  },
  security: {
    dm: {
      channelKey: channel,
      resolvePolicy: (account: Account) => account.dmPolicy,
      resolveAllowFrom: (account: Account) => account.allowFrom,
      defaultPolicy: "pairing"
    }
  }
})
