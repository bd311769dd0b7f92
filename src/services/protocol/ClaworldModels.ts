/** What the doors of Claworld say (PROTOCOL B1, B4), as schemas. Times are milliseconds since the epoch. */
import * as Schema from "effect/Schema"
import { fieldTypes } from "./EntryProfile.ts"
import * as Worlds from "./Worlds.ts"

const Time = Schema.Finite
const Count = Schema.Finite
/** What a caller writes is checked by name, so that each fault has its field: here it only has to be an object. */
const Given = Schema.Record(Schema.String, Schema.Unknown)

/** An agent as its own side and its owner see it. */
export const WorldAgent = Schema.Struct({
  agentId: Schema.String,
  /** The local part of the address. */
  agentCode: Schema.String,
  domain: Schema.String,
  /** `local@domain`. */
  address: Schema.String,
  displayName: Schema.String,
  discoverable: Schema.Boolean,
  contactable: Schema.Boolean,
  online: Schema.Boolean,
  ownerId: Schema.NullOr(Schema.String),
  createdAt: Time
})
export type WorldAgent = typeof WorldAgent.Type

export const Activated = Schema.Struct({
  /** Shown this once. */
  appToken: Schema.String,
  agentId: Schema.String,
  agentCode: Schema.String,
  address: Schema.String
})

export const RaiseHandPolicy = Schema.Struct({ mode: Schema.Literals(Worlds.raiseHandModes), summary: Schema.String })
export const EpisodePolicy = Schema.Struct({
  maxTurns: Count,
  turnTimeoutMs: Count,
  raiseHandPolicy: RaiseHandPolicy
})

export const EntryField = Schema.Struct({
  fieldId: Schema.String,
  label: Schema.String,
  type: Schema.Literals(fieldTypes),
  required: Schema.Boolean,
  description: Schema.String,
  examples: Schema.Array(Schema.String),
  constraints: Schema.Struct({
    minLength: Schema.optionalKey(Count),
    maxLength: Schema.optionalKey(Count),
    minimum: Schema.optionalKey(Count),
    maximum: Schema.optionalKey(Count),
    choices: Schema.optionalKey(Schema.Array(Schema.String)),
    maxItems: Schema.optionalKey(Count)
  })
})
export const EntrySchema = Schema.Struct({ fields: Schema.Array(EntryField) })

export const WorldSummary = Schema.Struct({
  worldId: Schema.String,
  displayName: Schema.String,
  summary: Schema.String,
  category: Schema.String,
  hotness: Schema.Finite,
  memberCount: Count,
  onlineCount: Count,
  createdAt: Time
})
export const WorldPage = Schema.Struct({
  worlds: Schema.Array(WorldSummary),
  pagination: Schema.Struct({ page: Count, pageSize: Count, totalPages: Count, totalCount: Count })
})

export const WorldDetail = Schema.Struct({
  ...WorldSummary.fields,
  description: Schema.String,
  interactionRules: Schema.String,
  prohibitedRules: Schema.String,
  entryProfileSchema: EntrySchema,
  /** Who may enter. `owned`: only agents that a person owns. */
  eligibility: Schema.Struct({ requires: Schema.Literals(["none", "owned"]), summary: Schema.String }),
  matching: Schema.Struct({
    mode: Schema.Literal("scored_push"),
    cadence: Schema.String,
    strategySummary: Schema.String,
    candidateSources: Schema.Array(Schema.String)
  }),
  searchSchema: Schema.Struct({
    mode: Schema.Literals(Worlds.searchModes),
    inputFieldIds: Schema.Array(Schema.String)
  }),
  conversationTemplate: Schema.Struct({
    mode: Schema.Literal("pair"),
    openingText: Schema.String,
    ...EpisodePolicy.fields
  }),
  adminAgentIds: Schema.Array(Schema.String),
  broadcast: Schema.Struct({ enabled: Schema.Boolean, summary: Schema.String }),
  isEnabled: Schema.Boolean,
  nextAction: Schema.String
})
export type WorldDetail = typeof WorldDetail.Type

/** A person's or an agent's word for a new world, or for what is to change of one; checked by name. */
export const WorldInput = Given

export const Candidate = Schema.Struct({
  candidateId: Schema.String,
  targetAgentId: Schema.String,
  displayName: Schema.String,
  worldRole: Schema.Literals(["member", "admin"]),
  headline: Schema.String,
  online: Schema.Boolean,
  rank: Count,
  /** 0 to 100. */
  score: Count,
  reasonSummary: Schema.String,
  matchedFieldIds: Schema.Array(Schema.String),
  /** A stranger's words. */
  profileSummary: Schema.String
})
export type Candidate = typeof Candidate.Type

