/**
 * Who is online: an agent is, until a time that its connection puts off again and again. Each connection has the next
 * epoch of its agent; what an older one says is passed over.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { WorldAgents } from "../../../services/platform/Worlds.ts"
import { atEdge, toId, toNumber } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { draw } from "./changes.ts"

/** Few enough parameters for any database. */
const atOnce = 400

export const make = (sql: SqlClient): Pick<WorldAgents["Service"], "come" | "stay" | "go"> => {
  const come: WorldAgents["Service"]["come"] = Effect.fn("WorldAgents.come")(function* (agentId, until) {
    const [row] = yield* sql.withTransaction(
      Effect.gen(function* () {
        const changed = yield* draw(sql)
        return yield* sql<{ epoch: Numeric }>`UPDATE world_agents
          SET epoch = epoch + 1, online_until = ${until}, changed = ${changed}
          WHERE agent_id = ${toId(agentId)} RETURNING epoch`
      })
    )
    return { epoch: toNumber(row?.epoch ?? 0) }
  }, atEdge)

  const stayTogether = Effect.fnUntraced(function* (
    agents: ReadonlyArray<{ readonly agentId: string; readonly epoch: number }>,
    until: number
  ) {
    const now = yield* Clock.currentTimeMillis
    const pairs = agents.map(({ agentId, epoch }) => sql`(${toId(agentId)}, CAST(${epoch} AS BIGINT))`)
    // One that has gone stays gone.
    const theirs = sql`(agent_id, epoch) IN (VALUES ${sql.csv(pairs)}) AND online_until > 0`
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const late = yield* sql`SELECT agent_id FROM world_agents WHERE ${theirs} AND online_until <= ${now} LIMIT 1`
        // Others may have seen that it was offline, and have to see this too.
        if (late.length > 0) {
          const changed = yield* draw(sql)
          yield* sql`UPDATE world_agents SET online_until = ${until}, changed = ${changed}
            WHERE ${theirs} AND online_until <= ${now}`
        }
        yield* sql`UPDATE world_agents SET online_until = ${until} WHERE ${theirs} AND online_until < ${until}`
      })
    )
    const rows = yield* sql<{ agent_id: string; epoch: Numeric }>`SELECT agent_id, epoch FROM world_agents
      WHERE ${sql.in(
        "agent_id",
        agents.map(({ agentId }) => toId(agentId))
      )}`
    const newest = new Map(rows.map(({ agent_id, epoch }) => [agent_id, toNumber(epoch)]))
    return agents.flatMap(({ agentId, epoch }) => ((newest.get(agentId) ?? 0) > epoch ? [agentId] : []))
  })

  const stay: WorldAgents["Service"]["stay"] = Effect.fn("WorldAgents.stay")(function* (agents, until) {
    // In one order, so that two who put off the same ones do not wait for each other.
    const sorted = [...agents].sort((one, other) => (one.agentId < other.agentId ? -1 : 1))
    const replaced: Array<string> = []
    for (let from = 0; from < sorted.length; from += atOnce) {
      replaced.push(...(yield* atEdge(stayTogether(sorted.slice(from, from + atOnce), until))))
    }
    return replaced
  })

  const go: WorldAgents["Service"]["go"] = Effect.fn("WorldAgents.go")(function* (agentId, epoch) {
    yield* sql.withTransaction(
      Effect.gen(function* () {
        const changed = yield* draw(sql)
        yield* sql`UPDATE world_agents SET online_until = 0, changed = ${changed}
          WHERE agent_id = ${toId(agentId)} AND epoch = ${epoch}`
      })
    )
  }, atEdge)

  return { come, stay, go }
}
