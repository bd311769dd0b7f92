/**
 * What an agent says by itself, as it travels: `POST /bots/messages` and `GET /bots/people`, with the agent's keys. Ours:
 * the family's protocol knows answers alone. Times are milliseconds since the epoch.
 */
import * as Schema from "effect/Schema"

/** One of `session_id` and `user_id`. */
export const Say = Schema.Struct({
  session_id: Schema.optionalKey(Schema.String),
  user_id: Schema.optionalKey(Schema.String),
  text: Schema.String
})
export type Say = typeof Say.Type

export const Said = Schema.Struct({
  message_id: Schema.String,
  response_id: Schema.String,
  session_id: Schema.String,
  user_id: Schema.String,
  created_at: Schema.Finite
})
export type Said = typeof Said.Type

/** `session_id`: the conversation that was used last. */
export const Correspondent = Schema.Struct({
  user_id: Schema.String,
  name: Schema.String,
  session_id: Schema.String,
  title: Schema.String,
  updated_at: Schema.Finite
})
export type Correspondent = typeof Correspondent.Type
