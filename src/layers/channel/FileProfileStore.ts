/**
 * Who this agent is, on disk: `<root>/config/profile.json`, `<root>/.activate_session` and `<root>/pending.json`, each
 * whole at any crash point and for its owner alone (profileFiles). Locks are files beside them that two processes
 * respect (FileLock).
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  type Exclusive,
  Locked,
  type Pending,
  type Profile,
  ProfileError,
  ProfileStore
} from "../../services/channel/ProfileStore.ts"
import * as FileLock from "../files/FileLock.ts"
import * as ProfileCodec from "./ProfileCodec.ts"
import * as profileFiles from "./profileFiles.ts"
import { storageFailed } from "./profileFiles.ts"

export interface Options {
  /** The folder: `.insta` under the working folder, or another root. Error texts name it as it stands here. */
  readonly root: string
  /** User id that must own the files. The process's own; `undefined` where the system has none. */
  readonly uid?: number | undefined
  /** How long to wait for another process that writes. */
  readonly lockWait?: FileLock.Options["wait"]
}

const heldBy = (path: string) => (error: FileLock.Held | PlatformError) =>
  error._tag === "Held"
    ? new ProfileError({ reason: new Locked({ path, owner: error.owner }) })
    : storageFailed(path)(error)

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ProfileStore["Service"], never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const { root } = options
  const folder = `${root}/config`
  const profilePath = `${folder}/profile.json`
  const lockPath = `${folder}/.profile.lock`
  const activationPath = `${root}/.activate_session`
  const pendingPath = `${root}/pending.json`
  const ownTurn = yield* Semaphore.make(1)
  const files = profileFiles.make(fs, options.uid ?? process.getuid?.())

  const makeFolders = Effect.andThen(files.makeFolder(root), files.makeFolder(folder))

  const lock = (path: string, wait: FileLock.Options["wait"]) =>
    Effect.provideService(FileLock.hold(path, { wait }), FileSystem.FileSystem, fs)

  const locked = <A>(
    body: (check: Effect.Effect<void, FileLock.Held | PlatformError>) => Effect.Effect<A, FileLock.Held | PlatformError>
  ): Effect.Effect<A, ProfileError> =>
    lock(lockPath, options.lockWait).pipe(
      Effect.flatMap(({ check }) => Effect.uninterruptible(body(check))),
      Effect.scoped,
      Effect.mapError(heldBy(profilePath)),
      ownTurn.withPermit
    )

  // -- the profile -----------------------------------------------------------------------------------------------------

  const save = Effect.fnUntraced(function* (profile: Profile) {
    yield* makeFolders
    yield* locked((check) => files.write(profilePath, ProfileCodec.encode(profile), check))
  })

  const remove = Effect.gen(function* () {
    const there = yield* Effect.mapError(fs.exists(folder), storageFailed(folder))
    if (there) yield* locked(() => files.remove(profilePath))
  })

  // -- what leads there ------------------------------------------------------------------------------------------------

  /** In the root; its writers take turns within the process, and between processes by `exclusive`. */
  const write = (path: string, text: string) =>
    files
      .makeFolder(root)
      .pipe(Effect.andThen(Effect.mapError(files.write(path, text), storageFailed(path))), ownTurn.withPermit)

  const discard = (path: string) => Effect.mapError(files.remove(path), storageFailed(path))

  const pending = files.read(pendingPath, ProfileCodec.decodePending).pipe(
    Effect.catchIf(
      (error) => error.reason._tag === "ProfileDamaged",
      (error) =>
        Effect.logWarning(`What was proposed is lost and is proposed anew: ${error.reason.path} cannot be used.`).pipe(
          Effect.andThen(discard(pendingPath)),
          Effect.as(Option.none<Pending>())
        )
    )
  )

  const exclusive = Effect.fnUntraced(function* (what: Exclusive) {
    const path = `${root}/.${what}.lock`
    yield* files.makeFolder(root)
    const { check } = yield* Effect.mapError(lock(path, 0), heldBy(path))
    return { check: Effect.mapError(check, heldBy(path)) }
  })

  // -- changes ---------------------------------------------------------------------------------------------------------

  /** A folder that goes or comes ends it: a watch stays with what it was opened on. */
  const listen = (path: string, names: ReadonlyArray<string>, onReady: (() => void) | undefined) => {
    const own = path.slice(path.lastIndexOf("/") + 1)
    return fs.watch(path, { onReady }).pipe(
      Stream.filter((event) => names.includes(event.path) || event.path === own),
      Stream.takeUntil((event) => event.path === own || event.path === "config")
    )
  }

  const watch: ProfileStore["Service"]["watch"] = (what, { onReady } = {}) => {
    let missing = what === "all" ? 2 : 1
    const ready = (): void => {
      missing -= 1
      if (missing === 0) onReady?.()
    }
    const profile = listen(folder, ["profile.json"], ready)
    const watched =
      what === "profile"
        ? profile
        : Stream.merge(profile, listen(root, ["config", ".activate_session", "pending.json"], ready), {
            haltStrategy: "either"
          })
    const told = watched.pipe(
      Stream.map(() => undefined),
      Stream.mapError(storageFailed(root))
    )
    return Stream.unwrap(Effect.as(makeFolders, told))
  }

  return ProfileStore.of({
    load: files.read(profilePath, ProfileCodec.decode),
    save,
    remove,
    activationToken: files.read(activationPath, ProfileCodec.decodeActivation),
    saveActivationToken: (token) => write(activationPath, ProfileCodec.encodeActivation(token)),
    clearActivationToken: discard(activationPath),
    pending,
    savePending: (value) => write(pendingPath, ProfileCodec.encodePending(value)),
    clearPending: discard(pendingPath),
    watch,
    exclusive
  })
})

export const layer = (options: Options): Layer.Layer<ProfileStore, never, FileSystem.FileSystem> =>
  Layer.effect(ProfileStore, make(options))
