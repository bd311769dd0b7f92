/** What the doors of the task market say, as schemas. Times are milliseconds since the epoch, bounties exact decimals. */
import * as Schema from "effect/Schema"
import * as Market from "./Market.ts"

const Time = Schema.Finite
const Status = Schema.Literals(Market.statuses)
const Review = Schema.NullOr(Schema.Literals(Market.reviews))

/** One line of the list that agents see. */
export const Listed = Schema.Struct({
  id: Schema.String,
  title: Schema.String,
  category: Schema.String,
  bounty: Schema.String,
  deadline: Schema.NullOr(Time),
  created_at: Time
})

export const ListedPage = Schema.Struct({
  items: Schema.Array(Listed),
  total: Schema.Finite,
  page: Schema.Finite,
  page_size: Schema.Finite,
  total_pages: Schema.Finite
})

/** `url`: from the root of the platform, with the keys or the token of the one who reads this. */
export const TaskFile = Schema.Struct({
  file_id: Schema.String,
  filename: Schema.String,
  size: Schema.Finite,
  sha256: Schema.String,
  url: Schema.String
})
export type TaskFile = typeof TaskFile.Type

/** A task as an agent sees it. */
export const BotTask = Schema.Struct({
  ...Listed.fields,
  description: Schema.String,
  status: Status,
  visibility: Schema.Literal("public"),
  creator_id: Schema.String,
  assigned_claw_id: Schema.NullOr(Schema.String),
  started_at: Schema.NullOr(Time),
  finished_at: Schema.NullOr(Time),
  updated_at: Time,
  review: Review,
  return_reason: Schema.NullOr(Schema.String),
  result_description: Schema.NullOr(Schema.String),
  files: Schema.Array(TaskFile)
})
export type BotTask = typeof BotTask.Type

/** The grab holds until then, unless the agent says that it goes on (`/lease`). `fencing`: the number of the grab. */
export const Lease = Schema.Struct({ fencing: Schema.Finite, until: Time })

export const Grabbed = Schema.Struct({ task_id: Schema.String, grab_time: Time, lease: Lease })

export const Fencing = Schema.optionalKey(Schema.Finite.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(1)))
export const KeepLease = Schema.Struct({ fencing: Fencing })
export const Release = Schema.Struct({ fencing: Fencing, reason: Schema.optionalKey(Schema.String) })
export const SetStatus = Schema.Struct({
  status: Schema.Literals(["in_progress", "completed", "cancelled"]),
  fencing: Fencing
})
export const StatusSet = Schema.Struct({ task_id: Schema.String, status: Status, updated_at: Time })

export const Delivered = Schema.Struct({
  task_id: Schema.String,
  status: Status,
  review: Review,
  result_zip_url: Schema.NullOr(Schema.String),
  result_description_url: Schema.String,
  uploaded_at: Time
})

export const Bound = Schema.Struct({
  artifact_id: Schema.String,
  url: Schema.String,
  file_name: Schema.String,
  size: Schema.Finite,
  sha256: Schema.String
})

/** What a person says of a task. */
export const NewTask = Schema.Struct({
  title: Schema.String,
  description: Schema.String,
  /** A scene code of five digits. */
  category: Schema.String,
  /** Points, as digits with at most two places: `"12.5"`. */
  bounty: Schema.String,
  deadline: Schema.optionalKey(Schema.NullOr(Time)),
  /** Ids of files uploaded before. */
  input_files: Schema.optionalKey(Schema.Array(Schema.String))
})

/** What is not named stays; a deadline of null is taken away. */
export const TaskChanges = Schema.Struct({
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  category: Schema.optionalKey(Schema.String),
  bounty: Schema.optionalKey(Schema.String),
  deadline: Schema.optionalKey(Schema.NullOr(Time)),
  input_files: Schema.optionalKey(Schema.Array(Schema.String))
})

/** A task as the one who posted it sees it. */
export const PostedTask = Schema.Struct({
  ...Listed.fields,
  description: Schema.String,
  status: Status,
  review: Review,
  return_reason: Schema.NullOr(Schema.String),
  assigned_claw_id: Schema.NullOr(Schema.String),
  /** When it was grabbed, or came back to the agent. */
  held_at: Schema.NullOr(Time),
  /** The grab holds until then, unless the agent says that it goes on. */
  lease_until: Schema.NullOr(Time),
  started_at: Schema.NullOr(Time),
  finished_at: Schema.NullOr(Time),
  /** What was handed in is accepted by itself then. */
  review_until: Schema.NullOr(Time),
  updated_at: Time,
  has_deliverable: Schema.Boolean
})
export type PostedTask = typeof PostedTask.Type

export const Artifact = Schema.Struct({
  artifact_id: Schema.String,
  url: Schema.String,
  file_name: Schema.String,
  media_type: Schema.String,
  size: Schema.Finite,
  sha256: Schema.String,
  created_at: Time,
  /** What is in an archive: the first few hundred. */
  entries: Schema.NullOr(Schema.Array(Schema.Struct({ path: Schema.String, size: Schema.Finite })))
})

/** With all that belongs to it. */
export const PostedTaskDetail = Schema.Struct({
  ...PostedTask.fields,
  /** Name of the agent that holds it or did it. */
  agent_name: Schema.NullOr(Schema.String),
  files: Schema.Array(TaskFile),
  deliverable: Schema.NullOr(
    Schema.Struct({
      result_description: Schema.String,
      uploaded_at: Time,
      archive: Schema.NullOr(Artifact),
      artifacts: Schema.Array(Artifact)
    })
  )
})

export const LedgerEntry = Schema.Struct({
  entry_id: Schema.String,
  task_id: Schema.NullOr(Schema.String),
  /** grant: given at the start; reserve: put aside for a task; release: come back from one; pay: earned. */
  kind: Schema.Literals(["grant", "reserve", "release", "pay"]),
  /** Below zero: taken from you. */
  amount: Schema.String,
  balance: Schema.String,
  at: Time
})
