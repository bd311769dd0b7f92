/** Changes to `channels.instaclaw`, each a new configuration: all else stays as it is. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { accountsOf, channel, defaultAccount, type Fields, isFields, keyOf, sectionOf } from "./config.ts"

const withSection = <C extends Config>(config: C, section: Fields): C => ({
  ...config,
  channels: { ...config.channels, [channel]: section }
})

const without = (fields: Fields, keys: ReadonlyArray<string>): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)))

/** The older names of what is written are taken out: they would be looked at only where the newer ones are not. */
const older: Readonly<Record<string, ReadonlyArray<string>>> = {
  appKey: ["clientId"],
  appSecret: ["clientSecret"]
}

/** Keys whose value is undefined stay as they are. `default` is the base, unless there is an account of that name. */
export const write = <C extends Config>(config: C, accountId: string, given: Fields): C => {
  const section = sectionOf(config)
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const replaced = Object.keys(fields).flatMap((key) => older[key] ?? [])
  const accounts = accountsOf(section)
  const key = keyOf(accounts, accountId)
  if (key === undefined && accountId === defaultAccount) {
    return withSection(config, { ...without(section, replaced), enabled: true, ...fields })
  }
  const own = key === undefined ? undefined : accounts[key]
  return withSection(config, {
    ...section,
    enabled: section["enabled"] ?? true,
    accounts: {
      ...accounts,
      [key ?? accountId]: { ...(isFields(own) ? without(own, replaced) : {}), enabled: true, ...fields }
    }
  })
}

export const setEnabled = <C extends Config>(config: C, accountId: string, enabled: boolean): C =>
  write(config, accountId, { enabled })

/** Of the base its keys go, so that it is an account no more; the settings that others inherit stay. */
export const remove = <C extends Config>(config: C, accountId: string): C => {
  const section = sectionOf(config)
  const accounts = accountsOf(section)
  const key = keyOf(accounts, accountId)
  if (key !== undefined) return withSection(config, { ...section, accounts: without(accounts, [key]) })
  if (accountId !== defaultAccount) return config
  const keys = ["appKey", "appSecret", "clientId", "clientSecret"]
  if (Object.keys(accounts).length > 0) return withSection(config, without(section, keys))
  const { channels, ...rest } = config
  const others = Object.fromEntries(Object.entries(channels ?? {}).filter(([id]) => id !== channel))
  return { ...rest, channels: others } as C
}
