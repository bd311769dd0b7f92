/**
 * The pure builder of one reply: pieces of text in, steps out, each step a run of canonical events with sequence
 * numbers 0, 1, 2 ... The laws **stream** and **one-terminal** hold by construction.
 *
 * A step is kept as data and not as an array of events because a delta costs microseconds: the dialects encode a
 * step straight into frames, and `events` spells it out where someone wants to see the events themselves.
 */
import { cutInto, cutWhole, settledLength } from "./Graphemes.ts"
import type { Failure, Usage } from "./ResponseEvent.ts"

export { events, wholeResponse } from "./Canonical.ts"

/** What does not change during a reply. */
export interface ReplyHead {
  readonly responseId: string
  readonly itemId: string
  /** Unix seconds. */
  readonly createdAt: number
  readonly model: string
  readonly metadata: Readonly<Record<string, string>>
  readonly previousResponseId?: string | undefined
  /** What `/v1` was sent beside the input, said back there. */
  readonly instructions?: string | undefined
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

/** The step that ends a reply. */
export type TerminalStep = Extract<Step, { readonly _tag: "Completed" | "Failed" }>

export const isTerminal = (step: Step): step is TerminalStep => step._tag === "Completed" || step._tag === "Failed"

const opened: Step = { _tag: "Opened", sequence: 0 }
const nothing: ReadonlyArray<Step> = []

/** The longest joined delta in characters: far below the largest frame that a platform takes. */
const longestJoined = 64 * 1024

/** Events that `Opened` stands for: the first delta has this number. */
const openedEvents = 4

/**
 * Builds the steps of one reply. State inside, but the steps are a function of the calls alone.
 *
 * - `open` comes first. Text pushed before it waits, and a terminal before it opens by itself, so that no order of
 *   calls breaks law **stream**.
 * - `push` cuts text into deltas of at most `maxDelta` characters (50 by the seed, 2 at least), pieces of one push
 *   joined first. Nothing is held back when it returns, save a last half of a code point and a last grapheme that
 *   ends with a joiner; these go out with the next push or at the end.
 * - after a terminal nothing comes any more: `push` gives `undefined`, a second terminal no steps (law
 *   **one-terminal**).
 */
export class ReplyLog {
  readonly #maxDelta: number
  #sequence = openedEvents
  #sent = ""
  #held = ""
  #opened = false
  #ended = false

  constructor(options?: { readonly maxDelta?: number | undefined }) {
    const maxDelta = Math.floor(options?.maxDelta ?? 50)
    this.#maxDelta = maxDelta >= 2 ? maxDelta : 2
  }

  /** All text so far, also what is held back. */
  get text(): string {
    return this.#sent + this.#held
  }

  get opened(): boolean {
    return this.#opened
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The first step. Always the same value: send it once. */
  open(): Step {
    this.#opened = true
    return opened
  }

  /** `undefined` = nothing to send. */
  push(text: string | ReadonlyArray<string>): Step | undefined {
    if (this.#ended) return undefined
    const all = this.#held + (typeof text === "string" ? text : text.join(""))
    if (!this.#opened) {
      this.#held = all
      return undefined
    }
    const settled = settledLength(all)
    this.#held = settled === all.length ? "" : all.slice(settled)
    return this.#deltas(settled === all.length ? all : all.slice(0, settled))
  }

  /**
   * Like `push`, but only pieces that are full go; the rest waits for more text or for `flush`. For an agent that is
   * in the middle of speaking: a frame for every few letters costs more than it tells. Whoever gathers must flush
   * once the agent pauses.
   */
  gather(text: string): Step | undefined {
    if (this.#ended) return undefined
    const all = this.#held + text
    if (!this.#opened || all.length <= this.#maxDelta) {
      this.#held = all
      return undefined
    }
    const deltas: Array<string> = []
    const settled = settledLength(all)
    const reached = cutWhole(deltas, settled === all.length ? all : all.slice(0, settled), this.#maxDelta)
    this.#held = all.slice(reached)
    return reached === 0 ? undefined : this.#step(deltas, all.slice(0, reached))
  }

  /** What was gathered and can be shown: see `push`. */
  flush(): Step | undefined {
    return this.#held === "" ? undefined : this.push("")
  }

  /** Keeps text for later, whole: for as long as it cannot be sent. What is held goes with the next call of another. */
  hold(text: string): void {
    if (!this.#ended) this.#held += text
  }

  /** Characters that wait to become deltas. */
  get waiting(): number {
    return this.#held.length
  }

  /**
   * What was held as one delta, however long, up to `longest` characters each: words that could not be sent at their
   * time are not sent one by one afterwards. What cannot be shown yet stays: see `push`.
   */
  join(longest: number = longestJoined): Step | undefined {
    if (this.#ended || !this.#opened || this.#held === "") return undefined
    const settled = settledLength(this.#held)
    if (settled === 0) return undefined
    const text = this.#held.slice(0, settled)
    this.#held = this.#held.slice(settled)
    const deltas: Array<string> = []
    cutInto(deltas, text, longest)
    return this.#step(deltas, text)
  }

  /** @param completedAt Unix seconds. */
  complete(completedAt: number, usage?: Usage): ReadonlyArray<Step> {
    return this.#end((sequence, text) => ({ _tag: "Completed", sequence, text, completedAt, usage }))
  }

  /** @param completedAt Unix seconds. */
  fail(completedAt: number, failure: Failure): ReadonlyArray<Step> {
    return this.#end((sequence, text) => ({ _tag: "Failed", sequence, text, completedAt, failure }))
  }

  #deltas(text: string): Step | undefined {
    if (text === "") return undefined
    const deltas: Array<string> = []
    cutInto(deltas, text, this.#maxDelta)
    return this.#step(deltas, text)
  }

  #step(deltas: ReadonlyArray<string>, text: string): Step {
    const sequence = this.#sequence
    this.#sequence += deltas.length
    this.#sent += text
    return { _tag: "Deltas", sequence, deltas }
  }

  #end(terminal: (sequence: number, text: string) => TerminalStep): ReadonlyArray<Step> {
    if (this.#ended) return nothing
    const steps: Array<Step> = this.#opened ? [] : [this.open()]
    const rest = this.#deltas(this.#held)
    this.#held = ""
    if (rest !== undefined) steps.push(rest)
    this.#ended = true
    steps.push(terminal(this.#sequence, this.#sent))
    return steps
  }
}

/** How many events a step stands for. */
export const eventCount = (step: Step): number => (step._tag === "Deltas" ? step.deltas.length : 4)

/**
 * What is left to send to a reader that has everything up to this number (-1 = it has nothing). Deltas are cut to
 * the ones it lacks; an opening or a terminal of which it lacks anything comes whole, its numbers telling the reader
 * what it knows already.
 */
export const stepsAfter = (steps: ReadonlyArray<Step>, sequence: number): ReadonlyArray<Step> =>
  steps.flatMap((step): ReadonlyArray<Step> => {
    const known = sequence + 1 - step.sequence
    if (known <= 0) return [step]
    if (known >= eventCount(step)) return []
    return step._tag === "Deltas"
      ? [{ _tag: "Deltas", sequence: step.sequence + known, deltas: step.deltas.slice(known) }]
      : [step]
  })
