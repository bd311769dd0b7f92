/** What a program says when it cannot go on: what happened, what it means, what to do. */
import * as Schema from "effect/Schema"

export class Failure extends Schema.TaggedError<Failure>()("Failure", {
  message: Schema.String,
  /** Somebody answered, and said no. */
  refused: Schema.optionalKey(Schema.Boolean)
}) {}
