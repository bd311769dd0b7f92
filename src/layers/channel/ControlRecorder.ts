/**
 * What the last hour was like, account by account: how many replies ended and how, how long until their first words,
 * how often the link was made anew; in spans of ten seconds, of which those without anything are left out. It looks
 * every second at few accounts, every few seconds at many, and keeps numbers only.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts, Line } from "../../services/channel/Accounts.ts"
import type { ConnectionError, Phase } from "../../services/channel/Connection.ts"
import type { Sample } from "../../services/channel/Control.ts"
import type { DispatcherStats } from "../../services/channel/Dispatcher.ts"

const span = 10_000
const kept = 3_600_000

/** What was seen of an account last, to tell what is new. */
interface Seen {
  line: Line | undefined
  phase: Phase | undefined
  since: number | undefined
  connectedAt: number | undefined
  failure: ConnectionError | undefined
  failedAt: number | undefined
  stats: DispatcherStats | undefined
  /** Ends up to here have been counted. */
  endedAt: number
  /** Replies that began to speak within the last sample: how many, and how many milliseconds that took together. */
  first: { readonly at: number; readonly count: number; readonly total: number }
  samples: ReadonlyArray<Sample>
}

const fresh = (): Seen => ({
  line: undefined,
  phase: undefined,
  since: undefined,
  connectedAt: undefined,
  failure: undefined,
  failedAt: undefined,
  stats: undefined,
  endedAt: 0,
  first: { at: 0, count: 0, total: 0 },
  samples: []
})

const failures = (stats: DispatcherStats): number =>
  Object.values(stats.failed).reduce((total, count) => total + count, 0)

const none: Omit<Sample, "at"> = {
  completed: 0,
  failed: 0,
  first_delta_ms: null,
  first_delta_max_ms: null,
  reconnects: 0
}

interface News {
  readonly completed: number
  readonly failed: number
  readonly reconnects: number
  readonly first: { readonly count: number; readonly total: number }
  readonly longest: number | null
}

const larger = (one: number | null, other: number | null): number | null =>
  one === null ? other : other === null ? one : Math.max(one, other)

/** Writes what is new into the span of this moment. */
const note = (seen: Seen, now: number, news: News): void => {
  const at = Math.floor(now / span) * span
  const last = seen.samples.at(-1)
  const begun = last?.at === at ? last : { at, ...none }
  const count = news.first.count + (seen.first.at === at ? seen.first.count : 0)
  const total = news.first.total + (seen.first.at === at ? seen.first.total : 0)
  seen.first = { at, count, total }
  const sample: Sample = {
    at,
    completed: begun.completed + news.completed,
    failed: begun.failed + news.failed,
    first_delta_ms: count === 0 ? null : Math.round(total / count),
    first_delta_max_ms: larger(begun.first_delta_max_ms, news.longest),
    reconnects: begun.reconnects + news.reconnects
  }
  seen.samples = [...(last?.at === at ? seen.samples.slice(0, -1) : seen.samples), sample]
}

export interface Recorder {
  readonly samples: (account: string) => ReadonlyArray<Sample>
  readonly since: (account: string) => number | undefined
  readonly failedAt: (account: string) => number | undefined
  /** Looks at one account now, so that what is shown of it is of this moment. */
  readonly look: (account: Account) => Effect.Effect<void>
}

