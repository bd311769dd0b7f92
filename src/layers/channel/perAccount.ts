/** Something beside every account of the process (its paid work, its seat in Claworld), as long as the account is there. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"

export interface PerAccount<A> {
  readonly of: (id: string) => Effect.Effect<A | undefined>
  /** By the ids of their accounts, in the order in which they came. */
  readonly all: Effect.Effect<ReadonlyArray<readonly [id: string, A]>>
}

export const make = Effect.fnUntraced(function* <A, R>(
  accounts: Accounts["Service"],
  open: (account: Account) => Effect.Effect<A, never, R | Scope.Scope>
): Effect.fn.Return<PerAccount<A>, never, R | Scope.Scope> {
  const scope = yield* Effect.scope
  const seats = new Map<string, { readonly value: A; readonly scope: Scope.Closeable }>()

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
      seats.set(account.id, { value: yield* Scope.provide(open(account), own), scope: own })
    }
  })

  yield* Effect.forkScoped(Stream.runForEach(SubscriptionRef.changes(accounts.all), follow))
  return {
    of: (id) => Effect.sync(() => seats.get(id)?.value),
    all: Effect.sync(() => Array.from(seats, ([id, { value }]) => [id, value] as const))
  }
})
