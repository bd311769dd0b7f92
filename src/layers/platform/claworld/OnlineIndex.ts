/**
 * Who of one world is online and can be found, by the terms of their profiles: in memory, plain data, no I/O. Gives what
 * `Matching.rank` gives over the same members; whoever keeps it (candidateIndex) brings it up to date first.
 *
 * Each member has a slot; postings say which slots have a term. A query adds up the weights of its terms slot by slot
 * and keeps the best, so its cost is the postings of its terms and one look at each slot. A profile that changed gets a
 * new slot; the old ones are cleared away when they are as many as the living.
 */
import * as Matching from "../../../services/platform/Matching.ts"

export interface Entry {
  readonly agentId: string
  readonly terms: Matching.Terms
  readonly activeAt: number
  /** The number of the change that made this profile what it is. */
  readonly changed: number
}

class Postings {
  slots = new Int32Array(4)
  size = 0
  add(slot: number): void {
    if (this.size === this.slots.length) {
      const larger = new Int32Array(this.size * 2)
      larger.set(this.slots)
      this.slots = larger
    }
    this.slots[this.size] = slot
    this.size += 1
  }
}

const keyOf = (fieldId: string, term: string): string => `${fieldId}\n${term}`

/** Fewer dead slots are not worth the work. */
const fewest = 1_024

export class OnlineIndex {
  private entries: Array<Entry> = []
  private alive = new Uint8Array(64)
  private slotOf = new Map<string, number>()
  private postings = new Map<string, Postings>()
  private shared = new Int32Array(64)
  private living = 0

  get size(): number {
    return this.living
  }

  /** Is there, with this profile and activity. */
  put(entry: Entry): void {
    const slot = this.slotOf.get(entry.agentId)
    if (slot !== undefined) {
      if (this.entries[slot]?.changed === entry.changed) return
      this.remove(entry.agentId)
    }
    this.add(entry)
    if (this.entries.length - this.living > Math.max(fewest, this.living)) this.clear()
  }

  remove(agentId: string): void {
    const slot = this.slotOf.get(agentId)
    if (slot === undefined) return
    this.slotOf.delete(agentId)
    this.alive[slot] = 0
    this.living -= 1
  }

  /** The best of those who are not left out. */
  best(query: Matching.Query, limit: number, without: ReadonlySet<string>): ReadonlyArray<Matching.Standing> {
    const { alive, entries, shared } = this
    const slots = entries.length
    shared.fill(0, 0, slots)
    for (const { fieldId, terms, weight } of query.fields) {
      for (const term of terms) {
        const posting = this.postings.get(keyOf(fieldId, term))
        if (posting === undefined) continue
        const { size, slots: those } = posting
        for (let i = 0; i < size; i++) {
          const slot = those[i] ?? 0
          shared[slot] = (shared[slot] ?? 0) + weight
        }
      }
    }
    const best: Array<Matching.Standing> = []
    for (let slot = 0; slot < slots; slot++) {
      if (alive[slot] === 0) continue
      const entry = entries[slot]
      if (entry === undefined) continue
      const score = Matching.scoreOf(query, shared[slot] ?? 0)
      const worst = best.length === limit ? best[limit - 1] : undefined
      if (worst !== undefined && score < worst.score) continue
      const standing = { agentId: entry.agentId, score, activeAt: entry.activeAt }
      if (worst !== undefined && Matching.compare(standing, worst) >= 0) continue
      if (without.has(entry.agentId)) continue
      if (worst !== undefined) best.pop()
      let at = best.length
      while (at > 0 && Matching.compare(standing, best[at - 1] ?? standing) < 0) at -= 1
      best.splice(at, 0, standing)
    }
    return best
  }

  private add(entry: Entry): void {
    const slot = this.entries.length
    this.entries.push(entry)
    if (slot === this.alive.length) {
      const larger = new Uint8Array(slot * 2)
      larger.set(this.alive)
      this.alive = larger
      this.shared = new Int32Array(slot * 2)
    }
    this.alive[slot] = 1
    this.living += 1
    this.slotOf.set(entry.agentId, slot)
    for (const [fieldId, terms] of Object.entries(entry.terms)) {
      for (const term of terms) {
        const key = keyOf(fieldId, term)
        let posting = this.postings.get(key)
        if (posting === undefined) {
          posting = new Postings()
          this.postings.set(key, posting)
        }
        posting.add(slot)
      }
    }
  }

  /** Only the living, in new slots. */
  private clear(): void {
    const living = this.entries.filter((_, slot) => this.alive[slot] === 1)
    this.entries = []
    this.alive = new Uint8Array(Math.max(64, living.length * 2))
    this.shared = new Int32Array(this.alive.length)
    this.slotOf = new Map()
    this.postings = new Map()
    this.living = 0
    for (const entry of living) this.add(entry)
  }
}
