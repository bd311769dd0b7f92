/**
 * What the operator of an agent sees and may do, as it travels: to the control page (a stream of snapshots), to the
 * command line, and as methods of a host's gateway. Times are milliseconds since the epoch; `null` where there is
 * none. No key or secret is ever part of it (law secret).
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { FieldFault } from "../protocol/ProfileFields.ts"
import { states } from "./Work.ts"
import { modes } from "./Working.ts"

const time = Schema.Finite
const orNull = Schema.NullOr

/** The descriptive part of a profile or proposal. */
export const ProfileView = Schema.Struct({
  name: Schema.String,
  description: Schema.String,
  avatar: Schema.String,
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  hourly_rate: Schema.Finite,
  instance_type: Schema.Union([Schema.Finite, Schema.String])
})
export type ProfileView = typeof ProfileView.Type

export const SetbackView = Schema.Struct({
  message: Schema.String,
  fields: Schema.Array(FieldFault),
  at: time,
  needs_person: Schema.Boolean
})

/** Result of `instaclaw.registration.get`. */
export const RegistrationView = Schema.Struct({
  account_id: Schema.String,
  phase: Schema.Literals(["absent", "proposing", "pending", "submitting", "coolingDown", "registered"]),
  /** Pending and submitting. */
  proposal_id: orNull(Schema.String),
  proposal: orNull(ProfileView),
  claw_id: orNull(Schema.String),
  /** When this phase began. */
  since: orNull(time),
  /** When something happens by itself: the next proposal. */
  until: orNull(time),
  setback: orNull(SetbackView)
})
export type RegistrationView = typeof RegistrationView.Type

export const ConnectionView = Schema.Struct({
  phase: Schema.Literals(["disconnected", "connecting", "connected", "reconnecting", "suspect", "blocked"]),
  url: Schema.String,
  attempt: Schema.Finite,
  generation: Schema.Finite,
  since: orNull(time),
  connected_at: orNull(time),
  last_pong_at: orNull(time),
  retry_at: orNull(time),
  /** What happened, what it means, what to do. `code` names the kind (`Unreachable`, `CredentialsRefused` ...). */
  failure: orNull(
    Schema.Struct({ code: Schema.String, message: Schema.String, needs_person: Schema.Boolean, at: orNull(time) })
  ),
  outbox_bytes: Schema.Finite
})
export type ConnectionView = typeof ConnectionView.Type

export const ReplyView = Schema.Struct({
  response_id: Schema.String,
  session_id: orNull(Schema.String),
  message_id: orNull(Schema.String),
  accepted_at: time,
  started_at: orNull(time),
  first_delta_at: orNull(time),
  characters: Schema.Finite
})
export const EndedView = Schema.Struct({
  ...ReplyView.fields,
  ended_at: time,
  failure: orNull(Schema.Struct({ code: Schema.String, message: Schema.String }))
})
export type ReplyView = typeof ReplyView.Type
export type EndedView = typeof EndedView.Type

/** What happened in one span of ten seconds; a span in which nothing happened is left out. */
export const Sample = Schema.Struct({
  at: time,
  completed: Schema.Finite,
  failed: Schema.Finite,
  first_delta_ms: orNull(Schema.Finite),
  first_delta_max_ms: orNull(Schema.Finite),
  reconnects: Schema.Finite
})
export type Sample = typeof Sample.Type

/** How the account stands to paid work. */
export const WorkView = Schema.Struct({
  mode: Schema.Literals(modes),
  /** None: all. */
  categories: Schema.Array(Schema.String),
  max_bounty: orNull(Schema.String),
  concurrency: Schema.Finite,
  looked_at: orNull(time),
  next_look_at: orNull(time),
  /** Why it cannot look or go on, in a sentence. */
  fault: orNull(Schema.String)
})
export type WorkView = typeof WorkView.Type

/** A task that the agent works on, or worked on of late. Title, description and reasons are strangers' words. */
export const JobView = Schema.Struct({
  task_id: Schema.String,
  title: Schema.String,
  category: Schema.String,
  /** Points, an exact decimal. */
  bounty: Schema.String,
  deadline: orNull(time),
  state: Schema.Literals(states),
  chosen_at: time,
  changed_at: time,
  lease_until: orNull(time),
  /** 0; grows each time it comes back. */
  round: Schema.Finite,
  /** What was made, from the hand-in on. */
  files: Schema.Array(Schema.String),
  /** What the agent said it did. */
  result: orNull(Schema.String),
  notes: Schema.Array(Schema.String),
  why: orNull(Schema.String),
  /** The one who posted it has taken it. */
  accepted: Schema.Boolean,
  stopping: Schema.Boolean,
  /** The operator is asked whether it is to be taken. */
  question: orNull(
    Schema.Struct({
      description: Schema.String,
      files: Schema.Array(Schema.Struct({ filename: Schema.String, size: Schema.Finite }))
    })
  ),
  /** What it did of late, oldest first. */
  log: Schema.Array(
    Schema.Struct({
      at: time,
      kind: Schema.Literals(["step", "tool", "said"]),
      text: Schema.String,
      path: orNull(Schema.String),
      failed: Schema.Boolean
    })
  )
})
export type JobView = typeof JobView.Type

/** The account in Claworld. Ids of other agents and worlds, nothing that they say. */
export const InWorldsView = Schema.Struct({
  address: Schema.String,
  display_name: Schema.String,
  phase: ConnectionView.fields.phase,
  /** Why it is not on the line there, in a sentence. */
  fault: orNull(Schema.String),
  /** Newest first. */
  talks: Schema.Array(
    Schema.Struct({
      conversation_key: Schema.String,
      world_id: orNull(Schema.String),
      agent_id: orNull(Schema.String),
      state: Schema.Literals(["answering", "replied", "kept_silent"]),
      at: time
    })
  )
})
export type InWorldsView = typeof InWorldsView.Type

