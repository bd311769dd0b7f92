/**
 * Who may go next: one job of a session at a time, so many sessions at once, so many jobs waiting. Plain data and no
 * fibers, because a job that waits should cost nothing but its place in a list, and be removable from it.
 *
 * Sessions that wait take turns: one that sends much is served once per round and does not starve the others.
 */

/** `full`: nobody may wait any more. */
export type Admission = "go" | "wait" | "full"

interface Lane<Job> {
  running: boolean
  readonly waiting: Array<Job>
}

export class Lanes<Job> {
  readonly #maxRunning: number
  readonly #maxWaiting: number
  readonly #lanes = new Map<string, Lane<Job>>()
  /** Lanes with someone waiting and nobody running, in the order of their turn. Empty while a place is free. */
  readonly #ready: Array<Lane<Job>> = []
  #running = 0
  #waiting = 0

  constructor(options: { readonly maxRunning: number; readonly maxWaiting: number }) {
    this.#maxRunning = Math.max(1, options.maxRunning)
    this.#maxWaiting = Math.max(0, options.maxWaiting)
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /** After `go` the job counts as running until `done`. */
  offer(key: string, job: Job): Admission {
    const lane = this.#lanes.get(key) ?? { running: false, waiting: [] }
    if (!lane.running && lane.waiting.length === 0 && this.#running < this.#maxRunning) {
      lane.running = true
      this.#lanes.set(key, lane)
      this.#running++
      return "go"
    }
    if (this.#waiting >= this.#maxWaiting) return "full"
    if (!lane.running && lane.waiting.length === 0) this.#ready.push(lane)
    lane.waiting.push(job)
    this.#lanes.set(key, lane)
    this.#waiting++
    return "wait"
  }

  /** The running job of this session ended. Gives those that may go now: they count as running. */
  done(key: string): ReadonlyArray<Job> {
    const lane = this.#lanes.get(key)
    if (lane === undefined || !lane.running) return []
    lane.running = false
    this.#running--
    if (lane.waiting.length > 0) this.#ready.push(lane)
    else this.#lanes.delete(key)
    const going: Array<Job> = []
    while (this.#running < this.#maxRunning) {
      const next = this.#ready.shift()
      const job = next?.waiting.shift()
      if (next === undefined || job === undefined) break
      next.running = true
      this.#running++
      this.#waiting--
      going.push(job)
    }
    return going
  }

  /** Gives up a place in the queue. `false` where the job does not wait. */
  remove(key: string, job: Job): boolean {
    const lane = this.#lanes.get(key)
    const index = lane?.waiting.indexOf(job) ?? -1
    if (lane === undefined || index < 0) return false
    lane.waiting.splice(index, 1)
    this.#waiting--
    if (!lane.running && lane.waiting.length === 0) {
      this.#ready.splice(this.#ready.indexOf(lane), 1)
      this.#lanes.delete(key)
    }
    return true
  }
}
