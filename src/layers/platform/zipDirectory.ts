/**
 * The table of contents of a zip archive, read with care: by the end record, the central directory and each local
 * header, which must agree. What a careful person would not unpack is refused: paths that lead out, links, names that
 * stand twice, parts that overlap, more than bounds allow. Pure: bytes in, entries or a sentence out. Format: APPNOTE
 * 6.3.10 of PKWARE, 4.3.7 to 4.3.16, 4.4.
 */

export interface ZipEntry {
  readonly path: string
  readonly isFolder: boolean
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8
  readonly crc32: number
  readonly compressed: number
  readonly size: number
  /** Of its local header. */
  readonly offset: number
  /** As they stand: the local header must say the same. */
  readonly name: Uint8Array
}

export interface Bounds {
  readonly entries: number
  /** Bytes of everything, unpacked. */
  readonly unpacked: number
  /** How many times as large as the archive, where it is more than `free` bytes. */
  readonly ratio: number
  readonly free: number
}

export const bounds: Bounds = {
  entries: 10_000,
  unpacked: 2 * 1024 * 1024 * 1024,
  ratio: 200,
  free: 64 * 1024 * 1024
}

/** Why it is refused, in words: "The archive …". */
export class ZipRefused extends Error {}

const refuse = (why: string): never => {
  throw new ZipRefused(why)
}

/** The end record with the longest comment there can be, and the locator of zip64 before it. */
export const tailLength = 22 + 0xffff + 20
/** Of a central directory that is read. */
export const maxDirectory = 16 * 1024 * 1024
export const localLength = 30

const noZip = "is no zip archive, or it is cut off. Pack it again."
const unsafe = "holds a path that leads out of it. Pack it again with plain paths."

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Sizes beyond four bytes: of no archive that is small enough to be taken, but some packers always write so. */
const whole = (view: DataView, at: number): number => {
  const value = view.getBigUint64(at, true)
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : refuse(noZip)
}

export interface Directory {
  readonly offset: number
  readonly size: number
  readonly count: number
  /** Where the 64-bit end record stands, where the numbers above do not fit the small one. */
  readonly zip64: number | undefined
}

/** Where the central directory is. `tail`: the last bytes of the file, `length`: of the file. */
export const locate = (tail: Uint8Array, length: number): Directory => {
  const view = viewOf(tail)
  for (let at = tail.length - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50 || at + 22 + view.getUint16(at + 20, true) !== tail.length) continue
    const count = view.getUint16(at + 10, true)
    const size = view.getUint32(at + 12, true)
    const offset = view.getUint32(at + 16, true)
    if (view.getUint16(at + 4, true) !== view.getUint16(at + 6, true) || view.getUint16(at + 8, true) !== count) {
      return refuse("is one of several parts. Pack everything into one file.")
    }
    const isLarge = count === 0xffff || size === 0xffffffff || offset === 0xffffffff
    if (isLarge && at >= 20 && view.getUint32(at - 20, true) === 0x07064b50) {
      return { offset: 0, size: 0, count: 0, zip64: whole(view, at - 12) }
    }
    return offset + size <= length - (tail.length - at) ? { offset, size, count, zip64: undefined } : refuse(noZip)
  }
  return refuse(noZip)
}

/** `record`: 56 bytes at `zip64`. */
export const locate64 = (record: Uint8Array, length: number): Directory => {
  const view = viewOf(record)
  if (record.length < 56 || view.getUint32(0, true) !== 0x06064b50) return refuse(noZip)
  const count = whole(view, 32)
  const size = whole(view, 40)
  const offset = whole(view, 48)
  return offset + size <= length ? { offset, size, count, zip64: undefined } : refuse(noZip)
}

/** Control characters, and those that turn the reading direction. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u

const checkPath = (path: string): void => {
  if (path === "" || unprintable.test(path)) refuse("holds a file whose name cannot be shown. Name it plainly.")
  if (/^[/\\]/.test(path) || /^[A-Za-z]:/.test(path) || path.split(/[/\\]/).includes("..")) refuse(unsafe)
}

/** The kinds of Unix files: 0 (not said), a folder and a plain file are taken. */
const checkKind = (madeBy: number, attributes: number): void => {
  if (madeBy >> 8 !== 3 && madeBy >> 8 !== 19) return
  const kind = (attributes >>> 16) & 0xf000
  if (kind === 0xa000) refuse("holds a link to another place. Pack the file itself.")
  if (kind !== 0 && kind !== 0x4000 && kind !== 0x8000)
    refuse("holds something that is no plain file. Pack files only.")
}

