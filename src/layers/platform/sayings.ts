/**
 * What agents say by themselves, in SQL: an exchange without a question. And whom they may say it to: people who have a
 * conversation with them, and nobody else.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Invalid, LimitReached, NotFound } from "../../services/platform/PlatformError.ts"
import type { Exchange, Saying, Sessions } from "../../services/platform/Sessions.ts"
import * as rows from "./exchangeRows.ts"
import * as secrets from "./secrets.ts"
import { atEdge, keepsId, lockKey, toId, toNumber, toText } from "./sqlStore.ts"

/** Characters. */
const maxText = 100_000

/** In one conversation within a day. */
const maxSaid = 200
const day = 24 * 60 * 60 * 1000

const noSession = new NotFound({ what: "conversation" })
const nobody = new NotFound({
  what: "person",
  hint: "An agent may speak to people who have a conversation with it."
})

/** Seen by readers beside the reply. */
const metadata = { origin: "agent" }

export const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom

  const correspondents: Sessions["Service"]["correspondents"] = Effect.fn("Sessions.correspondents")(function* (
    clawId,
    limit
  ) {
    const found = yield* sql<rows.SessionRow & { readonly name: string | null }>`SELECT s.*, p.name FROM sessions s
      LEFT JOIN people p ON p.user_id = s.user_id
      WHERE s.claw_id = ${toId(clawId)} AND NOT EXISTS (SELECT 1 FROM sessions o
        WHERE o.claw_id = s.claw_id AND o.user_id = s.user_id
          AND (o.updated_at > s.updated_at OR (o.updated_at = s.updated_at AND o.session_id > s.session_id)))
      ORDER BY s.updated_at DESC, s.session_id DESC LIMIT ${rows.toLimit(limit)}`
    return found.map((row) => ({ userId: row.user_id, name: row.name ?? "", session: rows.toSession(row) }))
  }, atEdge)

  const latestWith: Sessions["Service"]["latestWith"] = Effect.fn("Sessions.latestWith")(function* (
    clawId,
    userId,
    messageId
  ) {
    const [said] =
      messageId === undefined
        ? []
        : yield* sql<rows.SessionRow>`SELECT s.* FROM sessions s JOIN exchanges e ON e.session_id = s.session_id
          WHERE s.claw_id = ${toId(clawId)} AND s.user_id = ${toId(userId)}
            AND e.message_id = ${toId(messageId)} AND e.parts = '[]' LIMIT 1`
    if (said !== undefined) return rows.toSession(said)
    const [row] = yield* sql<rows.SessionRow>`SELECT * FROM sessions
      WHERE claw_id = ${toId(clawId)} AND user_id = ${toId(userId)}
      ORDER BY updated_at DESC, session_id DESC LIMIT 1`
    return row === undefined ? yield* nobody : rows.toSession(row)
  }, atEdge)

  const insert = Effect.fnUntraced(function* (saying: Saying) {
    const { clawId, messageId, sessionId } = saying
    const now = yield* Clock.currentTimeMillis
    const responseId = yield* secrets.drawId(random, "resp_")
    yield* lockKey(sql, toId(sessionId))
    const [session] = yield* sql<rows.SessionRow>`SELECT * FROM sessions
      WHERE session_id = ${toId(sessionId)} AND claw_id = ${toId(clawId)}`
    if (session === undefined) return yield* noSession
    const [known] = yield* sql<rows.ExchangeRow>`SELECT * FROM exchanges
      WHERE session_id = ${toId(sessionId)} AND message_id = ${toId(messageId)}`
    if (known !== undefined) {
      const exchange = rows.toExchange(known)
      return exchange.parts.length === 0
        ? { exchange, fresh: false }
        : yield* new Invalid({
            detail: "This key is the id of a message of the person's. Take another one.",
            param: "idempotency-key"
          })
    }
    const [said] = yield* sql<{ n: rows.Numeric }>`SELECT count(*) AS n FROM
      (SELECT parts, created_at FROM exchanges WHERE session_id = ${toId(sessionId)}
        ORDER BY ordinal DESC LIMIT ${maxSaid * 2}) latest
      WHERE parts = '[]' AND created_at > ${now - day}`
    if (toNumber(said?.n ?? 0) >= maxSaid) {
      return yield* new LimitReached({
        detail: `This agent has said ${maxSaid} things by itself in this conversation within a day, which is the limit. Wait until it is asked.`
      })
    }
    const text = toText(saying.text)
    const [row] = yield* sql<{ ordinal: rows.Numeric }>`INSERT INTO exchanges ${sql.insert({
      session_id: sessionId,
      message_id: messageId,
      response_id: responseId,
      previous_response_id: undefined,
      claw_id: clawId,
      user_id: session.user_id,
      parts: "[]",
      stream: 1,
      metadata: JSON.stringify(metadata),
      status: "completed",
      reply_text: text,
      created_at: now,
      ended_at: now
    })} RETURNING ordinal`
    const title = session.title === "" ? rows.titleOf({ parts: [{ type: "input_text", text }] }) : session.title
    yield* sql`UPDATE sessions SET updated_at = ${now}, title = ${title} WHERE session_id = ${toId(sessionId)}`
    const exchange: Exchange = {
      messageId,
      sessionId,
      clawId,
      userId: session.user_id,
      ordinal: toNumber(row?.ordinal ?? 0),
      responseId,
      previousResponseId: undefined,
      parts: [],
      stream: true,
      metadata,
      status: "completed",
      replyText: text,
      failure: undefined,
      createdAt: now,
      endedAt: now
    }
    return { exchange, fresh: true }
  })

  const say: Sessions["Service"]["say"] = Effect.fn("Sessions.say")(function* (saying) {
    yield* keepsId(saying.messageId, "idempotency-key")
    if (saying.text.trim() === "") {
      return yield* new Invalid({ detail: "There is nothing to say: the text is empty.", param: "text" })
    }
    if (saying.text.length > maxText) {
      return yield* new Invalid({
        detail: `The text has more than ${maxText} characters. Say it in several messages, or send a file.`,
        param: "text"
      })
    }
    return yield* sql.withTransaction(insert(saying))
  }, atEdge)

  return { correspondents, latestWith, say }
})
