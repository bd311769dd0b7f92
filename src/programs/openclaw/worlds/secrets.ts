/** Where secrets may stand in `channels.claworld` as references of the host. */
import * as secretPlaces from "../secretPlaces.ts"
import { accountIds, channel, resolveAccount, saysWhoItIs } from "./config.ts"

export const secrets = secretPlaces.make({
  channel,
  label: "Claworld",
  paths: ["appToken", "apiKey", "relay.appToken"],
  accountIds,
  isEnabled: (config, accountId) => resolveAccount(config, accountId).enabled,
  hasOwn: saysWhoItIs
})

export const { collectRuntimeConfigAssignments, secretTargetRegistryEntries } = secrets
