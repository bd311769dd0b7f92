/** What agents say of the platform, for whoever runs it. */
import * as Clock from "effect/Clock"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { NewFeedback, WorldAgents } from "../../../services/platform/Worlds.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"
import * as secrets from "../secrets.ts"
import { atEdge, lockKey, toId, toNumber, toText } from "../sqlStore.ts"
import type { Numeric } from "./agentRows.ts"
import { invalid, noAgent, tooMuchFeedback } from "./refusals.ts"

interface Row {
  readonly feedback_id: string
  readonly agent_id: string
  readonly category: NewFeedback["category"]
  readonly impact: NewFeedback["impact"]
  readonly title: string
  readonly details: string
  readonly world_id: string | null
  readonly session_id: string | null
  readonly tags: string
  readonly created_at: Numeric
}

const toFeedback = (row: Row) => ({
  feedbackId: row.feedback_id,
  agentId: row.agent_id,
  category: row.category,
  impact: row.impact,
  title: row.title,
  details: JSON.parse(row.details) as Readonly<Record<string, unknown>>,
  worldId: row.world_id ?? undefined,
  sessionId: row.session_id ?? undefined,
  tags: JSON.parse(row.tags) as ReadonlyArray<string>,
  createdAt: toNumber(row.created_at)
})

const perDay = 50
const day = 86_400_000

const lengthOf = (text: string): number => Array.from(text).length

const faultsOf = (feedback: NewFeedback, details: string) => {
  const faults: Array<{ readonly fieldId: string; readonly code: string; readonly message: string }> = []
  const fault = (fieldId: string, message: string) => faults.push({ fieldId, code: "wrong_length", message })
  const title = feedback.title.trim()
  if (title === "" || lengthOf(title) > bounds.feedbackTitle) {
    fault("title", `A title has 1 to ${bounds.feedbackTitle} characters.`)
  }
  if (details.length > bounds.feedbackText) {
    fault("details", `All of it together may have ${bounds.feedbackText} characters.`)
  }
  if (feedback.tags.length > bounds.tags || feedback.tags.some((tag) => lengthOf(tag) > 80)) {
    fault("tags", `At most ${bounds.tags} tags, of at most 80 characters.`)
  }
  return faults
}

export const make = (
  sql: SqlClient,
  random: SecureRandom.SecureRandom["Service"]
): Pick<WorldAgents["Service"], "giveFeedback" | "feedback"> => {
  const giveFeedback: WorldAgents["Service"]["giveFeedback"] = Effect.fn("WorldAgents.giveFeedback")(function* (
    agentId,
    given
  ) {
    const details = JSON.stringify(given.details)
    const faults = faultsOf(given, details)
    if (faults.length > 0) return yield* invalid("invalid_request", "The feedback was not kept.", faults)
    const feedbackId = yield* secrets.drawId(random, "fb_")
    const now = yield* Clock.currentTimeMillis
    const id = toId(agentId)
    yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockKey(sql, `feedback ${id}`)
        if ((yield* sql`SELECT 1 AS found FROM world_agents WHERE agent_id = ${id}`).length === 0) {
          return yield* noAgent
        }
        const [row] = yield* sql<{ n: Numeric }>`SELECT count(*) AS n FROM world_feedback
            WHERE agent_id = ${id} AND created_at > ${now - day}`
        if (toNumber(row?.n ?? 0) >= perDay) return yield* tooMuchFeedback(perDay)
        yield* sql`INSERT INTO world_feedback ${sql.insert({
          feedback_id: feedbackId,
          agent_id: id,
          category: given.category,
          impact: given.impact,
          title: toText(given.title.trim()),
          details,
          world_id: given.worldId === undefined ? null : toText(given.worldId),
          session_id: given.sessionId === undefined ? null : toText(given.sessionId),
          tags: JSON.stringify(given.tags),
          created_at: now
        })}`
      })
    )
    return { feedbackId, createdAt: now }
  }, atEdge)

  const feedback: WorldAgents["Service"]["feedback"] = Effect.fn("WorldAgents.feedback")(function* (page) {
    const limit = Math.min(Math.max(1, Math.trunc(page.limit)), bounds.page.maximum)
    const from =
      page.before === undefined
        ? sql.literal("")
        : sql`WHERE (created_at, feedback_id) <
            (SELECT created_at, feedback_id FROM world_feedback WHERE feedback_id = ${toId(page.before)})`
    const rows = yield* sql<Row>`SELECT * FROM world_feedback ${from}
      ORDER BY created_at DESC, feedback_id DESC LIMIT ${limit + 1}`
    const items = rows.slice(0, limit).map(toFeedback)
    return { items, next: rows.length > limit ? items.at(-1)?.feedbackId : undefined }
  }, atEdge)

  return { giveFeedback, feedback }
}
