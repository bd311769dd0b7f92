/**
 * `channels.instaclaw` of the host's configuration: a base, and accounts that are merged over it. Keys that are not
 * ours are left alone: the host adds some of its own, and a closed schema would keep the whole host from starting.
 */
import type { Config } from "../../layers/channel/openclaw/Host.ts"

export const channel = "instaclaw"
export const defaultAccount = "default"

type Fields = Readonly<Record<string, unknown>>

export interface Account {
  readonly accountId: string
  readonly enabled: boolean
  readonly name: string | undefined
  readonly appKey: string | undefined
  readonly appSecret: string | undefined
  /** As written; read when the account starts. */
  readonly wsUrl: string | undefined
  readonly dialect: "envelope" | "gateway" | "legacy" | undefined
  readonly systemPrompt: string | undefined
  readonly dmPolicy: string
  readonly allowFrom: ReadonlyArray<string>
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined

const sectionOf = (config: Config): Fields => {
  const section = config.channels?.[channel]
  return isFields(section) ? section : {}
}

const accountsOf = (section: Fields): Readonly<Record<string, unknown>> =>
  isFields(section["accounts"]) ? section["accounts"] : {}

/** The base is an account itself, unless there are only named ones. */
export const accountIds = (config: Config): Array<string> => {
  const section = sectionOf(config)
  const named = Object.keys(accountsOf(section))
  const hasBase = text(section["appKey"] ?? section["clientId"]) !== undefined
  return hasBase || named.length === 0 ? [defaultAccount, ...named.filter((id) => id !== defaultAccount)] : named
}

export const defaultAccountId = (config: Config): string => {
  const ids = accountIds(config)
  const wanted = text(sectionOf(config)["defaultAccount"])
  return wanted !== undefined && ids.includes(wanted) ? wanted : (ids[0] ?? defaultAccount)
}

const dialects = ["envelope", "gateway", "legacy"] as const
const policies = new Set(["open", "pairing", "allowlist", "disabled"])

export const resolveAccount = (config: Config, accountId?: string | null): Account => {
  const id = accountId ?? defaultAccountId(config)
  const section = sectionOf(config)
  const own = accountsOf(section)[id]
  const fields: Fields = { ...section, ...(isFields(own) ? own : {}) }
  const policy = text(fields["dmPolicy"])
  return {
    accountId: id,
    enabled: section["enabled"] !== false && fields["enabled"] !== false,
    name: text(fields["name"]),
    // The older names of the family.
    appKey: text(fields["appKey"] ?? fields["clientId"]),
    appSecret: text(fields["appSecret"] ?? fields["clientSecret"]),
    wsUrl: text(fields["wsUrl"]),
    dialect: dialects.find((name) => name === fields["dialect"]),
    systemPrompt: text(fields["systemPrompt"]),
    dmPolicy: policy !== undefined && policies.has(policy) ? policy : "pairing",
    allowFrom: Array.isArray(fields["allowFrom"]) ? fields["allowFrom"].map(String) : []
  }
}

/** For people and diagnostics: what there is, never what it is. */
export const inspectAccount = (config: Config, accountId?: string | null) => {
  const account = resolveAccount(config, accountId)
  const whole = account.appKey !== undefined && account.appSecret !== undefined
  return {
    accountId: account.accountId,
    enabled: account.enabled,
    // Without keys the account registers itself: that is a way to be configured.
    configured: true,
    tokenStatus: whole ? "available" : "missing",
    dmPolicy: account.dmPolicy
  }
}
