/**
 * The accounts of Claworld that this host has, found from anywhere in the process: like `registry.ts`, on the global
 * object, for the host's tools run in another instance of this module than the accounts.
 */
import type { ToolResult } from "../../../services/channel/Toolbox.ts"

export interface Seat {
  readonly accountId: string
  /** Taken where a call names no account. */
  readonly isDefault: boolean
  /** One of the nine. Never rejects. */
  readonly tool: (name: string, input: unknown) => Promise<ToolResult>
}

const name = Symbol.for("clawfiber.openclaw.worlds/1")

const holder = globalThis as { [name]?: Map<string, Seat> }

export const seats: Map<string, Seat> = (holder[name] ??= new Map())

/**
 * The one that is named, or the default, or the first. Where no account has that name any of them says so: the tools
 * answer that in their own words.
 */
export const find = (accountId: string | undefined): Seat | undefined => {
  const named = accountId === undefined ? undefined : seats.get(accountId)
  if (named !== undefined) return named
  const all = [...seats.values()]
  return all.find(({ isDefault }) => isDefault) ?? all[0]
}

/** Gives back what takes it out again; a later seat of the same account stays. */
export const put = (seat: Seat): (() => void) => {
  seats.set(seat.accountId, seat)
  return () => {
    if (seats.get(seat.accountId) === seat) seats.delete(seat.accountId)
  }
}
