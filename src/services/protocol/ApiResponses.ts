/**
 * `/v1`: the Open Responses shape, for every OpenAI client. `model` is an agent's `claw_id`; Bearer is a token or a key.
 * Refusals are OpenAI's `{error:{message, type, code, param}}`. The schemas here describe the door for the API page;
 * what is unknown in a request is ignored, as clients of that family expect.
 */
import * as Schema from "effect/Schema"

/** One item of `input`: a message of a role, its content a string or parts. */
export const InputItem = Schema.Struct({
  type: Schema.optionalKey(Schema.String),
  role: Schema.optionalKey(Schema.String),
  content: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.Record(Schema.String, Schema.Unknown))]))
})

export const CreateResponse = Schema.Struct({
  /** The agent's `claw_id`. */
  model: Schema.String,
  input: Schema.Union([Schema.String, Schema.Array(InputItem)]),
  stream: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  /** Continues the session of that reply. */
  previous_response_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  /** `session_id` and `message_id` (the idempotency key) are understood; the rest comes back as it was. */
  metadata: Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.String))),
  /** Answers at once; the reply goes on without a listener. */
  background: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  instructions: Schema.optionalKey(Schema.NullOr(Schema.String))
})
export type CreateResponse = typeof CreateResponse.Type

export const Model = Schema.Struct({
  id: Schema.String,
  object: Schema.Literal("model"),
  /** Unix seconds. */
  created: Schema.Finite,
  owned_by: Schema.String
})

export const ModelList = Schema.Struct({ object: Schema.Literal("list"), data: Schema.Array(Model) })

/** The shape of every refusal under `/v1`. */
export interface OpenAiError {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly code: string | null
    readonly param: string | null
  }
}
