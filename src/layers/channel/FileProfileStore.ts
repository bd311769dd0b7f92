/**
 * The profile on disk: `<root>/config/profile.json` and `<root>/.activate_session`. A write goes to a file beside it,
 * is synced, renamed over the old one, and the folder is synced: at any crash point the file is the old or the new one
 * (law whole-file). Files are 0600 in folders of 0700; looser ones are tightened, and that is said in the log.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import {
  ForeignOwner,
  Locked,
  type Profile,
  ProfileDamaged,
  ProfileError,
  ProfileStore,
  StorageFailed
} from "../../services/channel/ProfileStore.ts"
import * as FileLock from "../files/FileLock.ts"
import * as ProfileCodec from "./ProfileCodec.ts"

export interface Options {
  /** The folder: `.insta` under the working folder, or another root. Error texts name it as it stands here. */
  readonly root: string
  /** User id that must own the files. The process's own; `undefined` where the system has none. */
  readonly uid?: number | undefined
  /** How long to wait for another process that writes. */
  readonly lockWait?: FileLock.Options["wait"]
}

/** Why the disk said no, in the words of a person. */
const inWords = (error: PlatformError): string => {
  switch (error.reason._tag) {
    case "PermissionDenied":
      return "permission denied"
    case "NotFound":
      return "it is not there"
    case "Busy":
      return "it is in use"
    default: {
      const cause = error.reason.cause
      if (cause instanceof Error && "code" in cause) {
        if (cause.code === "ENOSPC") return "the disk is full"
        if (cause.code === "EROFS") return "the disk is read-only"
        if (cause.code === "EISDIR" || cause.code === "ENOTDIR")
          return "a file and a folder stand in each other's place"
        return `the system says ${String(cause.code)}`
      }
      return error.reason._tag
    }
  }
}

const fail = (reason: ProfileError["reason"]) => Effect.fail(new ProfileError({ reason }))

const isMissing = (error: PlatformError) => error.reason._tag === "NotFound"

export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ProfileStore["Service"], never, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const uid = options.uid ?? process.getuid?.()
  const folder = `${options.root}/config`
  const profilePath = `${folder}/profile.json`
  const lockPath = `${folder}/.profile.lock`
  const activationPath = `${options.root}/.activate_session`
  const ownTurn = yield* Semaphore.make(1)

  const storageFailed =
    (path: string) =>
    (error: PlatformError): ProfileError =>
      new ProfileError({ reason: new StorageFailed({ path, detail: inWords(error) }) })

  /** Owner and mode of one file or folder. Where the system knows no users there is nothing to check. */
  const guard = Effect.fnUntraced(function* (path: string, mode: number) {
    if (uid === undefined) return
    const info = yield* Effect.mapError(fs.stat(path), storageFailed(path))
    if (Option.isSome(info.uid) && info.uid.value !== uid) return yield* fail(new ForeignOwner({ path }))
    if ((info.mode & 0o777 & ~mode) === 0) return
    yield* Effect.mapError(fs.chmod(path, mode), storageFailed(path))
    yield* Effect.logWarning(`${path} was open to other users of this machine; it is now yours alone.`)
  })

  const read = Effect.fnUntraced(function* <A>(path: string, decode: (text: string) => Result.Result<A, string>) {
    const info = yield* fs.stat(path).pipe(
      Effect.asSome,
      Effect.catchIf(isMissing, () => Effect.succeedNone),
      Effect.mapError(storageFailed(path))
    )
    if (Option.isNone(info)) return Option.none<A>()
    if (info.value.type !== "File") return yield* fail(new ProfileDamaged({ path, detail: "it is not a file" }))
    yield* guard(path, 0o600)
    if (Number(info.value.size) > ProfileCodec.MAX_BYTES) {
      return yield* fail(new ProfileDamaged({ path, detail: "it is far too large" }))
    }
    const text = yield* Effect.mapError(fs.readFileString(path), storageFailed(path))
    const decoded = decode(text)
    return Result.isSuccess(decoded)
      ? Option.some(decoded.success)
      : yield* fail(new ProfileDamaged({ path, detail: decoded.failure }))
  })

  const makeFolders = Effect.fnUntraced(function* () {
    yield* Effect.mapError(fs.makeDirectory(folder, { recursive: true, mode: 0o700 }), storageFailed(folder))
    yield* guard(options.root, 0o700)
    yield* guard(folder, 0o700)
  })

  const syncFolder = Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (directory) => directory.sync)).pipe(
    // Windows opens no folders; its rename is as durable as it gets.
    (effect) => (uid === undefined ? Effect.ignore(effect) : effect)
  )

  /** Leftovers of one who died while writing: they hold a secret. */
  const sweep = Effect.fnUntraced(function* () {
    for (const name of yield* fs.readDirectory(folder)) {
      if (name.startsWith("profile.json.") && name.endsWith(".tmp")) {
        yield* fs.remove(`${folder}/${name}`, { force: true })
      }
    }
  })

  const locked = <A>(
    body: (check: Effect.Effect<void, FileLock.Held | PlatformError>) => Effect.Effect<A, FileLock.Held | PlatformError>
  ): Effect.Effect<A, ProfileError> =>
    FileLock.hold(lockPath, { wait: options.lockWait }).pipe(
      Effect.flatMap((lock) => Effect.uninterruptible(body(lock.check))),
      Effect.scoped,
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.mapError((error) =>
        error._tag === "Held"
          ? new ProfileError({ reason: new Locked({ path: profilePath, owner: error.owner }) })
          : storageFailed(profilePath)(error)
      ),
      ownTurn.withPermit
    )

  const load = read(profilePath, ProfileCodec.decode)

  const save = Effect.fn("ProfileStore.save")(function* (profile: Profile) {
    yield* makeFolders()
    yield* locked(
      Effect.fnUntraced(function* (check) {
        yield* sweep()
        const temporary = `${profilePath}.${process.pid}.tmp`
        yield* Effect.scoped(
          Effect.gen(function* () {
            const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
            yield* file.writeAll(new TextEncoder().encode(ProfileCodec.encode(profile)))
            yield* file.sync
          })
        ).pipe(
          Effect.andThen(check),
          Effect.andThen(fs.rename(temporary, profilePath)),
          Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
        )
        yield* syncFolder
      })
    )
  })

  const remove = Effect.gen(function* () {
    const there = yield* Effect.mapError(fs.exists(folder), storageFailed(folder))
    if (!there) return
    yield* locked(() => Effect.andThen(fs.remove(profilePath, { force: true }), syncFolder))
  })

  return ProfileStore.of({
    load,
    save,
    remove,
    activationToken: read(activationPath, ProfileCodec.decodeActivation),
    clearActivationToken: Effect.mapError(fs.remove(activationPath, { force: true }), storageFailed(activationPath))
  })
})

export const layer = (options: Options): Layer.Layer<ProfileStore, never, FileSystem.FileSystem> =>
  Layer.effect(ProfileStore, make(options))
