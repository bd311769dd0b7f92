/** Where secrets may stand in `channels.instaclaw` as references of the host. */
import { accountIds, channel, keyIn, resolveAccount, secretIn } from "./config.ts"
import * as secretPlaces from "./secretPlaces.ts"

export const secrets = secretPlaces.make({
  channel,
  label: "InstaClaw",
  paths: ["appSecret", "clientSecret"],
  accountIds,
  isEnabled: (config, accountId) => resolveAccount(config, accountId).enabled,
  // Key and secret are one thing.
  hasOwn: (own) => keyIn(own) !== undefined || secretIn(own) !== undefined
})

export const { collectRuntimeConfigAssignments, secretTargetRegistryEntries } = secrets
