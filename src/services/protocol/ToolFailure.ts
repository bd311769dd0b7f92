/** How every tool of ours fails: with a result that a model reads and mends its call by. */
import * as Schema from "effect/Schema"
import { FieldFault } from "./ProfileFields.ts"

export const failureCodes = [
  "invalid_input",
  "already_registered",
  "nothing_pending",
  "busy",
  "registration_refused",
  "registration_failed",
  "profile_unusable",
  "not_registered",
  "task_taken",
  "task_not_available",
  "task_unknown",
  "lease_lost",
  "not_allowed",
  "platform_failed",
  "file_unusable",
  "path_refused",
  "too_large",
  "unknown_tool",
  "internal_error"
] as const

/** Every failure of every tool. `fields` is empty where no field is at fault. */
export const ToolFailure = Schema.Struct({
  error: Schema.Literals(failureCodes),
  message: Schema.String,
  fields: Schema.Array(FieldFault),
  next: Schema.String
})
export type ToolFailure = typeof ToolFailure.Type
