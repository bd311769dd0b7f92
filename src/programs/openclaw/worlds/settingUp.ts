/**
 * What `openclaw claworld setup` writes. The host's own `channels add` takes the flags of one channel of a package, the
 * one in package.json (`openclaw.channel`), and that is InstaClaw: so this one is set up by a command of the plugin.
 */
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import { accountsOf, defaultAccount, type Fields, isFields, keyOf } from "../config.ts"
import { channel, sectionOf } from "./config.ts"
import * as faults from "./faults.ts"

export interface Input {
  readonly account: string | undefined
  readonly name: string | undefined
  readonly serverUrl: string | undefined
  readonly displayName: string | undefined
  readonly agentCode: string | undefined
  readonly appToken: string | undefined
  /** Environment variables of the host that hold secrets. */
  readonly appTokenEnv: string | undefined
  readonly apiKeyEnv: string | undefined
}

const secretIn = (variable: string) => ({ source: "env", provider: "default", id: variable })

const given = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const fieldsOf = (before: Fields, input: Input): Fields => {
  const { agentCode, apiKeyEnv, appToken, appTokenEnv, displayName, name, serverUrl } = input
  const registration = isFields(before["registration"]) ? before["registration"] : {}
  return given({
    name,
    serverUrl,
    appToken: appTokenEnv === undefined ? appToken : secretIn(appTokenEnv),
    apiKey: apiKeyEnv === undefined ? undefined : secretIn(apiKeyEnv),
    registration:
      displayName === undefined && agentCode === undefined
        ? undefined
        : { ...registration, enabled: true, ...given({ displayName, agentCode }) }
  })
}

/** The whole configuration with it; keys that are not named stay as they are. */
export const apply = <C extends Config>(config: C, input: Input): C => {
  const section = sectionOf(config)
  const accounts = accountsOf(section)
  const wanted = input.account ?? defaultAccount
  const key = keyOf(accounts, wanted)
  const isBase = key === undefined && wanted === defaultAccount
  const found = key === undefined ? undefined : accounts[key]
  const own = isFields(found) ? found : {}
  const next: Fields = isBase
    ? { ...section, enabled: true, ...fieldsOf(section, input) }
    : {
        ...section,
        enabled: section["enabled"] ?? true,
        accounts: { ...accounts, [key ?? wanted]: { ...own, enabled: true, ...fieldsOf(own, input) } }
      }
  return { ...config, channels: { ...config.channels, [channel]: next } }
}

const variable = /^[A-Za-z_]\w{0,127}$/

/** A sentence where it cannot be written so, before anything is. */
export const refusal = (config: Config, input: Input): string | undefined => {
  if (input.appToken !== undefined && input.appTokenEnv !== undefined) {
    return "--app-token and --app-token-env both say where the token is. Give one of them."
  }
  for (const [flag, value] of [
    ["--app-token-env", input.appTokenEnv],
    ["--api-key-env", input.apiKeyEnv]
  ] as const) {
    if (value !== undefined && !variable.test(value)) {
      return `${flag} is no name of an environment variable, such as CLAWORLD_TOKEN.`
    }
  }
  return faults.blocking(apply(config, input), input.account ?? defaultAccount)
}
