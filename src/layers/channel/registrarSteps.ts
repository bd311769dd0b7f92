/**
 * Where a registration stands, and what carries it from one state to the next: a look at the disk, Registration.step,
 * and the files that follow from it. Everything here is called by one fiber at a time ("in turn").
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Pending, Profile, ProfileError, ProfileStore } from "../../services/channel/ProfileStore.ts"
import * as Registration from "../../services/channel/Registration.ts"
import type { Proposing } from "./Proposing.ts"

/** What lies on the disk. `fault` is why nothing could be read. */
export interface Seen {
  readonly pending: Pending | undefined
  readonly found: Registration.Found
  readonly profile: Option.Option<Profile>
  readonly fault: ProfileError | undefined
}

export const make = Effect.fnUntraced(function* (
  store: ProfileStore["Service"],
  policy: Registration.Policy,
  proposing: Pick<Proposing, "start" | "stop">,
  became: (state: Registration.RegistrationState) => void
) {
  const state = yield* SubscriptionRef.make<Registration.RegistrationState>(Registration.initial)
  const credentials = yield* SubscriptionRef.make(Option.none<Profile>())

  const become = Effect.fnUntraced(function* (next: Registration.RegistrationState) {
    const before = SubscriptionRef.getUnsafe(state)
    if (Equal.equals(before, next)) return
    const setback = Registration.setbackOf(next)
    if (setback !== undefined && !Equal.equals(setback, Registration.setbackOf(before))) {
      yield* Effect.logWarning(setback.message)
    }
    yield* SubscriptionRef.set(state, next)
    became(next)
  })

  const onDisk = (action: Registration.Action): Effect.Effect<void, ProfileError> => {
    switch (action._tag) {
      case "Keep":
        return store.savePending(action.pending)
      case "Forget":
        return store.clearPending
      case "ForgetToken":
        return store.clearActivationToken
      case "Propose":
      case "StopProposing":
      case "Register":
        return Effect.void
    }
  }

  /** In turn. Where a file cannot be written nothing has happened. Who gets `Register` back is to do it. */
  const advance = Effect.fnUntraced(function* (
    event: Registration.RegistrationEvent,
    asks: Registration.Policy = policy
  ) {
    const step = Registration.step(SubscriptionRef.getUnsafe(state), event, asks)
    if (step.refusal !== undefined) return step
    yield* Effect.forEach(step.actions, onDisk, { discard: true })
    yield* become(step.state)
    for (const action of step.actions) {
      if (action._tag === "Propose") yield* proposing.start
      if (action._tag === "StopProposing") proposing.stop()
    }
    return step
  })

  /** In turn. What happened is so whether the files can be written or not; a later look puts them right. */
  const settle = (event: Registration.RegistrationEvent, asks = policy) =>
    advance(event, asks).pipe(
      Effect.catch((error) => {
        const step = Registration.step(SubscriptionRef.getUnsafe(state), event, asks)
        return Effect.logWarning(error.message).pipe(Effect.andThen(become(step.state)), Effect.as(step))
      })
    )

  /** The proposal before the profile: whoever registers writes the profile first. */
  const read = Effect.gen(function* () {
    const pending = yield* Effect.result(store.pending)
    const profile = yield* Effect.result(store.load)
    const fault = Result.isFailure(profile) ? profile.failure : undefined
    const found = Result.isSuccess(profile) ? profile.success : Option.none<Profile>()
    if (Option.isSome(found)) {
      const { claw_id: clawId, name } = found.value
      return {
        pending: Result.isSuccess(pending) ? Option.getOrUndefined(pending.success) : undefined,
        found: { _tag: "Profile", clawId, name },
        profile: found,
        fault: undefined
      } satisfies Seen
    }
    const error = fault ?? (Result.isFailure(pending) ? pending.failure : undefined)
    return {
      pending: Result.isSuccess(pending) ? Option.getOrUndefined(pending.success) : undefined,
      found: error === undefined ? { _tag: "None" } : { _tag: "Unreadable", message: error.message },
      profile: Option.none(),
      fault: error
    } satisfies Seen
  })

  /** In turn. What cannot be read at this moment takes nothing from the line. */
  const follow = Effect.fnUntraced(function* (seen: Seen, owned: boolean, asks = policy) {
    const at = yield* Clock.currentTimeMillis
    const step = yield* settle({ _tag: "Looked", found: seen.found, pending: seen.pending, owned, at }, asks)
    const unknown = seen.found._tag === "Unreadable"
    if (!unknown && !Equal.equals(seen.profile, SubscriptionRef.getUnsafe(credentials))) {
      yield* SubscriptionRef.set(credentials, seen.profile)
    }
    return step
  })

  return { state, credentials, advance, settle, read, follow }
})

export type Steps = Effect.Success<ReturnType<typeof make>>
