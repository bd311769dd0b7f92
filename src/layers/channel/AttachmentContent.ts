/**
 * What the bytes of an attachment are. The sender's word for it (media type, name) is a hint; for pictures the header
 * decides, for text that it decodes.
 */
export type Content =
  | { readonly kind: "image"; readonly mediaType: ImageType; readonly width: number; readonly height: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "other" }

export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp"

interface Dimensions {
  readonly mediaType: ImageType
  readonly width: number
  readonly height: number
}

const ascii = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))

/** PNG (W3C, 2003): signature, then IHDR with width and height as 32-bit big-endian numbers. */
const png = (bytes: Uint8Array, view: DataView): Dimensions | undefined =>
  bytes.length >= 24 && ascii(bytes, 0, 8) === "\x89PNG\r\n\x1a\n" && ascii(bytes, 12, 16) === "IHDR"
    ? { mediaType: "image/png", width: view.getUint32(16), height: view.getUint32(20) }
    : undefined

/** GIF87a and GIF89a: 16-bit little-endian screen size after the signature. */
const gif = (bytes: Uint8Array, view: DataView): Dimensions | undefined =>
  bytes.length >= 10 && /^GIF8[79]a$/.test(ascii(bytes, 0, 6))
    ? { mediaType: "image/gif", width: view.getUint16(6, true), height: view.getUint16(8, true) }
    : undefined

/** JPEG (ITU T.81): walk the segments to the first start-of-frame, SOF0 to SOF15 without DHT, JPG and DAC. */
const jpeg = (bytes: Uint8Array, view: DataView): Dimensions | undefined => {
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined
  let at = 2
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] ?? 0
    if (marker === 0xff) {
      at += 1
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return { mediaType: "image/jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    const standsAlone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    at += standsAlone ? 2 : 2 + view.getUint16(at + 2)
  }
  return undefined
}

/** WebP (RFC 9649): RIFF with a VP8X, VP8L or VP8 chunk first. */
const webp = (bytes: Uint8Array, view: DataView): Dimensions | undefined => {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== "RIFF" || ascii(bytes, 8, 12) !== "WEBP") return undefined
  const mediaType = "image/webp"
  switch (ascii(bytes, 12, 16)) {
    case "VP8X":
      return {
        mediaType,
        width: 1 + (view.getUint32(24, true) & 0xffffff),
        height: 1 + (view.getUint32(26, true) >>> 8)
      }
    case "VP8L": {
      const bits = view.getUint32(21, true)
      return { mediaType, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    case "VP8 ":
      return { mediaType, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
    default:
      return undefined
  }
}

/** Type and size of a picture from its header; undefined where the bytes are none of the four. */
export const imageHeader = (bytes: Uint8Array): Dimensions | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return png(bytes, view) ?? gif(bytes, view) ?? jpeg(bytes, view) ?? webp(bytes, view)
}

/** The text, if the bytes are UTF-8 (or UTF-16 that says so) without control characters that text does not have. */
export const decodeText = (bytes: Uint8Array): string | undefined => {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8"
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    return /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

export const contentOf = (bytes: Uint8Array): Content => {
  const image = imageHeader(bytes)
  if (image !== undefined) return { kind: "image", ...image }
  const text = decodeText(bytes)
  return text === undefined ? { kind: "other" } : { kind: "text", text }
}
