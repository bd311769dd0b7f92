/**
 * Several deltas of one reply as a single one, for a reader that was behind. Its `sequence_number` is that of the last
 * delta it covers, so that `starting_after` goes on from there; `from` is that of the first one. A delta that stands
 * for itself has no `from`.
 */
import type { ReplyHead, Step } from "./ReplyLog.ts"

export interface JoinedDelta {
  /** Sequence number of the first delta that is covered. */
  readonly from: number
  /** Sequence number of the last one. */
  readonly sequence: number
  readonly delta: string
}

type Deltas = Extract<Step, { readonly _tag: "Deltas" }>

/** Of steps that follow one another. Undefined where there is no delta in them. */
export const join = (steps: ReadonlyArray<Deltas>): JoinedDelta | undefined => {
  const first = steps[0]
  const last = steps.at(-1)
  if (first === undefined || last === undefined) return undefined
  return {
    from: first.sequence,
    sequence: last.sequence + last.deltas.length - 1,
    delta: steps.map((step) => step.deltas.join("")).join("")
  }
}

const numbers = ({ from, sequence }: JoinedDelta) =>
  from === sequence ? { sequence_number: sequence } : { from, sequence_number: sequence }

/** As people's sockets read it: the gateway's vocabulary. */
export const gatewayFrame = (responseId: string, joined: JoinedDelta): string =>
  JSON.stringify({
    type: "response.output_text.delta",
    response_id: responseId,
    delta: joined.delta,
    ...numbers(joined)
  })

/** As readers of `/v1` see it: the canonical event. */
export const canonicalEvent = (head: ReplyHead, joined: JoinedDelta): string =>
  JSON.stringify({
    type: "response.output_text.delta",
    item_id: head.itemId,
    output_index: 0,
    content_index: 0,
    delta: joined.delta,
    logprobs: [],
    ...numbers(joined)
  })
