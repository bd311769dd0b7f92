/** Who has an identity already, given by configuration: nothing is looked for, proposed or written. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { RegistrationState } from "../../services/channel/Registration.ts"
import { AlreadyRegistered, Registrar, RegistrarError } from "../../services/channel/Registrar.ts"

export const make = (profile: Profile): Effect.Effect<Registrar["Service"]> =>
  Effect.clockWith(
    Effect.fnUntraced(function* (clock) {
      const state = yield* SubscriptionRef.make<RegistrationState>({
        _tag: "registered",
        clawId: profile.claw_id,
        name: profile.name,
        since: clock.currentTimeMillisUnsafe()
      })
      const already = Effect.fail(new RegistrarError({ reason: new AlreadyRegistered({ clawId: profile.claw_id }) }))
      return Registrar.of({
        state,
        profile: Stream.concat(Stream.succeed(Option.some(profile)), Stream.never),
        propose: () => already,
        submit: () => already,
        cancel: () => already,
        look: Effect.void
      })
    })
  )

export const layer = (profile: Profile): Layer.Layer<Registrar> => Layer.effect(Registrar, make(profile))
