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

/**
 * Frames are made here and then copied out: room for the longest form that a text can have is there already, so that
 * its bytes need not be counted before they are written. Never handed out, so it is free again when a call returns.
 */
let scratch = Buffer.allocUnsafeSlow(256 * 1024)
let words = new Int32Array(scratch.buffer)

/** A scratch that one large call needed is not kept. */
const kept = 4 * 1024 * 1024

const reserve = (size: number, used: number): void => {
  if (size <= scratch.length) return
  const larger = Buffer.allocUnsafeSlow((Math.max(size, scratch.length * 2) + 3) & ~3)
  scratch.copy(larger, 0, 0, used)
  scratch = larger
  words = new Int32Array(scratch.buffer)
}

/** The messages in order, each a whole frame. Lone surrogates become U+FFFD, as `ws` has it. */
export const encodeTextFrames = (messages: ReadonlyArray<string>): Buffer => {
  let at = 0
  for (const message of messages) {
    reserve(at + message.length * 3 + 14, at)
    const start = at
    // Which of the three forms of a length applies is mostly sure from the number of characters alone.
    const isSure = message.length >= 126 && message.length * 3 < 65_536
    const expected = isSure ? 126 : Buffer.byteLength(message)
    const body = start + (expected < 126 ? 6 : expected < 65_536 ? 8 : 14)
    const bytes = scratch.write(message, body)
    scratch[start] = 0x81
    if (expected < 126) {
      scratch[start + 1] = 0x80 | bytes
    } else if (expected < 65_536) {
      scratch[start + 1] = 0x80 | 126
      scratch[start + 2] = bytes >> 8
      scratch[start + 3] = bytes & 255
    } else {
      scratch[start + 1] = 0x80 | 127
      scratch.writeBigUInt64BE(BigInt(bytes), start + 2)
    }
    const mask = drawMask()
    const key = [mask & 255, (mask >> 8) & 255, (mask >> 16) & 255, (mask >> 24) & 255]
    scratch[body - 4] = key[0]!
    scratch[body - 3] = key[1]!
    scratch[body - 2] = key[2]!
    scratch[body - 1] = key[3]!
    at = body + bytes
    apply(scratch, words, body, at, key)
  }
  const out = Buffer.allocUnsafe(at)
  scratch.copy(out, 0, 0, at)
  if (scratch.length > kept) {
    scratch = Buffer.allocUnsafeSlow(256 * 1024)
    words = new Int32Array(scratch.buffer)
  }
  return out
}
