/**
 * `channels.claworld` of the host's configuration (PROTOCOL B2): a base, and accounts that are merged over it. Reading is
 * total, as for the other channel: whatever stands there gives an account, and `faults.ts` says what is wrong with it.
 */
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import {
  defaultAccount,
  type Fields,
  idsIn,
  isFields,
  ownIn,
  referenceOf,
  sectionIn,
  textOf,
  tokenStatusOf
} from "../config.ts"

export const channel = "claworld"

export const defaultHeartbeat = 15

export interface Account {
  readonly accountId: string
  /** Anything of this channel stands in the configuration: without it the host starts nothing. */
  readonly present: boolean
  readonly enabled: boolean
  readonly name: string | undefined
  /** As written; read when the account starts. */
  readonly serverUrl: string | undefined
  readonly appToken: string | undefined
  /** A person's key at the service: what registers there makes an agent of that person. */
  readonly apiKey: string | undefined
  /** A secret is named and not written, and this process has not been given it: `env:default:NAME`, say. */
  readonly secretReference: string | undefined
  /** Which agent the token has to be of, where that is written. */
  readonly agentId: string | undefined
  readonly heartbeatSeconds: number
  /** `false`: a line that broke stays down until the account is started again. */
  readonly reconnect: boolean
  readonly registration: {
    readonly enabled: boolean
    readonly displayName: string | undefined
    readonly agentCode: string | undefined
  }
}

const fieldsIn = (fields: Fields, key: string): Fields => {
  const found = fields[key]
  return isFields(found) ? found : {}
}

export const sectionOf = (config: Config): Fields => sectionIn(config, channel)

/** The relay's own token wins: it is the one that the socket is opened with. */
export const tokenIn = (fields: Fields): unknown => fieldsIn(fields, "relay")["appToken"] ?? fields["appToken"]

/** What an account is at the service. One that says any of it says all of it. */
const identityKeys = ["serverUrl", "apiKey", "appToken", "relay", "registration"] as const

/** `accountId` names the base. */
const baseId = (section: Fields): string => textOf(section["accountId"]) ?? defaultAccount

export const accountIds = (config: Config): Array<string> => {
  const section = sectionOf(config)
  const says = tokenIn(section) !== undefined || section["registration"] !== undefined
  return idsIn(section, says, baseId(section))
}

/** Where none is named: `defaultAccount`, then `accounts.default`, then the first. */
export const defaultAccountId = (config: Config): string => {
  const ids = accountIds(config)
  const wanted = textOf(sectionOf(config)["defaultAccount"])?.toLowerCase()
  const found = ids.find((id) => id.toLowerCase() === wanted)
  return found ?? ids.find((id) => id.toLowerCase() === defaultAccount) ?? ids[0] ?? defaultAccount
}

export const ownFields = (config: Config, accountId: string): unknown => ownIn(sectionOf(config), accountId)

export const saysWhoItIs = (own: Fields): boolean => identityKeys.some((key) => own[key] !== undefined)

/**
 * Law secret: a token belongs to the service that gave it. An account that names a service, a token or a registration of
 * its own takes none of them from the base, but for the service's address where it names none.
 */
export const identityOf = (section: Fields, own: Fields): Fields => {
  const from = saysWhoItIs(own) ? own : section
  const identity = Object.fromEntries(identityKeys.map((key) => [key, from[key]]))
  return { ...identity, serverUrl: identity["serverUrl"] ?? section["serverUrl"] }
}

export const resolveAccount = (config: Config, accountId?: string | null): Account => {
  const id = accountId ?? defaultAccountId(config)
  const section = sectionOf(config)
  const found = ownFields(config, id)
  const own = isFields(found) ? found : {}
  const fields: Fields = { ...section, ...own, ...identityOf(section, own) }
  const registration = fieldsIn(fields, "registration")
  const token = tokenIn(fields)
  const heartbeat = fields["heartbeatSeconds"]
  const isBase = id.toLowerCase() === baseId(section).toLowerCase()
  return {
    accountId: id,
    present: config.channels?.[channel] !== undefined && (isBase || found !== undefined),
    enabled: section["enabled"] !== false && fields["enabled"] !== false,
    name: textOf(fields["name"]),
    serverUrl: textOf(fields["serverUrl"]),
    appToken: textOf(token),
    apiKey: textOf(fields["apiKey"]),
    secretReference: referenceOf(token) ?? referenceOf(fields["apiKey"]),
    agentId: textOf(fieldsIn(fields, "relay")["agentId"]),
    heartbeatSeconds:
      typeof heartbeat === "number" && Number.isInteger(heartbeat) && heartbeat >= 1 ? heartbeat : defaultHeartbeat,
    reconnect: fields["reconnect"] !== false,
    registration: {
      enabled: registration["enabled"] === true,
      displayName: textOf(registration["displayName"]),
      agentCode: textOf(registration["agentCode"])
    }
  }
}

/** For people and diagnostics. */
export const inspectAccount = (config: Config, accountId?: string | null) => {
  const account = resolveAccount(config, accountId)
  return {
    accountId: account.accountId,
    enabled: account.enabled,
    ...(account.name === undefined ? {} : { name: account.name }),
    configured: account.present,
    tokenStatus: tokenStatusOf(account.appToken, account.secretReference)
  }
}
