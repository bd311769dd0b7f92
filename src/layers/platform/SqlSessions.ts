/** Conversations, their messages and the mailbox of each agent, in SQL. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Fragment } from "effect/sql/Statement"
import { LimitReached, NotFound, StaleEpoch } from "../../services/platform/PlatformError.ts"
import {
  type Exchange,
  type Hold,
  type NewExchange,
  type Result,
  type Session,
  Sessions
} from "../../services/platform/Sessions.ts"
import * as rows from "./exchangeRows.ts"
import * as names from "./names.ts"
import * as sayings from "./sayings.ts"
import * as secrets from "./secrets.ts"
import { atEdge, keepsId, toId, toNumber, toText } from "./sqlStore.ts"

export interface Options {
  /** How many messages may wait for one agent. Default 1,000. */
  readonly maxWaiting?: number | undefined
  /** How long a message waits for its agent before it ends as failed (`TIMEOUT`). Default 7 days. */
  readonly waitingLifetime?: Duration.Input | undefined
}

const maxRenamed = 120
const maxListed = 1_000
/** A page of history ends where it would hold more. */
const pageCharacters = 8 * 1024 * 1024

const expiry = {
  code: "TIMEOUT",
  message: "The agent did not come back in time to get this message. Send it again when it is there."
} as const

const noSession = new NotFound({ what: "conversation" })
const noExchange = new NotFound({ what: "reply" })

