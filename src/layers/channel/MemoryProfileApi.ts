/** A platform that registers everyone, in memory: for tests and simulations. Knows an attempt again. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { ProfileApi } from "../../services/channel/ProfileApi.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"

export interface Options {
  /** The origin that is kept beside the keys. */
  readonly origin: string
}

export const make = (options: Options): Effect.Effect<ProfileApi["Service"]> =>
  Effect.sync(() => {
    const known = new Map<string, Profile>()
    return ProfileApi.of({
      create: Effect.fn("ProfileApi.create")(({ attempt, proposal }) =>
        Effect.sync(() => {
          const before = known.get(attempt)
          if (before !== undefined) return before
          const number = known.size + 1
          const profile: Profile = {
            ...proposal,
            app_key: `key-${number}`,
            app_secret: Redacted.make(`secret-${number}`, { label: "app_secret" }),
            claw_id: `claw-${number}`,
            origin: options.origin,
            extra: {}
          }
          known.set(attempt, profile)
          return profile
        })
      )
    })
  })

export const layer = (options: Options): Layer.Layer<ProfileApi> => Layer.effect(ProfileApi, make(options))