const readExtra = (extra: Uint8Array, wanted: ReadonlyArray<boolean>): ReadonlyArray<number> => {
  const view = viewOf(extra)
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 0x0001) continue
    let from = at + 4
    const end = Math.min(extra.length, from + view.getUint16(at + 2, true))
    return wanted.map((isWanted) => {
      if (!isWanted) return 0
      from += 8
      return from <= end ? whole(view, from - 8) : refuse(noZip)
    })
  }
  return refuse(noZip)
}

/** The entries of a central directory, in the order of their places. `length`: of the archive. */
export const read = (
  directory: Uint8Array,
  { count, offset: end }: Directory,
  length: number,
  limits: Bounds = bounds
): ReadonlyArray<ZipEntry> => {
  if (count > limits.entries) refuse(`holds more than ${limits.entries} files. Send fewer.`)
  const view = viewOf(directory)
  const utf8 = new TextDecoder("utf-8", { fatal: false })
  const latin = new TextDecoder("latin1")
  const entries: Array<ZipEntry> = []
  const seen = new Set<string>()
  let total = 0
  let at = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== 0x02014b50) refuse(noZip)
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const nameEnd = at + 46 + view.getUint16(at + 28, true)
    const extraEnd = nameEnd + view.getUint16(at + 30, true)
    const next = extraEnd + view.getUint16(at + 32, true)
    if (next > directory.length) refuse(noZip)
    if ((flags & 1) !== 0) refuse("is locked with a password. Pack it without one.")
    if (method !== 0 && method !== 8)
      refuse("is packed in a way that not everybody can unpack. Use plain zip (deflate).")
    const name = directory.subarray(at + 46, nameEnd)
    const path = ((flags & 0x800) !== 0 ? utf8 : latin).decode(name)
    checkPath(path)
    checkKind(view.getUint16(at + 4, true), view.getUint32(at + 38, true))
    // Where letters of another case are the same file, one would take the place of the other.
    const key = path.replaceAll("\\", "/").normalize("NFC").toLowerCase()
    if (seen.has(key)) refuse("holds the same name twice. Give each file a name of its own.")
    seen.add(key)
    const said = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)]
    const isLarge = said.map((value) => value === 0xffffffff)
    const large = isLarge.includes(true) ? readExtra(directory.subarray(nameEnd, extraEnd), isLarge) : []
    const [size = 0, compressed = 0, offset = 0] = said.map((value, n) =>
      isLarge[n] === true ? (large[n] ?? 0) : value
    )
    if (method === 0 && size !== compressed) refuse(noZip)
    total += size
    const isFolder = path.endsWith("/") || path.endsWith("\\")
    entries.push({
      path,
      isFolder,
      method: method === 0 ? 0 : 8,
      crc32: view.getUint32(at + 16, true),
      compressed,
      size,
      offset,
      name
    })
    at = next
  }
  if (at !== directory.length) refuse(noZip)
  if (total > limits.unpacked || (total > limits.free && total > length * limits.ratio)) {
    refuse("would grow out of all proportion when it is unpacked. It is not taken.")
  }
  entries.sort((a, b) => a.offset - b.offset)
  entries.forEach((entry, i) => {
    if (entry.offset + localLength + entry.compressed > (entries[i + 1]?.offset ?? end)) refuse(noZip)
  })
  return entries
}

/** Where the bytes of an entry begin. `header`: its local header, with the name. `until`: where the next one begins. */
export const dataOf = (entry: ZipEntry, header: Uint8Array, until: number): number => {
  const view = viewOf(header)
  if (header.length < localLength + entry.name.length || view.getUint32(0, true) !== 0x04034b50) return refuse(noZip)
  const nameLength = view.getUint16(26, true)
  const name = header.subarray(localLength, localLength + nameLength)
  if (nameLength !== entry.name.length || name.some((byte, i) => byte !== entry.name[i])) {
    return refuse("says two things of what is in it. Pack it again.")
  }
  if (view.getUint16(8, true) !== entry.method) return refuse("says two things of what is in it. Pack it again.")
  const start = entry.offset + localLength + nameLength + view.getUint16(28, true)
  return start + entry.compressed <= until ? start : refuse(noZip)
}
