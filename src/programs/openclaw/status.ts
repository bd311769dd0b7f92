/** What the host's status commands show of an account, and what they call an issue. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import type * as PlatformLook from "../../layers/channel/PlatformLook.ts"
import { type Account, channel, isFields } from "./config.ts"
import { blocking, type Fault, faultsOf } from "./faults.ts"
import type { AccountStatus } from "./host.ts"
import * as registry from "./registry.ts"

type Probe = PlatformLook.Look | registry.Probe

interface Snapshot extends AccountStatus {
  readonly name?: string
  readonly tokenStatus?: string
  readonly allowFrom?: ReadonlyArray<string>
  readonly probe?: unknown
  /** What is wrong in the configuration. */
  readonly faults?: ReadonlyArray<Fault>
}

const defaultRuntime: AccountStatus = { accountId: "default", running: false, connected: false, lastError: null }

const nothing = (error: string): Probe => ({ ok: false, platform: "", elapsedMs: 0, keys: "none", error })

/** Without dialing: that would take the line from the account that has it. */
export const probeAccount = async ({
  account,
  cfg,
  timeoutMs
}: {
  readonly account: Account
  readonly cfg: Config
  readonly timeoutMs: number
}): Promise<Probe> => {
  // Law secret: with a fault in its address or its key, the key goes nowhere.
  const blocked = blocking(cfg, account.accountId)
  if (blocked !== undefined) return nothing(blocked)
  const seat = registry.seats.get(account.accountId)
  if (seat !== undefined) return seat.probe(timeoutMs)
  // Loaded when it is asked for: describing the channel must stay cheap.
  const { probe } = await import("./probing.ts")
  return probe(account, timeoutMs)
}

const buildAccountSnapshot = ({
  account,
  cfg,
  probe,
  runtime
}: {
  readonly account: Account
  readonly cfg: Config
  readonly runtime?: AccountStatus
  readonly probe?: unknown
}): Snapshot => {
  const faults = faultsOf(cfg, account.accountId)
  return {
    running: false,
    lastError: null,
    ...runtime,
    // Law honest-status: said by pings and pongs alone, and of what does not run not at all.
    connected: runtime?.running === true && runtime.connected === true,
    accountId: account.accountId,
    enabled: account.enabled,
    configured: true,
    ...(account.name === undefined ? {} : { name: account.name }),
    tokenStatus: account.appSecret !== undefined ? "available" : "missing",
    dmPolicy: account.dmPolicy,
    allowFrom: account.allowFrom,
    ...(probe === undefined ? {} : { probe }),
    ...(faults.length === 0 ? {} : { faults })
  }
}

interface Issue {
  readonly channel: string
  readonly accountId: string
  readonly kind: "intent" | "permissions" | "config" | "auth" | "runtime"
  readonly message: string
  readonly fix?: string
}

const isFault = (value: unknown): value is Fault =>
  isFields(value) && typeof value["message"] === "string" && typeof value["fix"] === "string"

const issuesOf = (snapshot: Snapshot): ReadonlyArray<Issue> => {
  const { accountId, connected, dmPolicy, enabled, faults, lastError, lifecycle, probe, running, stateReason } =
    snapshot
  if (enabled === false) return []
  const issue = (kind: Issue["kind"], message: string, fix?: string): Issue => ({
    channel,
    accountId,
    kind,
    message,
    ...(fix === undefined ? {} : { fix })
  })
  // What blocks an account is told by the host already.
  const told = lifecycle === "blocked" && typeof lastError === "string" ? lastError : undefined
  const found: Array<Issue> = (Array.isArray(faults) ? faults : [])
    .filter(isFault)
    .flatMap(({ fix, message }) => (told?.startsWith(message) === true ? [] : [issue("config", message, fix)]))
  if (stateReason?.startsWith("a proposal waits") === true) {
    found.push(
      issue(
        "auth",
        "The agent has written who it is on the platform, and waits for you to confirm it.",
        "Look with: openclaw gateway call instaclaw.registration.get, confirm with instaclaw.registration.submit."
      )
    )
  }
  if (running === true && connected !== true && typeof lastError === "string" && told === undefined) {
    found.push(issue("runtime", lastError))
  }
  if (isFields(probe) && probe["ok"] === false && typeof probe["error"] === "string" && probe["error"] !== told) {
    found.push(issue(probe["keys"] === "refused" ? "auth" : "runtime", probe["error"]))
  }
  if (dmPolicy === "open") {
    found.push(
      issue(
        "permissions",
        `dmPolicy of ${accountId} is open: anybody of the platform talks to your agent (without tools).`,
        `Set channels.${channel}.dmPolicy to pairing or allowlist, unless that is meant.`
      )
    )
  }
  return found
}

/** A fault of the base concerns every account, and is told once. */
const collectStatusIssues = (snapshots: ReadonlyArray<Snapshot>): Array<Issue> => {
  const seen = new Set<string>()
  return snapshots.flatMap(issuesOf).filter(({ message }) => {
    const isNew = !seen.has(message)
    seen.add(message)
    return isNew
  })
}

export const status = { defaultRuntime, probeAccount, buildAccountSnapshot, collectStatusIssues }