export const make = Effect.fnUntraced(function* (
  accounts: Effect.Effect<Option.Option<Accounts["Service"]>>
): Effect.fn.Return<Recorder, never, Scope.Scope> {
  const book = new Map<string, Seen>()

  const seenOf = (id: string): Seen => {
    const there = book.get(id)
    if (there !== undefined) return there
    const made = fresh()
    book.set(id, made)
    return made
  }

  const forget = (seen: Seen, now: number) => {
    const first = seen.samples[0]
    if (first !== undefined && first.at < now - kept) {
      seen.samples = seen.samples.filter(({ at }) => at >= now - kept)
    }
  }

  /** Whether the link was made anew since the last look. */
  const watchConnection = (seen: Seen, line: Line, now: number): boolean => {
    const state = SubscriptionRef.getUnsafe(line.connection.state)
    if (state.phase !== seen.phase) {
      seen.phase = state.phase
      seen.since = now
    }
    if (state.phase === "connected") seen.since = state.connectedAt ?? seen.since
    if (state.lastFailure !== seen.failure) {
      seen.failure = state.lastFailure
      seen.failedAt = state.lastFailure === undefined ? undefined : now
    }
    if (state.connectedAt === undefined || state.connectedAt === seen.connectedAt) return false
    const again = seen.connectedAt !== undefined
    seen.connectedAt = state.connectedAt
    return again
  }

  /** What is new in the counts, noted; most accounts have nothing new most of the time. */
  const compare = (seen: Seen, line: Line, now: number, stats: DispatcherStats): Effect.Effect<void> => {
    const reconnects = watchConnection(seen, line, now) ? 1 : 0
    const before = seen.stats
    seen.stats = stats
    const completed = stats.completed - (before?.completed ?? 0)
    const failed = failures(stats) - (before === undefined ? 0 : failures(before))
    const first = {
      count: stats.firstDelta.count - (before?.firstDelta.count ?? 0),
      total: stats.firstDelta.totalMillis - (before?.firstDelta.totalMillis ?? 0)
    }
    if (completed + failed + reconnects + first.count === 0) return Effect.void
    return Effect.map(Effect.all([line.dispatcher.inFlight, line.dispatcher.recent]), (replies) => {
      const waits = replies
        .flat()
        .flatMap(({ acceptedAt, firstDeltaAt }) =>
          firstDeltaAt === undefined || firstDeltaAt < seen.endedAt ? [] : [firstDeltaAt - acceptedAt]
        )
      seen.endedAt = now
      const longest = first.count === 0 || waits.length === 0 ? null : Math.max(...waits)
      note(seen, now, { completed, failed, reconnects, first, longest })
    })
  }

  /** Not a generator: it runs for a thousand accounts in a row. */
  const lookAt = (account: Account, now: number): Effect.Effect<void> => {
    const seen = seenOf(account.id)
    forget(seen, now)
    const line = Option.getOrUndefined(SubscriptionRef.getUnsafe(account.line))
    if (line === undefined) {
      seen.line = undefined
      seen.phase = undefined
      seen.since = undefined
      seen.stats = undefined
      return Effect.void
    }
    if (line.dispatcher !== seen.line?.dispatcher) seen.stats = undefined
    seen.line = line
    return Effect.flatMap(line.dispatcher.stats, (stats) => compare(seen, line, now, stats))
  }

  const look = (account: Account) => Effect.flatMap(Clock.currentTimeMillis, (now) => lookAt(account, now))

  const lookAround = Effect.gen(function* () {
    const there = yield* accounts
    if (Option.isNone(there)) return
    const all = SubscriptionRef.getUnsafe(there.value.all)
    const now = yield* Clock.currentTimeMillis
    yield* Effect.forEach(all, (account) => lookAt(account, now), { discard: true })
    if (book.size > all.length) {
      const ids = new Set(all.map(({ id }) => id))
      for (const id of book.keys()) if (!ids.has(id)) book.delete(id)
    }
  })
  const pause = Effect.flatMap(accounts, (there) => {
    const many = Option.isSome(there) && SubscriptionRef.getUnsafe(there.value.all).length > 100
    return Effect.sleep(many ? "5 seconds" : "1 second")
  })
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(pause, lookAround), { disableYield: true }))

  return {
    samples: (id) => book.get(id)?.samples ?? [],
    since: (id) => book.get(id)?.since,
    failedAt: (id) => book.get(id)?.failedAt,
    look
  }
})
