/** What a file is, by its bytes first and by what was said of it second; and what a browser may show in place. */

const starts = (head: Uint8Array, bytes: ReadonlyArray<number>, at = 0): boolean =>
  bytes.every((byte, i) => head[at + i] === byte)

const ascii = (text: string): ReadonlyArray<number> => Array.from(text, (letter) => letter.charCodeAt(0))

/** The formats that show themselves by their first bytes. */
const signatures: ReadonlyArray<readonly [mediaType: string, is: (head: Uint8Array) => boolean]> = [
  ["image/png", (head) => starts(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ["image/jpeg", (head) => starts(head, [0xff, 0xd8, 0xff])],
  ["image/gif", (head) => starts(head, ascii("GIF87a")) || starts(head, ascii("GIF89a"))],
  ["image/webp", (head) => starts(head, ascii("RIFF")) && starts(head, ascii("WEBP"), 8)],
  ["application/pdf", (head) => starts(head, ascii("%PDF-"))],
  ["application/zip", (head) => starts(head, [0x50, 0x4b, 0x03, 0x04])]
]

/** Texts that no browser runs, whatever is in them. */
const texts = new Set(["text/plain", "text/markdown", "text/csv", "application/json"])
/** A package by its bytes; what kind, only its name says. */
const packaged = /^application\/(vnd\.openxmlformats-officedocument|vnd\.oasis\.opendocument|epub\+zip|java-archive)/

const images = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

/** Documents and scripts a browser would run with the rights of the page they come from. */
const running = /(html|xml|svg|javascript|ecmascript|wasm|flash)/
const wellFormed = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/

export const unknown = "application/octet-stream"

/** How many bytes of a file `settle` wants to see. */
export const headLength = 4_096

/** The head may end in the middle of a character: `stream` lets that pass. */
const isText = (head: Uint8Array): boolean => {
  if (head.includes(0)) return false
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}

/**
 * The type a file is kept under. A type of the kind that shows itself counts only if the bytes show it; one that a
 * browser might run becomes `application/octet-stream`, to be saved and not opened.
 */
export const settle = (declared: string, head: Uint8Array): string => {
  const said = declared.split(";", 1)[0]?.trim().toLowerCase() ?? ""
  const shown = signatures.find(([, is]) => is(head))?.[0]
  if (shown === "application/zip" && packaged.test(said)) return said
  if (shown !== undefined) return shown
  if (texts.has(said)) return isText(head) ? said : unknown
  if (!wellFormed.test(said) || running.test(said) || signatures.some(([mediaType]) => mediaType === said))
    return unknown
  return said
}

/** Whether it may be shown in place. Everything else is sent with `content-disposition: attachment`. */
export const isInline = (mediaType: string): boolean =>
  images.has(mediaType) || texts.has(mediaType) || mediaType === "application/pdf"
