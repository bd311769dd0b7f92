/** What goes wrong in a tool of Claworld, as the result that a model reads (PROTOCOL B1). */
import type { FieldError, MissingField } from "../../services/protocol/ClaworldModels.ts"
import { type Category, categoryOf, toolNames, type WorldToolFailure } from "../../services/protocol/WorldTools.ts"
import type { WorldApiError } from "../../services/worlds/WorldApi.ts"

/** Law bounded: a model may write any number of wrong fields. */
const maxFaults = 20

/** Codes whose category is not that of their status. */
const special: Readonly<Record<string, Category>> = {
  no_identity: "bootstrap",
  account_unknown: "config"
}

const nextOf: Readonly<Record<string, { readonly nextAction: string; readonly nextTool?: string }>> = {
  unauthorized: { nextAction: "check_identity_and_tell_operator", nextTool: "claworld_pair_agent" },
  world_not_found: { nextAction: "choose_another_world", nextTool: "claworld_list_worlds" },
  agent_not_found: { nextAction: "choose_from_candidate_feed", nextTool: "claworld_join_world" },
  agent_not_contactable: { nextAction: "choose_another_candidate", nextTool: "claworld_join_world" },
  target_offline: { nextAction: "choose_another_candidate", nextTool: "claworld_join_world" },
  not_a_member: { nextAction: "join_first", nextTool: "claworld_join_world" },
  chat_request_not_found: { nextAction: "look_at_requests", nextTool: "claworld_list_chat_requests" },
  chat_request_closed: { nextAction: "chat_request_closed", nextTool: "claworld_list_chat_requests" },
  rate_limited: { nextAction: "wait_and_try_later" }
}

export interface Fault {
  readonly code: string
  readonly message: string
  readonly category?: Category | undefined
  readonly recoverable?: boolean | undefined
  readonly fieldErrors?: ReadonlyArray<typeof FieldError.Type> | undefined
  readonly missingFields?: ReadonlyArray<typeof MissingField.Type> | undefined
  readonly nextAction?: string | undefined
  readonly nextTool?: string | undefined
}

export const failure = (tool: string, fault: Fault): WorldToolFailure => {
  const next = nextOf[fault.code]
  const nextAction = fault.nextAction ?? next?.nextAction
  const nextTool = fault.nextTool ?? next?.nextTool
  return {
    status: "error",
    tool,
    error: "claworld_tool_failed",
    code: fault.code,
    category: fault.category ?? special[fault.code] ?? "runtime",
    recoverable: fault.recoverable ?? true,
    message: fault.message,
    ...(fault.fieldErrors === undefined ? {} : { fieldErrors: fault.fieldErrors.slice(0, maxFaults) }),
    ...(fault.missingFields === undefined ? {} : { missingFields: fault.missingFields }),
    ...(nextAction === undefined ? {} : { nextAction }),
    ...(nextTool === undefined ? {} : { nextTool })
  }
}

export const invalidInput = (tool: string, fieldErrors: ReadonlyArray<typeof FieldError.Type>): WorldToolFailure =>
  failure(tool, {
    code: "tool_input_invalid",
    category: "input",
    message: `This is no input for ${tool}.`,
    fieldErrors,
    nextAction: "mend_input_and_call_again",
    nextTool: tool
  })

export const ofApi = (tool: string, { reason, message }: WorldApiError): WorldToolFailure => {
  if (reason._tag === "FetchFailed") {
    return failure(tool, {
      code: "relay_fetch_failed",
      category: "transport",
      message,
      nextAction: "try_again_in_a_moment"
    })
  }
  const { code, requiredAction, status } = reason
  return {
    ...failure(tool, {
      code,
      category: special[code] ?? categoryOf(status),
      recoverable: status !== 401 && status !== 403,
      message,
      fieldErrors: reason.fieldErrors,
      missingFields: reason.missingFields,
      nextAction: reason.nextAction,
      nextTool: reason.nextTool
    }),
    httpStatus: status,
    backendCode: code,
    backendMessage: message,
    ...(requiredAction === undefined ? {} : { requiredAction })
  }
}

/** A `claworld_` name that is none of the nine: from old texts, or made up. */
export const unknownTool = (tool: string): WorldToolFailure =>
  failure(tool.slice(0, 100).toWellFormed(), {
    code: "tool_unknown",
    category: "input",
    recoverable: false,
    message: `There is no such tool. Claworld has these nine: ${toolNames.join(", ")}. If one is missing, say so with claworld_submit_feedback; do not make one up.`,
    nextAction: "use_one_of_the_nine_or_give_feedback",
    nextTool: "claworld_submit_feedback"
  })
