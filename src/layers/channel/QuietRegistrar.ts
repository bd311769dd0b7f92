/**
 * A registrar for accounts of which there may be a thousand: while the identity is there and nothing moves, it is no
 * more than what is known of it, a watch on its folder and a look at the file now and then. At the first change, and
 * for whoever asks it for something, a whole registrar is made, and what that one says is said here.
 */
import { type FSWatcher, watch } from "node:fs"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Profile, ProfileStore } from "../../services/channel/ProfileStore.ts"
import { Registrar } from "../../services/channel/Registrar.ts"
import * as Registration from "../../services/channel/Registration.ts"
import type { Rounds } from "../files/Rounds.ts"
import { QuietRef } from "./QuietRef.ts"
import { sameCredentials } from "./ProfileCodec.ts"

type Service = Registrar["Service"]
type State = Registration.RegistrationState

export interface Options {
  /** The folder of the profile, as in `FileProfileStore`. */
  readonly root: string
  /** A whole one, over the same files: made when there is need of one. */
  readonly whole: () => Layer.Layer<Registrar>
  /** The profile as it is now; `None` also for what cannot be read: that is the whole one's to deal with. */
  readonly load: Effect.Effect<Option.Option<Profile>>
  /** Looks at the file now and then, for where a folder cannot be watched. */
  readonly rounds: Rounds
  /** After how long without any change it goes back to being quiet: 10 s. */
  readonly quietAfter?: Duration.Input | undefined
}

/** The whole registrar, while there is one. */
interface Awake {
  readonly scope: Scope.Closeable
  readonly registrar: Service
  /** Its last word on the credentials; nothing before it has said one. */
  profile: Option.Option<Profile> | undefined
}

/** A class because there is one for each of a thousand accounts: methods are shared, closures are not. */
class Quiet implements Service {
  readonly state = new QuietRef<State>(Registration.initial)
  readonly #credentials = new QuietRef(Option.none<Profile>())
  readonly #options: Options
  readonly #fs: FileSystem.FileSystem
  readonly #scope: Scope.Scope
  readonly #runFork: <A>(effect: Effect.Effect<A>) => unknown
  #gate: Semaphore.Semaphore | undefined
  #awake: Awake | undefined
  #watcher: FSWatcher | undefined
  #leave: (() => void) | undefined
  /** What the file was like when it was read last. */
  #stamp = ""
  /** Calls of the whole one under way. */
  #busy = 0

  constructor(
    options: Options,
    parts: {
      readonly fs: FileSystem.FileSystem
      readonly scope: Scope.Scope
      readonly runFork: <A>(effect: Effect.Effect<A>) => unknown
    }
  ) {
    this.#options = options
    this.#fs = parts.fs
    this.#scope = parts.scope
    this.#runFork = parts.runFork
  }

  // -- the contract ------------------------------------------------------------------------------------------------------

