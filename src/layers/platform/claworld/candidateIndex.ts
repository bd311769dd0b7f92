/**
 * An `OnlineIndex` for each world that is asked for candidates, kept in step with the database: before each answer it
 * reads what has changed since the last one, by the numbers of `changes`, so what another process wrote counts as well.
 * That an agent's time has run out changes no row: whoever fetches what is shown of it says so (`gone`).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Statement } from "effect/sql/Statement"
import * as Matching from "../../../services/platform/Matching.ts"
import type { EntrySchema } from "../../../services/protocol/EntryProfile.ts"
import { toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { latest } from "./changes.ts"
import { OnlineIndex } from "./OnlineIndex.ts"

interface Row {
  readonly agent_id: string
  readonly terms: string
  /** Only where the terms were read by other rules. */
  readonly profile: string
  readonly active_at: Numeric
  readonly left_at: Numeric | null
  readonly changed: Numeric
  readonly discoverable: Numeric
  readonly online_until: Numeric
  readonly agent_changed: Numeric
}

/** Rows of one read: others come in between. */
const atOnce = 1_000
/** Worlds that are held; the one that nobody asked for longest is forgotten. */
const held = 64

/** The terms of a membership as the present rules read them. */
export const termsOf = (row: Pick<Row, "terms" | "profile">, schema: EntrySchema): Matching.Terms =>
  row.profile === "" ? JSON.parse(row.terms) : Matching.termsOf(schema, JSON.parse(row.profile))

class Kept {
  readonly turn = Semaphore.makeUnsafe(1)
  index = new OnlineIndex()
  /** The number of the last change that is in it. */
  seen: number | undefined
}

export const make = (sql: SqlClient) => {
  const worlds = new Map<string, Kept>()

  const keep = (worldId: string): Kept => {
    const kept = worlds.get(worldId) ?? new Kept()
    worlds.delete(worldId)
    worlds.set(worldId, kept)
    if (worlds.size > held) {
      for (const oldest of worlds.keys()) {
        worlds.delete(oldest)
        break
      }
    }
    return kept
  }

  const columns = sql.literal(`m.agent_id, m.terms, m.active_at, m.left_at, m.changed,
    CASE WHEN m.matching = ${Matching.version} THEN '' ELSE m.profile END AS profile,
    a.discoverable, a.online_until, a.changed AS agent_changed`)

  const take = ({ index }: Kept, rows: ReadonlyArray<Row>, schema: EntrySchema, now: number) => {
    for (const row of rows) {
      const isThere = row.left_at === null && toNumber(row.discoverable) === 1 && toNumber(row.online_until) > now
      if (!isThere) index.remove(row.agent_id)
      else {
        index.put({
          agentId: row.agent_id,
          terms: termsOf(row, schema),
          activeAt: toNumber(row.active_at),
          changed: toNumber(row.changed)
        })
      }
    }
  }

  /** Page after page, by what `after` makes of the last row. */
  const each = Effect.fnUntraced(function* (
    page: (last: Row | undefined) => Statement<Row>,
    use: (rows: ReadonlyArray<Row>) => void
  ) {
    let last: Row | undefined
    while (true) {
      const rows: ReadonlyArray<Row> = yield* page(last)
      use(rows)
      last = rows.at(-1)
      if (rows.length < atOnce) return
      // What has been read is worked off in this turn; the next one is others' as well.
      yield* Effect.yieldNow
    }
  })

  const load = Effect.fnUntraced(function* (kept: Kept, worldId: string, schema: EntrySchema, now: number) {
    const seen = yield* latest(sql)
    kept.index = new OnlineIndex()
    yield* each(
      (last) => sql<Row>`SELECT ${columns} FROM memberships m CROSS JOIN world_agents a
        WHERE m.world_id = ${worldId} AND m.left_at IS NULL AND m.agent_id > ${last?.agent_id ?? ""}
          AND a.agent_id = m.agent_id AND a.online_until > ${now}
        ORDER BY m.agent_id LIMIT ${atOnce}`,
      (rows) => take(kept, rows, schema, now)
    )
    kept.seen = seen
  })

  /** Changes beyond the number that is read first are met again the next time, which changes nothing. */
  const follow = Effect.fnUntraced(function* (
    kept: Kept,
    from: number,
    worldId: string,
    schema: EntrySchema,
    now: number
  ) {
    const seen = yield* latest(sql)
    if (seen === from) return
    yield* each(
      (last) => sql<Row>`SELECT ${columns} FROM memberships m CROSS JOIN world_agents a
        WHERE m.world_id = ${worldId} AND ${last === undefined ? sql`m.changed > ${from}` : sql`(m.changed, m.agent_id) > (${toNumber(last.changed)}, ${last.agent_id})`}
          AND a.agent_id = m.agent_id
        ORDER BY m.changed, m.agent_id LIMIT ${atOnce}`,
      (rows) => take(kept, rows, schema, now)
    )
    yield* each(
      (last) => sql<Row>`SELECT ${columns} FROM world_agents a CROSS JOIN memberships m
        WHERE ${last === undefined ? sql`a.changed > ${from}` : sql`(a.changed, a.agent_id) > (${toNumber(last.agent_changed)}, ${last.agent_id})`}
          AND m.world_id = ${worldId} AND m.agent_id = a.agent_id
        ORDER BY a.changed, a.agent_id LIMIT ${atOnce}`,
      (rows) => take(kept, rows, schema, now)
    )
    kept.seen = seen
  })

  /** The best of those who are online now, of all that had committed when this was asked. */
  const best = Effect.fnUntraced(function* (
    worldId: string,
    schema: EntrySchema,
    query: Matching.Query,
    limit: number,
    without: ReadonlySet<string>
  ) {
    const kept = keep(worldId)
    const now = yield* Clock.currentTimeMillis
    yield* kept.turn.withPermits(1)(
      Effect.suspend(() =>
        kept.seen === undefined ? load(kept, worldId, schema, now) : follow(kept, kept.seen, worldId, schema, now)
      )
    )
    return { standings: kept.index.best(query, limit, without), seen: kept.seen ?? 0 }
  })

  /**
   * They are not online any more, though no row has changed. They come back with the next change of their own, which may
   * have been read already by another: what came after the number that their answer was given by is read once more.
   */
  const gone = (worldId: string, agentIds: ReadonlyArray<string>, seen: number) =>
    Effect.sync(() => {
      const kept = worlds.get(worldId)
      if (kept === undefined || agentIds.length === 0) return
      for (const agentId of agentIds) kept.index.remove(agentId)
      if (kept.seen !== undefined && kept.seen > seen) kept.seen = seen
    })

  return { best, gone }
}
