/**
 * The Registrar as the seed draws it: a look at the files now and then, and at once when one changes; what follows from
 * what was found is decided by Registration.step and carried out here.
 *
 * Everything that decides goes one after another (`turn`). Whoever touches what is proposed, or registers it, holds the
 * lock that other processes respect, and looks at the disk again once he has it. A confirmation is on the disk, with the
 * key of its attempt, before the platform hears of it; so whoever comes after a crash asks under the same key.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { ProfileApi } from "../../services/channel/ProfileApi.ts"
import { type ProfileError, ProfileStore } from "../../services/channel/ProfileStore.ts"
import {
  AlreadyRegistered,
  Busy,
  InvalidProposal,
  NothingPending,
  Registrar,
  RegistrarError
} from "../../services/channel/Registrar.ts"
import type * as Registration from "../../services/channel/Registration.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import * as Proposing from "./Proposing.ts"
import * as registering from "./registering.ts"
import * as registrarSteps from "./registrarSteps.ts"

export interface Options extends Proposing.Options {
  /** Between two looks. 10 seconds by default. */
  readonly interval?: Duration.Input | undefined
  /** From a cancel to the next proposal. 60 seconds by default. */
  readonly cooldown?: Duration.Input | undefined
  /** Until a folder that was taken away is made and watched again. 1 second by default. */
  readonly watchAgain?: Duration.Input | undefined
}

/** Milliseconds that a file may be half written by somebody who does not write it whole. */
const patience = 100

const fail = (reason: RegistrarError["reason"]) => Effect.fail(new RegistrarError({ reason }))

const fromStore = (error: ProfileError): RegistrarError =>
  new RegistrarError({ reason: error.reason._tag === "Locked" ? new Busy({ owner: error.reason.owner }) : error })

const refused = (refusal: Registration.Refusal, owner: string) => {
  switch (refusal._tag) {
    case "NothingPending":
      return fail(new NothingPending({ detail: refusal.detail }))
    case "Busy":
      return fail(new Busy({ owner }))
    case "AlreadyRegistered":
      return fail(new AlreadyRegistered({ clawId: refusal.clawId }))
  }
}

const checked = (proposal: unknown) =>
  Result.match(ProfileFields.check(proposal), {
    onFailure: (faults) => fail(new InvalidProposal({ faults })),
    onSuccess: (value) => Effect.succeed(value)
  })

/** What follows, outside of the turn and under the same lock. */
interface Decided<A> {
  readonly work: Effect.Effect<A, RegistrarError>
}

