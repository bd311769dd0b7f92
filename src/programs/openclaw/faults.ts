/** What is wrong with `channels.instaclaw`, in words: see faulting. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import {
  type Account,
  accountIds,
  accountsOf,
  channel,
  credentialsOf,
  dialects,
  type Fields,
  isFields,
  keyIn,
  ownFields,
  policies,
  referenceOf,
  resolveAccount,
  secretIn,
  sectionOf,
  textOf
} from "./config.ts"
import * as faulting from "./faulting.ts"
import { expected, type Fault, passedOver } from "./faulting.ts"

const base = `channels.${channel}`

const texts = ["name", "wsUrl", "systemPrompt"] as const

const known = [
  ...texts,
  "enabled",
  "appKey",
  "appSecret",
  "clientId",
  "clientSecret",
  "dialect",
  "dmPolicy",
  "allowFrom",
  "debug",
  "accounts",
  "defaultAccount"
]

const credentialKeys = new Set(["appKey", "appSecret", "clientId", "clientSecret"])

const plain = (key: string): string => key.toLowerCase().replace(/[^a-z]/g, "")
const meant = new Map([
  ...known.map((key) => [plain(key), key] as const),
  ["url", "wsUrl"],
  ["websocketurl", "wsUrl"],
  ["key", "appKey"],
  ["secret", "appSecret"]
])

/** Of one level: the base, or what an account has of its own. */
const faultsAt = (path: string, fields: Fields): ReadonlyArray<Fault> => {
  const found: Array<Fault> = []
  const at = (key: string) => `${path}.${key}`
  for (const key of Object.keys(fields)) {
    const right = known.includes(key) ? undefined : meant.get(plain(key))
    if (right === undefined) continue
    found.push({
      message: `${at(key)} is no key of this channel, so it does nothing.`,
      fix: `It is probably meant to be ${at(right)}.`,
      blocks: false
    })
  }
  for (const key of texts) {
    const value = fields[key]
    if (value === undefined || typeof value === "string") continue
    found.push(expected(at(key), "a text", value, key === "wsUrl", key === "wsUrl" ? "" : passedOver))
  }
  for (const key of ["appKey", "clientId"]) {
    const value = fields[key]
    if (value !== undefined && typeof value !== "string") found.push(expected(at(key), "a text", value, true))
  }
  for (const key of ["appSecret", "clientSecret"]) {
    const value = fields[key]
    if (value === undefined || typeof value === "string" || referenceOf(value) !== undefined) continue
    found.push(expected(at(key), "a text or a secret reference", value, true))
  }
  const { allowFrom, debug, dialect, dmPolicy, enabled } = fields
  if (enabled !== undefined && typeof enabled !== "boolean") {
    found.push(expected(at("enabled"), "true or false", enabled, true))
  }
  if (debug !== undefined && typeof debug !== "boolean") {
    found.push(expected(at("debug"), "true or false", debug, false, passedOver))
  }
  if (dialect !== undefined && !dialects.some((name) => name === dialect)) {
    found.push({
      message: `${at("dialect")} names no dialect; the default is spoken.`,
      fix: `Write one of ${dialects.join(", ")}, or leave it out.`,
      blocks: false
    })
  }
  if (dmPolicy !== undefined && !policies.some((name) => name === dmPolicy)) {
    found.push({
      message: `${at("dmPolicy")} names no policy; pairing holds, so strangers have to be let in.`,
      fix: `Write one of ${policies.join(", ")}.`,
      blocks: false
    })
  }
  if (
    allowFrom !== undefined &&
    !(Array.isArray(allowFrom) && allowFrom.every((entry) => ["string", "number"].includes(typeof entry)))
  ) {
    found.push({
      message: `${at("allowFrom")} is no list of user ids; what of it is none lets nobody in.`,
      fix: `Write it like ["user_…"].`,
      blocks: false
    })
  }
  return found
}

const credentialFaults = (config: Config, accountId: string, path: string, own: Fields): ReadonlyArray<Fault> => {
  const { key, secret } = credentialsOf(sectionOf(config), own)
  const hasSecret = textOf(secret) !== undefined || referenceOf(secret) !== undefined
  if ((textOf(key) !== undefined) !== hasSecret && [key, secret].every((value) => typeof value !== "number")) {
    const [has, lacks] = hasSecret ? ["appSecret", "appKey"] : ["appKey", "appSecret"]
    const from = keyIn(own) === undefined && secretIn(own) === undefined ? base : path
    return [
      {
        message: `${from} has ${has} without ${lacks}, so the account ${accountId} cannot connect.`,
        fix: "Give both, or neither to register from here.",
        blocks: true
      }
    ]
  }
  if (textOf(key) === undefined) return []
  for (const other of accountIds(config)) {
    if (other === accountId) break
    const account = resolveAccount(config, other)
    if (!account.enabled || account.appKey !== textOf(key)) continue
    return [
      {
        message: `The account ${accountId} has the same appKey as ${other}. A key is good for one connection, so ${accountId} stays away.`,
        fix: `Give ${path} a key of its own, or remove it.`,
        blocks: true
      }
    ]
  }
  return []
}

export const addressFaults = (accountId: string, wsUrl: string | undefined): ReadonlyArray<Fault> => {
  if (wsUrl === undefined) return []
  const url = PlatformAddress.parse(wsUrl)
  if (url === undefined) {
    return [
      {
        message: `wsUrl of the account ${accountId} is no address of a platform.`,
        fix: "Write it like wss://claw.int-os.com/ws/chat.",
        blocks: true
      }
    ]
  }
  return PlatformAddress.mayCarryKeys(PlatformAddress.derive(url).wsUrl)
    ? []
    : [
        {
          message: `${url.host} is not encrypted and not on this machine: no key is sent there.`,
          fix: "Use wss://.",
          blocks: true
        }
      ]
}

/** All that is wrong with one account, what concerns it in the base included. */
export const faultsOf = (config: Config, accountId: string): ReadonlyArray<Fault> => {
  const whole = config.channels?.[channel]
  if (whole !== undefined && !isFields(whole)) return [expected(base, "an object", whole, true)]
  const section = sectionOf(config)
  const path = `${base}.accounts.${accountId}`
  const found: Array<Fault> = [...faulting.nameFaults(accountId), ...faulting.accountsFaults(base, section)]
  const given = ownFields(config, accountId)
  if (given !== undefined && !isFields(given)) return [...found, expected(path, "an object", given, true)]
  const { inherited, own } = faulting.levels(section, given)
  const ownCredentials = keyIn(own) !== undefined || secretIn(own) !== undefined
  const concerning = Object.entries(inherited).filter(([key]) => !(ownCredentials && credentialKeys.has(key)))
  found.push(...faultsAt(base, Object.fromEntries(concerning)), ...faultsAt(path, own))
  const wanted = section["defaultAccount"]
  if (wanted !== undefined && !accountIds(config).some((id) => id === wanted)) {
    found.push({
      message: `${base}.defaultAccount names no account; ${accountIds(config)[0] ?? "none"} is taken.`,
      fix: `Write one of ${accountIds(config).join(", ")}.`,
      blocks: false
    })
  }
  found.push(
    ...credentialFaults(config, accountId, Object.keys(accountsOf(section)).includes(accountId) ? path : base, own),
    ...addressFaults(accountId, resolveAccount(config, accountId).wsUrl)
  )
  return found
}

export const blocking = (config: Config, accountId: string): string | undefined =>
  faulting.blockingOf(faultsOf(config, accountId))

export const unresolved = (account: Account): string | undefined => faulting.unresolved("The app secret", account)
