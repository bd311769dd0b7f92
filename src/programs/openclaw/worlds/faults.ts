/** What is wrong with `channels.claworld`, by code (PROTOCOL B2) and in words: see faulting. */
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import * as PlatformAddress from "../../../layers/channel/PlatformAddress.ts"
import { accountsOf, defaultAccount, type Fields, isFields, referenceOf, textOf } from "../config.ts"
import * as faulting from "../faulting.ts"
import type { Fault as Said } from "../faulting.ts"
import {
  type Account,
  accountIds,
  channel,
  defaultAccountId,
  identityOf,
  ownFields,
  resolveAccount,
  sectionOf,
  tokenIn
} from "./config.ts"

export const codes = [
  "missing_required_keys",
  "invalid_server_url",
  "invalid_server_url_protocol",
  "invalid_heartbeat_seconds",
  "missing_default_account",
  "invalid_default_account",
  "missing_relay_app_token",
  "missing_registration_display_name"
] as const

/** The eight of the protocol, and what else is told here. */
export type Code =
  | (typeof codes)[number]
  | "invalid_account_id"
  | "invalid_value"
  | "duplicate_app_token"
  | "legacy_key"

export interface Fault extends Said {
  readonly code: Code
}

const base = `channels.${channel}`

const coded =
  (code: Code) =>
  (fault: Said): Fault => ({ code, ...fault })

const expected = (...given: Parameters<typeof faulting.expected>): Fault =>
  coded("invalid_value")(faulting.expected(...given))

const isText = (value: unknown): boolean => typeof value === "string"
const isSecret = (value: unknown): boolean => isText(value) || referenceOf(value) !== undefined
const isFlag = (value: unknown): boolean => typeof value === "boolean"

type Row = readonly [key: string, what: string, holds: (value: unknown) => boolean, blocks: boolean]

/** What may stand under a key; what blocks is what would otherwise be taken for something it is not. */
const rows: ReadonlyArray<Row> = [
  ["name", "a text", isText, false],
  ["accountId", "a text", isText, false],
  ["serverUrl", "a text", isText, true],
  ["apiKey", "a text or a secret reference", isSecret, true],
  ["appToken", "a text or a secret reference", isSecret, true],
  ["enabled", "true or false", isFlag, true],
  ["reconnect", "true or false", isFlag, false],
  ["routing", "an object", isFields, false],
  ["registration", "an object", isFields, true],
  ["relay", "an object", isFields, true]
]

const inner: Readonly<Record<string, ReadonlyArray<Row>>> = {
  registration: [
    ["enabled", "true or false", isFlag, true],
    ["displayName", "a text", isText, true],
    ["agentCode", "a text", isText, true]
  ],
  relay: [
    ["appToken", "a text or a secret reference", isSecret, true],
    ["agentId", "a text", isText, true]
  ]
}

const kinds = (path: string, fields: Fields, table: ReadonlyArray<Row>): ReadonlyArray<Fault> =>
  table.flatMap(([key, what, holds, blocks]) => {
    const value = fields[key]
    if (value === undefined) return []
    if (!holds(value)) {
      return [expected(`${path}.${key}`, what, value, blocks, blocks ? "" : faulting.passedOver)]
    }
    const under = inner[key]
    return under === undefined || !isFields(value) ? [] : kinds(`${path}.${key}`, value, under)
  })

/** Of one level: the base, or what an account has of its own. */
const faultsAt = (path: string, fields: Fields): ReadonlyArray<Fault> => {
  const found: Array<Fault> = [...kinds(path, fields, rows)]
  const { heartbeatSeconds: heartbeat, routing, toolProfile } = fields
  if (heartbeat !== undefined && !(typeof heartbeat === "number" && Number.isInteger(heartbeat) && heartbeat >= 1)) {
    found.push({
      code: "invalid_heartbeat_seconds",
      message: `${path}.heartbeatSeconds is no whole number of 1 or more; 15 holds.`,
      fix: "Write how many seconds lie between two heartbeats, such as 15, or leave it out.",
      blocks: false
    })
  }
  if (toolProfile !== undefined) {
    found.push({
      code: "legacy_key",
      message: `${path}.toolProfile is of an older version and does nothing: the nine tools are always the same.`,
      fix: "Leave it out. Which tools an agent may call is said by the host's own tools.allow and tools.deny.",
      blocks: false
    })
  }
  if (isFields(routing) && Object.keys(routing).length > 0) {
    found.push({
      code: "legacy_key",
      message: `${path}.routing does nothing: every talk is a session of its own, and nobody speaks into it.`,
      fix: "Leave it out. To end a talk, use the agent's place on the service's page.",
      blocks: false
    })
  }
  return found
}

