/** What `openclaw channels add --channel instaclaw` takes: the flags, what they write, and what is refused. Pure. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { policies } from "./config.ts"
import { write } from "./configuring.ts"
import * as faults from "./faults.ts"

export const fields = {
  wsUrl: {
    kind: "string",
    cli: { flags: "--ws-url <url>", description: "Platform: wss://claw.int-os.com/ws/chat, or any address of your own" }
  },
  appKey: { kind: "string", cli: { flags: "--app-key <key>", description: "app_key of the profile" } },
  appSecret: {
    kind: "string",
    sensitive: true,
    cli: { flags: "--app-secret <secret>", description: "app_secret of the profile" }
  },
  appSecretEnv: {
    kind: "string",
    cli: { flags: "--app-secret-env <name>", description: "Environment variable that holds the app_secret" }
  },
  dmPolicy: {
    kind: "choice",
    choices: policies,
    cli: { flags: "--dm-policy <policy>", description: "Who may talk: open, pairing, allowlist or disabled" }
  },
  allowFrom: {
    kind: "string-list",
    cli: { flags: "--allow-from <ids>", description: "User ids of the platform that may talk" }
  }
} as const

export interface Input {
  readonly name?: string
  readonly wsUrl?: string
  readonly appKey?: string
  readonly appSecret?: string
  readonly appSecretEnv?: string
  readonly dmPolicy?: string
  readonly allowFrom?: ReadonlyArray<string>
}

export interface Applying<C extends Config = Config> {
  readonly cfg: C
  readonly accountId: string
  readonly input: Input
}

const plain = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim()
  return trimmed === "" ? undefined : trimmed
}

export const applyAccountConfig = <C extends Config>({ accountId, cfg, input }: Applying<C>): C => {
  const variable = plain(input.appSecretEnv)
  const allowFrom = input.allowFrom?.map((id) => id.trim()).filter((id) => id !== "")
  return write(cfg, accountId, {
    name: plain(input.name),
    wsUrl: plain(input.wsUrl),
    appKey: plain(input.appKey),
    appSecret: variable === undefined ? plain(input.appSecret) : { source: "env", provider: "default", id: variable },
    dmPolicy: plain(input.dmPolicy),
    // The host wants the wildcard written beside `open`.
    allowFrom: input.dmPolicy === "open" ? [...new Set([...(allowFrom ?? []), "*"])] : allowFrom
  })
}

/** A sentence where it cannot be written so, before anything is. */
export const validateInput = ({ accountId, cfg, input }: Applying): string | null => {
  if (plain(input.appSecret) !== undefined && plain(input.appSecretEnv) !== undefined) {
    return "--app-secret and --app-secret-env both say where the secret is. Give one of them."
  }
  if (input.appSecretEnv !== undefined && !/^[A-Za-z_]\w{0,127}$/.test(input.appSecretEnv.trim())) {
    return "--app-secret-env is no name of an environment variable, such as INSTACLAW_APP_SECRET."
  }
  if (input.dmPolicy !== undefined && !policies.some((policy) => policy === input.dmPolicy)) {
    return `--dm-policy is one of ${policies.join(", ")}.`
  }
  return faults.blocking(applyAccountConfig({ cfg, accountId, input }), accountId) ?? null
}
