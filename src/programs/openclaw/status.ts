/** What the host's status commands show of an account of InstaClaw, and what they call an issue. */
import type * as PlatformLook from "../../layers/channel/PlatformLook.ts"
import { type Account, accountIds, channel } from "./config.ts"
import { blocking, faultsOf } from "./faults.ts"
import * as registry from "./registry.ts"
import * as statuses from "./statuses.ts"

type Probe = PlatformLook.Look | registry.Probe

/** Where the account runs, there; else, in a command of the host, with the keys that are written down. */
const look = async (account: Account, timeoutMs: number): Promise<Probe> => {
  const seat = registry.seats.get(account.accountId)
  if (seat !== undefined) return seat.probe(timeoutMs)
  // Loaded when it is asked for: describing the channel must stay cheap.
  const { probe } = await import("./probing.ts")
  return probe(account, timeoutMs)
}

const issues: NonNullable<statuses.Options<Account, Probe>["more"]> = ({ accountId, dmPolicy, stateReason }) => [
  ...(stateReason?.startsWith("a proposal waits") === true
    ? [
        {
          kind: "auth" as const,
          message: "The agent has written who it is on the platform, and waits for you to confirm it.",
          fix: "Look with: openclaw gateway call instaclaw.registration.get, confirm with instaclaw.registration.submit."
        }
      ]
    : []),
  ...(dmPolicy === "open"
    ? [
        {
          kind: "permissions" as const,
          message: `dmPolicy of ${accountId} is open: anybody of the platform talks to your agent (without tools).`,
          fix: `Set channels.${channel}.dmPolicy to pairing or allowlist, unless that is meant.`
        }
      ]
    : [])
]

export const { doctor, status } = statuses.make<Account, Probe>({
  channel,
  accountIds,
  faultsOf,
  blocking,
  probe: look,
  notLooked: (error) => ({ ok: false, platform: "", elapsedMs: 0, keys: "none", error }),
  describe: ({ allowFrom, appSecret, dmPolicy }, cfg) => ({
    // As the channel itself says it: what nobody has set up is not for the host's health monitor to restart.
    configured: cfg.channels?.[channel] !== undefined,
    tokenStatus: appSecret === undefined ? "missing" : "available",
    dmPolicy,
    allowFrom
  }),
  more: issues
})

export const { probeAccount } = status
