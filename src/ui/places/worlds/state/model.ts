/** Claworld from the wire. Total: what is not understood is left out or empty. Times in ms. */
import type { EntryField, EntrySchema, FieldConstraints } from "../../../../services/protocol/EntryProfile.ts"
import { fieldTypes } from "../../../../services/protocol/EntryProfile.ts"
import {
  bounds,
  conversationStatuses,
  endReasons,
  raiseHandModes,
  requestStatuses,
  searchModes,
  silenceReasons
} from "../../../../services/protocol/Worlds.ts"
import { list, maybeText, number, one, record, text, texts } from "../../../lib/wire.ts"

const count = (value: unknown): number => number(value) ?? 0

export const itemsOf = <A>(data: unknown, read: (value: unknown) => A, key = "items"): ReadonlyArray<A> =>
  list(record(data)[key]).map(read)
export const nextOf = (data: unknown): string | undefined => maybeText(record(data)["next"])

export const readAgent = (value: unknown) => {
  const agent = record(value)
  return {
    id: text(agent["agentId"]),
    name: text(agent["displayName"]),
    address: text(agent["address"]),
    discoverable: agent["discoverable"] === true,
    contactable: agent["contactable"] === true,
    online: agent["online"] === true,
    isOwned: typeof agent["ownerId"] === "string"
  }
}
export type Agent = ReturnType<typeof readAgent>

/** Of a new agent, or with a new token. */
export const readActivated = (value: unknown) => {
  const made = record(value)
  return {
    id: text(made["agentId"]),
    code: text(made["agentCode"]),
    address: text(made["address"]),
    token: text(made["appToken"])
  }
}
export type Activated = ReturnType<typeof readActivated>

const readWorldRow = (value: unknown) => {
  const world = record(value)
  return {
    id: text(world["worldId"]),
    name: text(world["displayName"]),
    summary: text(world["summary"]),
    category: text(world["category"]),
    members: count(world["memberCount"]),
    online: count(world["onlineCount"])
  }
}
export type WorldRow = ReturnType<typeof readWorldRow>

export const readWorldPage = (value: unknown) => {
  const pagination = record(record(value)["pagination"])
  return {
    worlds: itemsOf(value, readWorldRow, "worlds"),
    page: count(pagination["page"]),
    pages: count(pagination["totalPages"])
  }
}

const readConstraints = (value: unknown): FieldConstraints => {
  const given = record(value)
  return {
    minLength: number(given["minLength"]),
    maxLength: number(given["maxLength"]),
    minimum: number(given["minimum"]),
    maximum: number(given["maximum"]),
    maxItems: number(given["maxItems"]),
    choices: Array.isArray(given["choices"]) ? texts(given["choices"]) : undefined
  }
}

const readField = (value: unknown): EntryField => {
  const field = record(value)
  return {
    fieldId: text(field["fieldId"]),
    label: text(field["label"]),
    type: one(field["type"], fieldTypes) ?? "text",
    required: field["required"] === true,
    description: text(field["description"]),
    examples: texts(field["examples"]),
    constraints: readConstraints(field["constraints"])
  }
}

const readSchema = (value: unknown): EntrySchema => ({ fields: itemsOf(value, readField, "fields") })

const readPolicy = (value: unknown) => {
  const policy = record(value)
  return {
    maxTurns: number(policy["maxTurns"]) ?? bounds.maxTurns.default,
    turnTimeout: number(policy["turnTimeoutMs"]) ?? bounds.turnTimeout.default,
    hands: one(record(policy["raiseHandPolicy"])["mode"], raiseHandModes) ?? "dual_raise_hand"
  }
}

export const readWorld = (value: unknown) => {
  const world = record(value)
  const template = record(world["conversationTemplate"])
  return {
    ...readWorldRow(value),
    description: text(world["description"]),
    rules: text(world["interactionRules"]),
    prohibited: text(world["prohibitedRules"]),
    schema: readSchema(world["entryProfileSchema"]),
    requires: record(world["eligibility"])["requires"] === "owned" ? ("owned" as const) : ("none" as const),
    searchMode: one(record(world["searchSchema"])["mode"], searchModes) ?? "profile_overlap_search",
    opening: text(template["openingText"]),
    policy: readPolicy(template),
    admins: texts(world["adminAgentIds"]),
    isEnabled: world["isEnabled"] !== false
  }
}
export type World = ReturnType<typeof readWorld>

