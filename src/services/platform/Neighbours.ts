/**
 * Other platform processes over the same database. Each reply ends in one of them, and whoever reads it at another one
 * wants to know; a delivery of Claworld is stored in one of them, and the agent's socket may be at another one. A platform that is alone has no such service: then nothing is told and nobody listens.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

/** A reply that has ended and is stored. */
export interface EndedElsewhere {
  readonly responseId: string
  readonly userId: string
}

export class Neighbours extends Context.Service<
  Neighbours,
  {
    /** Nobody is waited for, and what is lost is lost: who reads looks into the database now and then. */
    readonly tell: (ended: EndedElsewhere) => Effect.Effect<void>
    /** What others tell, from now on. */
    readonly heard: Stream.Stream<EndedElsewhere>
    /** Something waits for this agent of Claworld, who is not on the line here. As above, what is lost is lost. */
    readonly tellDelivery: (agentId: string) => Effect.Effect<void>
    /** The agents that others tell of, from now on. */
    readonly deliveries: Stream.Stream<string>
  }
>()("clawfiber/platform/Neighbours") {}
