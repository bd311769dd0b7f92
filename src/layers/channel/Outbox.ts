/**
 * Frames that wait for a socket: a queue bounded in bytes, with senders that wait in line when it is full. Pure data,
 * no clock and no socket; the supervisor says when to take.
 */

interface Batch {
  readonly frames: ReadonlyArray<string>
  /** Index of the first frame not yet taken. */
  from: number
  /** Bytes of the frames not yet taken. */
  bytes: number
}

/** A sender in line. `admitted` is called once all its frames are in the queue. */
export interface Waiter {
  readonly frames: ReadonlyArray<string>
  from: number
  readonly admitted: () => void
}

/** Bytes of a text on the wire. */
export const byteLength = (frame: string): number => Buffer.byteLength(frame)

export class Outbox {
  readonly limit: number
  /** Bytes in the queue; never above `limit`. Frames of waiting senders are not in it: their senders hold them. */
  bytes = 0
  #batches: Array<Batch> = []
  #head = 0
  #waiters: Array<Waiter> = []

  constructor(limit: number) {
    this.limit = limit
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.#head === this.#batches.length
  }

  get waiting(): number {
    return this.#waiters.length
  }

  /** Takes all frames (`bytes` together) if there is room and nobody is in line; else none. */
  offer(frames: ReadonlyArray<string>, bytes: number): boolean {
    if (this.#waiters.length > 0 || this.bytes + bytes > this.limit) return false
    if (frames.length > 0) this.#push(frames, 0, bytes)
    return true
  }

  /**
   * Puts a sender in line. Its frames move in one by one as room comes, so that the bound holds for a batch larger
   * than the bound too. The function returned takes it out of the line again; what has moved in stays.
   */
  wait(frames: ReadonlyArray<string>, admitted: () => void): () => void {
    const waiter: Waiter = { frames, from: 0, admitted }
    this.#waiters.push(waiter)
    this.admit()
    return () => {
      const index = this.#waiters.indexOf(waiter)
      if (index === -1) return
      this.#waiters.splice(index, 1)
      // Whoever stood behind it may fit where it did not.
      this.admit()
    }
  }

  /** Empties the line without admitting anybody; the callers tell their senders. */
  dismiss(): void {
    this.#waiters = []
  }

  /** Frames in order, up to `room` bytes; at least one where there is one and `room` is positive. Then `admit`. */
  take(room: number): ReadonlyArray<string> {
    const first = this.#batches[this.#head]
    if (first === undefined || room <= 0) return []
    if (first.from === 0 && first.bytes <= room && this.#head + 1 === this.#batches.length) {
      this.#batches = []
      this.#head = 0
      this.bytes -= first.bytes
      return first.frames
    }
    const taken: Array<string> = []
    let left = room
    let freed = 0
    while (left > 0) {
      const batch = this.#batches[this.#head]
      if (batch === undefined) break
      if (batch.bytes <= left) {
        for (let i = batch.from; i < batch.frames.length; i++) taken.push(batch.frames[i]!)
        left -= batch.bytes
        freed += batch.bytes
        this.#head += 1
        continue
      }
      const frame = batch.frames[batch.from]!
      const size = byteLength(frame)
      if (size > left && taken.length > 0) break
      taken.push(frame)
      batch.from += 1
      batch.bytes -= size
      left -= size
      freed += size
      if (batch.from === batch.frames.length) this.#head += 1
    }
    if (this.#head === this.#batches.length) {
      this.#batches = []
      this.#head = 0
    } else if (this.#head > 1024) {
      this.#batches = this.#batches.slice(this.#head)
      this.#head = 0
    }
    this.bytes -= freed
    return taken
  }

  #push(frames: ReadonlyArray<string>, from: number, bytes: number): void {
    this.#batches.push({ frames, from, bytes })
    this.bytes += bytes
  }

  /**
   * Lets senders move in from the line while there is room. Not part of `take`, because a sender that is told so runs
   * on at once and may send again: what was taken has to be on its way before that.
   */
  admit(): void {
    while (true) {
      const waiter = this.#waiters[0]
      if (waiter === undefined) return
      const start = waiter.from
      let bytes = 0
      while (waiter.from < waiter.frames.length) {
        const size = byteLength(waiter.frames[waiter.from]!)
        if (this.bytes + bytes + size > this.limit) break
        bytes += size
        waiter.from += 1
      }
      if (waiter.from > start) this.#push(waiter.frames.slice(start, waiter.from), 0, bytes)
      if (waiter.from < waiter.frames.length) return
      this.#waiters.shift()
      waiter.admitted()
    }
  }
}
