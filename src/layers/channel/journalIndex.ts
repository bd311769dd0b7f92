/**
 * What the SQL journal knows of its rows without asking the database: which row holds a message, which replies are
 * under way, how much there is. One process owns a journal, so memory and file cannot drift apart; a transaction that
 * was rolled back is taken back here too.
 *
 * Why not an index in the database: it would dirty a page of its own for every message, in the order of random ids.
 * Measured, that was as dear as everything else that is written for a reply.
 */
import type { MessageKey } from "../../services/channel/Journal.ts"

export interface Running {
  readonly row: number
  readonly accountId: string
  /** Accepted by this process, and not found as an earlier one left it. */
  readonly ours: boolean
}

/** Ended replies whose number is still at hand for a confirmation that comes late. */
const recentEnds = 1_024

const mix = (hash: number, text: string, prime: number): number => {
  let mixed = hash ^ text.length
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), prime)
  return mixed ^ (mixed >>> 15)
}

const hashWith = ({ accountId, messageId = "", sessionId }: MessageKey, seed: number, prime: number): number => {
  const account = mix(seed, accountId, prime)
  const session = sessionId === undefined ? account ^ 0x5bd1 : mix(Math.imul(account, prime), sessionId, prime)
  return mix(Math.imul(session, prime), messageId, prime) >>> 0
}

/** 53 bits. Two messages may share one: whoever finds a row by it looks whether it is the right one. */
export const hashOf = (key: MessageKey): number =>
  hashWith(key, 0x811c_9dc5, 0x0100_0193) * 0x20_0000 + (hashWith(key, 0x9747_b28c, 0x5bd1_e995) >>> 11)

/** As the database gives texts back: a half of a surrogate pair does not survive it. */
export const wellFormed = (key: MessageKey): MessageKey =>
  key.accountId.isWellFormed() && key.sessionId?.isWellFormed() !== false && key.messageId?.isWellFormed() !== false
    ? key
    : {
        accountId: key.accountId.toWellFormed(),
        sessionId: key.sessionId?.toWellFormed(),
        messageId: key.messageId?.toWellFormed()
      }

export const sameKey = (a: MessageKey, b: MessageKey): boolean =>
  a.messageId === b.messageId && a.sessionId === b.sessionId && a.accountId === b.accountId

export class JournalIndex {
  readonly running = new Map<string, Running>()
  lastRow = 0
  ended = 0
  /** Of the texts of what has ended. */
  characters = 0
  private readonly rows = new Map<number, number>()
  private readonly recent = new Map<string, number>()
  private readonly undo: Array<() => void> = []

  /** The row that may hold this message. */
  rowOf(hash: number): number | undefined {
    return this.rows.get(hash)
  }

  rowOfReply(responseId: string): number | undefined {
    return this.running.get(responseId)?.row ?? this.recent.get(responseId)
  }

  accepted(responseId: string, running: Running, hash: number | undefined): void {
    const { row } = running
    const { lastRow } = this
    this.lastRow = Math.max(row, lastRow)
    this.running.set(responseId, running)
    // Where two share a hash the first keeps it: the second is found by a search.
    const indexed = hash !== undefined && !this.rows.has(hash)
    if (indexed) this.rows.set(hash, row)
    this.undo.push(() => {
      this.lastRow = lastRow
      this.running.delete(responseId)
      if (indexed) this.rows.delete(hash)
    })
  }

  /** Only for what is under way. */
  finished(responseId: string, characters: number): void {
    const running = this.running.get(responseId)
    if (running === undefined) return
    this.running.delete(responseId)
    this.recent.set(responseId, running.row)
    this.ended++
    this.characters += characters
    this.undo.push(() => {
      this.running.set(responseId, running)
      this.recent.delete(responseId)
      this.ended--
      this.characters -= characters
    })
  }

  pruned(row: number, responseId: string, hash: number | undefined, characters: number): void {
    const indexed = hash !== undefined && this.rows.get(hash) === row
    if (indexed) this.rows.delete(hash)
    this.recent.delete(responseId)
    this.ended--
    this.characters -= characters
    this.undo.push(() => {
      if (indexed) this.rows.set(hash, row)
      this.ended++
      this.characters += characters
    })
  }

  commit(): void {
    this.undo.length = 0
    for (const oldest of this.recent.keys()) {
      if (this.recent.size <= recentEnds) return
      this.recent.delete(oldest)
    }
  }

  rollback(): void {
    for (let back = this.undo.pop(); back !== undefined; back = this.undo.pop()) back()
  }
}
