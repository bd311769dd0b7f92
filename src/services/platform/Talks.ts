/**
 * Requests for a talk, the talks themselves and what is delivered in them. Every change of a talk is one step of
 * `Conversation` in the transaction that stores it together with the deliveries it leads to; a delivery is answered once
 * (laws one-conversation, turn-order, hands, kickoff-once). Times are milliseconds since the epoch.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type {
  ChatRequest,
  Conversation,
  Counterparty,
  DeliveryState,
  NewChatRequest,
  TranscriptTurn,
  Kickoff
} from "../protocol/ClaworldModels.ts"
import type { Delivery } from "../protocol/RelayFrame.ts"
import type { RequestStatus, SilenceReason } from "../protocol/Worlds.ts"
import type { StoreError } from "./PlatformError.ts"
import type { Actor, WorldFailure } from "./Worlds.ts"

export interface Decided {
  readonly chatRequest: ChatRequest
  readonly kickoff: typeof Kickoff.Type | undefined
  readonly nextAction: string
}

/** A delivery for an agent. It is pushed by whoever has the agent's socket. */
export interface Outgoing {
  readonly agentId: string
  readonly delivery: Delivery
}

export class Talks extends Context.Service<
  Talks,
  {
    /**
     * Refused: to oneself, unknown, offline (target_offline), not contactable (agent_not_contactable), blocked, not both
     * members of the world, too many (rate_limited). A second one for the same pair and world gives the first one while
     * it is open; where the other one has asked already, or the talk stands without a first word, it is accepted at
     * once (law one-conversation).
     */
    readonly request: (
      actor: Actor,
      input: typeof NewChatRequest.Type,
      attempt?: string
    ) => Effect.Effect<Decided, WorldFailure>
    readonly requests: (
      actor: Actor,
      agentId: string,
      options: {
        readonly direction?: "inbound" | "outbound" | undefined
        readonly status?: RequestStatus | undefined
        readonly limit: number
        readonly before?: string | undefined
      }
    ) => Effect.Effect<{ readonly items: ReadonlyArray<ChatRequest>; readonly next: string | undefined }, WorldFailure>
    /** By the agent that was asked, or its owner. A second time gives the same answer; a closed one chat_request_closed. */
    readonly accept: (actor: Actor, chatRequestId: string, agentId?: string) => Effect.Effect<Decided, WorldFailure>
    readonly reject: (actor: Actor, chatRequestId: string, agentId?: string) => Effect.Effect<Decided, WorldFailure>

    readonly conversations: (
      actor: Actor,
      agentId: string,
      options: { readonly limit: number; readonly before?: string | undefined }
    ) => Effect.Effect<{ readonly items: ReadonlyArray<Conversation>; readonly next: string | undefined }, WorldFailure>
    /**
     * For the two, their owners and the operator; as `agentId` sees it, where one of the two is named. `conversationKey`:
     * the newest talk of that key, or the one of this chatRequestId.
     */
    readonly transcript: (
      actor: Actor,
      conversationKey: string,
      after?: number
    ) => Effect.Effect<
      {
        readonly conversation: Conversation
        readonly counterparty: typeof Counterparty.Type
        readonly turns: ReadonlyArray<typeof TranscriptTurn.Type>
      },
      WorldFailure
    >
    readonly end: (actor: Actor, conversationKey: string) => Effect.Effect<Conversation, WorldFailure>
    /**
     * Ends what an agent has with another one (blocked), or in a world (left): talks under way, and requests that wait,
     * which count as rejected. Whoever may do that was asked before.
     */
    readonly stop: (
      agentId: string,
      what:
        | { readonly reason: "blocked"; readonly otherId: string }
        | { readonly reason: "left"; readonly worldId: string }
    ) => Effect.Effect<void, StoreError>

    /** What waits for an agent, oldest first: all that it has not answered, for a connection that has just come. */
    readonly pending: (agentId: string) => Effect.Effect<ReadonlyArray<Delivery>, StoreError>
    /**
     * What nobody has taken up since before this time, at most 1,000, oldest first: for whoever pushes, who may have
     * missed that it came to be.
     */
    readonly untaken: (
      before: number
    ) => Effect.Effect<ReadonlyArray<{ readonly agentId: string; readonly deliveryId: string }>, StoreError>
    /** The same again is no fault; a delivery that is closed otherwise is a conflict (delivery_closed). */
    readonly accepted: (agentId: string, deliveryId: string) => Effect.Effect<typeof DeliveryState.Type, WorldFailure>
    readonly replied: (
      agentId: string,
      deliveryId: string,
      text: string
    ) => Effect.Effect<typeof DeliveryState.Type, WorldFailure>
    readonly keptSilent: (
      agentId: string,
      deliveryId: string,
      reason: SilenceReason
    ) => Effect.Effect<typeof DeliveryState.Type, WorldFailure>
    /** An agent is on the line: kickoffs that waited for it are asked for. */
    readonly came: (agentId: string) => Effect.Effect<void, StoreError>
    /**
     * What time ends: requests of 30 days, turns past their limit, last words that nobody fetched. And kickoffs that
     * wait for an agent which is there all the same: nobody said that it came. Gives how many.
     */
    readonly sweep: Effect.Effect<number, StoreError>
    /**
     * Deliveries as they come to be in this process, after they are stored, for the relay; called by whoever stored
     * them, and must not block. The listener says whether the agent is on the line here; of what nobody takes here,
     * other processes are told (Neighbours). Gives what ends it.
     */
    readonly watch: (listener: (outgoing: Outgoing) => boolean) => () => void
  }
>()("clawfiber/platform/Talks") {}
