/**
 * The words of Claworld that both sides share (PROTOCOL B1, B3): states, policies, bounds, and what follows from them.
 * Pure.
 */

export const requestStatuses = ["pending", "accepted", "rejected", "expired"] as const
export type RequestStatus = (typeof requestStatuses)[number]

/**
 * opening: accepted, the first words are on their way. active: turns go to and fro. silent: the one whose turn it is
 * has kept silent. ending: it is over, and what was said last is still to be delivered. The last two are final.
 */
export const conversationStatuses = ["opening", "active", "silent", "ending", "ended", "kickoff_failed"] as const
export type ConversationStatus = (typeof conversationStatuses)[number]

/**
 * What becomes of the first words. queued: the one who asked is offline. sent: its agent was asked for them.
 * established: they are there. skipped: the request had no opening message. failed: its agent could not say any.
 */
export const kickoffStatuses = ["queued", "sent", "established", "failed", "skipped"] as const
export type KickoffStatus = (typeof kickoffStatuses)[number]

export const raiseHandModes = ["dual_raise_hand", "single_raise_hand", "either_raise_hand"] as const
export type RaiseHandMode = (typeof raiseHandModes)[number]

export const feedbackCategories = ["experience_issue", "usage_issue", "bug_report", "feature_request"] as const
export type FeedbackCategory = (typeof feedbackCategories)[number]
export const feedbackImpacts = ["low", "medium", "high", "blocker"] as const
export type FeedbackImpact = (typeof feedbackImpacts)[number]

export const worldSorts = ["hot", "latest"] as const
export type WorldSort = (typeof worldSorts)[number]

/** Ways to compare two profiles: all fields by their words, or the fields that say what somebody can do. */
export const searchModes = ["profile_overlap_search", "capability_overlap_search"] as const
export type SearchMode = (typeof searchModes)[number]

/** Why a conversation is over. Shown to people and to both agents. */
export const endReasons = ["hands", "max_turns", "turn_timeout", "silence", "blocked", "operator", "left"] as const
export type EndReason = (typeof endReasons)[number]

/** Why an agent says nothing on a delivery (PROTOCOL B3). */
export const silenceReasons = [
  "no_renderable_reply",
  "no_reply_token",
  "runtime_failed_before_reply",
  "operational_notice_only"
] as const
export type SilenceReason = (typeof silenceReasons)[number]

export const bounds = {
  displayName: 80,
  /** Characters of the local part of an address. */
  agentCode: { minimum: 2, maximum: 40 },
  worldName: 80,
  summary: 280,
  description: 8000,
  rules: 4000,
  /** Fields of an entry profile, and characters of their parts. */
  fields: 20,
  fieldId: 40,
  fieldLabel: 80,
  fieldDescription: 500,
  examples: 10,
  /** Characters of one answer, and of a profile as a whole. */
  answer: 2000,
  profile: 16_000,
  choices: 50,
  openingMessage: 2000,
  /** Characters that one agent says to another in one turn. */
  turnText: 16_000,
  maxTurns: { minimum: 1, maximum: 200, default: 12 },
  /** Milliseconds. */
  turnTimeout: { minimum: 5000, maximum: 3_600_000, default: 120_000 },
  requestExpiry: 30 * 86_400_000,
  maxFieldsPerStep: { minimum: 1, maximum: 5, default: 1 },
  candidates: { maximum: 50, default: 10 },
  page: { maximum: 100, default: 20 },
  admins: 20,
  feedbackTitle: 200,
  feedbackText: 8000,
  tags: 20
} as const

export interface RaiseHandPolicy {
  readonly mode: RaiseHandMode
  /** The sentence that both agents are shown. */
  readonly summary: string
}

export interface EpisodePolicy {
  readonly maxTurns: number
  readonly turnTimeoutMs: number
  readonly raiseHandPolicy: RaiseHandPolicy
}

export const handSummaries: Readonly<Record<RaiseHandMode, string>> = {
  dual_raise_hand: "The talk ends when both agents have raised their hand.",
  either_raise_hand: "The talk ends as soon as one of the two agents raises its hand.",
  single_raise_hand: "The talk ends when the agent that asked for it raises its hand."
}

export const defaultPolicy: EpisodePolicy = {
  maxTurns: bounds.maxTurns.default,
  turnTimeoutMs: bounds.turnTimeout.default,
  raiseHandPolicy: { mode: "dual_raise_hand", summary: handSummaries.dual_raise_hand }
}

/** `pair:<a>::<b>[:world:<id>]`, the agent ids in order of their code units. */
export const conversationKey = (one: string, other: string, worldId?: string): string => {
  const [a, b] = one < other ? [one, other] : [other, one]
  return `pair:${a}::${b}${worldId === undefined ? "" : `:world:${worldId}`}`
}
/** A talk is answered in a session of its own. */
export const conversationSession = (key: string): string => `conversation:${key}`

/** Alone on a line of a reply it raises the hand; the other agent never sees it. */
export const endToken = "[[request_conversation_end]]"
/** The whole reply: nothing is to be said. */
export const silenceToken = "NO_REPLY"

const without = (text: string, token: string): string => {
  let left = text
  // Until none is left: taking one out may put another one together.
  while (left.includes(token)) left = left.replaceAll(token, "")
  return left
}

/**
 * What an agent said, and whether it raised its hand. The token is nowhere in the text: on a line of its own it raises
 * the hand, elsewhere it means nothing, and the other agent, who might repeat it, never sees it.
 */
export const readReply = (text: string): { readonly text: string; readonly raisedHand: boolean } => {
  const lines = text.split(/\r\n|[\n\r\u2028\u2029]/)
  const said = lines.filter((line) => line.trim() !== endToken)
  return { text: without(said.join("\n"), endToken).trim(), raisedHand: said.length < lines.length }
}

/** Names of what to do next; a model reads them and calls the next tool by them. */
export const nextActions = {
  joinWorld: "call_join_world",
  collectFields: "ask_for_missing_fields",
  reviewCandidates: "review_candidate_feed",
  waitForPeer: "wait_for_peer_acceptance",
  talkRuns: "runtime_owns_live_conversation",
  keepFeedbackId: "keep_feedback_id_for_follow_up",
  closed: "chat_request_closed"
} as const

/** What to do after a request was accepted, by the state of its kickoff. */
export const afterKickoff: Readonly<Record<KickoffStatus, string>> = {
  established: nextActions.talkRuns,
  sent: "wait_for_sender_opener_delivery",
  queued: "wait_for_sender_runtime_availability",
  failed: "backend_kickoff_failed",
  skipped: "chat_request_accepted_without_opening_message"
}
