/**
 * Looks into a zip archive on disk, without unpacking it anywhere: its table of contents (zipDirectory), and that each
 * part unpacks to just as much as it says, so that nobody's program is surprised. Memory stays small whatever comes.
 */
import * as Effect from "effect/Effect"
import { createReadStream } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import { crc32, createInflateRaw } from "node:zlib"
import { Invalid, StoreError } from "../../services/platform/PlatformError.ts"
import * as zip from "./zipDirectory.ts"

export const defaults = zip.bounds

const readAt = async (file: FileHandle, offset: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

const overgrown = new zip.ZipRefused("unpacks to more than it says. It is not taken.")
const damaged = new zip.ZipRefused("is damaged: a file in it does not unpack to what it says. Pack it again.")

/** As far as it says, and no byte further. */
const unpack = async (path: string, start: number, entry: zip.ZipEntry, signal: AbortSignal): Promise<void> => {
  let size = 0
  let sum = 0
  const count = async (pieces: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of pieces) {
      size += piece.length
      if (size > entry.size) throw overgrown
      sum = crc32(piece, sum)
    }
  }
  if (entry.compressed > 0) {
    const bytes = createReadStream(path, { start, end: start + entry.compressed - 1 })
    await (entry.method === 0
      ? pipeline(bytes, count, { signal })
      : pipeline(bytes, createInflateRaw(), count, { signal }))
  }
  if (size !== entry.size || sum !== entry.crc32) throw damaged
}

const look = async (path: string, bounds: zip.Bounds, signal: AbortSignal): Promise<ReadonlyArray<zip.ZipEntry>> => {
  const file = await open(path, "r")
  try {
    const { size: length } = await file.stat()
    const tail = Math.min(length, zip.tailLength)
    let directory = zip.locate(await readAt(file, length - tail, tail), length)
    if (directory.zip64 !== undefined) directory = zip.locate64(await readAt(file, directory.zip64, 56), length)
    if (directory.size > zip.maxDirectory) throw new zip.ZipRefused("holds too many files. Send fewer.")
    const entries = zip.read(await readAt(file, directory.offset, directory.size), directory, length, bounds)
    for (const [i, entry] of entries.entries()) {
      signal.throwIfAborted()
      const header = await readAt(file, entry.offset, zip.localLength + entry.name.length)
      const start = zip.dataOf(entry, header, entries[i + 1]?.offset ?? directory.offset)
      await unpack(path, start, entry, signal)
    }
    return entries
  } finally {
    await file.close()
  }
}

const isOfZlib = (cause: unknown): boolean =>
  typeof cause === "object" && cause !== null && "code" in cause && String(cause.code).startsWith("Z_")

/** Its files, or Invalid with a sentence. */
export const inspect = (
  path: string,
  bounds: zip.Bounds = zip.bounds
): Effect.Effect<ReadonlyArray<zip.ZipEntry>, Invalid | StoreError> =>
  Effect.tryPromise({
    try: (signal) => look(path, bounds, signal),
    catch: (cause) => {
      const refused = cause instanceof zip.ZipRefused ? cause : isOfZlib(cause) ? damaged : undefined
      if (refused !== undefined) return new Invalid({ detail: `The archive ${refused.message}`, param: "zip_file" })
      const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "unknown"
      return new StoreError({ detail: `archive: ${code}`, transient: false })
    }
  })
