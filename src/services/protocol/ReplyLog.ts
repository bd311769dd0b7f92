/**
 * The pure builder of one reply: pieces of text in, steps out, each step a run of canonical events with sequence
 * numbers 0, 1, 2 ... The laws **stream** and **one-terminal** hold by construction.
 *
 * A step is kept as data and not as an array of events because a delta costs microseconds: the dialects encode a
 * step straight into frames, and `events` spells it out where someone wants to see the events themselves.
 */
import type { Failure, Usage } from "./ResponseEvent.ts"

/** What does not change during a reply. */
export interface ReplyHead {
  readonly responseId: string
  readonly itemId: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly model: string
  readonly metadata: Readonly<Record<string, string>>
  readonly previousResponseId?: string | undefined
}

/** One run of events. `sequence` is the number of its first event. */
export type Step =
  /** created, in_progress, output_item.added, content_part.added: sequence 0 to 3. */
  | { readonly _tag: "Opened"; readonly sequence: 0 }
  /** One output_text.delta each. */
  | { readonly _tag: "Deltas"; readonly sequence: number; readonly deltas: ReadonlyArray<string> }
  /** output_text.done, content_part.done, output_item.done, completed. */
  | {
      readonly _tag: "Completed"
      readonly sequence: number
      readonly text: string
      readonly completedAt: number
      readonly usage: Usage | undefined
    }
  /** output_text.done, content_part.done, output_item.done (incomplete), failed. */
  | {
      readonly _tag: "Failed"
      readonly sequence: number
      readonly text: string
      readonly completedAt: number
      readonly failure: Failure
    }
