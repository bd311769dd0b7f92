/** What the host's status commands show of an account in Claworld, and what they call an issue. */
import * as statuses from "../statuses.ts"
import { type Account, accountIds, channel } from "./config.ts"
import { blocking, faultsOf } from "./faults.ts"

export interface Probe {
  readonly ok: boolean
  readonly elapsedMs: number
  readonly address?: string | undefined
  readonly error?: string | undefined
}

export const { doctor, status } = statuses.make<Account, Probe>({
  channel,
  accountIds,
  faultsOf,
  blocking,
  // Loaded when it is asked for: describing the channel must stay cheap.
  probe: async (account, timeoutMs) => (await import("./probing.ts")).probe(account, timeoutMs),
  notLooked: (error) => ({ ok: false, elapsedMs: 0, error }),
  describe: ({ appToken, present }) => ({
    configured: present,
    tokenStatus: appToken === undefined ? "missing" : "available"
  })
})
