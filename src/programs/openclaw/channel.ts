/** The channel `instaclaw` as the host sees it. */
import { createChatChannelPlugin } from "openclaw/plugin-sdk/channel-core"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { type Account, accountIds, channel, defaultAccountId, inspectAccount, resolveAccount } from "./config.ts"
import { collectWarnings, doctor } from "./doctor.ts"
import type { GatewayContext, PluginRuntime } from "./host.ts"
import { remove, setEnabled } from "./configuring.ts"
import { message, outbound } from "./outbound.ts"
import { secrets } from "./secrets.ts"
import { setupContract } from "./setupContract.ts"
import { status } from "./status.ts"
import { directory, messaging } from "./targets.ts"
import { threading } from "./threading.ts"
import { setupWizard } from "./wizard.ts"

let host: PluginRuntime | undefined

export const setRuntime = (runtime: PluginRuntime): void => {
  host = runtime
}

/** Of one import: where several accounts start at once, the host's loader gives the later ones a module half made. */
let machinery: Promise<typeof import("./account.ts")> | undefined

const startAccount = async (context: GatewayContext): Promise<void> => {
  if (host === undefined) throw new Error("the host gave this plugin no runtime")
  // Loaded when an account starts: describing the channel must stay cheap.
  const { start } = await (machinery ??= import("./account.ts"))
  await start(context, host)
}

interface At {
  readonly cfg: Config
  readonly accountId: string
}

/** Told to the host's agent about its `message` tool, and about how its words look there. */
const agentPrompt = {
  messageToolHints: () => [
    `- InstaClaw: to speak to somebody without having been asked, use action=send with channel=${channel} and target = the id of a conversation or a person, or a person's name. Only people who have a conversation with this agent can be reached.`,
    "- InstaClaw: the answer to a message of theirs goes to them by itself; do not send it as well. Files go along as media and become links; people whom the operator has not let in by name get none."
  ],
  inboundFormattingHints: () => ({
    text_markup: "markdown",
    rules: [
      "Markdown is rendered, tables and code too. No HTML. Pictures are shown as links.",
      "There are no reactions, buttons, polls or edits: what is said is said."
    ]
  })
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
    // What the platform has, and nothing that would have to be made up: proofs.test.ts goes through all of it.
    capabilities: {
      chatTypes: ["direct"],
      media: true,
      reply: false,
      threads: false,
      polls: false,
      reactions: false,
      edit: false,
      unsend: false,
      effects: false,
      groupManagement: false,
      nativeCommands: false,
      blockStreaming: false
    },
    setupContract,
    setupWizard,
    reload: { configPrefixes: [`channels.${channel}`] },
    config: {
      listAccountIds: accountIds,
      resolveAccount,
      inspectAccount,
      defaultAccountId,
      setAccountEnabled: ({ accountId, cfg, enabled }: At & { readonly enabled: boolean }) =>
        setEnabled(cfg, accountId, enabled),
      deleteAccount: ({ accountId, cfg }: At) => remove(cfg, accountId),
      isEnabled: (account: Account) => account.enabled,
      // Without keys the account registers itself; but nothing is begun where nobody has set the channel up.
      isConfigured: (_account: Account, cfg: Config) => cfg.channels?.[channel] !== undefined,
      unconfiguredReason: () => `channels.${channel} is not set up`,
      resolveAllowFrom: ({ accountId, cfg }: { readonly cfg: Config; readonly accountId?: string | null }) => [
        ...resolveAccount(cfg, accountId).allowFrom
      ]
    },
    secrets,
    status,
    doctor,
    message,
    messaging,
    directory,
    agentPrompt,
    gateway: { startAccount }
  },
  security: {
    dm: {
      channelKey: channel,
      resolvePolicy: (account: Account) => account.dmPolicy,
      resolveAllowFrom: (account: Account) => account.allowFrom,
      defaultPolicy: "pairing",
      policyPathSuffix: "dmPolicy"
    },
    // Each conversation is a session of its own, whatever the host's `session.dmScope` says.
    dmRouting: { resolveDmScope: () => "per-account-channel-peer" },
    collectWarnings
  },
  threading,
  outbound
})
