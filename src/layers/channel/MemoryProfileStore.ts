/** The profile in memory, for tests, simulations, and whoever keeps the keys elsewhere. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"

export interface Options {
  readonly profile?: Profile | undefined
  readonly activationToken?: string | undefined
}

export const make = Effect.fnUntraced(function* (options: Options = {}): Effect.fn.Return<ProfileStore["Service"]> {
  const profile = yield* Ref.make(Option.fromUndefinedOr(options.profile))
  const token = yield* Ref.make(
    Option.map(Option.fromUndefinedOr(options.activationToken), (text) => Redacted.make(text))
  )
  return ProfileStore.of({
    load: Ref.get(profile),
    save: (next) => Ref.set(profile, Option.some(next)),
    remove: Ref.set(profile, Option.none()),
    activationToken: Ref.get(token),
    clearActivationToken: Ref.set(token, Option.none())
  })
})

export const layer = (options: Options = {}): Layer.Layer<ProfileStore> => Layer.effect(ProfileStore, make(options))
