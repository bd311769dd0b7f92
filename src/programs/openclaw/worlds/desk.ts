/** An account's place among the seats: what the nine tools reach of it, from its start to its end, with a line or not. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Config } from "../../../layers/channel/openclaw/Host.ts"
import * as WorldHandlers from "../../../layers/worlds/WorldHandlers.ts"
import { version } from "../../version.ts"
import { type Account, defaultAccountId } from "./config.ts"
import * as seats from "./seats.ts"

export interface Place {
  readonly bind: (bound: Option.Option<WorldHandlers.Bound>) => void
  /** There is no identity yet; it comes by itself. */
  readonly waits: (reason: string) => void
  /** There is none, and somebody has to do something. */
  readonly stands: (reason: string) => void
  readonly leave: () => void
}

export const take = Effect.fnUntraced(function* ({ accountId }: Account, config: Config) {
  let bound = Option.none<WorldHandlers.Bound>()
  let unbound = { isPending: true, reason: `The account ${accountId} is being brought into Claworld.` }
  const own: WorldHandlers.Desk = {
    accountId,
    bound: Effect.sync(() => bound),
    unbound: Effect.sync(() => unbound)
  }
  /** Of the others only the names are asked for here: each answers at its own seat. */
  const other = (id: string): WorldHandlers.Desk => ({
    accountId: id,
    bound: Effect.succeedNone,
    unbound: Effect.succeed({ isPending: false, reason: `The account ${id} does not run just now.` })
  })
  const wanted = defaultAccountId(config)
  const box = yield* WorldHandlers.make({
    version,
    // The call has come to this seat where it named none.
    defaultAccount: Effect.succeed(accountId),
    accounts: Effect.sync(() => [own, ...[...seats.seats.keys()].filter((id) => id !== accountId).map(other)])
  })
  const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
  const leave = seats.put({
    accountId,
    isDefault: accountId === wanted,
    tool: (name, input) => runPromise(box.call(name, input))
  })
  const place: Place = {
    bind: (found) => (bound = found),
    waits: (reason) => (unbound = { isPending: true, reason }),
    stands: (reason) => (unbound = { isPending: false, reason }),
    leave
  }
  return place
})
