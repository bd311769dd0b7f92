/** What the host's status commands and `openclaw doctor` show of an account: as far as both channels show it alike. */
import type { Config } from "../../layers/channel/openclaw/Host.ts"
import { isFields } from "./config.ts"
import type { Fault } from "./faulting.ts"
import type { AccountStatus } from "./host.ts"

interface Known {
  readonly accountId: string
  readonly enabled: boolean
  readonly name: string | undefined
}

/** What an account says of itself beyond its runtime. */
export interface Described {
  readonly configured: boolean
  readonly tokenStatus: "available" | "missing"
  readonly dmPolicy?: string
  readonly allowFrom?: ReadonlyArray<string>
}

export interface Snapshot extends AccountStatus {
  readonly name?: string
  readonly tokenStatus?: string
  readonly allowFrom?: ReadonlyArray<string>
  readonly probe?: unknown
  /** What is wrong in the configuration. */
  readonly faults?: ReadonlyArray<Fault>
}

export interface Issue {
  readonly channel: string
  readonly accountId: string
  readonly kind: "intent" | "permissions" | "config" | "auth" | "runtime"
  readonly message: string
  readonly fix?: string
}

export interface Probing<A> {
  readonly account: A
  readonly cfg: Config
  readonly timeoutMs: number
}

export interface Options<A extends Known, P> {
  readonly channel: string
  readonly accountIds: (cfg: Config) => ReadonlyArray<string>
  readonly faultsOf: (cfg: Config, accountId: string) => ReadonlyArray<Fault>
  readonly blocking: (cfg: Config, accountId: string) => string | undefined
  readonly describe: (account: A, cfg: Config) => Described
  /** Without dialing: another socket would take the line from the account that has it. Never rejects. */
  readonly probe: (account: A, timeoutMs: number) => Promise<P>
  /** What is said instead of a look where a fault of the configuration keeps the account away. */
  readonly notLooked: (error: string) => P
  /** What else is an issue here. */
  readonly more?: (snapshot: Snapshot) => ReadonlyArray<Omit<Issue, "channel" | "accountId">>
}

const defaultRuntime: AccountStatus = { accountId: "default", running: false, connected: false, lastError: null }

const isFault = (value: unknown): value is Fault =>
  isFields(value) && typeof value["message"] === "string" && typeof value["fix"] === "string"

export const make = <A extends Known, P>(options: Options<A, P>) => {
  const { accountIds, blocking, channel, describe, faultsOf, more, notLooked, probe } = options

  const probeAccount = async ({ account, cfg, timeoutMs }: Probing<A>): Promise<P> => {
    // Law secret: with a fault in its address or its key, the key goes nowhere.
    const blocked = blocking(cfg, account.accountId)
    return blocked === undefined ? probe(account, timeoutMs) : notLooked(blocked)
  }

  const buildAccountSnapshot = (given: {
    readonly account: A
    readonly cfg: Config
    readonly runtime?: AccountStatus
    readonly probe?: unknown
  }): Snapshot => {
    const { account, cfg, runtime } = given
    const faults = faultsOf(cfg, account.accountId)
    return {
      running: false,
      lastError: null,
      ...runtime,
      // Law honest-status: said by pings and pongs alone, and of what does not run not at all.
      connected: runtime?.running === true && runtime.connected === true,
      accountId: account.accountId,
      enabled: account.enabled,
      ...(account.name === undefined ? {} : { name: account.name }),
      ...describe(account, cfg),
      ...(given.probe === undefined ? {} : { probe: given.probe }),
      ...(faults.length === 0 ? {} : { faults })
    }
  }

  const issuesOf = (snapshot: Snapshot): ReadonlyArray<Issue> => {
    const { accountId, connected, enabled, faults, lastError, lifecycle, probe, running } = snapshot
    if (enabled === false) return []
    // What blocks an account is told by the host already.
    const told = lifecycle === "blocked" && typeof lastError === "string" ? lastError : undefined
    const found: Array<Omit<Issue, "channel" | "accountId">> = (Array.isArray(faults) ? faults : [])
      .filter(isFault)
      .flatMap(({ fix, message }) => (told?.startsWith(message) === true ? [] : [{ kind: "config", message, fix }]))
    if (running === true && connected !== true && typeof lastError === "string" && told === undefined) {
      found.push({ kind: "runtime", message: lastError })
    }
    if (isFields(probe) && probe["ok"] === false && typeof probe["error"] === "string" && probe["error"] !== told) {
      found.push({ kind: probe["keys"] === "refused" ? "auth" : "runtime", message: probe["error"] })
    }
    return [...found, ...(more?.(snapshot) ?? [])].map((issue) => ({ channel, accountId, ...issue }))
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

  /** For `openclaw doctor`: the same words once, however many accounts they concern. */
  const collectPreviewWarnings = ({ cfg }: { readonly cfg: Config }): Array<string> => [
    ...new Set(accountIds(cfg).flatMap((id) => faultsOf(cfg, id).map(({ fix, message }) => `- ${message} ${fix}`)))
  ]

  return {
    status: { defaultRuntime, probeAccount, buildAccountSnapshot, collectStatusIssues },
    doctor: { collectPreviewWarnings }
  }
}
