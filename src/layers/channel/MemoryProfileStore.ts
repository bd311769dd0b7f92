/**
 * The profile in memory, for tests, simulations, and whoever keeps the keys elsewhere. Two registrars over one store
 * are as two processes over one folder.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  type Exclusive,
  Locked,
  type Pending,
  type Profile,
  ProfileError,
  ProfileStore
} from "../../services/channel/ProfileStore.ts"

export interface Options {
  readonly profile?: Profile | undefined
  readonly activationToken?: string | undefined
  readonly pending?: Pending | undefined
}

export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<ProfileStore["Service"]> {
  const profile = yield* Ref.make(Option.fromUndefinedOr(options.profile))
  const token = yield* Ref.make(
    Option.map(Option.fromUndefinedOr(options.activationToken), (text) => Redacted.make(text))
  )
  const pending = yield* Ref.make(Option.fromUndefinedOr(options.pending))
  const changes = yield* SubscriptionRef.make(0)
  const held = new Set<Exclusive>()

  const put = <A>(ref: Ref.Ref<Option.Option<A>>, value: Option.Option<A>) =>
    Effect.andThen(
      Ref.set(ref, value),
      SubscriptionRef.update(changes, (count) => count + 1)
    )

  return ProfileStore.of({
    load: Ref.get(profile),
    save: (next) => put(profile, Option.some(next)),
    remove: put(profile, Option.none()),
    activationToken: Ref.get(token),
    saveActivationToken: (next) => put(token, Option.some(next)),
    clearActivationToken: put(token, Option.none()),
    pending: Ref.get(pending),
    savePending: (next) => put(pending, Option.some(next)),
    clearPending: put(pending, Option.none()),
    watch: (_what, options) =>
      Stream.suspend(() => {
        let isFirst = true
        return SubscriptionRef.changes(changes).pipe(
          Stream.filter(() => {
            if (!isFirst) return true
            isFirst = false
            options?.onReady?.()
            return false
          }),
          Stream.as<void>(undefined)
        )
      }),
    exclusive: (what) =>
      Effect.acquireRelease(
        Effect.suspend(() =>
          held.has(what)
            ? Effect.fail(new ProfileError({ reason: new Locked({ path: what, owner: "another program" }) }))
            : Effect.sync(() => void held.add(what))
        ),
        () => Effect.sync(() => void held.delete(what))
      ).pipe(Effect.as({ check: Effect.void }))
  })
})

export const layer = (options: Options = {}): Layer.Layer<ProfileStore> => Layer.effect(ProfileStore, make(options))