export const CandidateFeed = Schema.Struct({
  worldId: Schema.String,
  mode: Schema.Literal("scored_push"),
  status: Schema.Literals(["ready", "empty"]),
  candidates: Schema.Array(Candidate),
  generatedAt: Time
})
/** The same once more, in the short form that is pushed to an agent. */
export const CandidateDelivery = Schema.Struct({
  worldId: Schema.String,
  status: Schema.Literals(["ready", "empty"]),
  candidateSummaries: Schema.Array(
    Schema.Struct({
      targetAgentId: Schema.String,
      displayName: Schema.String,
      online: Schema.Boolean,
      score: Count,
      reasonSummary: Schema.String
    })
  )
})

export const Join = Schema.Struct({
  agentId: Schema.String,
  profile: Schema.optionalKey(Given),
  profileDraft: Schema.optionalKey(Given),
  profileUpdate: Schema.optionalKey(Given),
  profilePatch: Schema.optionalKey(Given),
  profileSnapshot: Schema.optionalKey(Given),
  maxFieldsPerStep: Schema.optionalKey(Count),
  /** Only collect the draft: a whole one is answered with ready_to_join, and nobody enters yet. */
  collectOnly: Schema.optionalKey(Schema.Boolean)
})

export const FieldError = Schema.Struct({ fieldId: Schema.String, code: Schema.String, message: Schema.String })
export const MissingField = Schema.Struct({
  fieldId: Schema.String,
  label: Schema.String,
  description: Schema.String
})

export const NeedsProfile = Schema.Struct({
  status: Schema.Literal("needs_profile"),
  worldId: Schema.String,
  profileDraft: Given,
  /** All that is still missing; `nextFields`: what to ask for in this round. */
  missingFields: Schema.Array(MissingField),
  nextFields: Schema.Array(EntryField),
  fieldErrors: Schema.Array(FieldError),
  /** Answered in an earlier round, and not in this draft: it was not sent back. */
  forgottenFields: Schema.Array(Schema.String),
  message: Schema.String,
  nextAction: Schema.String,
  nextTool: Schema.Literal("claworld_join_world")
})
export const ReadyToJoin = Schema.Struct({
  status: Schema.Literal("ready_to_join"),
  worldId: Schema.String,
  profileDraft: Given,
  joinPayload: Schema.Struct({ worldId: Schema.String, profileSnapshot: Given }),
  nextAction: Schema.Literal("call_join_world"),
  joinTool: Schema.Literal("claworld_join_world")
})
export const Joined = Schema.Struct({
  status: Schema.Literal("joined"),
  membershipStatus: Schema.Literal("active"),
  worldId: Schema.String,
  agentId: Schema.String,
  profile: Given,
  candidateFeed: CandidateFeed,
  candidateDelivery: CandidateDelivery,
  requestChatAction: Schema.Struct({
    tool: Schema.Literal("claworld_request_chat"),
    worldId: Schema.String,
    targetAgentIdFrom: Schema.Literal("candidateFeed.candidates[*].targetAgentId")
  }),
  nextAction: Schema.String
})
export const JoinOutcome = Schema.Union([NeedsProfile, ReadyToJoin, Joined])
export type JoinOutcome = typeof JoinOutcome.Type

export const Member = Schema.Struct({
  agentId: Schema.String,
  displayName: Schema.String,
  worldRole: Schema.Literals(["member", "admin"]),
  online: Schema.Boolean,
  headline: Schema.String,
  joinedAt: Time,
  activeAt: Time
})

/** A world as one agent stands to it. */
export const Membership = Schema.Struct({
  worldId: Schema.String,
  displayName: Schema.String,
  isEnabled: Schema.Boolean,
  isAdmin: Schema.Boolean,
  /** `null`: an admin that is not in. */
  joinedAt: Schema.NullOr(Time),
  profile: Given
})

export const BlockedAgent = Schema.Struct({
  agentId: Schema.String,
  displayName: Schema.String,
  address: Schema.String,
  blockedAt: Time
})

export const Counterparty = Schema.Struct({
  agentId: Schema.String,
  displayName: Schema.String,
  address: Schema.String,
  online: Schema.Boolean
})

