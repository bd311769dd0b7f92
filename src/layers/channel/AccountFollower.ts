/**
 * Keeps the line of one account in step with its credentials: new or other ones bring another line, none ends it, and
 * the replies under way get their time to end. Other words about itself change nothing on the wire.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Account, type Line, LineFault, SameKey } from "../../services/channel/Accounts.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Registrar } from "../../services/channel/Registrar.ts"

export interface LineMaker<R> {
  /** Takes hold of the account for this process, for as long as the account is here. */
  readonly claim: (id: string) => Effect.Effect<void, LineFault, R | Scope.Scope>
  /** Begins to dial. `latest` gives the profile as it is by then: its descriptions may change under a line. */
  readonly open: (
    id: string,
    profile: Profile,
    latest: () => Profile
  ) => Effect.Effect<Line, LineFault, R | Scope.Scope>
  /** How long a fault may stand until it is tried again: 10 s. */
  readonly tryAgainAfter?: number | undefined
}

/** Which account of this process has which key. */
export type Keys = Map<string, string>

const tryAgainAfter = 10_000

const sameCredentials = (one: Profile, other: Profile): boolean =>
  one.app_key === other.app_key &&
  Redacted.value(one.app_secret) === Redacted.value(other.app_secret) &&
  one.claw_id === other.claw_id &&
  one.origin === other.origin

interface Serving {
  readonly scope: Scope.Closeable
  readonly line: Line
  profile: Profile
}

export const make = Effect.fnUntraced(function* <R>(
  id: string,
  registrar: Registrar["Service"],
  keys: Keys,
  maker: LineMaker<R>
): Effect.fn.Return<Pick<Account, "line" | "fault" | "retry">, never, R | Scope.Scope> {
  const scope = yield* Effect.scope
  const context = yield* Effect.context<R>()
  const line = yield* SubscriptionRef.make(Option.none<Line>())
  const fault = yield* SubscriptionRef.make<string | undefined>(undefined)
  const turn = yield* Semaphore.make(1)
  let wanted = Option.none<Profile>()
  let claimed = false
  let serving: Serving | undefined
  let again: Fiber.Fiber<void> | undefined

  const hangUp = Effect.suspend(() => {
    const ended = serving
    serving = undefined
    if (ended === undefined) return Effect.void
    return Scope.close(ended.scope, Exit.void).pipe(
      Effect.andThen(SubscriptionRef.set(line, Option.none())),
      Effect.ensuring(Effect.sync(() => keys.delete(ended.profile.app_key)))
    )
  })

  const dial = Effect.fnUntraced(function* (profile: Profile) {
    const other = keys.get(profile.app_key)
    if (other !== undefined) return yield* new LineFault({ reason: new SameKey({ account: other }) })
    keys.set(profile.app_key, id)
    const own = yield* Scope.fork(scope)
    const latest = () => serving?.profile ?? profile
    const opened = yield* maker.open(id, profile, latest).pipe(
      Scope.provide(own),
      Effect.onError(() => {
        keys.delete(profile.app_key)
        return Scope.close(own, Exit.void)
      })
    )
    serving = { scope: own, line: opened, profile }
    yield* SubscriptionRef.set(line, Option.some(opened))
  })

  const keepUp = Effect.gen(function* () {
    if (!claimed) {
      yield* Scope.provide(maker.claim(id), scope)
      claimed = true
    }
    if (Option.isNone(wanted)) return yield* hangUp
    const profile = wanted.value
    if (serving !== undefined && sameCredentials(serving.profile, profile)) {
      serving.profile = profile
      return yield* SubscriptionRef.set(line, Option.some({ ...serving.line, profile }))
    }
    yield* hangUp
    yield* dial(profile)
  })

  const settle: Effect.Effect<void> = Effect.suspend(() => {
    again?.interruptUnsafe()
    again = undefined
    return Effect.matchEffect(keepUp, {
      onSuccess: () => tell(undefined),
      onFailure: (error) => Effect.andThen(tell(error.message), later)
    })
  }).pipe(Effect.uninterruptible, turn.withPermit, Effect.provideContext(context))

  const tell = (text: string | undefined): Effect.Effect<void> =>
    Effect.suspend(() => (SubscriptionRef.getUnsafe(fault) === text ? Effect.void : SubscriptionRef.set(fault, text)))

  const later = Effect.suspend(() => {
    const task = Effect.suspend(() => {
      again = undefined
      return settle
    })
    return Effect.map(
      Effect.forkIn(Effect.interruptible(Effect.delay(task, maker.tryAgainAfter ?? tryAgainAfter)), scope),
      (fiber) => {
        again = fiber
      }
    )
  })

  yield* Scope.addFinalizer(scope, hangUp)
  yield* Effect.forkScoped(
    Effect.andThen(
      settle,
      Stream.runForEach(registrar.profile, (profile) => {
        wanted = profile
        return settle
      })
    )
  )

  const retry = Effect.andThen(registrar.look, settle)

  return { line, fault, retry }
})
