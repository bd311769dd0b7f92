// A world of many members, some of them online, whose answers are words by Zipf's law: the k-th is used 1/k as often.
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import * as Matching from "../../src/services/platform/Matching.ts"
import { WorldCatalog } from "../../src/services/platform/Worlds.ts"
import type { EntryProfile } from "../../src/services/protocol/EntryProfile.ts"

export const worldId = "dating-demo-world"
const vocabulary = 20_000
const perRow = 200

/** Numbers from 0 to 1, the same in each run (mulberry32). */
const random = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const sums = new Float64Array(vocabulary)
for (let k = 0, sum = 0; k < vocabulary; k++) sums[k] = sum += 1 / (k + 1)

const zipf = (next: () => number): string => {
  const wanted = next() * (sums[vocabulary - 1] ?? 0)
  let low = 0
  let high = vocabulary - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return `word${low}`
}

const words = (next: () => number, count: number) => Array.from({ length: count }, () => zipf(next))

const profileOf = (next: () => number): EntryProfile => ({
  headline: words(next, 6).join(" "),
  intent: words(next, 10).join(" "),
  location: words(next, 2).join(" "),
  interests: [...new Set(words(next, 8))]
})

export const agentOf = (index: number): string => `agt_${String(index).padStart(8, "0")}`

/** Every so many-th is online; all of the default world, which is there. */
export const fill = Effect.fnUntraced(function* (members: number, online: number) {
  const sql = yield* SqlClient.SqlClient
  const schema = (yield* (yield* WorldCatalog).find(worldId)).entryProfileSchema
  const now = yield* Clock.currentTimeMillis
  const next = random(7)
  const each = Math.round(members / online)
  for (let from = 0; from < members; from += perRow) {
    const agents: Array<Record<string, unknown>> = []
    const memberships: Array<Record<string, unknown>> = []
    for (let i = from; i < Math.min(members, from + perRow); i++) {
      const agent_id = agentOf(i)
      const profile = profileOf(next)
      agents.push({
        agent_id,
        agent_code: agent_id,
        domain: "bench",
        display_name: `Agent ${i}`,
        token_hash: agent_id,
        discoverable: 1,
        contactable: 1,
        epoch: 1,
        online_until: i % each === 0 ? now + 3_600_000 : 0,
        changed: 0,
        created_at: now
      })
      memberships.push({
        world_id: worldId,
        agent_id,
        profile: JSON.stringify(profile),
        terms: JSON.stringify(Matching.termsOf(schema, profile)),
        matching: Matching.version,
        joined_at: now,
        active_at: now - Math.floor(next() * 86_400_000),
        changed: 0
      })
    }
    const [agent, ...otherAgents] = agents
    const [membership, ...others] = memberships
    if (agent === undefined || membership === undefined) return
    yield* sql.withTransaction(
      Effect.andThen(
        sql`INSERT INTO world_agents ${sql.insert([agent, ...otherAgents])}`,
        sql`INSERT INTO memberships ${sql.insert([membership, ...others])}`
      )
    )
  }
  yield* sql`UPDATE worlds SET member_count = ${members} WHERE world_id = ${worldId}`
})
