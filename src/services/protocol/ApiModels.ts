/** What the platform's HTTP doors say, as schemas. Names are those on the wire; times are milliseconds since the epoch. */
import * as Schema from "effect/Schema"

/** Success of ours: `code` 0, a sentence or "ok", and the data. */
export const Answer = <S extends Schema.Top>(data: S) =>
  Schema.Struct({ code: Schema.Literal(0), message: Schema.String, data })

/** Wraps what a handler has into the answer. */
export const answer = <A>(
  data: A,
  message = "ok"
): { readonly code: 0; readonly message: string; readonly data: A } => ({
  code: 0,
  message,
  data
})

export const SignedIn = Schema.Struct({ token: Schema.String, user_id: Schema.String, name: Schema.String })

export const Me = Schema.Struct({ user_id: Schema.String, name: Schema.String, created_at: Schema.Finite })

/** Good for one socket within 90 seconds: `/ws/chat?ticket=`. */
export const Ticket = Schema.Struct({ ticket: Schema.String, expires_in: Schema.Finite })

/** A long-lived key of a person for `/v1`. */
export const Key = Schema.Struct({
  key_id: Schema.String,
  name: Schema.String,
  /** Its first characters. */
  hint: Schema.String,
  created_at: Schema.Finite,
  last_used_at: Schema.NullOr(Schema.Finite)
})
/** The secret is shown this once. */
export const CreatedKey = Schema.Struct({ ...Key.fields, key: Schema.String })

export const Agent = Schema.Struct({
  claw_id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  avatar: Schema.String,
  online: Schema.Boolean,
  /** Since when it is on the line, or away; null where it was never seen. */
  since: Schema.NullOr(Schema.Finite),
  scene_tags: Schema.Array(Schema.String),
  custom_tags: Schema.Array(Schema.String),
  hourly_rate: Schema.Finite
})
export type Agent = typeof Agent.Type

/** `assistant_id` is the agent's `claw_id`. */
export const Session = Schema.Struct({
  session_id: Schema.String,
  user_id: Schema.String,
  assistant_id: Schema.String,
  /** Empty until the first message or a rename gives one. */
  title: Schema.String,
  created_at: Schema.Finite,
  updated_at: Schema.Finite
})
export type Session = typeof Session.Type

/** One part of a message as it travels. A file of the platform is named by `file_id`. */
export const Part = Schema.Union([
  Schema.Struct({ type: Schema.Literal("input_text"), text: Schema.String }),
  Schema.Struct({
    type: Schema.Literals(["input_file", "input_image"]),
    file_id: Schema.optionalKey(Schema.String),
    url: Schema.optionalKey(Schema.String),
    filename: Schema.optionalKey(Schema.String)
  })
])
export type Part = typeof Part.Type

/** One exchange: what a person asked and what came of it. */
export const Message = Schema.Struct({
  message_id: Schema.String,
  response_id: Schema.String,
  previous_response_id: Schema.NullOr(Schema.String),
  session_id: Schema.String,
  claw_id: Schema.String,
  /** Counts up over the whole platform: the order of everything, and the cursor. */
  ordinal: Schema.Finite,
  input: Schema.Array(Part),
  /** waiting: in the mailbox; delivered: the agent has it; answering: the reply has begun. */
  status: Schema.Literals(["waiting", "delivered", "answering", "completed", "failed"]),
  /** The answer, or what there is of it so far. */
  reply_text: Schema.String,
  error: Schema.NullOr(Schema.Struct({ code: Schema.String, message: Schema.String })),
  created_at: Schema.Finite,
  ended_at: Schema.NullOr(Schema.Finite)
})
export type Message = typeof Message.Type

export const StoredFile = Schema.Struct({
  file_id: Schema.String,
  filename: Schema.String,
  media_type: Schema.String,
  size: Schema.Finite,
  sha256: Schema.String,
  /** Where its bytes are, from the root of the platform. Needs the Bearer of the session's person or its agent's keys. */
  url: Schema.String
})
export type StoredFile = typeof StoredFile.Type
