/**
 * A lock that two processes respect: a file that says who holds it and until when. A dead owner's lock (its process is
 * gone, or the time has run out) is taken over. The file is made with O_EXCL, so exactly one maker wins; a taker-over
 * first renames the dead file away and looks at what it got, so that it never throws away a lock made a moment before.
 */
import { hostname } from "node:os"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type { Rounds } from "./Rounds.ts"

/** Another live process holds the lock. `owner` is for people: "process 4711 on host". */
export class Held extends Schema.TaggedError<Held>()("Held", { owner: Schema.String }) {}

/** What the file holds. `until` is milliseconds since the epoch. */
const Claim = Schema.fromJsonString(
  Schema.Struct({ pid: Schema.Int, host: Schema.String, token: Schema.String, until: Schema.Finite })
)
type Claim = typeof Claim.Type
const decodeClaim = Schema.decodeUnknownOption(Claim)

/**
 * Tokens that this process holds. A lock with our own process id but none of these is of an earlier life: in a
 * container every life has the same id.
 */
const mine = new Set<string>()

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

const describe = (claim: Claim | undefined): string =>
  claim === undefined ? "unknown owner" : `process ${claim.pid} on ${claim.host}`

export interface Options {
  /** A lock older than this is dead whoever made it. A holder that lives longer renews it. */
  readonly expiry?: Duration.Input | undefined
  /** How long to wait for another's lock. */
  readonly wait?: Duration.Input | undefined
  /** Renew it, instead of a fiber of its own. Their interval is to be well below the expiry. */
  readonly rounds?: Rounds | undefined
}

const notFound = (error: PlatformError) => error.reason._tag === "NotFound"

// What a lock keeps for as long as it is held is made out here, so that it keeps nothing else: a process may hold a
// thousand of them.

const readClaim = (fs: FileSystem.FileSystem, path: string) =>
  Effect.map(fs.readFileString(path), (text) => Option.getOrUndefined(decodeClaim(text)))

const writeClaim = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: string,
  token: string,
  expiry: number,
  flag: "wx" | "w"
) {
  const now = yield* Clock.currentTimeMillis
  const claim: Claim = { pid: process.pid, host: hostname(), token, until: now + expiry }
  yield* fs.writeFileString(path, JSON.stringify(claim), { flag, mode: 0o600 })
})

const isOurs = (fs: FileSystem.FileSystem, path: string, token: string) =>
  Effect.map(readClaim(fs, path), (claim) => claim?.token === token)

/** A lock that is held: gives itself back at the end of its scope, renews itself until then. */
class Kept {
  readonly #fs: FileSystem.FileSystem
  readonly #path: string
  readonly #token: string
  readonly #expiry: number
  leave: (() => void) | undefined

  constructor(lock: {
    readonly fs: FileSystem.FileSystem
    readonly path: string
    readonly token: string
    readonly expiry: number
  }) {
    this.#fs = lock.fs
    this.#path = lock.path
    this.#token = lock.token
    this.#expiry = lock.expiry
  }

