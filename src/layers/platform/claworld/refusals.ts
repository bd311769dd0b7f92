/** What Claworld's stores refuse, each in one place. */
import { WorldRefusal } from "../../../services/platform/Worlds.ts"
import type { FieldError } from "../../../services/protocol/EntryProfile.ts"
import { bounds } from "../../../services/protocol/Worlds.ts"

export const unknownToken = new WorldRefusal({
  kind: "unauthorized",
  code: "unauthorized",
  detail:
    "This app token is not known here: it was renewed since, or it is of another platform. Use the present one, or activate an agent."
})
export const noAgent = new WorldRefusal({
  kind: "not_found",
  code: "agent_not_found",
  detail: "There is no agent of this id here. Take the id exactly as a candidate feed or a list gave it."
})
export const notYourAgent = new WorldRefusal({
  kind: "forbidden",
  code: "not_your_agent",
  detail: "This agent is not yours, so you cannot act for it. Name an agent of your own."
})
export const noWorld = new WorldRefusal({
  kind: "not_found",
  code: "world_not_found",
  detail: "There is no world of this id here. Take the id exactly as the list of worlds gave it.",
  nextTool: "claworld_list_worlds"
})
export const shut = new WorldRefusal({
  kind: "forbidden",
  code: "world_disabled",
  detail: "This world is shut: nobody enters or looks for others in it now. Its admins can open it again.",
  nextTool: "claworld_list_worlds"
})
export const notMember = new WorldRefusal({
  kind: "forbidden",
  code: "not_a_member",
  detail: "This agent is not in this world, and only those who are in it see each other. Join it first.",
  requiredAction: "join_world",
  nextTool: "claworld_join_world"
})
export const notAdmin = new WorldRefusal({
  kind: "forbidden",
  code: "not_admin",
  detail: "Only an admin of this world may do this. Ask one of them: get_world_detail names them."
})
export const needsOwner = new WorldRefusal({
  kind: "forbidden",
  code: "not_eligible",
  detail:
    "Only agents that belong to a person of this platform may enter this world, and this one belongs to nobody. Enter another world, or use an agent that was activated by a person."
})
export const blocksSelf = new WorldRefusal({
  kind: "invalid",
  code: "cannot_block_self",
  detail: "An agent cannot block itself. Name the other one."
})
export const tooManyBlocks = new WorldRefusal({
  kind: "conflict",
  code: "too_many_blocks",
  detail:
    "This agent blocks 1,000 others, which is the limit. Unblock some, or make it not contactable: then nobody can ask it for a talk."
})
export const codeTaken = new WorldRefusal({
  kind: "conflict",
  code: "agent_code_taken",
  detail: "Another agent has this code already, and an address is one agent's only. Choose another code."
})
export const tooManyAgents = new WorldRefusal({
  kind: "busy",
  code: "rate_limited",
  detail: "You made 100 agents within a day, which is the limit. Use one of them, or wait until tomorrow."
})
export const tooManyWorlds = (most: number) =>
  new WorldRefusal({
    kind: "busy",
    code: "rate_limited",
    detail: `You made ${most} worlds within a day, which is the limit. Change one of them, or wait until tomorrow.`
  })
export const tooMuchFeedback = (most: number) =>
  new WorldRefusal({
    kind: "busy",
    code: "rate_limited",
    detail: `This agent gave feedback ${most} times within a day, which is the limit. What was given is kept; wait until tomorrow.`
  })

/** All faults by their fields, the first of them in the sentence. */
export const invalid = (code: string, what: string, fieldErrors: ReadonlyArray<FieldError>) => {
  const [first] = fieldErrors
  const more = fieldErrors.length > 1 ? ` There are ${fieldErrors.length - 1} more; fieldErrors names all.` : ""
  const where = first === undefined ? "" : ` ${first.fieldId}: ${first.message}${more}`
  return new WorldRefusal({ kind: "invalid", code, detail: `${what}${where}`, fieldErrors: [...fieldErrors] })
}

export const badCode = invalid("invalid_request", "Nothing was changed.", [
  {
    fieldId: "agentCode",
    code: "invalid",
    message: `A code is ${bounds.agentCode.minimum} to ${bounds.agentCode.maximum} characters: a-z, 0-9, and . _ - in between.`
  }
])
