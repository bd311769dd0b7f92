/**
 * The host's configuration file: read, and written whole with a backup of what it was. A backup lies beside it, named
 * by the beginning of the hash of what was written instead: `openclaw.json.before-clawfiber-1a2b3c4d5e6f`. So that undo
 * knows whether anybody has changed the file since, and never puts an old state over somebody's work.
 */
import { createHash } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { Failure } from "../Failure.ts"
import * as configText from "./configText.ts"

export interface ConfigFile {
  /** As the host names it. */
  readonly path: string
  /** Where it lies in truth: the host replaces a link's target too. */
  readonly target: string
  readonly text: string
  readonly value: configText.Fields
  readonly mode: number
}

const fail = (message: string) => Effect.fail(new Failure({ message }))

const inWords = (path: string, doing: string) => (error: PlatformError) =>
  new Failure({
    message:
      error.reason._tag === "PermissionDenied"
        ? `${path} cannot be ${doing}: permission denied. Run this as the user that OpenClaw runs as.`
        : `${path} cannot be ${doing}: ${error.reason._tag}. Nothing was changed.`
  })

/** Far above any real one; what is larger is something else. */
const maxSize = 16 * 1024 * 1024

export const read = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* fs.stat(path).pipe(
    Effect.asSome,
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound",
      () => Effect.succeedNone
    ),
    Effect.mapError(inWords(path, "read"))
  )
  if (Option.isNone(info)) {
    return yield* fail(
      `OpenClaw has no configuration yet (${path}). Set it up with: openclaw onboard — then run this again.`
    )
  }
  if (info.value.type !== "File" || Number(info.value.size) > maxSize) {
    return yield* fail(`${path} is not a configuration file. Nothing was changed.`)
  }
  const text = yield* Effect.mapError(fs.readFileString(path), inWords(path, "read"))
  const value = configText.read(text)
  if (Result.isFailure(value)) {
    return yield* fail(
      `${path} cannot be understood: ${value.failure} Mend it by hand, or with: openclaw doctor --fix. Nothing was changed.`
    )
  }
  const target = yield* Effect.orElseSucceed(fs.realPath(path), () => path)
  const file: ConfigFile = { path, target, text, value: value.success, mode: info.value.mode & 0o777 }
  return file
})

export const edited = (file: ConfigFile, edits: ReadonlyArray<configText.Edit>): Effect.Effect<string, Failure> => {
  const text = configText.apply(file.text, edits)
  return Result.isSuccess(text)
    ? Effect.succeed(text.success)
    : fail(`${file.path} was not changed: ${text.failure} Edit it by hand, or with: openclaw config`)
}

/** What would keep a write from happening, before anybody is asked. */
export const writable = Effect.fnUntraced(function* (
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>
) {
  const managed = environment["OPENCLAW_NIX_MODE"] === "1" ? "OPENCLAW_NIX_MODE" : "OPENCLAW_CONFIG_READONLY"
  if (environment[managed] === "1") {
    return yield* fail(
      `${managed} is set: this host's configuration comes from elsewhere and is not to be edited. Make the change there. Nothing was changed.`
    )
  }
  const fs = yield* FileSystem.FileSystem
  const folder = file.target.replace(/[^\\/]*$/, "")
  const open = yield* Effect.result(fs.access(folder === "" ? "." : folder, { writable: true }))
  if ((file.mode & 0o200) === 0 || Result.isFailure(open)) {
    return yield* fail(
      `${file.path} is read-only. If it may be changed, run: chmod u+w ${file.target} — and run this again. Nothing was changed.`
    )
  }
})

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12)

const backupOf = (target: string, written: string): string => `${target}.before-clawfiber-${hash(written)}`

const whole = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
  const fs = yield* FileSystem.FileSystem
  const temporary = `${path}.${process.pid}.tmp`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const file = yield* fs.open(temporary, { flag: "wx", mode })
      yield* file.writeAll(new TextEncoder().encode(text))
      yield* file.sync
    })
  ).pipe(
    Effect.andThen(fs.chmod(temporary, mode)),
    Effect.andThen(fs.rename(temporary, path)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true }))),
    Effect.uninterruptible
  )
})

const unchanged = Effect.fnUntraced(function* (file: ConfigFile) {
  const fs = yield* FileSystem.FileSystem
  const now = yield* Effect.mapError(fs.readFileString(file.path), inWords(file.path, "read"))
  if (now !== file.text) {
    return yield* fail(
      `${file.path} was changed by somebody else in the meantime. Nothing was written. Run this again: it begins with what is there now.`
    )
  }
})

/**
 * Answers where the backup lies; `was` is what it holds, by default what the file says now. Fails where the file is not
 * any more what it was when it was read.
 */
export const write = Effect.fnUntraced(function* (file: ConfigFile, text: string, was: string = file.text) {
  yield* unchanged(file)
  const backup = backupOf(file.target, text)
  // A configuration may hold tokens: a copy is never easier to read than it.
  yield* Effect.mapError(whole(backup, was, file.mode & 0o700), inWords(backup, "written"))
  yield* unchanged(file)
  yield* Effect.mapError(whole(file.target, text, file.mode), inWords(file.path, "written"))
  return backup
})

export interface Former {
  readonly text: string
  /** The backups that lead there, the newest first. */
  readonly backups: ReadonlyArray<string>
}

/** What the file was before any of our writes, where nobody else has written since. */
export const former = Effect.fnUntraced(function* (file: ConfigFile) {
  const fs = yield* FileSystem.FileSystem
  const backups: Array<string> = []
  let text = file.text
  for (;;) {
    const path = backupOf(file.target, text)
    const held = backups.includes(path) ? Option.none<string>() : yield* Effect.option(fs.readFileString(path))
    if (Option.isNone(held)) break
    backups.push(path)
    text = held.value
  }
  const found: Former | undefined = backups.length === 0 ? undefined : { text, backups }
  return found
})

/** Puts the former state back, to the byte, and takes its backups away. */
export const restore = Effect.fnUntraced(function* (file: ConfigFile, { backups, text }: Former) {
  const fs = yield* FileSystem.FileSystem
  yield* unchanged(file)
  yield* Effect.mapError(whole(file.target, text, file.mode), inWords(file.path, "written"))
  for (const backup of backups) yield* Effect.ignore(fs.remove(backup, { force: true }))
})
