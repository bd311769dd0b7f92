/** Zip archives, written by hand from the description of the format, good ones and evil ones. */
import { crc32, deflateRawSync } from "node:zlib"

export interface Part {
  readonly name: string
  readonly data: string | Uint8Array
  readonly stored?: boolean
  /** Unix mode with its kind: 0o120777 is a link. */
  readonly mode?: number
  /** What the archive says of the size, where that is not true. */
  readonly claimed?: number
  /** The name in the local header, where it is another one. */
  readonly local?: string
  readonly flags?: number
}

const header = (signature: number, length: number): DataView => {
  const view = new DataView(new ArrayBuffer(length))
  view.setUint32(0, signature, true)
  return view
}

const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer)

export const zip = (parts: ReadonlyArray<Part>): Uint8Array<ArrayBuffer> => {
  const locals: Array<Uint8Array> = []
  const central: Array<Uint8Array> = []
  let offset = 0
  for (const part of parts) {
    const data = Buffer.from(part.data)
    const packed = part.stored === true ? data : deflateRawSync(data)
    const method = part.stored === true ? 0 : 8
    const sum = crc32(data)
    const size = part.claimed ?? data.length
    const fill = (view: DataView, at: number, name: Uint8Array): void => {
      view.setUint16(at, 20, true)
      view.setUint16(at + 2, part.flags ?? 0x800, true)
      view.setUint16(at + 4, method, true)
      view.setUint32(at + 10, sum, true)
      view.setUint32(at + 14, packed.length, true)
      view.setUint32(at + 18, size, true)
      view.setUint16(at + 22, name.length, true)
    }
    const name = Buffer.from(part.local ?? part.name)
    const local = header(0x04034b50, 30)
    fill(local, 4, name)
    locals.push(bytesOf(local), name, packed)
    const full = Buffer.from(part.name)
    const entry = header(0x02014b50, 46)
    entry.setUint16(4, (3 << 8) | 20, true)
    fill(entry, 6, full)
    entry.setUint32(38, (part.mode ?? 0o100644) * 65_536, true)
    entry.setUint32(42, offset, true)
    central.push(bytesOf(entry), full)
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = header(0x06054b50, 22)
  end.setUint16(8, parts.length, true)
  end.setUint16(10, parts.length, true)
  end.setUint32(12, directory.length, true)
  end.setUint32(16, offset, true)
  return new Uint8Array(Buffer.concat([...locals, directory, bytesOf(end)]))
}

export const good = zip([
  { name: "metadata.json", data: "{}", stored: true },
  { name: "output/", data: "", stored: true, mode: 0o40755 },
  { name: "output/汉字.txt", data: "done ".repeat(100) }
])

/** Each with what the refusal says of it. */
export const evil: ReadonlyArray<readonly [why: string, bytes: Uint8Array<ArrayBuffer>, said: RegExp]> = [
  ["no zip", new Uint8Array(Buffer.from("this is no archive at all, whatever it says")), /no zip archive/],
  ["empty", new Uint8Array(), /no zip archive/],
  ["cut off", good.slice(0, -30), /no zip archive/],
  ["traversal", zip([{ name: "../../etc/passwd", data: "x" }]), /leads out/],
  ["traversal within", zip([{ name: "a/../../b", data: "x" }]), /leads out/],
  ["backslashes", zip([{ name: "..\\b", data: "x" }]), /leads out/],
  ["absolute", zip([{ name: "/etc/passwd", data: "x" }]), /leads out/],
  ["a drive", zip([{ name: "C:\\a", data: "x" }]), /leads out/],
  ["a link", zip([{ name: "a", data: "/etc/passwd", mode: 0o120777 }]), /a link/],
  ["a pipe", zip([{ name: "a", data: "", mode: 0o10644 }]), /no plain file/],
  [
    "the same name",
    zip([
      { name: "a", data: "1" },
      { name: "A", data: "2" }
    ]),
    /same name twice/
  ],
  ["a hidden name", zip([{ name: "good", data: "1", local: "evil" }]), /two things/],
  ["a password", zip([{ name: "a", data: "1", flags: 0x801 }]), /password/],
  ["a bomb that says so", zip([{ name: "a", data: new Uint8Array(80 * 1024 * 1024) }]), /out of all proportion/],
  ["a bomb that hides it", zip([{ name: "a", data: new Uint8Array(20_000_000), claimed: 10 }]), /more than it says/],
  ["less than it says", zip([{ name: "a", data: "short", claimed: 6 }]), /damaged/],
  ["a name nobody can show", zip([{ name: "a\u0000b", data: "1" }]), /cannot be shown/]
]
