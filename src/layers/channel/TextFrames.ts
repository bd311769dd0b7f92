/**
 * Many text messages as one run of masked WebSocket frames (RFC 6455, section 5), ready for a single write.
 *
 * `ws` makes two buffers of each message and draws and applies its mask by itself; for 44 frames of 200 bytes that is
 * most of what a reply costs. This makes one buffer of all of them. Only a client without compression may use it:
 * what the socket gets is what `ws` would have written.
 */
import { randomFillSync } from "node:crypto"

/** Masks come from a pool of random bytes: one draw per 2,048 frames. A mask must not be guessable (section 10.3). */
const pool = Buffer.allocUnsafeSlow(8192)
const masks = new Int32Array(pool.buffer, 0, pool.length >> 2)
let next = masks.length

const drawMask = (): number => {
  if (next === masks.length) {
    randomFillSync(pool)
    next = 0
  }
  return masks[next++]!
}

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** Bytes before the payload: two, the longer length, and the mask. */
const headLength = (bytes: number): number => (bytes < 126 ? 6 : bytes < 65_536 ? 8 : 14)

/**
 * Applies a mask in place, a word at a time where the buffer's words allow. `words` is the whole buffer as 32-bit
 * words. Whole words turn the key by four, so that the tail goes on where the head left off.
 */
const apply = (out: Buffer, words: Int32Array, from: number, to: number, key: ReadonlyArray<number>): void => {
  let at = from
  let turn = 0
  while (at < to && (at & 3) !== 0) out[at] = out[at++]! ^ key[turn++ & 3]!
  const a = key[turn & 3]!
  const b = key[(turn + 1) & 3]!
  const c = key[(turn + 2) & 3]!
  const d = key[(turn + 3) & 3]!
  const word = littleEndian ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d
  const last = to & ~3
  for (let i = at >> 2; i < last >> 2; i++) words[i]! ^= word
  at = Math.max(at, last)
  while (at < to) out[at] = out[at++]! ^ key[turn++ & 3]!
}

/** The messages in order, each a whole frame. Lone surrogates become U+FFFD, as `ws` has it. */
export const encodeTextFrames = (messages: ReadonlyArray<string>): Buffer => {
  const lengths: Array<number> = []
  let total = 0
  for (const message of messages) {
    const bytes = Buffer.byteLength(message)
    lengths.push(bytes)
    total += bytes + headLength(bytes)
  }
  // Its own memory and not a slice of the shared pool: it begins on a word, and so its words can be read as such.
  const size = (total + 3) & ~3
  const out = Buffer.allocUnsafeSlow(size)
  const words = new Int32Array(out.buffer, 0, size >> 2)
  let at = 0
  for (let i = 0; i < messages.length; i++) {
    const bytes = lengths[i]!
    out[at++] = 0x81
    if (bytes < 126) {
      out[at++] = 0x80 | bytes
    } else if (bytes < 65_536) {
      out[at++] = 0x80 | 126
      out[at++] = bytes >> 8
      out[at++] = bytes & 255
    } else {
      out[at++] = 0x80 | 127
      out.writeBigUInt64BE(BigInt(bytes), at)
      at += 8
    }
    const mask = drawMask()
    const key = [mask & 255, (mask >> 8) & 255, (mask >> 16) & 255, (mask >> 24) & 255]
    out[at++] = key[0]!
    out[at++] = key[1]!
    out[at++] = key[2]!
    out[at++] = key[3]!
    out.write(messages[i]!, at)
    apply(out, words, at, at + bytes, key)
    at += bytes
  }
  return out.subarray(0, total)
}
