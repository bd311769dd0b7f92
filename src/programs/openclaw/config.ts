/**
 * `channels.instaclaw` of the host's configuration: a base, and accounts that are merged over it. Reading is total:
 * whatever stands there gives an account, and `faults.ts` says what is wrong with it. Keys that are not ours are left
 * alone: the host adds some of its own, and a closed schema would keep the whole host from starting.
 */
import type { Config } from "../../layers/channel/openclaw/Host.ts"

export const channel = "instaclaw"
export const defaultAccount = "default"

export type Fields = Readonly<Record<string, unknown>>

export const dialects = ["envelope", "gateway", "legacy"] as const
export const policies = ["open", "pairing", "allowlist", "disabled"] as const
export type DmPolicy = (typeof policies)[number]

export interface Account {
  readonly accountId: string
  readonly enabled: boolean
  readonly name: string | undefined
  readonly appKey: string | undefined
  readonly appSecret: string | undefined
  /** The secret is named and not written, and this process has not been given it: `env:default:NAME`, say. */
  readonly secretReference: string | undefined
  /** As written; read when the account starts. */
  readonly wsUrl: string | undefined
  readonly dialect: (typeof dialects)[number] | undefined
  readonly systemPrompt: string | undefined
  readonly dmPolicy: DmPolicy
  readonly allowFrom: ReadonlyArray<string>
  /** The log tells every step. */
  readonly debug: boolean
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined

/** `channels.<id>` of any channel of ours. */
export const sectionIn = (config: Config, id: string): Fields => {
  const section = config.channels?.[id]
  return isFields(section) ? section : {}
}

export const sectionOf = (config: Config): Fields => sectionIn(config, channel)

export const accountsOf = (section: Fields): Fields => (isFields(section["accounts"]) ? section["accounts"] : {})

/** The host writes ids in lower case; the operator need not. */
export const keyOf = (accounts: Fields, id: string): string | undefined =>
  Object.hasOwn(accounts, id) ? id : Object.keys(accounts).find((key) => key.toLowerCase() === id.toLowerCase())

/** The older names of the family. */
export const keyIn = (fields: Fields): unknown => fields["appKey"] ?? fields["clientId"]
export const secretIn = (fields: Fields): unknown => fields["appSecret"] ?? fields["clientSecret"]

/**
 * The base is an account itself, unless there are only named ones.
 *
 * @param says Whether the base says who it is.
 * @param base How it is called.
 */
export const idsIn = (section: Fields, says: boolean, base: string): Array<string> => {
  const named = Object.keys(accountsOf(section))
  return says || named.length === 0 ? [base, ...named.filter((id) => id.toLowerCase() !== base.toLowerCase())] : named
}

export const accountIds = (config: Config): Array<string> => {
  const section = sectionOf(config)
  return idsIn(section, keyIn(section) !== undefined, defaultAccount)
}

export const defaultAccountId = (config: Config): string => {
  const ids = accountIds(config)
  const wanted = textOf(sectionOf(config)["defaultAccount"])
  return wanted !== undefined && ids.includes(wanted) ? wanted : (ids[0] ?? defaultAccount)
}

/** What stands under an account's own name, whatever it is. */
export const ownIn = (section: Fields, accountId: string): unknown => {
  const accounts = accountsOf(section)
  const key = keyOf(accounts, accountId)
  return key === undefined ? undefined : accounts[key]
}

export const ownFields = (config: Config, accountId: string): unknown => ownIn(sectionOf(config), accountId)

/** Key and secret are one thing: an account that has one of its own takes neither from the base. */
export const credentialsOf = (section: Fields, own: Fields): { readonly key: unknown; readonly secret: unknown } => {
  const from = keyIn(own) !== undefined || secretIn(own) !== undefined ? own : section
  return { key: keyIn(from), secret: secretIn(from) }
}

/** The host's own shape of a secret that lies elsewhere: `{source, provider, id}`. */
export const referenceOf = (value: unknown): string | undefined => {
  if (!isFields(value)) return undefined
  const { id, provider, source } = value
  return typeof source === "string" && typeof id === "string"
    ? [source, typeof provider === "string" ? provider : "default", id].join(":")
    : undefined
}

const listOf = (value: unknown): ReadonlyArray<string> => {
  const entries = Array.isArray(value) ? (value as ReadonlyArray<unknown>) : value === undefined ? [] : [value]
  return entries.flatMap((entry) =>
    typeof entry === "string" || typeof entry === "number" ? (textOf(String(entry)) ?? []) : []
  )
}

export const resolveAccount = (config: Config, accountId?: string | null): Account => {
  const id = accountId ?? defaultAccountId(config)
  const section = sectionOf(config)
  const found = ownFields(config, id)
  const own = isFields(found) ? found : {}
  const fields: Fields = { ...section, ...own }
  const { key, secret } = credentialsOf(section, own)
  return {
    accountId: id,
    enabled: section["enabled"] !== false && fields["enabled"] !== false,
    name: textOf(fields["name"]),
    appKey: textOf(key),
    appSecret: textOf(secret),
    secretReference: referenceOf(secret),
    wsUrl: textOf(fields["wsUrl"]),
    dialect: dialects.find((name) => name === fields["dialect"]),
    systemPrompt: textOf(fields["systemPrompt"]),
    dmPolicy: policies.find((name) => name === textOf(fields["dmPolicy"])) ?? "pairing",
    allowFrom: listOf(fields["allowFrom"]),
    debug: fields["debug"] === true
  }
}

/** What there is of a secret, never what it is. */
export const tokenStatusOf = (secret: string | undefined, reference: string | undefined) =>
  secret !== undefined ? "available" : reference !== undefined ? "configured_unavailable" : "missing"

/** For people and diagnostics. */
export const inspectAccount = (config: Config, accountId?: string | null) => {
  const account = resolveAccount(config, accountId)
  const status = tokenStatusOf(account.appSecret, account.secretReference)
  return {
    accountId: account.accountId,
    enabled: account.enabled,
    ...(account.name === undefined ? {} : { name: account.name }),
    // Without keys the account registers itself: that is a way to be configured.
    configured: true,
    tokenStatus: account.appKey === undefined && status === "available" ? "missing" : status,
    dmPolicy: account.dmPolicy
  }
}
