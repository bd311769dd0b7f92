/** Where secrets may stand in `channels.claworld` as references of the host. It reads them before an account starts. */
import {
  collectSecretInputAssignment,
  createChannelSecretTargetRegistryEntries
} from "openclaw/plugin-sdk/channel-secret-basic-runtime"
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import { accountsOf, type Fields, isFields, keyOf } from "../config.ts"
import { accountIds, channel, resolveAccount, saysWhoItIs, sectionOf } from "./config.ts"

const paths = ["appToken", "apiKey", "relay.appToken"]

export const secretTargetRegistryEntries = createChannelSecretTargetRegistryEntries({
  channelKey: channel,
  account: paths,
  channel: paths
})

interface Collecting {
  /** The host's own working copy: what is read is written into it. */
  readonly config: Config
  readonly defaults?: unknown
  readonly context: unknown
}

/** The object that holds the secret, and its key there. */
const placeOf = (fields: Fields, path: string): readonly [holder: Fields, key: string] | undefined => {
  if (path !== "relay.appToken") return [fields, path]
  const relay = fields["relay"]
  return isFields(relay) ? [relay, "appToken"] : undefined
}

export const collectRuntimeConfigAssignments = ({ config, context, defaults }: Collecting): void => {
  const section = sectionOf(config)
  const accounts = accountsOf(section)
  for (const accountId of accountIds(config)) {
    const key = keyOf(accounts, accountId)
    const given = key === undefined ? undefined : accounts[key]
    const own = isFields(given) ? given : {}
    const isOwn = saysWhoItIs(own)
    for (const path of paths) {
      const place = placeOf(isOwn ? own : section, path)
      if (place === undefined) continue
      const [holder, name] = place
      collectSecretInputAssignment({
        value: holder[name],
        path: isOwn ? `channels.${channel}.accounts.${key}.${path}` : `channels.${channel}.${path}`,
        expected: "string",
        defaults,
        context,
        active: resolveAccount(config, accountId).enabled,
        inactiveReason: `The Claworld account ${accountId} is switched off.`,
        owner: {
          ownerKind: "account",
          ownerId: `${channel}:${accountId.toLowerCase()}`,
          requiredForGateway: false,
          disposition: "isolate",
          contract: { accountId, account: isOwn ? own : section }
        },
        apply: (value) => void Reflect.set(holder, name, value)
      })
    }
  }
}

export const secrets = { secretTargetRegistryEntries, collectRuntimeConfigAssignments }
