/**
 * One registration, from a confirmation that is on the disk to a profile that is: asks the platform, writes what it
 * answered. What it was answered is kept until it is written: a full disk is no reason to ask again.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type ProfileApi, ProfileApiError, RegistrationFailed } from "../../services/channel/ProfileApi.ts"
import type { Pending, Profile, ProfileError, ProfileStore } from "../../services/channel/ProfileStore.ts"
import { AlreadyRegistered, RegistrarError } from "../../services/channel/Registrar.ts"
import type { Setback } from "../../services/channel/Registration.ts"

/** Confirmed, with the key under which the platform is asked. */
export type Attempted = Pending & { readonly attempt: string }

/** What makes one identity another one. Holds a secret. */
export const keysOf = (profile: Profile): string =>
  JSON.stringify([profile.app_key, Redacted.value(profile.app_secret), profile.claw_id, profile.origin])

/** The last answer of the platform, by its attempt. */
export class Answers {
  #last: { readonly attempt: string; readonly profile: Profile } | undefined

  of(attempt: string): Profile | undefined {
    return this.#last?.attempt === attempt ? this.#last.profile : undefined
  }

  keep(attempt: string, profile: Profile): void {
    this.#last = { attempt, profile }
  }

  forget(): void {
    this.#last = undefined
  }
}

export interface Failed {
  /** The platform made no identity under this key. Otherwise nobody knows. */
  readonly certain: boolean
  readonly error: RegistrarError
}

export interface Input {
  readonly store: ProfileStore["Service"]
  readonly api: ProfileApi["Service"]
  readonly answers: Answers
  /** Fails once the lock is another's. */
  readonly check: Effect.Effect<void, ProfileError>
  readonly pending: Attempted
}

/** A conflict may be the first request with this key, still under way. */
const isCertain = (error: ProfileApiError): boolean =>
  error.reason._tag === "RegistrationRefused" && error.reason.status !== 409 && error.reason.status !== 40900

const unsure = (error: ProfileError | ProfileApiError): Failed => ({
  certain: false,
  error: new RegistrarError({ reason: error })
})

/** Once the platform has answered it is not given up any more before it is written. */
export const run = ({ answers, api, check, pending, store }: Input): Effect.Effect<Profile, Failed> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { attempt, proposal } = pending
      const token = yield* Effect.mapError(store.activationToken, unsure)
      yield* Effect.mapError(check, unsure)
      const profile =
        answers.of(attempt) ??
        (yield* restore(api.create({ proposal, token, attempt })).pipe(
          Effect.mapError((error) => ({ ...unsure(error), certain: isCertain(error) }))
        ))
      answers.keep(attempt, profile)
      // A person may have put a profile there meanwhile: it is theirs.
      const there = yield* Effect.mapError(store.load, unsure)
      if (Option.isSome(there) && keysOf(there.value) !== keysOf(profile)) {
        const reason = new AlreadyRegistered({ clawId: there.value.claw_id })
        return yield* Effect.fail<Failed>({ certain: false, error: new RegistrarError({ reason }) })
      }
      yield* Effect.mapError(Effect.andThen(check, store.save(profile)), unsure)
      answers.forget()
      return profile
    })
  ).pipe(
    Effect.catchCause((cause) => {
      if (Option.isSome(Cause.findErrorOption(cause)) || Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
      const detail = "something failed that nobody thought of, and the log says what"
      return Effect.andThen(
        Effect.logError("The registration failed", cause),
        Effect.fail(unsure(new ProfileApiError({ reason: new RegistrationFailed({ detail }) })))
      )
    })
  )

/** As it is shown beside the form. */
export const setbackOf = (error: RegistrarError, at: number): Setback => {
  const { reason } = error

  return {
    about: "registration",
    message: error.message,
    fields:
      reason._tag === "ProfileApiError" && reason.reason._tag === "RegistrationRefused" ? reason.reason.fields : [],
    at,
    needsPerson: !error.transient
  }
}
