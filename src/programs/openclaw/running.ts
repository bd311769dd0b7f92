/** What an account of either channel does around its work: what is said before it, how it waits, and how it ends. */
import { AsyncLocalStorage } from "node:async_hooks"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as ManagedRuntime from "effect/ManagedRuntime"
import type { Fault } from "./faulting.ts"
import type { AccountStatus, GatewayContext, PluginRuntime } from "./host.ts"
import * as leftovers from "./leftovers.ts"

/** As far as both channels have it. */
export type Context = GatewayContext<{ readonly accountId: string }>

/** Before each line of the log. */
export const nameOf = (channel: string, { account }: Context): string => `${channel}:${account.accountId}`

/** What is wrong in the configuration, in the log. */
export const tellFaults = (
  channel: string,
  context: Context,
  faults: ReadonlyArray<Fault & { readonly code?: string }>
): void => {
  for (const { code, fix, message } of faults) {
    context.log?.warn(`[${nameOf(channel, context)}] ${message} ${fix}${code === undefined ? "" : ` (${code})`}`)
  }
}

/**
 * Runs something in the async context of `startAccount`, which this has to be called in: fibers wake in that of whoever
 * woke them, and the host takes work only in the former.
 */
export const snapshot = (): (<A>(effect: () => A) => A) => AsyncLocalStorage.snapshot()

/** Takes the host's marks off the turns in which an earlier process was killed: see leftovers. Never rejects. */
export const closeLeftovers = async (channel: string, context: Context, host: PluginRuntime): Promise<void> => {
  const name = nameOf(channel, context)
  try {
    const closed = await leftovers.close(host, context.cfg, channel, context.account.accountId)
    if (closed.length > 0) context.log?.info(`[${name}] ${closed.length} turns were cut off earlier.`)
  } catch (cause) {
    context.log?.warn(`[${name}] What was cut off earlier may be answered twice: ${String(cause)}`)
  }
}

const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

/** Until it ends or the host aborts it. Gives what went wrong by itself, in a sentence. */
export const faultOf = async <R>(
  runtime: ManagedRuntime.ManagedRuntime<R, never>,
  work: Effect.Effect<unknown, unknown, R>,
  signal: AbortSignal
): Promise<string | undefined> => {
  const ended = await runtime.runPromiseExit(work, { signal })
  return Exit.isSuccess(ended) || signal.aborted ? undefined : messageOf(ended.cause)
}

/** Until the host's signal. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))

/** Says what keeps the account from running, and waits: no attempt of the host's would mend it. */
export const standStill = async (context: Context, status: AccountStatus, fault: string): Promise<void> => {
  context.setStatus({ ...status, lifecycle: "blocked", lastError: fault })
  await aborted(context.abortSignal)
}