  get profile(): Service["profile"] {
    return SubscriptionRef.changes(this.#credentials)
  }
  follow(each: (profile: Option.Option<Profile>) => void): () => void {
    each(this.#credentials.value)
    return this.#credentials.listen(each)
  }
  propose(proposal: unknown): ReturnType<Service["propose"]> {
    return this.#ask((whole) => whole.propose(proposal))
  }
  submit(input: Parameters<Service["submit"]>[0]): ReturnType<Service["submit"]> {
    return this.#ask((whole) => whole.submit(input))
  }
  cancel(input: Parameters<Service["cancel"]>[0]): ReturnType<Service["cancel"]> {
    return this.#ask((whole) => whole.cancel(input))
  }
  get look(): Service["look"] {
    return this.#ask((whole) => whole.look)
  }

  #ask<A, E>(what: (whole: Service) => Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      this.#busy++
      return Effect.flatMap(this.wake, (awake) =>
        Effect.ensuring(
          what(awake.registrar),
          Effect.suspend(() => this.#copy(awake))
        )
      ).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            this.#busy--
          })
        )
      )
    })
  }

  // -- awake -------------------------------------------------------------------------------------------------------------

  get #inTurn() {
    return (this.#gate ??= Semaphore.makeUnsafe(1)).withPermit
  }

  get wake(): Effect.Effect<Awake> {
    return this.#inTurn(
      Effect.suspend(() =>
        this.#awake === undefined ? Effect.uninterruptible(this.#make) : Effect.succeed(this.#awake)
      )
    )
  }

  get #make(): Effect.Effect<Awake> {
    return Effect.gen({ self: this }, function* () {
      this.#unwatch()
      const scope = yield* Scope.fork(this.#scope)
      const context = yield* Scope.provide(Layer.build(Layer.fresh(this.#options.whole())), scope)
      const awake: Awake = { scope, registrar: Context.get(context, Registrar), profile: undefined }
      this.#awake = awake
      yield* this.#copy(awake)
      yield* SubscriptionRef.changes(awake.registrar.state).pipe(
        Stream.runForEach(() => this.#copy(awake)),
        Effect.forkIn(scope)
      )
      yield* Stream.runForEach(awake.registrar.profile, (profile) => {
        awake.profile = profile
        return this.#copy(awake)
      }).pipe(Effect.forkIn(scope))
      yield* Effect.forkIn(this.#untilQuiet(awake), this.#scope)
      return awake
    })
  }

  /** What the whole one says is said here; but a file that it cannot read takes nothing from the line. */
  #copy(awake: Awake): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#awake !== awake) return Effect.void
      const state = SubscriptionRef.getUnsafe(awake.registrar.state)
      const before = SubscriptionRef.getUnsafe(this.#credentials)
      if (Option.isNone(before) || state._tag !== "absent") return this.#take(awake, state, before)
      const { claw_id: clawId, name } = before.value
      return Effect.flatMap(this.stampNow, (stamp) => {
        // It went on meanwhile, and that is copied too.
        if (SubscriptionRef.getUnsafe(awake.registrar.state) !== state) return Effect.void
        if (stamp === "") return this.#take(awake, state, before)
        const { setback } = state
        const known = SubscriptionRef.getUnsafe(this.state)
        const since = known._tag === "registered" ? known.since : (setback?.at ?? 0)
        return this.state.set({ _tag: "registered", clawId, name, since, setback })
      })
    })
  }

  #take(awake: Awake, state: State, before: Option.Option<Profile>): Effect.Effect<void> {
    const { profile } = awake
    const settled = profile === undefined || profile === before || (Option.isNone(profile) && Option.isNone(before))
    const keep = settled || (state._tag === "registered" && Option.isNone(profile))
    return Effect.andThen(
      SubscriptionRef.getUnsafe(this.state) === state ? Effect.void : this.state.set(state),
      keep ? Effect.void : this.#credentials.set(profile)
    )
  }

  // -- quiet -------------------------------------------------------------------------------------------------------------

  #untilQuiet(awake: Awake): Effect.Effect<void> {
    const often = this.#options.quietAfter ?? "10 seconds"
    return this.#rest(awake).pipe(Effect.delay(often), Effect.repeat({ while: (resting) => !resting }), Effect.asVoid)
  }

  /** `false`: there is still something to do. */
  #rest(awake: Awake): Effect.Effect<boolean> {
    return this.#inTurn(
      Effect.gen({ self: this }, function* () {
        if (this.#busy > 0) return false
        const before = yield* this.stampNow
        yield* awake.registrar.look
        yield* this.#copy(awake)
        const state = SubscriptionRef.getUnsafe(awake.registrar.state)
        const held = SubscriptionRef.getUnsafe(this.#credentials)
        if (state._tag !== "registered" || state.setback !== undefined || Option.isNone(held)) return false
        // What the file says is what was told, and not only what the whole one is about to tell.
        const onDisk = yield* this.#options.load
        if (Option.isNone(onDisk) || !sameCredentials(onDisk.value, held.value)) return false
        if (this.#busy > 0 || before === "" || (yield* this.stampNow) !== before) return false
        this.#awake = undefined
        this.watch(before)
        yield* Scope.close(awake.scope, Exit.void)
        return true
      }).pipe(Effect.uninterruptible)
    )
  }

  get #path(): string {
    return `${this.#options.root}/config/profile.json`
  }

  /** Tells one content of the file from the next; empty where there is none. */
  get stampNow(): Effect.Effect<string> {
    return Effect.match(this.#fs.stat(this.#path), {
      onFailure: () => "",
      onSuccess: (info) =>
        [
          Option.getOrElse(info.ino, () => 0),
          info.size,
          info.mode,
          Option.getOrElse(info.uid, () => 0),
          Option.getOrUndefined(info.mtime)?.getTime()
        ].join(" ")
    })
  }

  watch(stamp: string): void {
    this.#stamp = stamp
    this.#leave = this.#options.rounds.join(this.#checked)
    try {
      this.#watcher = watch(`${this.#options.root}/config`, { persistent: false }, this.#stirred)
      this.#watcher.on("error", this.#stirred)
    } catch {
      // It is looked at now and then all the same.
    }
  }

  #unwatch(): void {
    this.#leave?.()
    this.#leave = undefined
    this.#watcher?.close()
    this.#watcher = undefined
  }

  readonly #stirred = (): void => void this.#runFork(this.wake)

  get #checked(): Effect.Effect<void> {
    return Effect.flatMap(
      Effect.suspend(() => this.stampNow),
      (stamp) => (stamp === this.#stamp || this.#awake !== undefined ? Effect.void : Effect.asVoid(this.wake))
    )
  }

  /** Begins quietly. */
  known(profile: Profile, stamp: string): Effect.Effect<void> {
    const { claw_id: clawId, name } = profile
    return Effect.clockWith((clock) =>
      Effect.andThen(
        this.state.set({
          _tag: "registered",
          clawId,
          name,
          since: clock.currentTimeMillisUnsafe()
        }),
        Effect.andThen(
          this.#credentials.set(Option.some(profile)),
          Effect.sync(() => this.watch(stamp))
        )
      )
    )
  }

  get close(): Effect.Effect<void> {
    return Effect.sync(() => this.#unwatch())
  }
}

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Service, never, FileSystem.FileSystem | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const quiet = new Quiet(options, {
    fs,
    scope: yield* Effect.scope,
    runFork: Effect.runForkWith(yield* Effect.context<never>())
  })
  yield* Effect.addFinalizer(() => quiet.close)
  const stamp = yield* quiet.stampNow
  const pending = yield* Effect.orElseSucceed(fs.exists(`${options.root}/pending.json`), () => true)
  const found = stamp === "" || pending ? Option.none<Profile>() : yield* options.load
  if (Option.isSome(found) && (yield* quiet.stampNow) === stamp) yield* quiet.known(found.value, stamp)
  else yield* quiet.wake
  return quiet
})

export interface OverFiles<R> extends Pick<Options, "root" | "rounds" | "quietAfter"> {
  readonly store: (root: string) => Layer.Layer<ProfileStore, never, FileSystem.FileSystem>
  readonly whole: () => Layer.Layer<Registrar, never, ProfileStore | R>
}

/** Over the files in `root`. `whole` is a registrar over the same files. */
export const over = Effect.fnUntraced(function* <R>(
  options: OverFiles<R>
): Effect.fn.Return<Service, never, R | FileSystem.FileSystem | Scope.Scope> {
  const { root, store } = options
  const context = yield* Effect.context<R | FileSystem.FileSystem>()
  const whole = () => options.whole().pipe(Layer.provide(store(root)), Layer.provide(Layer.succeedContext(context)))
  const load = Effect.suspend(() =>
    Effect.flatMap(ProfileStore, (found) => found.load).pipe(
      Effect.provide(store(root)),
      Effect.provideContext(context),
      Effect.orElseSucceed(Option.none<Profile>)
    )
  )
  return yield* make({ ...options, whole, load })
})

export const layer = <R>(options: OverFiles<R>): Layer.Layer<Registrar, never, R | FileSystem.FileSystem> =>
  Layer.effect(Registrar, over(options))
