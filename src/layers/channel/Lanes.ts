/**
 * The order within a session: one job at its front, the others behind it. Plain data and no fibers, because a job that
 * waits behind another should cost nothing but its place in a list, and be removable from it. How many fronts may run
 * at once is not decided here.
 */
export class Lanes<Job> {
  /** Who waits behind the front. A session that is here has a front. */
  readonly #behind = new Map<string, Array<Job>>()

  /** How many sessions have a front. */
  get size(): number {
    return this.#behind.size
  }

  has(key: string): boolean {
    return this.#behind.has(key)
  }

  /** `true`: the job is its session's front. `false`: it waits behind another. */
  offer(key: string, job: Job): boolean {
    const behind = this.#behind.get(key)
    if (behind === undefined) this.#behind.set(key, [])
    else behind.push(job)
    return behind === undefined
  }

  /** The front of this session is through. Gives the new one. */
  done(key: string): Job | undefined {
    const next = this.#behind.get(key)?.shift()
    if (next === undefined) this.#behind.delete(key)
    return next
  }

  /** Gives up a place behind. `false` where the job has none. */
  remove(key: string, job: Job): boolean {
    const behind = this.#behind.get(key)
    const index = behind?.indexOf(job) ?? -1
    if (behind === undefined || index < 0) return false
    behind.splice(index, 1)
    return true
  }
}
