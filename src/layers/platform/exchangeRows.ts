/** Rows of conversations and exchanges, and what they stand for. */
import type { Exchange, ExchangeStatus, NewExchange, Session } from "../../services/platform/Sessions.ts"
import type { Part } from "../../services/protocol/Inbound.ts"
import type { FailureCode } from "../../services/protocol/ResponseEvent.ts"
import { cut } from "./names.ts"
import { toNumber, toOptionalNumber, toText } from "./sqlStore.ts"

export type Numeric = number | bigint | string

export interface SessionRow {
  readonly session_id: string
  readonly user_id: string
  readonly claw_id: string
  readonly title: string
  readonly created_at: Numeric
  readonly updated_at: Numeric
}

export interface ExchangeRow {
  readonly ordinal: Numeric
  readonly session_id: string
  readonly message_id: string
  readonly response_id: string
  readonly previous_response_id: string | null
  readonly claw_id: string
  readonly user_id: string
  readonly parts: string
  readonly stream: Numeric
  readonly metadata: string
  readonly status: ExchangeStatus
  readonly epoch: Numeric | null
  readonly reply_text: string
  readonly failure_code: FailureCode | null
  readonly failure_message: string | null
  readonly created_at: Numeric
  readonly ended_at: Numeric | null
}

/** How many characters an exchange holds. */
export interface SizeRow {
  readonly ordinal: Numeric
  readonly size: Numeric
}

/** How many from the front hold no more than `most` characters together; one at least, where there is one. */
export const fitting = (sizes: ReadonlyArray<SizeRow>, most: number): number => {
  let sum = 0
  const first = sizes.findIndex(({ size }) => (sum += toNumber(size)) > most)
  return first === -1 ? sizes.length : Math.max(1, first)
}

export const toSession = (row: SessionRow): Session => ({
  sessionId: row.session_id,
  userId: row.user_id,
  clawId: row.claw_id,
  title: row.title,
  createdAt: toNumber(row.created_at),
  updatedAt: toNumber(row.updated_at)
})

/** JSON leaves out what is undefined; the shape has it. */
const toParts = (json: string): ReadonlyArray<Part> => {
  const stored: ReadonlyArray<Part> = JSON.parse(json)
  return stored.map((part) =>
    part.type === "input_text" ? part : { type: part.type, fileId: part.fileId, url: part.url, filename: part.filename }
  )
}

export const toExchange = (row: ExchangeRow): Exchange => ({
  messageId: row.message_id,
  sessionId: row.session_id,
  clawId: row.claw_id,
  userId: row.user_id,
  ordinal: toNumber(row.ordinal),
  responseId: row.response_id,
  previousResponseId: row.previous_response_id ?? undefined,
  parts: toParts(row.parts),
  stream: toNumber(row.stream) === 1,
  metadata: JSON.parse(row.metadata),
  status: row.status,
  ...(row.epoch === null ? undefined : { epoch: toNumber(row.epoch) }),
  replyText: row.reply_text,
  failure:
    row.failure_code === null
      ? undefined
      : { code: row.failure_code, message: row.failure_message ?? row.failure_code },
  createdAt: toNumber(row.created_at),
  endedAt: toOptionalNumber(row.ended_at)
})

const maxPage = 1_000

/** What a caller may ask for at once. */
export const toLimit = (limit: number): number => Math.min(Math.max(1, Math.trunc(limit)), maxPage)

const maxTitle = 60

/** The first words of a message, on one line. Empty where it has no text. */
export const titleOf = (input: Pick<NewExchange, "parts">): string => {
  for (const part of input.parts) {
    if (part.type !== "input_text") continue
    // Enough for any title, and no more work than that for a message of any length.
    const text = toText(part.text.slice(0, 2_000))
      .replaceAll(/[\s\p{Cc}]+/gu, " ")
      .trim()
    if (text !== "") return cut(text, maxTitle).trimEnd()
  }
  return ""
}
