/** Chance from a seed (mulberry32). What is drawn for one part does not move what is drawn for another. */

const hash = (text: string): number => {
  let value = 2166136261
  for (const letter of text) value = Math.imul(value ^ (letter.codePointAt(0) ?? 0), 16777619)
  return value >>> 0
}

export class Chance {
  readonly seed: number
  #state: number

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.#state = this.seed
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1))
  }

  /** As `between`, but a small number is as likely as a large one: 1 to 10 as often as 10 to 100. */
  scale(low: number, high: number): number {
    return Math.round(low * (high / low) ** this.next())
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  pick<A>(from: readonly [A, ...ReadonlyArray<A>]): A {
    return from[this.between(0, from.length - 1)] ?? from[0]
  }

  /** Another source, for the part of this name. */
  for(name: string): Chance {
    return new Chance(hash(`${this.seed} ${name}`))
  }
}
