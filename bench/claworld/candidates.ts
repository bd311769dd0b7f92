// The candidates of agents in a world of 100,000 members, 20,000 of them online: the index beside a full scan of the
// same rows, by the same score, in the same run; and beside a scan of profiles that lie in memory already.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Stores from "../../src/layers/platform/Stores.ts"
import * as Matching from "../../src/services/platform/Matching.ts"
import { WorldCatalog } from "../../src/services/platform/Worlds.ts"
import { agentOf, fill, worldId } from "./members.ts"

const top = 10
const queries = 20

export interface Figures {
  /** Milliseconds of one, the median. */
  readonly feed: number
  readonly scan: number
  /** Only the ranking, with all terms in memory. */
  readonly inMemory: number
  /** What the first feed takes, which reads the index from the database. */
  readonly first: number
}

interface Row {
  readonly agent_id: string
  readonly terms: string
  readonly active_at: number
}

const median = (times: ReadonlyArray<number>): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0

const timed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const begun = performance.now()
    const value = yield* self
    return { value, took: performance.now() - begun }
  })

const online = Effect.fnUntraced(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<Row>`SELECT m.agent_id, m.terms, m.active_at FROM memberships m
    JOIN world_agents a ON a.agent_id = m.agent_id
    WHERE m.world_id = ${worldId} AND m.left_at IS NULL AND a.discoverable = 1 AND a.online_until > ${Date.now()}`
  return rows.map((row) => ({
    agentId: row.agent_id,
    activeAt: row.active_at,
    terms: JSON.parse(row.terms) as Matching.Terms
  }))
})

const own = Effect.fnUntraced(function* (agentId: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<Row>`SELECT terms FROM memberships WHERE world_id = ${worldId} AND agent_id = ${agentId}`
  return JSON.parse(row?.terms ?? "{}") as Matching.Terms
})

const run = Effect.fnUntraced(function* (members: number, present: number) {
  const catalog = yield* WorldCatalog
  yield* catalog.seed
  yield* fill(members, present)
  const { searchSchema } = yield* catalog.find(worldId)
  const feed = (agentId: string) =>
    timed(catalog.candidates({ _tag: "Agent", agentId }, worldId, agentId, { limit: top }))
  const scan = (agentId: string) =>
    timed(
      Effect.gen(function* () {
        const query = Matching.query(searchSchema, yield* own(agentId))
        const others = (yield* online()).filter((other) => other.agentId !== agentId)
        return Matching.rank(query, others, top)
      })
    )
  const { took: first } = yield* feed(agentOf(0))
  const inMemory = yield* online()
  const times = { feed: new Array<number>(), scan: new Array<number>(), inMemory: new Array<number>() }
  for (let i = 0; i < queries; i++) {
    // Seekers who are themselves offline and online.
    const agentId = agentOf((i * 2_503) % members)
    const found = yield* feed(agentId)
    const scanned = yield* scan(agentId)
    const query = Matching.query(searchSchema, yield* own(agentId))
    const ranked = yield* timed(Effect.sync(() => Matching.rank(query, inMemory, top + 1)))
    const said = found.value.candidates.map(({ score, targetAgentId }) => `${targetAgentId} ${score}`).join()
    if (said !== scanned.value.map(({ agentId, score }) => `${agentId} ${score}`).join()) {
      throw new Error(`the index gives other candidates to ${agentId} than a full scan`)
    }
    times.feed.push(found.took)
    times.scan.push(scanned.took)
    times.inMemory.push(ranked.took)
  }
  return { first, feed: median(times.feed), scan: median(times.scan), inMemory: median(times.inMemory) }
})

/** On SQLite in a file, as it ships. */
export const candidates = async (members: number, present: number): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), "clawfiber-candidates-"))
  const outside = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)
  const layer = Stores.layerSqlite({ folder }).pipe(Layer.provide(outside))
  try {
    return await Effect.runPromise(run(members, present).pipe(Effect.provide(layer)))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
