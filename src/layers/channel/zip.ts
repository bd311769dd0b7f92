/**
 * A zip archive, written to a file one entry after another (APPNOTE 6.3, without its 64-bit forms): what is small is
 * deflated, what is large is stored as it comes, so that no more than a few mebibytes are ever in memory. Names are
 * UTF-8. Sizes and checksums stand in the headers, for readers that do not look at the end first.
 */
import { crc32, deflateRawSync } from "node:zlib"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"

export interface Entry<E> {
  /** With `/` between folders; relative, without `..`. */
  readonly name: string
  /** Exact where it is large; what is small is measured. */
  readonly size: number
  readonly content: Stream.Stream<Uint8Array, E>
}

interface Written {
  readonly name: Uint8Array
  readonly offset: number
  readonly method: 0 | 8
  readonly checksum: number
  readonly packed: number
  readonly size: number
}

/** Bytes up to which an entry is held in memory and deflated. */
const small = 2 * 1024 * 1024

/** Of what is written into the headers, a day of 1980 at the earliest. `at` is milliseconds since the epoch, UTC. */
const dosTime = (at: number): readonly [time: number, date: number] => {
  const day = new Date(Math.max(at, 315_532_800_000))
  return [
    (day.getUTCHours() << 11) | (day.getUTCMinutes() << 5) | (day.getUTCSeconds() >> 1),
    ((day.getUTCFullYear() - 1980) << 9) | ((day.getUTCMonth() + 1) << 5) | day.getUTCDate()
  ]
}

/** Fields of two and four bytes, little end first. */
const bytes = (...fields: ReadonlyArray<readonly [size: 2 | 4, value: number]>): Uint8Array => {
  const out = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)))
  let at = 0
  for (const [size, value] of fields) {
    if (size === 2) out.setUint16(at, value, true)
    else out.setUint32(at, value, true)
    at += size
  }
  return new Uint8Array(out.buffer)
}

/** What both headers of an entry say alike. 20: deflate; 0x0800: the name is UTF-8. */
const common = (entry: Written, [time, date]: readonly [number, number]) =>
  [
    [2, 20],
    [2, 0x0800],
    [2, entry.method],
    [2, time],
    [2, date],
    [4, entry.checksum],
    [4, entry.packed],
    [4, entry.size],
    [2, entry.name.length],
    [2, 0]
  ] as const

/** Writes the whole archive to an empty file. Its caller bounds how much that may be (below 4 GiB, 65,535 entries). */
export const write = Effect.fnUntraced(function* <E>(
  file: FileSystem.File,
  entries: ReadonlyArray<Entry<E>>,
  at: number
): Effect.fn.Return<number, E | PlatformError> {
  const time = dosTime(at)
  const written: Array<Written> = []
  let offset = 0
  const put = (chunk: Uint8Array) => {
    offset += chunk.length
    return file.writeAll(chunk)
  }
  const header = (entry: Written) =>
    Effect.andThen(put(bytes([4, 0x04034b50], ...common(entry, time))), put(entry.name))

  for (const { content, name, size } of entries) {
    const start = { name: new TextEncoder().encode(name), offset, size }
    if (size <= small) {
      const chunks = yield* Stream.runCollect(content)
      const whole = Buffer.concat(chunks)
      const packed = deflateRawSync(whole)
      const entry: Written = { ...start, size: whole.length, method: 8, checksum: crc32(whole), packed: packed.length }
      yield* header(entry)
      yield* put(packed)
      written.push(entry)
    } else {
      // The checksum is known at the end: its place is left, and filled then.
      yield* header({ ...start, method: 0, checksum: 0, packed: size })
      let checksum = 0
      yield* Stream.runForEach(content, (chunk) => {
        checksum = crc32(chunk, checksum)
        return put(chunk)
      })
      yield* file.seek(BigInt(start.offset + 14), "start")
      yield* file.writeAll(bytes([4, checksum]))
      yield* file.seek(BigInt(offset), "start")
      written.push({ ...start, method: 0, checksum, packed: size })
    }
  }

  const directory = offset
  for (const entry of written) {
    // 0x031e: made on a system with modes; 0o100644 in the upper half of the attributes.
    yield* put(
      bytes(
        [4, 0x02014b50],
        [2, 0x031e],
        ...common(entry, time),
        [2, 0],
        [2, 0],
        [2, 0],
        [4, 0o100644 * 0x10000],
        [4, entry.offset]
      )
    )
    yield* put(entry.name)
  }
  const length = offset - directory
  yield* put(
    bytes(
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, written.length],
      [2, written.length],
      [4, length],
      [4, directory],
      [2, 0]
    )
  )
  return offset
})
