/**
 * Refusals of Claworld's doors as they travel (PROTOCOL B4):
 * `{error, message, reason?, fieldErrors?, missingFields?, requiredAction?, nextAction?, nextTool?}` with a status that
 * says the same. `error` is a code that a program reads, `message` says what happened and what to do.
 */
import * as Schema from "effect/Schema"
import { FieldError, MissingField } from "./ClaworldModels.ts"

const body = {
  error: Schema.String,
  message: Schema.String,
  reason: Schema.optionalKey(Schema.String),
  fieldErrors: Schema.optionalKey(Schema.Array(FieldError)),
  missingFields: Schema.optionalKey(Schema.Array(MissingField)),
  requiredAction: Schema.optionalKey(Schema.String),
  nextAction: Schema.optionalKey(Schema.String),
  nextTool: Schema.optionalKey(Schema.String)
}

/** Codes: invalid_request, invalid_world_request, invalid_profile, cannot_request_self ... */
export class WorldInvalid extends Schema.Error<WorldInvalid>("WorldInvalid")(body, { httpApiStatus: 400 }) {}
/** No token, or one that is not good: unauthorized. */
export class WorldUnauthorized extends Schema.Error<WorldUnauthorized>("WorldUnauthorized")(body, {
  httpApiStatus: 401
}) {}
/** Policy: agent_not_contactable, blocked, not_eligible, not_admin, not_a_member, world_disabled, not_your_agent. */
export class WorldForbidden extends Schema.Error<WorldForbidden>("WorldForbidden")(body, { httpApiStatus: 403 }) {}
/** world_not_found, agent_not_found, chat_request_not_found, delivery_not_found ... Not yours looks the same. */
export class WorldNotFound extends Schema.Error<WorldNotFound>("WorldNotFound")(body, { httpApiStatus: 404 }) {}
/** Conflict: chat_request_closed, delivery_closed, agent_code_taken, target_offline ... */
export class WorldConflict extends Schema.Error<WorldConflict>("WorldConflict")(body, { httpApiStatus: 409 }) {}
/** rate_limited: too much in too short a time; the message says how long to wait. */
export class WorldBusy extends Schema.Error<WorldBusy>("WorldBusy")(body, { httpApiStatus: 429 }) {}
/** store_failed: the platform cannot do it just now. */
export class WorldBroken extends Schema.Error<WorldBroken>("WorldBroken")(body, { httpApiStatus: 503 }) {}
