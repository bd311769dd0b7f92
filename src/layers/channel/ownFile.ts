/**
 * A file of this machine on its way out: looked at once, read as a stream, never whole in memory, and measured while it
 * is read. What is no plain file, is reached through a symbolic link, or changes meanwhile cannot be sent.
 */
import { createHash } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { FileUnusable } from "../../services/channel/TaskApi.ts"

/** What a file was when it was looked at. */
export interface Look {
  readonly path: string
  readonly size: number
  readonly changedAt: number
  readonly inode: bigint | undefined
}

/** What came of reading it whole. */
export interface Measured {
  size: number
  /** Hexadecimal; there once the whole file was read. */
  sha256: string | undefined
}

/** Small: what is read is garbage at once, and larger pieces pile up before the collector looks (law bounded). */
const chunkSize = 16 * 1024

const changed = "it changed while it was read"

const inWords = (error: PlatformError): string => {
  switch (error.reason._tag) {
    case "NotFound":
      return "it is not there"
    case "PermissionDenied":
      return "permission denied"
    default:
      return "it cannot be read"
  }
}

const lookOf = (path: string, info: FileSystem.File.Info): Look => ({
  path,
  size: Number(info.size),
  changedAt: Option.match(info.mtime, { onNone: () => 0, onSome: (at) => at.getTime() }),
  inode: Option.getOrUndefined(info.ino)
})

const same = (one: Look, other: Look): boolean =>
  one.size === other.size && one.changedAt === other.changedAt && one.inode === other.inode

export const make = (fs: FileSystem.FileSystem) => {
  const unusable = (path: string) => (error: PlatformError) => new FileUnusable({ path, detail: inWords(error) })

  const look = Effect.fnUntraced(function* (path: string, maxBytes: number): Effect.fn.Return<Look, FileUnusable> {
    const info = yield* Effect.mapError(fs.lstat(path), unusable(path))
    if (info.type === "SymbolicLink") return yield* new FileUnusable({ path, detail: "it is a symbolic link" })
    if (info.type !== "File") return yield* new FileUnusable({ path, detail: "it is not a file" })
    const found = lookOf(path, info)
    if (found.size > maxBytes) {
      const limit = Math.floor(maxBytes / 1024 / 1024)
      return yield* new FileUnusable({ path, detail: `it is larger than ${limit} MiB, which is the limit` })
    }
    return found
  })

  /** The bytes of what was looked at; `measured` is whole when the stream has ended. */
  const content = (seen: Look, measured: Measured): Stream.Stream<Uint8Array, FileUnusable> => {
    const { path } = seen
    const fail = Effect.fail(new FileUnusable({ path, detail: changed }))
    return Stream.unwrap(
      Effect.gen(function* () {
        const file = yield* Effect.mapError(fs.open(path, { flag: "r", noFollow: true }), unusable(path))
        const hash = createHash("sha256")
        measured.size = 0
        measured.sha256 = undefined
        const unchanged = Effect.flatMap(Effect.mapError(file.stat, unusable(path)), (info) =>
          same(seen, lookOf(path, info)) ? Effect.void : fail
        )
        yield* unchanged
        const pull = Effect.gen(function* () {
          const bytes = yield* Effect.mapError(file.readAlloc(chunkSize), unusable(path))
          if (Option.isNone(bytes)) {
            if (measured.size !== seen.size) return yield* fail
            yield* unchanged
            measured.sha256 ??= hash.digest("hex")
            return yield* Cause.done()
          }
          measured.size += bytes.value.length
          if (measured.size > seen.size) return yield* fail
          hash.update(bytes.value)
          const parts: [Uint8Array] = [bytes.value]
          return parts
        })
        return Stream.fromPull(Effect.succeed(pull))
      })
    )
  }

  return { look, content }
}
