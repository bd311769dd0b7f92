/**
 * Transcripts as files: one JSON file per session under a folder, named by a hash of the session key (a key is a
 * stranger's words and no file name). Law whole-file: written beside, synced, renamed; mode 0600 in a 0700 folder.
 * A damaged file is set aside under another name and the log says so.
 */
import { createHash } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { type Said, Transcripts } from "../../services/channel/Transcripts.ts"
import { bounded, type Bounds, defaultBounds } from "./TranscriptBounds.ts"

export interface Options extends Partial<Bounds> {
  readonly folder: string
  /** Files kept; past it the ones not written for the longest time go. 1,000 by default. */
  readonly maxSessions?: number | undefined
}

const File = Schema.fromJsonString(
  Schema.Struct({
    version: Schema.Literal(1),
    sessionKey: Schema.String,
    messages: Schema.Array(
      Schema.Struct({ role: Schema.Literals(["user", "assistant"]), text: Schema.String, at: Schema.Finite })
    )
  })
)
const decode = Schema.decodeUnknownEffect(File)
const encode = Schema.encodeEffect(File)

const suffix = ".transcript.json"
const fileName = (sessionKey: string): string => createHash("sha256").update(sessionKey).digest("hex") + suffix

export const make = (
  options: Options
): Effect.Effect<Transcripts["Service"], PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const bounds: Bounds = { ...defaultBounds, ...options }
    const maxSessions = options.maxSessions ?? 1000
    // Reads and writes of a transcript are short; one at a time keeps two replies of a session from losing one.
    const oneAtATime = yield* Semaphore.make(1)

    yield* fs.makeDirectory(options.folder, { recursive: true, mode: 0o700 })
    /** Leftovers of a process that died while writing. */
    const leftovers = (yield* fs.readDirectory(options.folder)).filter((name) => name.endsWith(".tmp"))
    yield* Effect.forEach(leftovers, (name) => fs.remove(path.join(options.folder, name), { force: true }), {
      discard: true
    })

    const read = Effect.fnUntraced(function* (sessionKey: string) {
      const file = path.join(options.folder, fileName(sessionKey))
      const text = yield* fs.readFileString(file).pipe(
        Effect.catchIf(
          (error) => error.reason._tag === "NotFound",
          () => Effect.undefined
        )
      )
      if (text === undefined) return []
      const content = yield* Effect.option(decode(text))
      if (content._tag === "Some" && content.value.sessionKey === sessionKey) return content.value.messages
      const aside = `${file}.damaged-${yield* Clock.currentTimeMillis}`
      yield* fs.rename(file, aside)
      yield* Effect.logWarning(
        `The transcript ${path.basename(file)} is damaged. It was set aside as ${path.basename(aside)}; the session goes on without its past.`
      )
      return []
    })

    const write = Effect.fnUntraced(function* (sessionKey: string, messages: ReadonlyArray<Said>) {
      const file = path.join(options.folder, fileName(sessionKey))
      const temporary = `${file}.${process.pid}.tmp`
      const content = yield* Effect.orDie(encode({ version: 1, sessionKey, messages }))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const handle = yield* fs.open(temporary, { flag: "w", mode: 0o600 })
          yield* handle.writeAll(Buffer.from(content))
          yield* handle.sync
        })
      ).pipe(
        Effect.andThen(fs.rename(temporary, file)),
        Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
      )
    })

    /** Law bounded: the number of files, too. */
    const prune = Effect.fnUntraced(function* (justWritten: string) {
      const names = (yield* fs.readDirectory(options.folder)).filter((name) => name.endsWith(suffix))
      if (names.length <= maxSessions) return
      const others = names.filter((name) => name !== justWritten)
      const aged = yield* Effect.forEach(others, (name) => {
        const file = path.join(options.folder, name)
        return Effect.map(fs.stat(file), (info) => ({
          file,
          writtenAt: info.mtime._tag === "Some" ? info.mtime.value.getTime() : 0
        }))
      })
      const oldest = aged.toSorted((a, b) => a.writtenAt - b.writtenAt).slice(0, names.length - maxSessions)
      yield* Effect.forEach(oldest, ({ file }) => fs.remove(file, { force: true }), { discard: true })
    })

    const told = <A>(doing: string, fallback: A) =>
      Effect.catch((error: PlatformError.PlatformError) =>
        Effect.as(Effect.logWarning(`A transcript cannot be ${doing}: ${error.reason._tag}`), fallback)
      )

    return Transcripts.of({
      load: Effect.fn("FileTranscripts.load")(
        function* (sessionKey: string) {
          return yield* read(sessionKey)
        },
        oneAtATime.withPermits(1),
        told<ReadonlyArray<Said>>("read", [])
      ),
      append: Effect.fn("FileTranscripts.append")(
        function* (sessionKey: string, said: ReadonlyArray<Said>) {
          const before = yield* read(sessionKey)
          yield* write(sessionKey, bounded([...before, ...said], bounds))
          if (before.length === 0) yield* prune(fileName(sessionKey))
        },
        oneAtATime.withPermits(1),
        told("written", undefined)
      ),
      forget: Effect.fn("FileTranscripts.forget")(
        function* (sessionKey: string) {
          yield* fs.remove(path.join(options.folder, fileName(sessionKey)), { force: true })
        },
        oneAtATime.withPermits(1),
        told("removed", undefined)
      )
    })
  })

/** Fails where the folder cannot be made. */
export const layer = (
  options: Options
): Layer.Layer<Transcripts, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(Transcripts, make(options))
