/**
 * Chance from a seed. Streams are told apart by name, so that what one part of a history draws does not move what
 * another draws: a history from which something was taken out stays the same elsewhere.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"

const hash = (text: string): number => {
  // FNV-1a, 32 bits.
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** sfc32: small, fast, and long enough for any history. Not for secrets. */
export class Chance {
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number | string, stream = "") {
    const key = `${seed}/${stream}`
    this.#a = hash(key)
    this.#b = hash(`${key}#`)
    this.#c = hash(`#${key}`)
    for (let i = 0; i < 12; i++) this.bits()
  }

  /** 32 random bits as a whole number from 0. */
  bits(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    return this.bits() / 0x1_0000_0000
  }

  /** A whole number, both bounds included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** `true` so often. */
  flip(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(from: readonly [A, ...ReadonlyArray<A>]): A {
    return from[Math.floor(this.next() * from.length)] ?? from[0]
  }

  /** Exponential, with this mean, cut at ten times it: most are short, a few are long. */
  around(mean: number): number {
    return Math.min(-Math.log(1 - this.next()) * mean, mean * 10)
  }

  bytes(size: number): Uint8Array {
    const bytes = new Uint8Array(size)
    for (let i = 0; i < size; i++) bytes[i] = this.bits() & 255
    return bytes
  }
}

/** Draws ids and secrets from a seed: in a simulated world only. */
export const secureRandom = (chance: Chance): SecureRandom.SecureRandom["Service"] =>
  SecureRandom.make((size) => chance.bytes(size))
