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
import { accountIds, accountsOf, channel, isFields, keyIn, keyOf, resolveAccount, secretIn } from "./config.ts"

const names = ["appSecret", "clientSecret"]

export const secretTargetRegistryEntries = createChannelSecretTargetRegistryEntries({
  channelKey: channel,
  account: names,
  channel: names
})

interface Collecting {
  /** The host's own working copy: what is read is written into it. */
  readonly config: Config
  readonly defaults?: unknown
  readonly context: unknown
}

export const collectRuntimeConfigAssignments = ({ config, context, defaults }: Collecting): void => {
  const section = config.channels?.[channel]
  if (!isFields(section)) return
  const accounts = accountsOf(section)
  for (const accountId of accountIds(config)) {
    const key = keyOf(accounts, accountId)
    const own = key === undefined ? undefined : accounts[key]
    const isOwn = isFields(own) && (keyIn(own) !== undefined || secretIn(own) !== undefined)
    const at = isOwn ? own : section
    for (const name of names) {
      collectSecretInputAssignment({
        value: at[name],
        path: isOwn ? `channels.${channel}.accounts.${key}.${name}` : `channels.${channel}.${name}`,
        expected: "string",
        defaults,
        context,
        active: resolveAccount(config, accountId).enabled,
        inactiveReason: `The InstaClaw account ${accountId} is switched off.`,
        owner: {
          ownerKind: "account",
          ownerId: `${channel}:${accountId.toLowerCase()}`,
          requiredForGateway: false,
          disposition: "isolate",
          contract: { accountId, account: at }
        },
        apply: (value) => void Reflect.set(at, name, value)
      })
    }
  }
}

export const secrets = { secretTargetRegistryEntries, collectRuntimeConfigAssignments }