export const readMembership = (value: unknown) => {
  const membership = record(value)
  return {
    worldId: text(membership["worldId"]),
    name: text(membership["displayName"]),
    isEnabled: membership["isEnabled"] !== false,
    isAdmin: membership["isAdmin"] === true,
    isMember: typeof membership["joinedAt"] === "number",
    profile: record(membership["profile"])
  }
}
export type Membership = ReturnType<typeof readMembership>

const readMember = (value: unknown) => {
  const member = record(value)
  return {
    id: text(member["agentId"]),
    name: text(member["displayName"]),
    isAdmin: member["worldRole"] === "admin",
    online: member["online"] === true,
    headline: text(member["headline"])
  }
}
export type Member = ReturnType<typeof readMember>

export const readMembers = (value: unknown) => {
  const pagination = record(record(value)["pagination"])
  return {
    items: itemsOf(value, readMember),
    total: count(pagination["totalCount"]),
    pages: count(pagination["totalPages"])
  }
}

export const readCandidate = (value: unknown) => {
  const candidate = record(value)
  return {
    id: text(candidate["targetAgentId"]),
    name: text(candidate["displayName"]),
    headline: text(candidate["headline"]),
    score: Math.min(100, Math.max(0, count(candidate["score"]))),
    matched: texts(candidate["matchedFieldIds"]),
    summary: text(candidate["profileSummary"])
  }
}
export type Candidate = ReturnType<typeof readCandidate>

const readOther = (value: unknown) => {
  const other = record(value)
  return {
    id: text(other["agentId"]),
    name: text(other["displayName"]),
    address: text(other["address"]),
    online: other["online"] === true
  }
}

export const readTalk = (value: unknown) => {
  const talk = record(value)
  return {
    key: text(talk["conversationKey"]),
    requestId: text(talk["chatRequestId"]),
    worldId: maybeText(talk["worldId"]),
    status: one(talk["status"], conversationStatuses) ?? "ended",
    requester: text(talk["requesterAgentId"]),
    peer: text(talk["peerAgentId"]),
    turn: count(talk["turn"]),
    policy: readPolicy(talk["policy"]),
    speaker: maybeText(talk["speakerAgentId"]),
    hands: texts(talk["hands"]),
    endReason: one(talk["endReason"], endReasons),
    startedAt: count(talk["startedAt"]),
    updatedAt: count(talk["updatedAt"])
  }
}
export type Talk = ReturnType<typeof readTalk>

export const readRequest = (value: unknown) => {
  const request = record(value)
  const { conversation } = request
  return {
    id: text(request["chatRequestId"]),
    status: one(request["status"], requestStatuses) ?? "expired",
    isInbound: request["direction"] === "inbound",
    opening: maybeText(request["openingMessage"]),
    other: readOther(request["counterparty"]),
    talk: typeof conversation === "object" && conversation !== null ? readTalk(conversation) : undefined,
    worldId: maybeText(record(request["origin"])["worldId"]),
    createdAt: count(request["createdAt"]),
    expiresAt: count(request["expiresAt"])
  }
}
export type Request = ReturnType<typeof readRequest>

/** What a call that asks or decides gives back. */
export const readDecided = (value: unknown): Request => readRequest(record(value)["chatRequest"])

const readTurn = (value: unknown) => {
  const turn = record(value)
  return {
    turn: count(turn["turn"]),
    from: text(turn["fromAgentId"]),
    text: text(turn["text"]),
    raisedHand: turn["raisedHand"] === true,
    silence: one(turn["silence"], silenceReasons),
    at: count(turn["at"])
  }
}
export type Turn = ReturnType<typeof readTurn>

export const readTranscript = (value: unknown) => ({
  talk: readTalk(record(value)["conversation"]),
  other: readOther(record(value)["counterparty"]),
  turns: itemsOf(value, readTurn, "turns")
})
export type Transcript = ReturnType<typeof readTranscript>

export const readBlocked = (value: unknown) => {
  const blocked = record(value)
  return { id: text(blocked["agentId"]), name: text(blocked["displayName"]), address: text(blocked["address"]) }
}

/** joined, or what is still missing or wrong. */
export const readOutcome = (value: unknown) => {
  const outcome = record(value)
  const faults = [...list(outcome["fieldErrors"]), ...list(outcome["missingFields"])].map((each) => ({
    field: text(record(each)["fieldId"]),
    message: text(record(each)["message"])
  }))
  return { isJoined: outcome["status"] === "joined", message: text(outcome["message"]), faults }
}
