/**
 * Asks the agent for a proposal, one process at a time, and in the end says so one way or the other. What failed is
 * tried again later and later.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { ProfileError } from "../../services/channel/ProfileStore.ts"
import type { RegistrarError } from "../../services/channel/Registrar.ts"
import type { Setback } from "../../services/channel/Registration.ts"
import * as ProfileFields from "../../services/protocol/ProfileFields.ts"
import * as Backoff from "./Backoff.ts"

/** `message` is for people. `transient: false`: it will not get better by itself. */
export interface ProposerError {
  readonly message: string
  readonly transient?: boolean | undefined
}

export interface Options {
  /** Asks the agent who it is; its answer is checked. Without one a person or a script says who the agent is. */
  readonly propose?: Effect.Effect<unknown, ProposerError> | undefined
  /** The agent may think about it for so long. 5 minutes by default. */
  readonly proposeTimeout?: Duration.Input | undefined
}

export interface Ports {
  /** Milliseconds: the first wait after a failure. */
  readonly interval: number
  readonly exclusive: Effect.Effect<unknown, ProfileError, Scope.Scope>
  /** Whether a proposal is still wanted. */
  readonly isOn: () => boolean
  readonly leave: (proposal: ProfileFields.Proposal) => Effect.Effect<void, RegistrarError>
  readonly failed: (setback: Setback, retryAt: number) => Effect.Effect<void>
}

export interface Proposing {
  readonly start: Effect.Effect<void>
  /** Does not wait: whoever stops it may be part of it. */
  readonly stop: () => void
  /** The next wait is a short one again. */
  readonly forgive: () => void
}

interface Problem {
  readonly message: string
  readonly fields: ReadonlyArray<ProfileFields.FieldFault>
  readonly needsPerson: boolean
}

const problem = (error: ProposerError): Problem => ({
  message: `The agent made no proposal: ${error.message}`,
  fields: [],
  needsPerson: error.transient === false
})

const unusable = (fields: ReadonlyArray<ProfileFields.FieldFault>): Problem => ({
  message: `What the agent proposed cannot be registered. ${ProfileFields.inWords(fields)}`,
  fields,
  needsPerson: false
})

const longestWait = 600_000

export const make = Effect.fnUntraced(function* (
  options: Options,
  ports: Ports
): Effect.fn.Return<Proposing, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const { interval } = ports
  const limit = options.proposeTimeout ?? "5 minutes"
  const waits = Backoff.schedule({ backoffBase: interval, backoffCap: longestWait, backoffJitter: interval / 10 })
  let fiber: Fiber.Fiber<void> | undefined
  let nextWait: ((now: number) => Effect.Effect<Duration.Duration>) | undefined

  const forgive = (): void => {
    nextWait = undefined
  }

  /** Each longer than the one before. */
  const wait = Effect.fnUntraced(function* (now: number) {
    if (nextWait === undefined) {
      const step = yield* Schedule.toStep(waits)
      nextWait = (at) => Effect.map(Effect.orDie(step(at, undefined)), ([, delay]) => delay)
    }
    return Duration.toMillis(yield* nextWait(now))
  })

  /** Another process may be asking its agent: its proposal is seen on the disk, and ends this. */
  const ownTurn = ports.exclusive.pipe(
    Effect.retry({ schedule: Schedule.spaced(interval), while: (error: ProfileError) => error.transient })
  )

  const once = Effect.fnUntraced(function* (propose: Effect.Effect<unknown, ProposerError>) {
    yield* Effect.mapError(ownTurn, problem)
    const answer = yield* Effect.mapError(propose, problem).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(problem({ message: "it thought about it for too long. It is asked again later." }))
      })
    )
    // It may have left its proposal by a tool already.
    if (!ports.isOn()) return forgive()
    const checked = ProfileFields.check(answer)
    if (Result.isFailure(checked)) return yield* Effect.fail(unusable(checked.failure))
    yield* Effect.mapError(ports.leave(checked.success), problem)
    forgive()
  })

  const inWords = (cause: Cause.Cause<Problem>): Effect.Effect<Problem> => {
    const known = Cause.findErrorOption(cause)
    if (Option.isSome(known)) return Effect.succeed(known.value)
    const words = problem({ message: "it failed in a way nobody thought of. The log says how." })
    return Effect.as(Effect.logError("The agent's proposal failed", cause), words)
  }

  const run = (propose: Effect.Effect<unknown, ProposerError>) =>
    Effect.scoped(once(propose)).pipe(
      Effect.exit,
      Effect.flatMap((exit) =>
        Exit.isSuccess(exit)
          ? Effect.void
          : Effect.gen(function* () {
              const { fields, message, needsPerson } = yield* inWords(exit.cause)
              const at = yield* Clock.currentTimeMillis
              yield* ports.failed({ about: "proposal", message, fields, at, needsPerson }, at + (yield* wait(at)))
            })
      )
    )

  return {
    start: Effect.suspend(() => {
      const { propose } = options
      if (propose === undefined) return Effect.void
      return Effect.map(Effect.forkIn(run(propose), scope), (started) => {
        fiber = started
      })
    }),
    stop: () => {
      fiber?.interruptUnsafe()
      fiber = undefined
    },
    forgive
  }
})
