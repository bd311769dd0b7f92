/**
 * Keeps the line of one account in step with its credentials: new or other ones bring another line, none ends it, and
 * the replies under way get their time to end. Other words about itself change nothing on the wire.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { type Account, type Line, LineFault, SameKey } from "../../services/channel/Accounts.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Registrar } from "../../services/channel/Registrar.ts"
import { QuietRef } from "./QuietRef.ts"
import { sameCredentials } from "./ProfileCodec.ts"

export interface LineMaker<R> {
  readonly agent: Account["agent"]
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

interface Serving {
  readonly scope: Scope.Closeable
  readonly line: Line
  profile: Profile
}

/** A class because there is one for each of a thousand accounts: methods are shared, closures are not. */
class Follower<R> implements Account {
  readonly id: string
  readonly registrar: Registrar["Service"]
  readonly line = new QuietRef(Option.none<Line>())
  readonly fault = new QuietRef<string | undefined>(undefined)
  readonly #keys: Keys
  readonly #maker: LineMaker<R>
  readonly #scope: Scope.Scope
  /** One for all accounts; what an account has of its own is provided where it is used. */
  readonly #context: Context.Context<R>
  #turn: Semaphore.Semaphore | undefined
  #wanted = Option.none<Profile>()
  #claimed = false
  #serving: Serving | undefined
  #again: Fiber.Fiber<void> | undefined

  constructor(
    id: string,
    registrar: Registrar["Service"],
    keys: Keys,
    maker: LineMaker<R>,
    scope: Scope.Scope,
    context: Context.Context<R>
  ) {
    this.id = id
    this.registrar = registrar
    this.#keys = keys
    this.#maker = maker
    this.#scope = scope
    this.#context = context
  }

  get agent(): Account["agent"] {
    return this.#maker.agent
  }
  get retry(): Effect.Effect<void> {
    return Effect.andThen(this.registrar.look, this.settle)
  }

  want(profile: Option.Option<Profile>): void {
    this.#wanted = profile
  }

  get hangUp(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const ended = this.#serving
      this.#serving = undefined
      if (ended === undefined) return Effect.void
      return Scope.close(ended.scope, Exit.void).pipe(
        Effect.andThen(this.line.set(Option.none())),
        Effect.ensuring(Effect.sync(() => this.#keys.delete(ended.profile.app_key)))
      )
    })
  }

  #dial(profile: Profile): Effect.Effect<void, LineFault, R> {
    return Effect.gen({ self: this }, function* () {
      const other = this.#keys.get(profile.app_key)
      if (other !== undefined) return yield* new LineFault({ reason: new SameKey({ account: other }) })
      this.#keys.set(profile.app_key, this.id)
      const own = yield* Scope.fork(this.#scope)
      const latest = () => this.#serving?.profile ?? profile
      const opened = yield* this.#maker.open(this.id, profile, latest).pipe(
        Scope.provide(own),
        Effect.onError(() => {
          this.#keys.delete(profile.app_key)
          return Scope.close(own, Exit.void)
        })
      )
      this.#serving = { scope: own, line: opened, profile }
      this.line.put(Option.some(opened))
    })
  }

  get #keepUp(): Effect.Effect<void, LineFault, R> {
    return Effect.gen({ self: this }, function* () {
      if (!this.#claimed) {
        yield* Scope.provide(this.#maker.claim(this.id), this.#scope)
        this.#claimed = true
      }
      if (Option.isNone(this.#wanted)) return yield* this.hangUp
      const profile = this.#wanted.value
      const serving = this.#serving
      if (serving !== undefined && sameCredentials(serving.profile, profile)) {
        serving.profile = profile
        return this.line.put(Option.some({ ...serving.line, profile }))
      }
      yield* this.hangUp
      yield* this.#dial(profile)
    })
  }

  get settle(): Effect.Effect<void> {
    this.#turn ??= Semaphore.makeUnsafe(1)
    return Effect.suspend(() => {
      this.#again?.interruptUnsafe()
      this.#again = undefined
      return Effect.matchEffect(this.#keepUp, {
        onSuccess: () => this.#tell(undefined),
        onFailure: (error) => Effect.andThen(this.#tell(error.message), this.#later)
      })
    }).pipe(Effect.uninterruptible, this.#turn.withPermit, Effect.provideContext(this.#context))
  }

  #tell(text: string | undefined): Effect.Effect<void> {
    return Effect.sync(() => {
      if (this.fault.value !== text) this.fault.put(text)
    })
  }

  get #later(): Effect.Effect<void> {
    const task = Effect.suspend(() => {
      this.#again = undefined
      return this.settle
    })
    const after = Effect.interruptible(Effect.delay(task, this.#maker.tryAgainAfter ?? tryAgainAfter))
    return Effect.map(Effect.forkIn(after, this.#scope), (fiber) => {
      this.#again = fiber
    })
  }
}

/** `context` is what the lines need, one for all accounts. */
export const make = Effect.fnUntraced(function* <R>(
  id: string,
  registrar: Registrar["Service"],
  keys: Keys,
  maker: LineMaker<R>,
  context: Context.Context<R>
): Effect.fn.Return<Account, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const follower = new Follower(id, registrar, keys, maker, scope, context)
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => follower.hangUp)
  )
  const { follow } = registrar
  if (follow === undefined) {
    const each = (profile: Option.Option<Profile>) => {
      follower.want(profile)
      return follower.settle
    }
    yield* Effect.forkScoped(Effect.andThen(follower.settle, Stream.runForEach(registrar.profile, each)))
    return follower
  }
  const run = Effect.runForkWith(context)
  const leave = follow.call(registrar, (profile) => {
    follower.want(profile)
    run(Effect.forkIn(follower.settle, scope))
  })
  yield* Scope.addFinalizer(scope, Effect.sync(leave))
  return follower
})
