/**
 * Secrets that are named in the configuration and lie elsewhere (the host's secret references). The host asks here where
 * they may stand and who needs them; it reads them itself and puts them in before an account starts. One that cannot be
 * read keeps its own accounts from starting and nobody else.
 */
import {
  collectSecretInputAssignment,
  createChannelSecretTargetRegistryEntries
} from "openclaw/plugin-sdk/channel-secret-basic-runtime"
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { accountsOf, type Fields, isFields, keyOf } from "./config.ts"

export interface Options {
  readonly channel: string
  /** What a person calls the channel. */
  readonly label: string
  /** Where a secret may stand in the base, and in each account: `relay.appToken`, say. */
  readonly paths: ReadonlyArray<string>
  readonly accountIds: (config: Config) => ReadonlyArray<string>
  readonly isEnabled: (config: Config, accountId: string) => boolean
  /** Whether an account has secrets of its own: then it takes none from the base. */
  readonly hasOwn: (own: Fields) => boolean
}

export interface Collecting {
  /** The host's own working copy: what is read is written into it. */
  readonly config: Config
  readonly defaults?: unknown
  readonly context: unknown
}

/** The object that holds the secret, and its key there. */
const placeOf = (fields: Fields, path: string): readonly [holder: Fields, key: string] | undefined => {
  const [first = "", second] = path.split(".")
  if (second === undefined) return [fields, first]
  const inner = fields[first]
  return isFields(inner) ? [inner, second] : undefined
}

export const make = ({ accountIds, channel, hasOwn, isEnabled, label, paths }: Options) => {
  const collectRuntimeConfigAssignments = ({ config, context, defaults }: Collecting): void => {
    const section = config.channels?.[channel]
    if (!isFields(section)) return
    const accounts = accountsOf(section)
    for (const accountId of accountIds(config)) {
      const key = keyOf(accounts, accountId)
      const given = key === undefined ? undefined : accounts[key]
      const isOwn = isFields(given) && hasOwn(given)
      const at = isOwn ? given : section
      for (const path of paths) {
        const place = placeOf(at, path)
        if (place === undefined) continue
        const [holder, name] = place
        collectSecretInputAssignment({
          value: holder[name],
          path: isOwn ? `channels.${channel}.accounts.${key}.${path}` : `channels.${channel}.${path}`,
          expected: "string",
          defaults,
          context,
          active: isEnabled(config, accountId),
          inactiveReason: `The ${label} account ${accountId} is switched off.`,
          owner: {
            ownerKind: "account",
            ownerId: `${channel}:${accountId.toLowerCase()}`,
            requiredForGateway: false,
            disposition: "isolate",
            contract: { accountId, account: at }
          },
          apply: (value) => void Reflect.set(holder, name, value)
        })
      }
    }
  }
  return {
    secretTargetRegistryEntries: createChannelSecretTargetRegistryEntries({
      channelKey: channel,
      account: paths,
      channel: paths
    }),
    collectRuntimeConfigAssignments
  }
}