const addressFaults = (accountId: string, serverUrl: string | undefined): ReadonlyArray<Fault> => {
  if (serverUrl === undefined) {
    return [
      {
        code: "missing_required_keys",
        message: `The account ${accountId} has no serverUrl, so there is no service that it could be at.`,
        fix: `Write ${base}.serverUrl, such as https://claworld.example or http://127.0.0.1:8787.`,
        blocks: true
      }
    ]
  }
  const url = URL.parse(serverUrl)
  if (url === null || (url.hostname === "" && /^(https?|wss?):$/.test(url.protocol))) {
    return [
      {
        code: "invalid_server_url",
        message: `serverUrl of the account ${accountId} is no address.`,
        fix: "Write it whole, such as https://claworld.example or http://127.0.0.1:8787.",
        blocks: true
      }
    ]
  }
  if (!/^(https?|wss?):$/.test(url.protocol)) {
    return [
      {
        code: "invalid_server_url_protocol",
        message: `serverUrl of the account ${accountId} begins with something else than https://, http://, wss:// or ws://.`,
        fix: "Write https://, or http:// for a service on this machine.",
        blocks: true
      }
    ]
  }
  return PlatformAddress.mayCarryKeys(url)
    ? []
    : [
        {
          code: "invalid_server_url_protocol",
          message: `${url.host} is not encrypted and not on this machine: no token is sent there.`,
          fix: "Use https:// or wss://.",
          blocks: true
        }
      ]
}

const identityFaults = (config: Config, accountId: string, identity: Fields): ReadonlyArray<Fault> => {
  const account = resolveAccount(config, accountId)
  const token = tokenIn(identity)
  const hasToken = textOf(token) !== undefined || referenceOf(token) !== undefined
  if (!hasToken && !account.registration.enabled) {
    return [
      {
        code: "missing_relay_app_token",
        message: `The account ${accountId} has no app token and may not register, so the service would not know it.`,
        fix: `Write ${base}.appToken (or relay.appToken), or let it register: registration {enabled: true, displayName: "…"}.`,
        blocks: true
      }
    ]
  }
  if (!hasToken && account.registration.displayName === undefined) {
    return [
      {
        code: "missing_registration_display_name",
        message: `The account ${accountId} may register, but nothing says under which name.`,
        fix: `Write ${base}.registration.displayName: the name that others see.`,
        blocks: true
      }
    ]
  }
  if (account.appToken === undefined) return []
  for (const other of accountIds(config)) {
    if (other === accountId) break
    const { appToken, enabled } = resolveAccount(config, other)
    if (!enabled || appToken !== account.appToken) continue
    return [
      {
        code: "duplicate_app_token",
        message: `The account ${accountId} has the same app token as ${other}. A token is good for one connection, so ${accountId} stays away.`,
        fix: "Give it a token of its own, or remove it.",
        blocks: true
      }
    ]
  }
  return []
}

const defaultFaults = (config: Config, section: Fields): ReadonlyArray<Fault> => {
  const ids = accountIds(config)
  const wanted = section["defaultAccount"]
  const taken = defaultAccountId(config)
  if (wanted !== undefined) {
    const isKnown = ids.some((id) => id.toLowerCase() === textOf(wanted)?.toLowerCase())
    return isKnown
      ? []
      : [
          {
            code: "invalid_default_account",
            message: `${base}.defaultAccount names no account; ${taken} is taken where none is named.`,
            fix: `Write one of ${ids.join(", ")}.`,
            blocks: false
          }
        ]
  }
  return ids.length < 2 || ids.some((id) => id.toLowerCase() === defaultAccount)
    ? []
    : [
        {
          code: "missing_default_account",
          message: `There are ${ids.length} accounts and none is the default; ${taken} is taken where none is named.`,
          fix: `Write ${base}.defaultAccount: one of ${ids.join(", ")}.`,
          blocks: false
        }
      ]
}

/** All that is wrong with one account, what concerns it in the base included. Nothing where the channel is not set up. */
export const faultsOf = (config: Config, accountId: string): ReadonlyArray<Fault> => {
  const whole = config.channels?.[channel]
  if (whole === undefined) return []
  if (!isFields(whole)) return [expected(base, "an object", whole, true)]
  const section = sectionOf(config)
  const path = `${base}.accounts.${accountId}`
  const found: Array<Fault> = [
    ...faulting.nameFaults(accountId).map(coded("invalid_account_id")),
    ...faulting.accountsFaults(base, section).map(coded("invalid_value"))
  ]
  const given = ownFields(config, accountId)
  if (given !== undefined && !isFields(given)) return [...found, expected(path, "an object", given, true)]
  const { inherited, own } = faulting.levels(section, given)
  const isNamed = Object.keys(accountsOf(section)).some((key) => key.toLowerCase() === accountId.toLowerCase())
  found.push(...faultsAt(base, inherited), ...(isNamed ? faultsAt(path, own) : []), ...defaultFaults(config, section))
  const identity = identityOf(section, own)
  // What is of the wrong kind is told already.
  if (identity["serverUrl"] === undefined || isText(identity["serverUrl"])) {
    found.push(...addressFaults(accountId, resolveAccount(config, accountId).serverUrl))
  }
  if (!found.some(({ blocks, code }) => blocks && code === "invalid_value")) {
    found.push(...identityFaults(config, accountId, identity))
  }
  return found
}

export const blocking = (config: Config, accountId: string): string | undefined =>
  faulting.blockingOf(faultsOf(config, accountId))

export const unresolved = (account: Account): string | undefined => faulting.unresolved("A secret", account)
