/** What became of the replies so far: counts, and the last hundred. */
import type { DispatcherStats, Ended } from "../../services/channel/Dispatcher.ts"
import type { FailureCode } from "../../services/protocol/ResponseEvent.ts"

const kept = 100

export class ReplyStats {
  accepted = 0
  repeated = 0
  refused = 0
  #completed = 0
  readonly #failed: Record<FailureCode, number> = {
    INVALID_REQUEST: 0,
    RATE_LIMIT: 0,
    SDK_ERROR: 0,
    CALLBACK_ERROR: 0,
    TIMEOUT: 0,
    CANCELLED: 0,
    INTERRUPTED: 0
  }
  readonly #firstDelta = { count: 0, totalMillis: 0, maxMillis: 0 }
  /** Oldest first. */
  readonly #ended: Array<Ended> = []

  /** @param millis From acceptance to the first text. */
  firstDelta(millis: number): void {
    this.#firstDelta.count++
    this.#firstDelta.totalMillis += millis
    this.#firstDelta.maxMillis = Math.max(this.#firstDelta.maxMillis, millis)
  }

  end(reply: Ended): void {
    if (reply.failure === undefined) this.#completed++
    else this.#failed[reply.failure.code]++
    this.#ended.push(reply)
    if (this.#ended.length > kept) this.#ended.shift()
  }

  /** Newest first. */
  get recent(): ReadonlyArray<Ended> {
    return this.#ended.toReversed()
  }

  snapshot(now: { readonly running: number; readonly waiting: number }): DispatcherStats {
    return {
      accepted: this.accepted,
      repeated: this.repeated,
      refused: this.refused,
      completed: this.#completed,
      failed: { ...this.#failed },
      firstDelta: { ...this.#firstDelta },
      ...now
    }
  }
}
