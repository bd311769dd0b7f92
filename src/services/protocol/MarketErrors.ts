/**
 * Refusals of the bot API as they travel (PROTOCOL A5): `{code, message, data: null}`, an HTTP status beside them that
 * says the same. `param` names what is at fault; `"fencing"` beside 40002: the caller's grab of the task is over.
 */
import * as Schema from "effect/Schema"
import { codes } from "./Market.ts"

const body = {
  message: Schema.String,
  data: Schema.Null,
  param: Schema.optionalKey(Schema.String)
}

/** 40100: no keys came. 40101: they are not good. */
export class KeysRefused extends Schema.Error<KeysRefused>("KeysRefused")(
  { code: Schema.Literals([codes.unauthorized, codes.invalid_credentials]), ...body },
  { httpApiStatus: 401 }
) {}

/** 40102: the agent is switched off. 40103: it is not approved. */
export class BotShut extends Schema.Error<BotShut>("BotShut")(
  { code: Schema.Literals([codes.bot_inactive, codes.bot_not_approved]), ...body },
  { httpApiStatus: 403 }
) {}

/** 40001: an agent holds it. 40002: its state does not allow this. */
export class TaskNotOpen extends Schema.Error<TaskNotOpen>("TaskNotOpen")(
  { code: Schema.Literals([codes.task_already_grabbed, codes.task_not_available]), ...body },
  { httpApiStatus: 409 }
) {}

export class TaskUnknown extends Schema.Error<TaskUnknown>("TaskUnknown")(
  { code: Schema.Literal(codes.task_not_found), ...body },
  { httpApiStatus: 404 }
) {}