export const make = Effect.fnUntraced(function* (options?: Options) {
  const sql = yield* SqlClient.SqlClient
  const random = yield* SecureRandom.SecureRandom
  const said = yield* sayings.make
  const maxWaiting = options?.maxWaiting ?? 1_000
  const lifetime = Duration.toMillis(Duration.fromInputUnsafe(options?.waitingLifetime ?? "7 days"))

  const hasExpired = (row: rows.ExchangeRow, now: number): boolean =>
    row.status === "waiting" && toNumber(row.created_at) + lifetime <= now

  const endExpired = Effect.fnUntraced(function* (now: number) {
    const ended = yield* sql<rows.ExchangeRow>`UPDATE exchanges
      SET status = 'failed', failure_code = ${expiry.code}, failure_message = ${expiry.message}, ended_at = ${now}
      WHERE ended_at IS NULL AND status = 'waiting' AND created_at <= ${now - lifetime} RETURNING *`
    return ended.map(rows.toExchange).sort((a, b) => a.ordinal - b.ordinal)
  })

  /** Rows as they are now: one that should have ended is ended first and read again. */
  const current = <E, R>(read: Effect.Effect<ReadonlyArray<rows.ExchangeRow>, E, R>) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const found = yield* read
      if (!found.some((row) => hasExpired(row, now))) return found
      yield* endExpired(now)
      return yield* read
    })

  const create: Sessions["Service"]["create"] = Effect.fn("Sessions.create")(function* (userId, clawId) {
    const now = yield* Clock.currentTimeMillis
    const sessionId = yield* secrets.drawId(random, "sess_")
    // One that nobody let in yet is nobody's to talk to.
    const agents = yield* sql`SELECT claw_id FROM identities
      WHERE claw_id = ${toId(clawId)} AND approved_at IS NOT NULL`
    if (agents.length === 0) return yield* new NotFound({ what: "agent" })
    const session: Session = { sessionId, userId, clawId, title: "", createdAt: now, updatedAt: now }
    yield* sql`INSERT INTO sessions ${sql.insert({
      session_id: sessionId,
      user_id: userId,
      claw_id: clawId,
      title: "",
      created_at: now,
      updated_at: now
    })}`
    return session
  }, atEdge)

  const find: Sessions["Service"]["find"] = Effect.fn("Sessions.find")(function* (userId, sessionId) {
    const [row] = yield* sql<rows.SessionRow>`SELECT * FROM sessions
      WHERE session_id = ${toId(sessionId)} AND user_id = ${toId(userId)}`
    return row === undefined ? yield* noSession : rows.toSession(row)
  }, atEdge)

  const findForAgent: Sessions["Service"]["findForAgent"] = Effect.fn("Sessions.findForAgent")(function* (
    clawId,
    sessionId
  ) {
    const [row] = yield* sql<rows.SessionRow>`SELECT * FROM sessions
      WHERE session_id = ${toId(sessionId)} AND claw_id = ${toId(clawId)}`
    return row === undefined ? yield* noSession : rows.toSession(row)
  }, atEdge)

  const list: Sessions["Service"]["list"] = Effect.fn("Sessions.list")(function* (userId, clawId) {
    const found = yield* sql<rows.SessionRow>`SELECT * FROM sessions WHERE user_id = ${toId(userId)}
      ${clawId === undefined ? sql.literal("") : sql`AND claw_id = ${toId(clawId)}`}
      ORDER BY updated_at DESC, session_id DESC LIMIT ${maxListed}`
    return found.map(rows.toSession)
  }, atEdge)

  const listForAgent: Sessions["Service"]["listForAgent"] = Effect.fn("Sessions.listForAgent")(function* (
    clawId,
    limit
  ) {
    const found = yield* sql<rows.SessionRow>`SELECT * FROM sessions WHERE claw_id = ${toId(clawId)}
      ORDER BY updated_at DESC, session_id DESC LIMIT ${rows.toLimit(limit)}`
    return found.map(rows.toSession)
  }, atEdge)

  const rename: Sessions["Service"]["rename"] = Effect.fn("Sessions.rename")(function* (userId, sessionId, input) {
    const title = yield* names.line({ text: input, param: "title", what: "The title", max: maxRenamed })
    const [row] = yield* sql<rows.SessionRow>`UPDATE sessions SET title = ${title}
      WHERE session_id = ${toId(sessionId)} AND user_id = ${toId(userId)} RETURNING *`
    return row === undefined ? yield* noSession : rows.toSession(row)
  }, atEdge)

  const remove: Sessions["Service"]["remove"] = Effect.fn("Sessions.remove")(function* (userId, sessionId) {
    const removed = yield* sql`DELETE FROM sessions
      WHERE session_id = ${toId(sessionId)} AND user_id = ${toId(userId)} RETURNING session_id`
    if (removed.length === 0) return yield* noSession
  }, atEdge)

  /** Those that have waited too long count no more, ended or not yet. */
  const countUnexpired = Effect.fnUntraced(function* (clawId: string, now: number) {
    const [row] = yield* sql<{ n: rows.Numeric }>`SELECT count(*) AS n FROM exchanges
      WHERE claw_id = ${toId(clawId)} AND ended_at IS NULL AND status = 'waiting' AND created_at > ${now - lifetime}`
    return toNumber(row?.n ?? 0)
  })

  /**
   * Where several write at once, messages to one agent come one after the other, so that none slips past the bound.
   * SQLite has one writer.
   */
  const lockMailbox = (sessionId: string) =>
    sql.onDialectOrElse({
      pg: () => sql`SELECT pg_advisory_xact_lock(hashtextextended(claw_id, 0)) FROM sessions
        WHERE session_id = ${toId(sessionId)}`,
      orElse: () => Effect.void
    })

  const full = new LimitReached({
    detail: `${maxWaiting} messages already wait for this agent, which is the limit. It is away or far behind; try again later.`
  })

  const select = (sessionId: string, messageId: string) =>
    sql<rows.ExchangeRow>`SELECT * FROM exchanges WHERE session_id = ${toId(sessionId)} AND message_id = ${toId(messageId)}`

  const write = (input: NewExchange, session: rows.SessionRow, responseId: string, now: number) =>
    sql<{ ordinal: rows.Numeric }>`INSERT INTO exchanges ${sql.insert({
      session_id: input.sessionId,
      message_id: input.messageId,
      response_id: responseId,
      previous_response_id: input.previousResponseId,
      claw_id: session.claw_id,
      user_id: input.userId,
      parts: JSON.stringify(input.parts),
      stream: input.stream ? 1 : 0,
      metadata: JSON.stringify(input.metadata),
      status: "waiting",
      reply_text: "",
      created_at: now
    })} ON CONFLICT (session_id, message_id) DO NOTHING RETURNING ordinal`

  const insert = Effect.fnUntraced(function* (input: NewExchange) {
    const now = yield* Clock.currentTimeMillis
    const responseId = yield* secrets.drawId(random, "resp_")
    yield* lockMailbox(input.sessionId)
    const [session] = yield* sql<rows.SessionRow & { readonly waiting: rows.Numeric }>`SELECT s.*,
        (SELECT count(*) FROM exchanges e WHERE e.claw_id = s.claw_id AND e.ended_at IS NULL
          AND e.status = 'waiting' AND e.created_at > ${now - lifetime}) AS waiting
      FROM sessions s WHERE s.session_id = ${toId(input.sessionId)} AND s.user_id = ${toId(input.userId)}`
    if (session === undefined) return yield* noSession
    const hasRoom = toNumber(session.waiting) < maxWaiting
    const [row] = hasRoom ? yield* write(input, session, responseId, now) : []
    if (row === undefined) {
      // Known already, which is no news to a full mailbox either.
      const [known] = yield* current(select(input.sessionId, input.messageId))
      return known === undefined ? yield* full : { exchange: rows.toExchange(known), fresh: false }
    }
    const title = session.title === "" ? rows.titleOf(input) : session.title
    yield* sql`UPDATE sessions SET updated_at = ${now}, title = ${title} WHERE session_id = ${toId(input.sessionId)}`
    const exchange: Exchange = {
      messageId: input.messageId,
      sessionId: input.sessionId,
      clawId: session.claw_id,
      userId: input.userId,
      ordinal: toNumber(row.ordinal),
      responseId,
      previousResponseId: input.previousResponseId,
      parts: input.parts,
      stream: input.stream,
      metadata: input.metadata,
      status: "waiting",
      replyText: "",
      failure: undefined,
      createdAt: now,
      endedAt: undefined
    }
    return { exchange, fresh: true }
  })

  const accept: Sessions["Service"]["accept"] = Effect.fn("Sessions.accept")(function* (input: NewExchange) {
    yield* keepsId(input.messageId, "message_id")
    yield* keepsId(input.previousResponseId ?? "", "previous_response_id")
    return yield* sql.withTransaction(insert(input))
  }, atEdge)

  const waiting: Sessions["Service"]["waiting"] = Effect.fn("Sessions.waiting")(function* (clawId, limit) {
    const found = yield* current(sql<rows.ExchangeRow>`SELECT * FROM exchanges
      WHERE claw_id = ${toId(clawId)} AND ended_at IS NULL AND status = 'waiting'
      ORDER BY ordinal LIMIT ${rows.toLimit(limit)}`)
    return found.map(rows.toExchange)
  }, atEdge)

  /** The three ways on, each with what else must hold. */
  const nothing = sql.literal("")

  const advanceWhere = (responseId: string, status: "delivered" | "answering", epoch: number | null, and: Fragment) => {
    const before = status === "delivered" ? sql.literal("'waiting'") : sql.literal("'waiting', 'delivered'")
    return sql`UPDATE exchanges SET status = ${status}, epoch = ${epoch}
      WHERE response_id = ${toId(responseId)} AND status IN (${before}) ${and} RETURNING ordinal`
  }

  const requeueWhere = (clawId: string, and: Fragment) => sql`UPDATE exchanges SET status = 'waiting'
    WHERE claw_id = ${toId(clawId)} AND ended_at IS NULL AND status = 'delivered' ${and} RETURNING ordinal`

  const endWhere = (responseId: string, { failure, text }: Result, and: Fragment) =>
    Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`UPDATE exchanges
        SET status = ${failure === undefined ? "completed" : "failed"}, reply_text = ${toText(text)},
          failure_code = ${failure?.code}, failure_message = ${failure && toText(failure.message)}, ended_at = ${now}
        WHERE response_id = ${toId(responseId)} AND ended_at IS NULL ${and} RETURNING ordinal`
    )

  const advance: Sessions["Service"]["advance"] = Effect.fn("Sessions.advance")(function* (responseId, status) {
    yield* advanceWhere(responseId, status, null, nothing)
  }, atEdge)

  const requeue: Sessions["Service"]["requeue"] = Effect.fn("Sessions.requeue")(function* (clawId) {
    return (yield* requeueWhere(clawId, nothing)).length
  }, atEdge)

  const end: Sessions["Service"]["end"] = Effect.fn("Sessions.end")(function* (responseId, result) {
    return (yield* endWhere(responseId, result, nothing)).length > 0
  }, atEdge)

  // Where others write at the same time, the agent's row is held still until the write is done: a newer connection
  // comes wholly before it or wholly after it. SQLite has one writer.
  const held = sql.literal(sql.onDialectOrElse({ pg: () => "FOR SHARE", orElse: () => "" }))

  /** Which connection of which agent. */
  interface At {
    readonly clawId: string
    readonly epoch: number
  }

  const fenceOf = ({ clawId, epoch }: At) => sql`AND claw_id = ${clawId} AND EXISTS (SELECT 1 FROM identities i
      WHERE i.claw_id = exchanges.claw_id AND i.epoch = ${epoch} ${held})`

  /** Nothing was written: because there was nothing to write, or because a newer connection has come? */
  const orStale = Effect.fnUntraced(function* ({ clawId, epoch }: At, written: ReadonlyArray<unknown>) {
    if (written.length > 0) return written.length
    const newest = yield* sql`SELECT 1 AS newest FROM identities WHERE claw_id = ${clawId} AND epoch = ${epoch}`
    return newest.length > 0 ? 0 : yield* new StaleEpoch({ clawId, epoch })
  })

  const advanceAt = Effect.fn("Sessions.Hold.advance")(function* (
    at: At,
    ...[responseId, status]: Parameters<Hold["advance"]>
  ) {
    yield* orStale(at, yield* advanceWhere(responseId, status, at.epoch, fenceOf(at)))
  }, atEdge)

  const requeueAt = Effect.fnUntraced(function* (at: At) {
    return yield* orStale(at, yield* requeueWhere(at.clawId, fenceOf(at)))
  }, atEdge)

  const adoptAt = Effect.fnUntraced(function* (at: At) {
    const adopted = yield* sql<rows.ExchangeRow>`UPDATE exchanges SET epoch = ${at.epoch}
      WHERE claw_id = ${at.clawId} AND ended_at IS NULL AND status = 'answering' ${fenceOf(at)} RETURNING *`
    yield* orStale(at, adopted)
    return adopted.map(rows.toExchange).sort((x, y) => x.ordinal - y.ordinal)
  }, atEdge)

  const endAt = Effect.fn("Sessions.Hold.end")(function* (at: At, ...[responseId, result]: Parameters<Hold["end"]>) {
    return (yield* orStale(at, yield* endWhere(responseId, result, fenceOf(at)))) > 0
  }, atEdge)

  const abandonAt = Effect.fn("Sessions.Hold.abandon")(function* (
    { clawId, epoch }: At,
    ...[responseId, failure]: Parameters<Hold["abandon"]>
  ) {
    const own = sql`AND claw_id = ${clawId} AND status = 'answering' AND epoch <= ${epoch}`
    return (yield* endWhere(responseId, { text: "", failure }, own)).length > 0
  }, atEdge)

  const attach: Sessions["Service"]["attach"] = Effect.fn("Sessions.attach")(function* (clawId) {
    const [row] = yield* sql<{ epoch: rows.Numeric }>`UPDATE identities SET epoch = epoch + 1
      WHERE claw_id = ${toId(clawId)} RETURNING epoch`
    if (row === undefined) return yield* new NotFound({ what: "agent" })
    return holdOf({ clawId, epoch: toNumber(row.epoch) })
  }, atEdge)

  /** One for each agent on the line, most of them idle: all that it does is made when it is done. */
  const holdOf = (at: At): Hold => ({
    epoch: at.epoch,
    advance: (responseId, status) => advanceAt(at, responseId, status),
    requeue: Effect.suspend(() => requeueAt(at)),
    adopt: Effect.suspend(() => adoptAt(at)),
    end: (responseId, result) => endAt(at, responseId, result),
    abandon: (responseId, failure) => abandonAt(at, responseId, failure)
  })

  const findExchange: Sessions["Service"]["findExchange"] = Effect.fn("Sessions.findExchange")(function* (responseId) {
    const [row] = yield* current(sql<rows.ExchangeRow>`SELECT * FROM exchanges WHERE response_id = ${toId(responseId)}`)
    return row === undefined ? yield* noExchange : rows.toExchange(row)
  }, atEdge)

  const findByMessage: Sessions["Service"]["findByMessage"] = Effect.fn("Sessions.findByMessage")(function* (
    sessionId,
    messageId
  ) {
    const [row] = yield* current(select(sessionId, messageId))
    return row === undefined ? yield* new NotFound({ what: "message" }) : rows.toExchange(row)
  }, atEdge)

  const history: Sessions["Service"]["history"] = Effect.fn("Sessions.history")(function* (sessionId, page) {
    const limit = rows.toLimit(page.limit)
    const before = page.before === undefined ? sql.literal("") : sql`AND ordinal < ${page.before}`
    // Which of them make a page is found by their sizes: fifty of the longest replies would take gigabytes.
    const sizes = yield* sql<rows.SizeRow>`SELECT ordinal, length(parts) + length(reply_text) AS size FROM exchanges
      WHERE session_id = ${toId(sessionId)} ${before} ORDER BY ordinal DESC LIMIT ${limit + 1}`
    const count = Math.min(limit, rows.fitting(sizes, pageCharacters))
    const last = sizes[count - 1]
    if (last === undefined) return { items: [], next: undefined }
    const oldest = toNumber(last.ordinal)
    const found = yield* current(sql<rows.ExchangeRow>`SELECT * FROM exchanges WHERE session_id = ${toId(sessionId)}
      AND ordinal >= ${oldest} ${before} ORDER BY ordinal DESC LIMIT ${count}`)
    return { items: found.map(rows.toExchange), next: sizes.length > count ? oldest : undefined }
  }, atEdge)

  const open: Sessions["Service"]["open"] = Effect.fn("Sessions.open")(function* (clawId) {
    const found = yield* current(sql<rows.ExchangeRow>`SELECT * FROM exchanges
      WHERE claw_id = ${toId(clawId)} AND ended_at IS NULL ORDER BY ordinal`)
    return found.map(rows.toExchange)
  }, atEdge)

  const countWaiting: Sessions["Service"]["countWaiting"] = Effect.fn("Sessions.countWaiting")(function* (clawId) {
    return yield* countUnexpired(clawId, yield* Clock.currentTimeMillis)
  }, atEdge)

  const expire: Sessions["Service"]["expire"] = Effect.flatMap(Clock.currentTimeMillis, endExpired).pipe(
    atEdge,
    Effect.withSpan("Sessions.expire")
  )

  return Sessions.of({
    create,
    find,
    findForAgent,
    list,
    listForAgent,
    ...said,
    rename,
    remove,
    accept,
    waiting,
    attach,
    advance,
    requeue,
    end,
    findExchange,
    findByMessage,
    history,
    open,
    countWaiting,
    expire
  })
})

export const layer = (
  options?: Options
): Layer.Layer<Sessions, never, SqlClient.SqlClient | SecureRandom.SecureRandom> =>
  Layer.effect(Sessions, make(options))
