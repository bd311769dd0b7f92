/** The tables of the SQL journal, its statements, and how a row becomes an entry. */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Entry, MessageKey, Outcome } from "../../services/channel/Journal.ts"
import type { DialectName } from "../../services/protocol/Dialect.ts"
import type { FailureCode } from "../../services/protocol/ResponseEvent.ts"

/** Values of `state`. None is 0 or 1, which SQLite stores in fewer bytes: a row that changes keeps its place. */
export const state = { accepted: 2, begun: 3, completed: 4, failed: 5 } as const

/** `size` before the end. As wide as a usual text's length, for the same reason. */
export const noSize = 9_999
/** `confirmed` while nothing is. */
export const nothingConfirmed = -1

/**
 * Numbers of rows only grow, so `entries` and `outcomes` are written at their ends: a group of messages dirties one
 * page of each. Texts stand apart from what a start reads through.
 */
export const migrations = {
  "1_journal": Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE entries (
      id INTEGER PRIMARY KEY,
      account TEXT NOT NULL,
      session TEXT,
      message TEXT,
      response_id TEXT NOT NULL,
      item_id TEXT NOT NULL,
      dialect TEXT,
      accepted_at INTEGER NOT NULL,
      state INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      size INTEGER NOT NULL,
      confirmed INTEGER NOT NULL
    )`
    yield* sql`CREATE TABLE outcomes (id INTEGER PRIMARY KEY, code TEXT, reason TEXT, text TEXT NOT NULL)`
    yield* sql`CREATE TABLE requests (id INTEGER PRIMARY KEY, request TEXT NOT NULL)`
  })
}

export const insertEntry = `INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ${state.accepted}, ?, ${noSize}, ${nothingConfirmed})`
export const insertRequest = "INSERT INTO requests VALUES (?, ?)"
export const beginEntry = `UPDATE entries SET state = ${state.begun} WHERE id = ?`
/** `changed_at` of what is under way says when it last was. */
export const touchEntries = "UPDATE entries SET changed_at = ? WHERE id IN (SELECT value FROM json_each(?))"
export const endEntry = "UPDATE entries SET state = ?, changed_at = ?, size = ? WHERE id = ?"
export const insertOutcome = "INSERT INTO outcomes VALUES (?, ?, ?, ?)"
export const deleteRequest = "DELETE FROM requests WHERE id = ?"
export const confirmEntry = "UPDATE entries SET confirmed = max(confirmed, ?) WHERE id = ?"

const columns =
  "entries.id, account, session, message, response_id, item_id, dialect, accepted_at, state, changed_at, confirmed, code, reason, text, request"
const whole = `SELECT ${columns} FROM entries LEFT JOIN outcomes USING (id) LEFT JOIN requests USING (id)`

export const selectByRow = `${whole} WHERE entries.id = ?`
export const selectByRows = `${whole} WHERE entries.id IN (SELECT value FROM json_each(?)) ORDER BY entries.id`
/** Reads all there is, without the texts: for what is hardly ever asked. */
export const selectByResponse = `${whole} WHERE entries.id = (SELECT id FROM entries WHERE response_id = ? LIMIT 1)`
export const selectByKey = `${whole} WHERE entries.id = (SELECT id FROM entries WHERE message = ? AND session IS ? AND account = ? LIMIT 1)`
export const selectRecent = `${whole} WHERE account = ? ORDER BY entries.id DESC LIMIT ?`

export const selectForIndex =
  "SELECT id, account, session, message, response_id, state, size FROM entries WHERE id > ? ORDER BY id LIMIT ?"
export const selectOldestEnded = `SELECT id, account, session, message, response_id, size, changed_at FROM entries WHERE state >= ${state.completed} ORDER BY id LIMIT ?`
export const deleteEntries = "DELETE FROM entries WHERE id IN (SELECT value FROM json_each(?))"
export const deleteOutcomes = "DELETE FROM outcomes WHERE id IN (SELECT value FROM json_each(?))"

type Text = string | null

/** Of `selectForIndex`. */
export type IndexRow = readonly [
  id: number,
  account: string,
  session: Text,
  message: Text,
  responseId: string,
  state: number,
  size: number
]

/** Of `selectOldestEnded`. */
export type EndedRow = readonly [
  id: number,
  account: string,
  session: Text,
  message: Text,
  responseId: string,
  size: number,
  changedAt: number
]

/** Of every statement that begins with `columns`. */
export type WholeRow = readonly [
  id: number,
  account: string,
  session: Text,
  message: Text,
  responseId: string,
  itemId: string,
  dialect: DialectName | null,
  acceptedAt: number,
  state: number,
  changedAt: number,
  confirmed: number,
  code: FailureCode | null,
  reason: Text,
  text: Text,
  request: Text
]

export const keyOf = (account: string, session: Text, message: Text): MessageKey => ({
  accountId: account,
  sessionId: session ?? undefined,
  messageId: message ?? undefined
})

const outcomeOf = (code: FailureCode | null, reason: Text, text: Text): Outcome =>
  code === null
    ? { _tag: "Completed", text: text ?? "" }
    : { _tag: "Failed", text: text ?? "", failure: { code, message: reason ?? "" } }

export const toEntry = (row: WholeRow): Entry => {
  const [, account, session, message, responseId, itemId, dialect, acceptedAt, at, changedAt, confirmed] = row
  const [code, reason, text, request] = [row[11], row[12], row[13], row[14]]
  const ended = at >= state.completed
  return {
    key: keyOf(account, session, message),
    responseId,
    itemId,
    dialect: dialect ?? undefined,
    acceptedAt,
    outcome: ended ? outcomeOf(code, reason, text) : undefined,
    endedAt: ended ? changedAt : undefined,
    confirmedSequence: confirmed === nothingConfirmed ? undefined : confirmed,
    ...(request === null ? {} : { request }),
    ...(ended || changedAt === acceptedAt ? {} : { aliveAt: changedAt }),
    ...(at === state.begun ? { begun: true } : {})
  }
}