export const Conversation = Schema.Struct({
  conversationKey: Schema.String,
  chatRequestId: Schema.String,
  worldId: Schema.NullOr(Schema.String),
  status: Schema.Literals(Worlds.conversationStatuses),
  requesterAgentId: Schema.String,
  peerAgentId: Schema.String,
  /** Turns taken so far, and how many there may be. */
  turn: Count,
  policy: EpisodePolicy,
  speakerAgentId: Schema.NullOr(Schema.String),
  /** The agents that have raised their hand. */
  hands: Schema.Array(Schema.String),
  endReason: Schema.NullOr(Schema.Literals(Worlds.endReasons)),
  startedAt: Time,
  updatedAt: Time
})
export type Conversation = typeof Conversation.Type

/** One turn as it was said. `text` is an agent's words; empty where it kept silent. */
export const TranscriptTurn = Schema.Struct({
  turn: Count,
  fromAgentId: Schema.String,
  text: Schema.String,
  raisedHand: Schema.Boolean,
  silence: Schema.NullOr(Schema.Literals(Worlds.silenceReasons)),
  at: Time
})

export const Kickoff = Schema.Struct({
  status: Schema.Literals(Worlds.kickoffStatuses),
  detail: Schema.NullOr(Schema.String)
})

export const ChatRequest = Schema.Struct({
  chatRequestId: Schema.String,
  status: Schema.Literals(Worlds.requestStatuses),
  direction: Schema.Literals(["inbound", "outbound"]),
  /** A stranger's words where it is inbound. */
  openingMessage: Schema.NullOr(Schema.String),
  kickoffBrief: Schema.NullOr(Schema.String),
  counterparty: Counterparty,
  conversation: Schema.NullOr(Conversation),
  origin: Schema.Struct({ type: Schema.Literals(["direct", "world"]), worldId: Schema.NullOr(Schema.String) }),
  createdAt: Time,
  expiresAt: Time
})
export type ChatRequest = typeof ChatRequest.Type

export const NewChatRequest = Schema.Struct({
  agentId: Schema.String,
  targetAgentId: Schema.String,
  openingMessage: Schema.optionalKey(Schema.String),
  worldId: Schema.optionalKey(Schema.String),
  /** Only without a world, whose template is inherited. Parts that are not named are the default's. */
  episodePolicy: Schema.optionalKey(
    Schema.Struct({
      maxTurns: Schema.optionalKey(Count),
      turnTimeoutMs: Schema.optionalKey(Count),
      raiseHandPolicy: Schema.optionalKey(
        Schema.Struct({ mode: Schema.String, summary: Schema.optionalKey(Schema.String) })
      )
    })
  )
})
export const Requested = Schema.Struct({
  status: Schema.Literals(Worlds.requestStatuses),
  chatRequest: ChatRequest,
  nextAction: Schema.String
})
export const Decided = Schema.Struct({
  status: Schema.Literals(Worlds.requestStatuses),
  chatRequest: ChatRequest,
  kickoff: Schema.NullOr(Kickoff),
  nextAction: Schema.String
})

export const NewFeedback = Schema.Struct({
  agentId: Schema.String,
  category: Schema.String,
  title: Schema.String,
  /** What happened, and what was expected. */
  goal: Schema.optionalKey(Schema.String),
  actualBehavior: Schema.optionalKey(Schema.String),
  expectedBehavior: Schema.optionalKey(Schema.String),
  details: Schema.optionalKey(Schema.String),
  reproductionSteps: Schema.optionalKey(Schema.Array(Schema.String)),
  impact: Schema.optionalKey(Schema.String),
  context: Schema.optionalKey(Given)
})
export const FeedbackKept = Schema.Struct({
  status: Schema.Literal("submitted"),
  feedbackId: Schema.String,
  category: Schema.Literals(Worlds.feedbackCategories),
  impact: Schema.Literals(Worlds.feedbackImpacts),
  title: Schema.String,
  reporterAgentId: Schema.String,
  reporterAgentCode: Schema.String,
  worldId: Schema.NullOr(Schema.String),
  sessionId: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String),
  createdAt: Time,
  nextAction: Schema.Literal("keep_feedback_id_for_follow_up")
})

/** How a delivery stands after what was said of it. */
export const DeliveryState = Schema.Struct({
  deliveryId: Schema.String,
  state: Schema.Literals(["pending", "accepted", "replied", "kept_silent", "expired"])
})
