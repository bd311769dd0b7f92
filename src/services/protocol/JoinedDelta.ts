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

/** Characters in one joined delta, past which the next one begins: readers have limits for a frame. */
const enough = 256 * 1024

/** Of deltas that follow one another: as few as there can be. */
export const join = (steps: ReadonlyArray<Deltas>): ReadonlyArray<JoinedDelta> => {
  const joined: Array<JoinedDelta> = []
  let texts: Array<string> = []
  let size = 0
  let from = steps[0]?.sequence ?? 0
  let sequence = from - 1
  const close = (): void => {
    if (texts.length > 0) joined.push({ from, sequence, delta: texts.join("") })
    texts = []
    size = 0
    from = sequence + 1
  }
  for (const step of steps) {
    for (const delta of step.deltas) {
      if (size + delta.length > enough) close()
      texts.push(delta)
      size += delta.length
      sequence++
    }
  }
  close()
  return joined
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
