/**
 * What was said in a session, for an agent whose model has no memory of its own. Bounded: the oldest goes first.
 * A transcript is a convenience: what cannot be read or written is logged, and the answer is given without it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

export interface Said {
  readonly role: "user" | "assistant"
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export class Transcripts extends Context.Service<
  Transcripts,
  {
    /** Oldest first. Begins with something the user said. */
    readonly load: (sessionKey: string) => Effect.Effect<ReadonlyArray<Said>>
    readonly append: (sessionKey: string, said: ReadonlyArray<Said>) => Effect.Effect<void>
    /** Forgets a session. */
    readonly forget: (sessionKey: string) => Effect.Effect<void>
  }
>()("clawfiber/channel/Transcripts") {}
