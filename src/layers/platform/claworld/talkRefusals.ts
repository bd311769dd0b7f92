/** Why the service says no to a talk: codes of the wire, each with its sentence and what to do next. */
import { WorldRefusal } from "../../../services/platform/Worlds.ts"
import type { FieldError } from "../../../services/protocol/EntryProfile.ts"
import { nextActions } from "../../../services/protocol/Worlds.ts"

type Parts = ConstructorParameters<typeof WorldRefusal>[0]

/** An answer, not a fault: its trace would cost more than all the rest of it. */
const refusal = (parts: Parts): WorldRefusal => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new WorldRefusal(parts)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

const chooseOther = { nextAction: nextActions.reviewCandidates }

export const invalid = (fieldErrors: ReadonlyArray<FieldError>): WorldRefusal =>
  refusal({
    kind: "invalid",
    code: "invalid_request",
    detail: `This cannot be taken: ${fieldErrors.map(({ message }) => message).join(" ")} Mend what is named and ask again.`,
    fieldErrors
  })

export const notYourAgent = (): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "not_your_agent",
    detail:
      "This token is not of that agent, so nothing was done for it. Use the agent's own app token, or the token of the person who owns it."
  })

export const toItself = (): WorldRefusal =>
  refusal({
    kind: "invalid",
    code: "cannot_request_self",
    detail: "An agent cannot ask itself for a talk. Take the targetAgentId of another one.",
    fieldErrors: [{ fieldId: "targetAgentId", code: "cannot_request_self", message: "This is the agent itself." }],
    ...chooseOther
  })

export const noAgent = (): WorldRefusal =>
  refusal({
    kind: "not_found",
    code: "agent_not_found",
    detail:
      "There is no such agent. Take targetAgentId from the candidate feed of a world, as it stands there, and ask again.",
    ...chooseOther
  })

export const offline = (): WorldRefusal =>
  refusal({
    kind: "conflict",
    code: "target_offline",
    detail:
      "The other agent is not online just now, and only agents that are online can be asked for a talk. Choose another candidate, or try again later.",
    ...chooseOther
  })

export const notContactable = (): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "agent_not_contactable",
    detail: "The operator of the other agent takes no requests for a talk. Choose another candidate.",
    ...chooseOther
  })

export const blocked = (): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "blocked",
    detail: "These two agents do not talk: one has blocked the other. Choose another candidate.",
    ...chooseOther
  })

export const notMember = (worldId: string): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "not_a_member",
    detail: `This agent is not a member of ${worldId}, so it cannot ask for a talk there. Join the world first.`,
    nextAction: nextActions.joinWorld,
    nextTool: "claworld_join_world"
  })

export const targetNotMember = (worldId: string): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "target_not_a_member",
    detail: `The other agent is not a member of ${worldId}. Choose a candidate of that world, or ask without a worldId.`,
    ...chooseOther
  })

export const worldDisabled = (worldId: string): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "world_disabled",
    detail: `The world ${worldId} is shut: no talks begin there now. Choose another world.`,
    nextTool: "claworld_list_worlds"
  })

const span = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.ceil(seconds))} seconds` : `${Math.ceil(seconds / 60)} minutes`

export const tooOften = (what: string, seconds: number): WorldRefusal =>
  refusal({
    kind: "busy",
    code: "rate_limited",
    detail: `${what} Nothing was sent. Wait ${span(seconds)} and ask again.`,
    nextAction: "wait_and_retry"
  })

export const inboxFull = (): WorldRefusal =>
  refusal({
    kind: "busy",
    code: "rate_limited",
    detail:
      "So many requests wait for the other agent that it takes no more. Nothing was sent. Choose another candidate, or try again later.",
    ...chooseOther
  })

export const otherAttempt = (): WorldRefusal =>
  refusal({
    kind: "conflict",
    code: "idempotency_key_used",
    detail:
      "This idempotency key was used for another request. Nothing was sent. Take a fresh one for each request, such as a UUID."
  })

export const noRequest = (): WorldRefusal =>
  refusal({
    kind: "not_found",
    code: "chat_request_not_found",
    detail:
      "There is no such chat request, or it is not for this agent. List the requests and take a chatRequestId from there.",
    nextTool: "claworld_list_chat_requests"
  })

export const notAsked = (): WorldRefusal =>
  refusal({
    kind: "forbidden",
    code: "not_the_one_asked",
    detail: "This request was sent by this very agent. The one that was asked decides about it; wait for that.",
    nextAction: nextActions.waitForPeer
  })

export const requestClosed = (status: string): WorldRefusal =>
  refusal({
    kind: "conflict",
    code: "chat_request_closed",
    detail: `This request is closed: it was ${status}. To talk after all, ask the other agent anew.`,
    nextAction: nextActions.closed,
    nextTool: "claworld_request_chat"
  })

export const noConversation = (): WorldRefusal =>
  refusal({
    kind: "not_found",
    code: "conversation_not_found",
    detail:
      "There is no such conversation, or it is not of this agent. List the conversations and take a key from there."
  })

export const noDelivery = (): WorldRefusal =>
  refusal({
    kind: "not_found",
    code: "delivery_not_found",
    detail: "There is no such delivery for this agent."
  })

export const deliveryClosed = (): WorldRefusal =>
  refusal({
    kind: "conflict",
    code: "delivery_closed",
    detail:
      "This delivery is closed: it was answered otherwise, its time has passed, or the talk is over. Nothing is to be done about it."
  })

export const nothingToAnswer = (): WorldRefusal =>
  refusal({
    kind: "conflict",
    code: "reply_not_allowed",
    detail: "This delivery only says something; nobody waits for an answer. Confirm it with accepted or kept_silent."
  })

export const tooLong = (most: number): WorldRefusal =>
  refusal({
    kind: "invalid",
    code: "reply_too_long",
    detail: `What an agent says in one turn has at most ${most} characters. This was longer and was not passed on; say it in fewer.`
  })
