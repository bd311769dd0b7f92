/** What the host is told of an account while it runs. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type * as Accounts from "../../services/channel/Accounts.ts"
import type { ConnectionState } from "../../services/channel/Connection.ts"
import type { Account } from "./config.ts"
import type { AccountStatus, GatewayContext } from "./host.ts"

/** `reason`: why there is no line, in a sentence. */
export const statusOf = (
  account: Pick<Account, "accountId" | "enabled"> & { readonly dmPolicy?: string },
  state: ConnectionState | undefined,
  reason: string | undefined
): AccountStatus => {
  const base = {
    accountId: account.accountId,
    enabled: account.enabled,
    configured: true,
    ...(account.dmPolicy === undefined ? {} : { dmPolicy: account.dmPolicy })
  }
  if (state === undefined) {
    return {
      ...base,
      running: true,
      connected: false,
      lifecycle: "starting",
      ...(reason === undefined ? {} : { stateReason: reason })
    }
  }
  // Law honest-status: `connected` is what pings and pongs say, and not that a socket is open.
  const connected = state.phase === "connected"
  return {
    ...base,
    running: true,
    connected,
    lifecycle: connected ? "ready" : state.phase === "blocked" ? "blocked" : "recovering",
    stateReason: reason ?? state.phase,
    reconnectAttempts: state.attempt,
    ...(state.connectedAt === undefined ? {} : { lastConnectedAt: state.connectedAt }),
    ...(state.lastPongAt === undefined ? {} : { lastTransportActivityAt: state.lastPongAt }),
    lastError: connected ? null : (state.lastFailure?.message ?? reason ?? null)
  }
}

/** At nothing: how an account begins and ends. */
export const idle = { busy: false, activeRuns: 0 } as const

/** Tells how many turns the host is at, until the account is over: the host leaves one alone that says it is at work. */
export const telling =
  ({
    abortSignal,
    account,
    setStatus
  }: Pick<GatewayContext<{ readonly accountId: string }>, "abortSignal" | "account" | "setStatus">) =>
  (turns: number): void => {
    if (abortSignal.aborted) return
    setStatus({
      accountId: account.accountId,
      busy: turns > 0,
      activeRuns: turns,
      lastRunActivityAt: Date.now()
    })
  }

const waiting: Readonly<Record<string, string | undefined>> = {
  absent: "no identity yet",
  proposing: "the agent is writing a proposal of who it is",
  pending: "a proposal waits for you: confirm it with instaclaw.registration.submit",
  submitting: "registering",
  coolingDown: "the last proposal was cancelled; another one comes in a while"
}

/** Tells as it changes. Never ends. */
export const report = (
  own: Account,
  account: Accounts.Account,
  tell: (status: AccountStatus) => void
): Effect.Effect<void> => {
  const off = Stream.zipLatest(SubscriptionRef.changes(account.fault), SubscriptionRef.changes(account.registrar.state))
  return SubscriptionRef.changes(account.line).pipe(
    Stream.switchMap(
      (line): Stream.Stream<{ readonly state: ConnectionState | undefined; readonly reason: string | undefined }> =>
        Option.isSome(line)
          ? Stream.map(SubscriptionRef.changes(line.value.connection.state), (state) => ({ state, reason: undefined }))
          : Stream.map(off, ([fault, registration]) => ({
              state: undefined,
              reason: fault ?? waiting[registration._tag]
            }))
    ),
    Stream.runForEach(({ reason, state }) => Effect.sync(() => tell(statusOf(own, state, reason))))
  )
}