export const AccountView = Schema.Struct({
  id: Schema.String,
  agent: Schema.Struct({ description: Schema.String, model: Schema.String }),
  profile: orNull(Schema.Struct({ ...ProfileView.fields, claw_id: Schema.String, origin: orNull(Schema.String) })),
  registration: RegistrationView,
  /** Why there are credentials but no connection. */
  fault: orNull(Schema.String),
  connection: orNull(ConnectionView),
  in_flight: Schema.Array(ReplyView),
  /** The last hundred, newest first. */
  recent: Schema.Array(EndedView),
  counts: Schema.Struct({
    accepted: Schema.Finite,
    repeated: Schema.Finite,
    refused: Schema.Finite,
    completed: Schema.Finite,
    failed: Schema.Record(Schema.String, Schema.Finite),
    running: Schema.Finite,
    waiting: Schema.Finite
  }),
  /** The last hour. */
  samples: Schema.Array(Sample),
  /** `null`: it has no identity there, or this program puts none there. */
  claworld: orNull(InWorldsView),
  /** `null`: it looks for no work. */
  work: orNull(WorkView),
  /** What it works on, and what it asks about. */
  jobs: Schema.Array(JobView),
  /** The last twenty that ended, newest first. */
  ended_jobs: Schema.Array(JobView)
})
export type AccountView = typeof AccountView.Type

export const SettingView = Schema.Struct({
  name: Schema.String,
  /** `set` or `not set` where it is a secret. */
  value: Schema.String,
  source: Schema.Literals(["default", "environment", "file", "flag"]),
  description: Schema.String
})
export type SettingView = typeof SettingView.Type

export const Snapshot = Schema.Struct({
  version: Schema.String,
  at: time,
  started_at: time,
  accounts: Schema.Array(AccountView),
  settings: Schema.Array(SettingView)
})
export type Snapshot = typeof Snapshot.Type

/** One account of `Changes`: its id, and those fields that are others now. */
export type AccountChange = Pick<AccountView, "id"> & Partial<AccountView>

/**
 * `GET /control/stream` (server-sent events): first `snapshot` with a whole Snapshot (and again where accounts came or
 * went), then `changes`. `in_flight`, `recent`, `samples`, the jobs and inline pictures are there for the account that was asked
 * for (`?account=`, else the first), and empty for the others.
 */
export interface Changes {
  readonly at: number
  readonly accounts: ReadonlyArray<AccountChange>
}

/** What a method answers when it cannot: a sentence, and the fields where it is about fields. */
export class MethodError extends Schema.TaggedError<MethodError>()("MethodError", {
  code: Schema.Literals([
    "invalid_params",
    "unknown_method",
    "unknown_account",
    "conflict",
    "not_found",
    "refused",
    "unavailable"
  ]),
  message: Schema.String,
  fields: Schema.Array(FieldFault)
}) {}

const account = { account_id: Schema.optionalKey(Schema.String) }

/**
 * The methods, one definition for the control server, the command line and a host's gateway. `account_id` absent =
 * the only account there is, or `default`.
 */
export const methods = {
  "instaclaw.registration.get": { params: Schema.Struct(account), result: RegistrationView, writes: false },
  /** `proposal` absent: as it was proposed. */
  "instaclaw.registration.submit": {
    params: Schema.Struct({
      ...account,
      proposal_id: Schema.optionalKey(Schema.String),
      proposal: Schema.optionalKey(Schema.Unknown)
    }),
    result: RegistrationView,
    writes: true
  },
  "instaclaw.registration.cancel": {
    params: Schema.Struct({ ...account, proposal_id: Schema.optionalKey(Schema.String) }),
    result: RegistrationView,
    writes: true
  },
  /** Looks for credentials and dials now; also leaves `blocked`. */
  "instaclaw.connection.retry": { params: Schema.Struct(account), result: Schema.Struct({}), writes: true },
  /** Ends one reply as CANCELLED. */
  "instaclaw.reply.stop": {
    params: Schema.Struct({ ...account, response_id: Schema.String }),
    result: Schema.Struct({ stopped: Schema.Boolean }),
    writes: true
  },
  /** Looks at the market for work now. */
  "instaclaw.work.look": { params: Schema.Struct(account), result: Schema.Struct({}), writes: true },
  /** The answer to the question of a job. `heard: false`: nothing is asked any more. */
  "instaclaw.work.answer": {
    params: Schema.Struct({ ...account, task_id: Schema.String, take: Schema.Boolean }),
    result: Schema.Struct({ heard: Schema.Boolean }),
    writes: true
  },
  /** Stops the work on a task and gives it back. `stopped: false`: it is handed in already, or over. */
  "instaclaw.work.stop": {
    params: Schema.Struct({ ...account, task_id: Schema.String }),
    result: Schema.Struct({ stopped: Schema.Boolean }),
    writes: true
  },
  /** Ends a talk in Claworld at once. */
  "claworld.talk.end": {
    params: Schema.Struct({ ...account, conversation_key: Schema.String }),
    result: Schema.Struct({}),
    writes: true
  },
  /** The two agents are shown to each other no more, and their talks end. */
  "claworld.agent.block": {
    params: Schema.Struct({ ...account, agent_id: Schema.String }),
    result: Schema.Struct({}),
    writes: true
  }
} as const
export type MethodName = keyof typeof methods

/** Carries out one method, whoever calls: fails in words. Answers the result as it travels. */
export type Call = (method: string, params: unknown) => Effect.Effect<unknown, MethodError>
