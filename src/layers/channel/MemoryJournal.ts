/**
 * The journal for the life of one process. What is under way is never forgotten; of what has ended, the newest are
 * kept within three bounds (entries, age, characters of text).
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Journal, type Acceptance, type Entry, type MessageKey, type Outcome } from "../../services/channel/Journal.ts"

export interface Options {
  /** 10,000 by default. Entries under way count, but are never dropped. */
  readonly maxEntries?: number | undefined
  /** How long an ended entry is remembered: 24 hours by default, longer than any platform redelivers. */
  readonly maxAge?: Duration.Input | undefined
  /** Text kept for repeats, in characters: 16 Mi by default. */
  readonly maxCharacters?: number | undefined
}

interface Kept {
  readonly entry: Entry
  /** Undefined where the message had no id: then no repeat can ask for it. */
  readonly identity: string | undefined
  /** Order of acceptance, also within a millisecond. */
  readonly order: number
}

/** Lengths in front, so that no choice of ids makes two messages one. */
const identityOf = ({ accountId, messageId, sessionId }: MessageKey): string | undefined =>
  messageId === undefined
    ? undefined
    : `${accountId.length}:${accountId}${sessionId === undefined ? "-" : `${sessionId.length}:${sessionId}`}:${messageId}`

class Store {
  readonly running = new Map<string, Kept>()
  readonly ended = new Map<string, Kept>()
  /**
   * Those that ended, in that order: the first is the first to go. Beside the map, because finding the first entry of
   * a map that loses its first entries all the time means walking over all that it has lost.
   */
  private line: Array<string> = []
  private head = 0
  readonly byIdentity = new Map<string, Kept>()
  private order = 0
  private characters = 0
  private readonly maxEntries: number
  private readonly maxAge: number
  private readonly maxCharacters: number

  constructor(options: Options) {
    this.maxEntries = options.maxEntries ?? 10_000
    this.maxAge = Duration.toMillis(options.maxAge ?? Duration.hours(24))
    this.maxCharacters = options.maxCharacters ?? 16 * 1024 * 1024
  }

  accept(key: MessageKey, ids: Parameters<Journal["Service"]["accept"]>[1], now: number): Acceptance {
    this.evict(now)
    const identity = identityOf(key)
    const known = identity === undefined ? undefined : this.byIdentity.get(identity)
    if (known !== undefined) return { _tag: "Known", entry: known.entry }
    const entry: Entry = {
      key,
      responseId: ids.responseId,
      itemId: ids.itemId,
      dialect: ids.dialect,
      acceptedAt: now,
      outcome: undefined,
      endedAt: undefined,
      confirmedSequence: undefined,
      ...(ids.request === undefined ? {} : { request: ids.request })
    }
    const kept: Kept = { entry, identity, order: this.order++ }
    this.running.set(entry.responseId, kept)
    if (identity !== undefined) this.byIdentity.set(identity, kept)
    this.evict(now)
    return { _tag: "Accepted", entry }
  }

  begin(responseId: string): void {
    const kept = this.running.get(responseId)
    if (kept !== undefined) this.put(this.running, kept, { begun: true })
  }

  end(responseId: string, outcome: Outcome, now: number): boolean {
    const kept = this.running.get(responseId)
    if (kept === undefined) return false
    this.running.delete(responseId)
    const { begun: _begun, request: _request, ...entry } = kept.entry
    this.put(this.ended, { ...kept, entry }, { outcome, endedAt: now })
    this.line.push(responseId)
    this.characters += outcome.text.length
    this.evict(now)
    return true
  }

  confirm(responseId: string, sequence: number): void {
    const map = this.running.has(responseId) ? this.running : this.ended
    const kept = map.get(responseId)
    if (kept === undefined || (kept.entry.confirmedSequence ?? -1) >= sequence) return
    this.put(map, kept, { confirmedSequence: sequence })
  }

  find(responseId: string): Kept | undefined {
    return this.running.get(responseId) ?? this.ended.get(responseId)
  }

  private put(map: Map<string, Kept>, kept: Kept, change: Partial<Entry>): void {
    const changed: Kept = { ...kept, entry: { ...kept.entry, ...change } }
    map.set(kept.entry.responseId, changed)
    if (kept.identity !== undefined) this.byIdentity.set(kept.identity, changed)
  }

  private evict(now: number): void {
    for (; this.head < this.line.length; this.head++) {
      const responseId = this.line[this.head]!
      const { entry, identity } = this.ended.get(responseId)!
      const old = now - (entry.endedAt ?? now) > this.maxAge
      const full = this.running.size + this.ended.size > this.maxEntries || this.characters > this.maxCharacters
      if (!old && !full) break
      this.ended.delete(responseId)
      this.characters -= entry.outcome?.text.length ?? 0
      if (identity !== undefined) this.byIdentity.delete(identity)
    }
    if (this.head < 1024) return
    this.line = this.line.slice(this.head)
    this.head = 0
  }
}

export const make = (options: Options = {}): Effect.Effect<Journal["Service"]> =>
  Effect.map(Clock.Clock, (clock) => {
    const store = new Store(options)
    const now = () => clock.currentTimeMillisUnsafe()
    return Journal.of({
      accept: (key, ids) => Effect.sync(() => store.accept(key, ids, now())),
      begin: (responseId) => Effect.sync(() => store.begin(responseId)),
      end: (responseId, outcome) => Effect.sync(() => store.end(responseId, outcome, now())),
      confirm: (responseId, sequence) => Effect.sync(() => store.confirm(responseId, sequence)),
      find: (responseId) => Effect.sync(() => store.find(responseId)?.entry),
      unfinished: (accountId) =>
        Effect.sync(() =>
          Array.from(store.running.values(), (kept) => kept.entry).filter((entry) => entry.key.accountId === accountId)
        ),
      recent: (accountId, limit) =>
        Effect.sync(() =>
          [...store.running.values(), ...store.ended.values()]
            .filter((kept) => kept.entry.key.accountId === accountId)
            .sort((a, b) => b.order - a.order)
            .slice(0, Math.max(0, limit))
            .map((kept) => kept.entry)
        )
    })
  })

export const layer = (options?: Options): Layer.Layer<Journal> => Layer.effect(Journal, make(options))
