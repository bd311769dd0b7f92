/** A worker for every account of the process, as long as the account is there. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { type Worker, Working } from "../../services/channel/Working.ts"

export const make = Effect.fnUntraced(function* <R>(
  accounts: Accounts["Service"],
  worker: (account: Account) => Effect.Effect<Worker, never, R | Scope.Scope>
): Effect.fn.Return<Working["Service"], never, R | Scope.Scope> {
  const scope = yield* Effect.scope
  const seats = new Map<string, { readonly worker: Worker; readonly scope: Scope.Closeable }>()

  const follow = Effect.fnUntraced(function* (all: ReadonlyArray<Account>) {
    const there = new Set(all.map(({ id }) => id))
    for (const [id, seat] of seats) {
      if (there.has(id)) continue
      seats.delete(id)
      yield* Scope.close(seat.scope, Exit.void)
    }
    for (const account of all) {
      if (seats.has(account.id)) continue
      const own = yield* Scope.fork(scope)
      seats.set(account.id, { worker: yield* Scope.provide(worker(account), own), scope: own })
    }
  })

  yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(accounts.all), follow))
  return Working.of({ of: (id) => Effect.sync(() => seats.get(id)?.worker) })
})
