/** The questions of `openclaw onboard` and `openclaw channels add`, where a person answers them. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { channel, resolveAccount, sectionOf } from "./config.ts"
import { write } from "./configuring.ts"
import { addressFaults } from "./faults.ts"

interface At {
  readonly cfg: Config
  readonly accountId: string
}

const of = ({ accountId, cfg }: At) => resolveAccount(cfg, accountId)

const hasKey = (params: At): boolean => of(params).appKey !== undefined

export const setupWizard = {
  channel,
  stepOrder: "text-first",
  status: {
    configuredLabel: "set up",
    unconfiguredLabel: "not set up",
    resolveConfigured: ({ cfg }: { readonly cfg: Config }) => Object.keys(sectionOf(cfg)).length > 0,
    resolveStatusLines: ({ accountId, cfg }: { readonly cfg: Config; readonly accountId?: string }) => {
      const { appKey, wsUrl } = resolveAccount(cfg, accountId)
      return [
        `InstaClaw: ${appKey === undefined ? "registers from here" : "has a key"}, ${wsUrl ?? "at the usual platform"}`
      ]
    }
  },
  introNote: {
    title: "InstaClaw",
    lines: [
      "People of the InstaClaw platform chat with your agent.",
      "With the app key and secret of a profile it connects as that profile.",
      "Without them it proposes who it is, and registers once you have confirmed that."
    ]
  },
  textInputs: [
    {
      inputKey: "wsUrl",
      message: "Address of the platform (empty: the usual one)",
      placeholder: "wss://claw.int-os.com/ws/chat",
      required: false,
      currentValue: (params: At) => of(params).wsUrl,
      validate: ({ accountId, value }: At & { readonly value: string }) => {
        const [fault] = value.trim() === "" ? [] : addressFaults(accountId, value.trim())
        return fault === undefined ? undefined : `${fault.message} ${fault.fix}`
      },
      normalizeValue: ({ value }: { readonly value: string }) => value.trim(),
      applySet: ({ accountId, cfg, value }: At & { readonly value: string }) => write(cfg, accountId, { wsUrl: value })
    },
    {
      inputKey: "appKey",
      message: "App key (empty: register from here)",
      required: false,
      currentValue: (params: At) => of(params).appKey,
      normalizeValue: ({ value }: { readonly value: string }) => value.trim(),
      applySet: ({ accountId, cfg, value }: At & { readonly value: string }) => write(cfg, accountId, { appKey: value })
    }
  ],
  credentials: [
    {
      inputKey: "appSecret",
      providerHint: channel,
      credentialLabel: "app secret",
      preferredEnvVar: "INSTACLAW_APP_SECRET",
      envPrompt: "INSTACLAW_APP_SECRET is set. Use it?",
      keepPrompt: "There is an app secret already. Keep it?",
      inputPrompt: "App secret",
      // A key without its secret connects nobody; a secret without a key is asked of nobody.
      shouldPrompt: (params: At) => hasKey(params),
      inspect: (params: At) => {
        const { appSecret, secretReference } = of(params)
        const hasConfiguredValue = appSecret !== undefined || secretReference !== undefined
        return {
          accountConfigured: hasKey(params) && hasConfiguredValue,
          hasConfiguredValue,
          ...(appSecret === undefined ? {} : { resolvedValue: appSecret })
        }
      },
      applyUseEnv: ({ accountId, cfg }: At) =>
        write(cfg, accountId, { appSecret: { source: "env", provider: "default", id: "INSTACLAW_APP_SECRET" } }),
      applySet: ({ accountId, cfg, value }: At & { readonly value: unknown }) =>
        write(cfg, accountId, { appSecret: value })
    }
  ],
  dmPolicy: {
    label: "InstaClaw",
    channel,
    policyKey: `channels.${channel}.dmPolicy`,
    allowFromKey: `channels.${channel}.allowFrom`,
    getCurrent: (cfg: Config, accountId?: string) => resolveAccount(cfg, accountId).dmPolicy,
    setPolicy: (cfg: Config, dmPolicy: string, accountId = "default") =>
      write(cfg, accountId, {
        dmPolicy,
        ...(dmPolicy === "open" ? { allowFrom: [...new Set([...resolveAccount(cfg, accountId).allowFrom, "*"])] } : {})
      })
  },
  disable: (cfg: Config) => ({
    ...cfg,
    channels: { ...cfg.channels, [channel]: { ...sectionOf(cfg), enabled: false } }
  })
}
