/**
 * Small files that hold secrets: read with a look at owner, mode and size, written whole. A write goes to a file beside
 * it, is synced, renamed over the old one, and the folder is synced: at any crash point the file is the old or the new
 * one (law whole-file). Files are 0600 in folders of 0700; looser ones are tightened, and that is said in the log.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { ForeignOwner, ProfileDamaged, ProfileError, StorageFailed } from "../../services/channel/ProfileStore.ts"
import { MAX_BYTES } from "./ProfileCodec.ts"

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

export const fail = (reason: ProfileError["reason"]) => Effect.fail(new ProfileError({ reason }))

export const storageFailed =
  (path: string) =>
  (error: PlatformError): ProfileError =>
    new ProfileError({ reason: new StorageFailed({ path, detail: inWords(error) }) })

const isMissing = (error: PlatformError) => error.reason._tag === "NotFound"

const split = (path: string): readonly [folder: string, name: string] => {
  const cut = path.lastIndexOf("/")
  return [path.slice(0, cut), path.slice(cut + 1)]
}

/** `uid` is who must own the files; undefined where the system knows no users and there is nothing to check. */
export const make = (fs: FileSystem.FileSystem, uid: number | undefined) => {
  /** Owner and mode of one file or folder. */
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
    if (Number(info.value.size) > MAX_BYTES) {
      return yield* fail(new ProfileDamaged({ path, detail: "it is far too large" }))
    }
    const text = yield* Effect.mapError(fs.readFileString(path), storageFailed(path))
    const decoded = decode(text)
    return Result.isSuccess(decoded)
      ? Option.some(decoded.success)
      : yield* fail(new ProfileDamaged({ path, detail: decoded.failure }))
  })

  const makeFolder = Effect.fnUntraced(function* (path: string) {
    yield* Effect.mapError(fs.makeDirectory(path, { recursive: true, mode: 0o700 }), storageFailed(path))
    yield* guard(path, 0o700)
  })

  const sync = (folder: string) =>
    Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (directory) => directory.sync)).pipe(
      // Windows opens no folders; its rename is as durable as it gets.
      (effect) => (uid === undefined ? Effect.ignore(effect) : effect)
    )

  /** Leftovers of one who died while writing: they may hold a secret. */
  const sweep = Effect.fnUntraced(function* (folder: string, name: string) {
    for (const found of yield* fs.readDirectory(folder)) {
      if (found.startsWith(`${name}.`) && found.endsWith(".tmp"))
        yield* fs.remove(`${folder}/${found}`, { force: true })
    }
  })

  /** Alone among the writers of this file; its folder is there. `check` may still stop it before the new one is seen. */
  const write = <E = never>(
    path: string,
    text: string,
    check: Effect.Effect<void, E> = Effect.void
  ): Effect.Effect<void, PlatformError | E> => {
    const [folder, name] = split(path)
    const temporary = `${path}.${process.pid}.tmp`
    const written = Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(new TextEncoder().encode(text))
        yield* file.sync
      })
    )
    return Effect.uninterruptible(
      sweep(folder, name).pipe(
        Effect.andThen(written),
        Effect.andThen(check),
        Effect.andThen(fs.rename(temporary, path)),
        Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true }))),
        Effect.andThen(sync(folder))
      )
    )
  }

  /** No error where it is not there. */
  const remove = Effect.fnUntraced(function* (path: string) {
    if (!(yield* fs.exists(path))) return
    yield* Effect.uninterruptible(Effect.andThen(fs.remove(path, { force: true }), sync(split(path)[0])))
  })

  return { read, write, remove, makeFolder }
}
