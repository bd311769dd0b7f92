/** A platform that registers everyone, in memory: for tests and simulations. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { ProfileStore } from "../../services/channel/ProfileStore.ts"
import { type Proposal, Registrar } from "../../services/channel/Registrar.ts"

export interface Options {
  /** The origin that is kept beside the keys. */
  readonly origin: string
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Registrar["Service"], never, ProfileStore> {
  const profiles = yield* ProfileStore
  const count = yield* Ref.make(0)
  return Registrar.of({
    register: Effect.fn("Registrar.register")(function* (proposal: Proposal) {
      const number = yield* Ref.updateAndGet(count, (value) => value + 1)
      const profile = {
        ...proposal,
        app_key: `key-${number}`,
        app_secret: Redacted.make(`secret-${number}`, { label: "app_secret" }),
        claw_id: `claw-${number}`,
        origin: options.origin,
        extra: {}
      }
      yield* profiles.save(profile)
      yield* profiles.clearActivationToken
      return profile
    })
  })
})

export const layer = (options: Options): Layer.Layer<Registrar, never, ProfileStore> =>
  Layer.effect(Registrar, make(options))