export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Registrar["Service"], never, ProfileStore | ProfileApi | SecureRandom.SecureRandom | Scope.Scope> {
  const store = yield* ProfileStore
  const api = yield* ProfileApi
  const random = yield* SecureRandom.SecureRandom
  const scope = yield* Effect.scope
  const interval = Duration.toMillis(options.interval ?? "10 seconds")
  const policy: Registration.Policy = {
    proposes: options.propose !== undefined,
    cooldown: Duration.toMillis(options.cooldown ?? "60 seconds"),
    interval
  }
  const runSync = Effect.runSyncWith(yield* Effect.context<never>())
  /** As long as the registrar lives. */
  const start = (effect: Effect.Effect<unknown>): Fiber.Fiber<unknown> => runSync(Effect.forkIn(effect, scope))
  const turn = yield* Semaphore.make(1)
  const answers = new registering.Answers()
  /** A registration is under way in this process. */
  let running = false
  let damagedSince: number | undefined

  const proposing: Proposing.Proposing = yield* Proposing.make(options, {
    interval,
    exclusive: store.exclusive("proposing"),
    isOn: (): boolean => SubscriptionRef.getUnsafe(state)._tag === "proposing",
    leave: (proposal) => Effect.asVoid(leave(proposal, true)),
    failed: (setback, retryAt) => turn.withPermit(Effect.asVoid(settle({ _tag: "ProposingFailed", setback, retryAt })))
  })
  const steps: registrarSteps.Steps = yield* registrarSteps.make(store, policy, proposing, (next) => became(next))
  const { advance, credentials, follow, read, settle, state } = steps

  // -- looking -----------------------------------------------------------------------------------------------------------

  /** In turn. Finishes what one who died had begun, if nobody else is at it. */
  const inherit = Effect.fnUntraced(function* (seen: registrarSteps.Seen) {
    const held = yield* Scope.fork(scope)
    const lock = yield* Effect.result(Scope.provide(store.exclusive("registration"), held))
    if (Result.isFailure(lock)) {
      yield* follow(seen, false)
      return yield* Scope.close(held, Exit.void)
    }
    const step = yield* follow(yield* read, true)
    const due = step.actions.find((action) => action._tag === "Register")
    if (due === undefined) return yield* Scope.close(held, Exit.void)
    running = true
    yield* carryOut(lock.success.check, due.pending).pipe(
      Effect.ignore,
      Effect.ensuring(Scope.close(held, Exit.void)),
      Effect.forkIn(scope)
    )
  })

  const look: Effect.Effect<void> = Effect.gen(function* () {
    if (running) return
    const seen = yield* read
    if (seen.fault?.reason._tag === "ProfileDamaged") {
      // It may be on its way from an editor: what is still damaged in a moment is told. Timers and clocks differ a little.
      const now = yield* Clock.currentTimeMillis
      if (damagedSince === undefined) start(Effect.delay(turn.withPermit(look), 2 * patience))
      damagedSince ??= now
      if (now - damagedSince < patience) return
    } else damagedSince = undefined
    const left = seen.pending !== undefined && (seen.found._tag === "Profile" || seen.pending.confirmed)
    if (left && seen.found._tag !== "Unreadable") yield* inherit(seen)
    else yield* follow(seen, false)
  })

  // -- registering -------------------------------------------------------------------------------------------------------

  const carryOut = (check: Effect.Effect<void, ProfileError>, pending: registering.Attempted) =>
    registering.run({ store, api, answers, check, pending }).pipe(
      Effect.tap((profile) =>
        turn.withPermit(
          Effect.gen(function* () {
            running = false
            const at = yield* Clock.currentTimeMillis
            yield* SubscriptionRef.set(credentials, Option.some(profile))
            yield* settle({ _tag: "Registered", clawId: profile.claw_id, name: profile.name, at })
            yield* Effect.logInfo(`Registered as ${profile.name} (${profile.claw_id}).`)
            if (profile.name !== pending.proposal.name) {
              yield* Effect.logWarning(
                `The platform says it is ${profile.name}, not ${pending.proposal.name}: an earlier attempt had come through, or it chose another name. Change it on the platform's page if you like.`
              )
            }
          })
        )
      ),
      Effect.tapError(({ certain, error }) =>
        turn.withPermit(
          Effect.gen(function* () {
            running = false
            const at = yield* Clock.currentTimeMillis
            const setback = registering.setbackOf(error, at)
            yield* settle({ _tag: "RegistrationFailed", setback, pending, certain })
          })
        )
      ),
      Effect.mapError(({ error }) => error),
      Effect.ensuring(
        Effect.sync(() => {
          running = false
          lookSoon()
        })
      )
    )

  /**
   * Decides with the lock in hand, the disk seen anew and nobody else at it; what is decided is done under the same lock
   * and is not given up when whoever asked goes away.
   */
  const alone = <A>(
    decide: (
      seen: registrarSteps.Seen,
      check: Effect.Effect<void, ProfileError>
    ) => Effect.Effect<Decided<A>, RegistrarError>
  ): Effect.Effect<A, RegistrarError> =>
    turn
      .withPermit(
        Effect.gen(function* () {
          if (running) return yield* fail(new Busy({ owner: "this program" }))
          const { check } = yield* Effect.mapError(store.exclusive("registration"), fromStore)
          const seen = yield* read
          yield* follow(seen, false, { ...policy, proposes: false })
          return yield* decide(seen, check)
        })
      )
      .pipe(
        Effect.flatMap(({ work }) => work),
        Effect.scoped,
        Effect.ensuring(Effect.sync(() => lookSoon())),
        Effect.forkIn(scope),
        Effect.flatMap(Fiber.join)
      )

  const elsewhere = "one that was confirmed before"

  const leave = (
    proposal: ProfileFields.Proposal,
    asked: boolean
  ): Effect.Effect<{ readonly proposalId: string }, RegistrarError> =>
    alone((seen) =>
      Effect.gen(function* () {
        const proposalId = yield* random.uuidV4()
        const at = yield* Clock.currentTimeMillis
        const event = { _tag: "Proposed", proposal, proposalId, asked, pending: seen.pending, at } as const
        const step = yield* Effect.mapError(advance(event), fromStore)
        if (step.refusal !== undefined) return yield* refused(step.refusal, elsewhere)
        return { work: Effect.succeed({ proposalId }) }
      })
    )

  const propose: Registrar["Service"]["propose"] = Effect.fnUntraced(function* (proposal) {
    return yield* leave(yield* checked(proposal), false)
  })

  const submit: Registrar["Service"]["submit"] = Effect.fnUntraced(function* (input) {
    const proposal = input.proposal === undefined ? undefined : yield* checked(input.proposal)
    return yield* alone((seen, check) =>
      Effect.gen(function* () {
        // A file that only needs mending is never written over.
        if (seen.fault !== undefined) return yield* fail(seen.fault)
        const step = yield* Effect.mapError(
          advance({
            _tag: "Confirmed",
            proposalId: input.proposalId,
            proposal,
            pending: seen.pending,
            newId: yield* random.uuidV4(),
            newAttempt: yield* random.uuidV4(),
            at: yield* Clock.currentTimeMillis
          }),
          fromStore
        )
        if (step.refusal !== undefined) return yield* refused(step.refusal, elsewhere)
        const due = step.actions.find((action) => action._tag === "Register")
        if (due === undefined) return yield* fail(new Busy({ owner: elsewhere }))
        running = true
        return { work: carryOut(check, due.pending) }
      })
    )
  })

  const cancel: Registrar["Service"]["cancel"] = Effect.fnUntraced(function* (input) {
    yield* alone((seen) =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        const event = { _tag: "Cancelled", proposalId: input.proposalId, pending: seen.pending, at } as const
        const step = yield* Effect.mapError(advance(event), fromStore)
        if (step.refusal !== undefined) return yield* refused(step.refusal, elsewhere)
        return { work: Effect.void }
      })
    )
  })

  // -- the loop ----------------------------------------------------------------------------------------------------------

  /** A look is due already: whoever else asks for one means the same. */
  let isDue = false

  const lookSoon = (): void => {
    if (isDue) return
    isDue = true
    const due = Effect.suspend(() => {
      isDue = false
      return look
    })
    start(turn.withPermit(due))
  }

  const watchAgain = options.watchAgain ?? "1 second"
  let watched: "profile" | "all" | undefined
  let watching: Fiber.Fiber<unknown> | undefined
  let alarm: Fiber.Fiber<unknown> | undefined

  /** What lies beside a profile matters only while there is none; the journal may be written there at any time. */
  const watch = (what: "profile" | "all"): void => {
    if (watched === what) return
    // Who takes the whole folder away shall not find it again under his hands.
    const pause = watched === "profile" ? watchAgain : 0
    watched = what
    watching?.interruptUnsafe()
    const once = Stream.runForEach(store.watch(what, { onReady: lookSoon }), () => Effect.sync(lookSoon))
    const forever = once.pipe(
      Effect.catchCause((cause) => Effect.logDebug("Files cannot be watched", cause)),
      Effect.andThen(Effect.sync(lookSoon)),
      Effect.andThen(Effect.sleep(watchAgain)),
      Effect.forever
    )
    watching = start(Effect.delay(forever, pause))
  }

  /** What is due before the next look. */
  const wakeAt = (due: number | undefined): void => {
    alarm?.interruptUnsafe()
    alarm = undefined
    if (due === undefined) return
    const ring = Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.delay(Effect.sync(lookSoon), due - now))
    alarm = start(ring)
  }

  const became = (next: Registration.RegistrationState): void => {
    watch(next._tag === "registered" ? "profile" : "all")
    wakeAt(next._tag === "coolingDown" ? next.until : next._tag === "absent" ? next.retryAt : undefined)
  }

  yield* turn.withPermit(look)
  became(SubscriptionRef.getUnsafe(state))
  yield* turn.withPermit(look).pipe(Effect.delay(interval), Effect.forever, Effect.forkScoped)

  return Registrar.of({
    state,
    profile: SubscriptionRef.changes(credentials),
    propose,
    submit,
    cancel,
    look: turn.withPermit(
      Effect.suspend(() => {
        proposing.forgive()
        return Effect.andThen(settle({ _tag: "Hurried" }), look)
      })
    )
  })
})

export const layer = (
  options: Options = {}
): Layer.Layer<Registrar, never, ProfileStore | ProfileApi | SecureRandom.SecureRandom> =>
  Layer.effect(Registrar, make(options))
