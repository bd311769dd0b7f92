/** Tasks as the database keeps them, and what of a posted task is taken. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Invalid } from "../../services/platform/PlatformError.ts"
import type { NewTask, Task } from "../../services/platform/TaskPool.ts"
import * as Market from "../../services/protocol/Market.ts"
import * as names from "./names.ts"
import { toId, toNumber, toOptionalNumber, toText } from "./sqlStore.ts"

export type Numeric = number | bigint | string

export interface Row {
  readonly task_id: string
  readonly creator_id: string
  readonly category: string
  readonly bounty: Numeric
  readonly deadline: Numeric | null
  readonly status: Market.TaskStatus
  readonly review: Market.Review | null
  readonly claw_id: string | null
  readonly fencing: Numeric
  readonly lease_until: Numeric | null
  readonly review_until: Numeric | null
  readonly held_at: Numeric | null
  readonly started_at: Numeric | null
  readonly finished_at: Numeric | null
  readonly delivered_at: Numeric | null
  readonly created_at: Numeric
  readonly updated_at: Numeric
  readonly post_body: string | null
  readonly grab_attempt: string | null
  readonly deliver_attempt: string | null
  readonly accept_attempt: string | null
  readonly archive_id: string | null
  readonly input_files: string
  readonly return_reason: string | null
  readonly title: string
  readonly description: string
  readonly result_description: string | null
}

export const isPast = (time: Numeric | null, now: number): boolean => time !== null && toNumber(time) <= now

/** `artifactIds`: what else was handed in; only where one task is looked at. */
export const toTask = (row: Row, artifactIds: ReadonlyArray<string> = []): Task => ({
  taskId: row.task_id,
  title: row.title,
  description: row.description,
  category: row.category,
  bounty: Market.fromHundredths(BigInt(row.bounty)),
  deadline: toOptionalNumber(row.deadline),
  status: row.status,
  review: row.review ?? undefined,
  returnReason: row.return_reason ?? undefined,
  creatorId: row.creator_id,
  assignedClawId: row.claw_id ?? undefined,
  heldAt: toOptionalNumber(row.held_at),
  leaseUntil: toOptionalNumber(row.lease_until),
  reviewUntil: toOptionalNumber(row.review_until),
  startedAt: toOptionalNumber(row.started_at),
  finishedAt: toOptionalNumber(row.finished_at),
  createdAt: toNumber(row.created_at),
  updatedAt: toNumber(row.updated_at),
  inputFiles: JSON.parse(row.input_files),
  deliverable:
    row.delivered_at === null
      ? undefined
      : {
          resultDescription: row.result_description ?? "",
          archiveId: row.archive_id ?? undefined,
          artifactIds,
          uploadedAt: toNumber(row.delivered_at)
        }
})

const refuse = (param: string, detail: string) => Effect.fail(new Invalid({ detail, param }))

const isAmount = Schema.is(Market.Amount)
const most = Market.toHundredths(Market.bounds.bounty)

const checkBounty = (bounty: string): Effect.Effect<bigint, Invalid> => {
  if (!isAmount(bounty)) {
    return refuse(
      "bounty",
      'The bounty is no number of points. Write it as digits with at most two places, such as "12.5".'
    )
  }
  const amount = Market.toHundredths(bounty)
  if (amount === 0n) return refuse("bounty", "The bounty is nothing. Offer at least 0.01 points.")
  return amount > most
    ? refuse("bounty", `The bounty is more than ${Market.bounds.bounty} points, which is the limit.`)
    : Effect.succeed(amount)
}

/** Line breaks and tabs stay; other control characters do not. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu

export const prose = (text: string, param: string, what: string, max: number): Effect.Effect<string, Invalid> => {
  const clean = toText(
    text
      .replaceAll(/\r\n?/g, "\n")
      .replaceAll(unprintable, (mark) => (mark === "\n" || mark === "\t" ? mark : ""))
      .trim()
  )
  if (clean === "") return refuse(param, `${what} is empty. Say it in 1 to ${max} characters.`)
  return clean.length > max
    ? refuse(param, `${what} is longer than ${max} characters. Shorten it.`)
    : Effect.succeed(clean)
}

const checkDeadline = Effect.fnUntraced(function* (deadline: number | undefined) {
  if (deadline === undefined) return undefined
  const now = yield* Clock.currentTimeMillis
  if (!Number.isSafeInteger(deadline)) return yield* refuse("deadline", "The deadline is no time in milliseconds.")
  if (deadline <= now) return yield* refuse("deadline", "The deadline has passed already. Name one to come, or none.")
  if (deadline > now + Market.bounds.deadline) {
    return yield* refuse("deadline", "The deadline is more than a year away. Name an earlier one, or none.")
  }
  return deadline
})

/** The columns of what a person says of a task. */
export interface Columns {
  readonly title: string
  readonly description: string
  readonly category: string
  readonly bounty: bigint
  readonly deadline: number | null
  readonly input_files: string
}

/** `keepsDeadline`: it was taken before, and is not looked at again. */
export const check = Effect.fnUntraced(function* (input: NewTask, keepsDeadline: boolean) {
  const title = yield* names.line({ text: input.title, param: "title", what: "The title", max: Market.bounds.title })
  const description = yield* prose(input.description, "description", "The description", Market.bounds.description)
  if (!/^\d{5}$/.test(input.category)) {
    return yield* refuse(
      "category",
      "The category is no code of five digits, such as 07001 for texts. GET /api/scene-tags lists those with names."
    )
  }
  const bounty = yield* checkBounty(input.bounty)
  const deadline = keepsDeadline ? input.deadline : yield* checkDeadline(input.deadline)
  const files = [...new Set(input.inputFiles.map(toId))]
  if (files.length > Market.bounds.inputFiles) {
    return yield* refuse(
      "input_files",
      `A task has at most ${Market.bounds.inputFiles} files. Put them into an archive.`
    )
  }
  return {
    title,
    description,
    category: input.category,
    bounty,
    deadline: deadline ?? null,
    input_files: JSON.stringify(files)
  } satisfies Columns
})
