/**
 * The accounts of a process, kept in step with what there is: an account for every id, a line for every account that
 * has credentials. How an account gets its registrar and its line is given from outside, so that the same holds over
 * files and sockets, and over memory in a test.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Account, Accounts } from "../../services/channel/Accounts.ts"
import type { Registrar } from "../../services/channel/Registrar.ts"
import * as AccountFollower from "./AccountFollower.ts"

export interface Options<R> extends AccountFollower.LineMaker<R> {
  /** The ids that there are at this moment, in the order in which they are shown. */
  readonly ids: Effect.Effect<ReadonlyArray<string>, never, R>
  /** How often is looked for accounts that came or went: 10 s. */
  readonly lookEvery?: Duration.Input | undefined
  /** Made anew for each account, and gone with it. */
  readonly registrar: (id: string) => Effect.Effect<Registrar["Service"], never, R | Scope.Scope>
}

/** One account in the map of layers. */
class Seat extends Context.Service<Seat, Account>()("clawfiber/channel/Seat") {}

/** Accounts that are begun at once: each reads a few files first. */
const together = 32

export const make = Effect.fnUntraced(function* <R>(
  options: Options<R>
): Effect.fn.Return<Accounts["Service"], never, R | Scope.Scope> {
  const scope = yield* Effect.scope
  const all = yield* SubscriptionRef.make<ReadonlyArray<Account>>([])
  const keys: AccountFollower.Keys = new Map()

  const context = yield* Effect.context<R>()

  // An effect for each and not a tower of layers: what a layer keeps of how it was built, an idle account would keep.
  const seats = yield* LayerMap.make((id: string) =>
    Layer.effect(
      Seat,
      Effect.flatMap(options.registrar(id), (registrar) => AccountFollower.make(id, registrar, keys, options, context))
    )
  )

  /** Whoever leaves closes its scope, and with it its line. */
  const scopes = new Map<string, Scope.Closeable>()

  const come = Effect.fnUntraced(function* (id: string) {
    const own = yield* Scope.fork(scope)
    scopes.set(id, own)
    return Context.get(yield* Scope.provide(seats.contextEffect(id), own), Seat)
  })

  const look = Effect.gen(function* () {
    const ids = [...new Set(yield* options.ids)]
    const before = new Map(SubscriptionRef.getUnsafe(all).map((account) => [account.id, account]))
    if (ids.length === before.size && ids.every((id) => before.has(id))) return
    const gone = [...before.keys()].filter((id) => !ids.includes(id))
    const now = yield* Effect.forEach(
      ids,
      (id) => {
        const known = before.get(id)
        return known === undefined ? come(id) : Effect.succeed(known)
      },
      { concurrency: together }
    )
    yield* SubscriptionRef.set(all, now)
    yield* Effect.forEach(
      gone,
      (id) => {
        const own = scopes.get(id)
        scopes.delete(id)
        return own === undefined ? Effect.void : Scope.close(own, Exit.void)
      },
      { discard: true, concurrency: "unbounded" }
    )
  })

  yield* look
  yield* Effect.forkScoped(
    Effect.forever(Effect.delay(look, options.lookEvery ?? "10 seconds"), { disableYield: true })
  )

  return Accounts.of({
    all,
    get: (id) =>
      Effect.map(SubscriptionRef.get(all), (accounts) =>
        Option.fromUndefinedOr(accounts.find((account) => account.id === id))
      )
  })
})

export const layer = <R>(options: Options<R>): Layer.Layer<Accounts, never, R> => Layer.effect(Accounts, make(options))
