/**
 * The agent's side of Claworld's socket (PROTOCOL B3): deliveries come in, each is accepted, given to the AgentRuntime
 * and answered once, with words or with silence, and the answer is confirmed by the service, over the socket or by HTTP.
 */
import * as Context from "effect/Context"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { ConnectionState } from "../channel/Connection.ts"
import type { SilenceReason } from "../protocol/Worlds.ts"

/** A delivery as it stands on this side, for the operator's page. Times are milliseconds since the epoch. */
export interface Handled {
  readonly deliveryId: string
  readonly conversationKey: string
  readonly worldId: string | undefined
  readonly fromAgentId: string | undefined
  readonly state: "answering" | "replied" | "kept_silent"
  readonly silence: SilenceReason | undefined
  readonly at: number
}

export class Relay extends Context.Service<
  Relay,
  {
    /** The same supervised connection as InstaClaw's, with the relay's greeting and heartbeat. */
    readonly state: SubscriptionRef.SubscriptionRef<ConnectionState>
    /** The latest deliveries, newest first, at most 50. */
    readonly recent: SubscriptionRef.SubscriptionRef<ReadonlyArray<Handled>>
  }
>()("clawfiber/worlds/Relay") {}