  readonly renew = (): Effect.Effect<void> =>
    isOurs(this.#fs, this.#path, this.#token).pipe(
      Effect.flatMap((ours) => (ours ? writeClaim(this.#fs, this.#path, this.#token, this.#expiry, "w") : Effect.void)),
      Effect.ignore
    )

  readonly giveBack = (): Effect.Effect<void> => {
    this.leave?.()
    return isOurs(this.#fs, this.#path, this.#token).pipe(
      Effect.flatMap((ours) => (ours ? this.#fs.remove(this.#path, { force: true }) : Effect.void)),
      Effect.ignore,
      Effect.ensuring(Effect.sync(() => mine.delete(this.#token)))
    )
  }
}

const kept = Effect.fnUntraced(function* (
  scope: Scope.Scope,
  lock: ConstructorParameters<typeof Kept>[0],
  rounds: Rounds | undefined
) {
  const held = new Kept(lock)
  yield* Scope.addFinalizer(scope, Effect.suspend(held.giveBack))
  const renew = Effect.suspend(held.renew)
  if (rounds !== undefined) held.leave = rounds.join(renew)
  else yield* Effect.forkIn(renew.pipe(Effect.delay(lock.expiry / 3), Effect.forever({ disableYield: true })), scope)
})

const stillOurs = (fs: FileSystem.FileSystem, path: string, token: string): Effect.Effect<void, Held | PlatformError> =>
  Effect.flatMap(
    Effect.suspend(() => readClaim(fs, path)),
    (claim) => (claim?.token === token ? Effect.void : Effect.fail(new Held({ owner: describe(claim) })))
  )

/**
 * Holds the lock for the scope's life, renewing it; waits for a live owner up to `wait` and then fails with Held.
 * `check` fails when the lock is no longer ours: worth asking right before what must not happen twice.
 */
// Untraced: whoever holds a lock for long would keep the span of taking it for as long.
export const hold = Effect.fnUntraced(function* (
  path: string,
  options: Options = {}
): Effect.fn.Return<
  { readonly check: Effect.Effect<void, Held | PlatformError> },
  Held | PlatformError,
  FileSystem.FileSystem | Scope.Scope
> {
  const fs = yield* FileSystem.FileSystem
  const expiry = Duration.toMillis(options.expiry ?? "30 seconds")
  const wait = Duration.toMillis(options.wait ?? "5 seconds")
  const token = SecureRandom.uuidV4Unsafe()
  const deadline = (yield* Clock.currentTimeMillis) + wait

  const read = readClaim(fs, path)

  const isDead = Effect.fnUntraced(function* (claim: Claim | undefined) {
    const now = yield* Clock.currentTimeMillis
    if (claim === undefined) {
      // Made, not yet written, or half written by one who died: its age decides.
      const made = (yield* fs.stat(path)).mtime
      return Option.isSome(made) && now - made.value.getTime() > Math.min(expiry, 2000)
    }
    if (claim.until < now) return true
    if (claim.host !== hostname()) return false
    return claim.pid === process.pid ? !mine.has(claim.token) : !isAlive(claim.pid)
  })

  const buryDead = Effect.fnUntraced(function* (dead: Claim | undefined) {
    const grave = `${path}.${token}`
    yield* fs.rename(path, grave)
    const found = Option.getOrUndefined(decodeClaim(yield* fs.readFileString(grave)))
    // A new owner came between looking and renaming: give it its file back.
    if (found?.token !== dead?.token) yield* Effect.ignore(fs.link(grave, path))
    yield* fs.remove(grave, { force: true })
  })

  const attempt: () => Effect.Effect<void, Held | PlatformError> = Effect.fnUntraced(function* () {
    const made = yield* writeClaim(fs, path, token, expiry, "wx").pipe(
      Effect.as(true),
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists",
        () => Effect.succeed(false)
      )
    )
    if (made) return
    const claim = yield* read
    if (yield* isDead(claim)) {
      yield* buryDead(claim)
      return yield* attempt()
    }
    return yield* new Held({ owner: describe(claim) })
  })

  // A lock that vanished while we looked is as good as one to try again.
  const acquire = attempt().pipe(
    Effect.catchIf(
      (error) => error._tag === "PlatformError" && notFound(error),
      (error) =>
        Effect.flatMap(fs.exists(dirname(path)), (there) =>
          there ? Effect.fail(new Held({ owner: "unknown owner" })) : Effect.fail(error)
        )
    ),
    Effect.retry({
      schedule: Schedule.spaced("25 millis"),
      while: (error) =>
        error._tag === "Held" ? Effect.map(Clock.currentTimeMillis, (now) => now < deadline) : Effect.succeed(false)
    })
  )

  // Not by acquireRelease: the scope would keep, with the release, how it was acquired.
  yield* Effect.uninterruptibleMask((restore) => {
    mine.add(token)
    return restore(acquire).pipe(
      Effect.onError(() => Effect.sync(() => mine.delete(token))),
      Effect.andThen(Effect.flatMap(Effect.scope, (scope) => kept(scope, { fs, path, token, expiry }, options.rounds)))
    )
  })
  return { check: stillOurs(fs, path, token) }
})

const dirname = (path: string): string => {
  const cut = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
  return cut <= 0 ? "." : path.slice(0, cut)
}
