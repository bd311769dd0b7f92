/**
 * Tells the one who started the program how its accounts stand, each time that changes: on the line, waiting for a
 * person, stuck. One look over all of them now and then, and not a fiber for each of a thousand.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts, Line } from "../../services/channel/Accounts.ts"
import type { ConnectionError } from "../../services/channel/Connection.ts"
import type { Proposal } from "../../services/protocol/ProfileFields.ts"

export type Standing =
  /** Nothing that anybody would have to know. */
  | { readonly _tag: "Underway" }
  | { readonly _tag: "OnLine"; readonly line: Line }
  | { readonly _tag: "Pending"; readonly proposal: Proposal; readonly proposalId: string }
  /** A person has to do what `message` says. `error`: of the connection, which is blocked. */
  | { readonly _tag: "Stuck"; readonly message: string; readonly error: ConnectionError | undefined }

const stuck = (message: string, error?: ConnectionError): Standing => ({ _tag: "Stuck", message, error })

export const standingOf = (account: Account): Standing => {
  const fault = SubscriptionRef.getUnsafe(account.fault)
  if (fault !== undefined) return stuck(fault)
  const line = Option.getOrUndefined(SubscriptionRef.getUnsafe(account.line))
  if (line !== undefined) {
    const { lastFailure, phase } = SubscriptionRef.getUnsafe(line.connection.state)
    if (phase === "connected") return { _tag: "OnLine", line }
    return phase === "blocked" && lastFailure !== undefined
      ? stuck(lastFailure.message, lastFailure)
      : { _tag: "Underway" }
  }
  const state = SubscriptionRef.getUnsafe(account.registrar.state)
  if (state._tag === "pending") return { _tag: "Pending", proposal: state.proposal, proposalId: state.proposalId }
  return state._tag === "absent" && state.setback?.needsPerson === true
    ? stuck(state.setback.message)
    : { _tag: "Underway" }
}

/** What makes it something new to tell. A link that was lost and came back is told by the log. */
const keyOf = (standing: Standing): unknown => {
  switch (standing._tag) {
    case "Underway":
      return undefined
    case "OnLine":
      return standing.line.connection
    case "Pending":
      return standing.proposalId
    case "Stuck":
      return standing.message
  }
}

const every = "100 millis"

/** Never ends by itself; fails where `tell` does. `tell` is not called for what is under way. */
export const follow = <E, R>(
  accounts: Accounts["Service"],
  tell: (account: Account, standing: Standing) => Effect.Effect<void, E, R>
): Effect.Effect<never, E, R> => {
  const told = new Map<string, unknown>()
  const look = Effect.gen(function* () {
    for (const account of SubscriptionRef.getUnsafe(accounts.all)) {
      const standing = standingOf(account)
      const key = keyOf(standing)
      if (key === undefined || told.get(account.id) === key) continue
      told.set(account.id, key)
      yield* tell(account, standing)
    }
  })
  return Effect.forever(Effect.andThen(look, Effect.sleep(every)))
}
