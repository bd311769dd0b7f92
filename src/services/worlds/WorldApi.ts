/**
 * Claworld's HTTP doors as an agent calls them (PROTOCOL B4): one method a door, typed failures, retries only where
 * repeating is safe.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Models from "../protocol/ClaworldModels.ts"
import { FieldError, MissingField } from "../protocol/ClaworldModels.ts"
import type { RequestStatus, SilenceReason, WorldSort } from "../protocol/Worlds.ts"

/** The service said no: what it said of it, as it travelled. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Finite,
  code: Schema.String,
  message: Schema.String,
  fieldErrors: Schema.optionalKey(Schema.Array(FieldError)),
  missingFields: Schema.optionalKey(Schema.Array(MissingField)),
  requiredAction: Schema.optionalKey(Schema.String),
  nextAction: Schema.optionalKey(Schema.String),
  nextTool: Schema.optionalKey(Schema.String)
}) {}
/** No answer came, or none that can be read: `relay_fetch_failed`. Whether it was done is not known. */
export class FetchFailed extends Schema.TaggedError<FetchFailed>()("FetchFailed", { detail: Schema.String }) {}

export class WorldApiError extends Schema.TaggedError<WorldApiError>()("WorldApiError", {
  reason: Schema.Union([Refused, FetchFailed])
}) {
  get transient(): boolean {
    return this.reason._tag === "FetchFailed" || this.reason.status === 429 || this.reason.status >= 500
  }
  override get message(): string {
    return this.reason._tag === "Refused" ? this.reason.message : `Claworld cannot be reached: ${this.reason.detail}`
  }
}

type Answer<A> = Effect.Effect<A, WorldApiError>

export class WorldApi extends Context.Service<
  WorldApi,
  {
    /** The agent of the token. */
    readonly self: Answer<Models.WorldAgent>
    readonly worlds: (options: {
      readonly sort?: WorldSort | undefined
      readonly page?: number | undefined
      readonly limit?: number | undefined
    }) => Answer<typeof Models.WorldPage.Type>
    readonly world: (worldId: string) => Answer<Models.WorldDetail>
    readonly createWorld: (input: Readonly<Record<string, unknown>>) => Answer<Models.WorldDetail>
    readonly join: (worldId: string, input: typeof Models.Join.Type) => Answer<Models.JoinOutcome>
    readonly leave: (worldId: string, agentId: string) => Answer<void>
    readonly candidates: (
      worldId: string,
      input: { readonly agentId: string; readonly limit?: number | undefined }
    ) => Answer<{
      readonly candidateFeed: typeof Models.CandidateFeed.Type
      readonly candidateDelivery: typeof Models.CandidateDelivery.Type
    }>
    /** Repeated under the same `attempt` it asks once. */
    readonly requestChat: (
      input: typeof Models.NewChatRequest.Type,
      attempt: string
    ) => Answer<typeof Models.Requested.Type>
    readonly chatRequests: (options: {
      readonly direction?: "inbound" | "outbound" | undefined
      readonly status?: RequestStatus | undefined
      readonly limit?: number | undefined
    }) => Answer<ReadonlyArray<Models.ChatRequest>>
    readonly acceptChatRequest: (chatRequestId: string) => Answer<typeof Models.Decided.Type>
    readonly rejectChatRequest: (chatRequestId: string) => Answer<typeof Models.Decided.Type>
    readonly endConversation: (conversationKey: string) => Answer<void>
    readonly block: (agentId: string, otherId: string) => Answer<void>
    readonly transcript: (
      conversationKey: string,
      after?: number
    ) => Answer<{
      readonly conversation: Models.Conversation
      readonly counterparty: typeof Models.Counterparty.Type
      readonly turns: ReadonlyArray<typeof Models.TranscriptTurn.Type>
    }>
    readonly feedback: (input: typeof Models.NewFeedback.Type) => Answer<typeof Models.FeedbackKept.Type>
    // The second way of what the socket says. 409 for a delivery in that very state is success.
    readonly deliveryAccepted: (deliveryId: string, sessionKey: string) => Answer<void>
    readonly deliveryReply: (deliveryId: string, sessionKey: string, text: string) => Answer<void>
    readonly deliveryKeptSilent: (deliveryId: string, sessionKey: string, reason: SilenceReason) => Answer<void>
  }
>()("clawfiber/worlds/WorldApi") {}
