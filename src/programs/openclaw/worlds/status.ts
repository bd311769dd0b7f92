/** What the host's status commands show of an account in Claworld, and what they call an issue. */
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import { isFields } from "../config.ts"
import type { AccountStatus } from "../host.ts"
import { type Account, accountIds, channel } from "./config.ts"
import { blocking, type Fault, faultsOf } from "./faults.ts"

export interface Probe {
  readonly ok: boolean
  readonly elapsedMs: number
  readonly address?: string | undefined
  readonly error?: string | undefined
}

interface Snapshot extends AccountStatus {
  readonly name?: string
  readonly tokenStatus?: string
  readonly probe?: unknown
  readonly faults?: ReadonlyArray<Fault>
}

const defaultRuntime: AccountStatus = { accountId: "default", running: false, connected: false, lastError: null }

/** Over HTTP alone: another socket would take the line from the account that has it. */
const probeAccount = async ({
  account,
  cfg,
  timeoutMs
}: {
  readonly account: Account
  readonly cfg: Config
  readonly timeoutMs: number
}): Promise<Probe> => {
  // Law secret: with a fault in its address or its token, the token goes nowhere.
  const blocked = blocking(cfg, account.accountId)
  if (blocked !== undefined) return { ok: false, elapsedMs: 0, error: blocked }
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
    // Law honest-status: said by pongs alone, and of what does not run not at all.
    connected: runtime?.running === true && runtime.connected === true,
    accountId: account.accountId,
    enabled: account.enabled,
    configured: account.present,
    ...(account.name === undefined ? {} : { name: account.name }),
    tokenStatus: account.appToken !== undefined ? "available" : "missing",
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
  const { accountId, connected, enabled, faults, lastError, lifecycle, probe, running } = snapshot
  if (enabled === false) return []
  // What blocks an account is told by the host already.
  const told = lifecycle === "blocked" && typeof lastError === "string" ? lastError : undefined
  const found: Array<Issue> = (Array.isArray(faults) ? faults : [])
    .filter(isFault)
    .flatMap(({ fix, message }) =>
      told?.startsWith(message) === true ? [] : [{ channel, accountId, kind: "config", message, fix } as const]
    )
  if (running === true && connected !== true && typeof lastError === "string" && told === undefined) {
    found.push({ channel, accountId, kind: "runtime", message: lastError })
  }
  if (isFields(probe) && probe["ok"] === false && typeof probe["error"] === "string" && probe["error"] !== told) {
    found.push({ channel, accountId, kind: "runtime", message: probe["error"] })
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

/** What `openclaw doctor` says: the same words once, however many accounts they concern. */
const collectPreviewWarnings = ({ cfg }: { readonly cfg: Config }): Array<string> => [
  ...new Set(accountIds(cfg).flatMap((id) => faultsOf(cfg, id).map(({ fix, message }) => `- ${message} ${fix}`)))
]

export const doctor = { collectPreviewWarnings }
