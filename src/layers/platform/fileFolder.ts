/**
 * A folder of bytes of one running platform. Bytes come first to a temporary file; what has a name of its own there is
 * whole.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { type LimitReached, StoreError } from "../../services/platform/PlatformError.ts"
import * as mediaTypes from "./mediaTypes.ts"

/** The folder for files cannot be used: said at start, to the one who runs the program. */
export class FilesFolderError extends Schema.TaggedError<FilesFolderError>()("FilesFolderError", {
  folder: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `The folder "${this.folder}" for files cannot be used (${this.detail}). Check that it exists, is yours and is writable.`
  }
}

export const mebibyte = 1024 * 1024

export const inMebibytes = (bytes: number): string => `${Math.round((bytes / mebibyte) * 10) / 10} MiB`

export const fromPlatformError = (error: PlatformError): StoreError =>
  new StoreError({
    detail: `files: ${error.reason._tag}: ${error.reason.method}`,
    transient: error.reason._tag === "Busy" || error.reason._tag === "TimedOut" || error.reason._tag === "WouldBlock"
  })

/** What the pass over the bytes learns. */
interface Received {
  size: number
  readonly head: Uint8Array
}

const suffix = ".part"

/** Makes the folder (mode 0700) where missing, and clears away what was not finished when a platform stopped. */
export const open = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const place = (name: string) => path.join(folder, name)
  const discard = (name: string) => Effect.ignore(fs.remove(place(name), { force: true }))
  yield* Effect.gen(function* () {
    yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
    yield* fs.access(folder, { readable: true, writable: true })
    const names = yield* fs.readDirectory(folder)
    yield* Effect.forEach(
      names.filter((name) => name.endsWith(suffix)),
      discard,
      { discard: true }
    )
  }).pipe(Effect.mapError((error) => new FilesFolderError({ folder, detail: error.reason._tag })))

  /** To a temporary file, to the disk, and no further than `admit` lets it: told of each piece and the size with it. */
  const receive = Effect.fnUntraced(function* <E>(
    name: string,
    body: Stream.Stream<Uint8Array, E>,
    admit: (bytes: number, size: number) => LimitReached | undefined
  ) {
    const file = yield* Effect.mapError(fs.open(place(name), { flag: "wx", mode: 0o600 }), fromPlatformError)
    const digest = createHash("sha256")
    const received: Received = { size: 0, head: new Uint8Array(mediaTypes.headLength) }
    yield* Stream.runForEach(body, (bytes): Effect.Effect<void, LimitReached | StoreError> => {
      if (received.size < received.head.length) {
        received.head.set(bytes.subarray(0, received.head.length - received.size), received.size)
      }
      received.size += bytes.length
      const refused = admit(bytes.length, received.size)
      if (refused !== undefined) return Effect.fail(refused)
      digest.update(bytes)
      return Effect.mapError(file.writeAll(bytes), fromPlatformError)
    })
    yield* Effect.mapError(file.sync, fromPlatformError)
    return {
      size: received.size,
      sha256: digest.digest("hex"),
      head: received.head.subarray(0, Math.min(received.size, received.head.length))
    }
  }, Effect.scoped)

  /** What has a name of its own. */
  const contents = Effect.map(Effect.mapError(fs.readDirectory(folder), fromPlatformError), (names) =>
    names.filter((name) => !name.endsWith(suffix))
  )

  const settle = (name: string, final: string) =>
    Effect.mapError(fs.rename(place(name), place(final)), fromPlatformError)

  /** `missing`: what is said where there is no such file. */
  const stream = <E>(name: string, missing: E): Stream.Stream<Uint8Array, E | StoreError> =>
    Stream.mapError(fs.stream(place(name)), (error) =>
      error.reason._tag === "NotFound" ? missing : fromPlatformError(error)
    )

  return { place, discard, contents, receive, settle, stream, temporary: (id: string) => `${id}${suffix}` }
})
