/** One reply as the canonical events that a reader of `/v1` lacks, each as JSON. */
import type { Followed } from "../../services/platform/Broker.ts"
import type { ReplyRoute } from "../../services/protocol/Dialect.ts"
import { dialect } from "../../services/protocol/dialects/OpenResponses.ts"
import * as JoinedDelta from "../../services/protocol/JoinedDelta.ts"
import { events, type Step, stepsAfter } from "../../services/protocol/ReplyLog.ts"

type Deltas = Extract<Step, { readonly _tag: "Deltas" }>

/** Of so many deltas at once, each still has an event of its own; more than that are joined. */
const apart = 64

const isDeltas = (step: Step): step is Deltas => step._tag === "Deltas"

/** Runs of deltas, and what is between them. */
const runsOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Step | ReadonlyArray<Deltas>> => {
  const runs: Array<Step | Array<Deltas>> = []
  for (const step of steps) {
    const last = runs.at(-1)
    if (!isDeltas(step)) runs.push(step)
    else if (Array.isArray(last)) last.push(step)
    else runs.push([step])
  }
  return runs
}

const isRun = (run: Step | ReadonlyArray<Deltas>): run is ReadonlyArray<Deltas> => Array.isArray(run)

/** `response.gap`, numbered by the last event that it stands for. */
const gapFrame = (responseId: string, { from, to }: Extract<Followed, { readonly _tag: "Gap" }>): string =>
  JSON.stringify({ type: "response.gap", response_id: responseId, from, to, sequence_number: to })

/** @param after The last sequence number that the reader has; -1 = it has nothing. */
export const encoder = (
  route: ReplyRoute,
  after: number
): ((followed: ReadonlyArray<Followed>) => ReadonlyArray<string>) => {
  const encode = dialect.encoder({ ...route, stream: true })
  const framesOf = (steps: ReadonlyArray<Step>): ReadonlyArray<string> =>
    runsOf(stepsAfter(steps, after)).flatMap((run): ReadonlyArray<string> => {
      if (!isRun(run)) {
        if (run.sequence > after) return encode(run)
        // It has a part of these four.
        return events(route.head, run)
          .filter((event) => event.sequence_number > after)
          .map((event) => JSON.stringify(event))
      }
      const count = run.reduce((sum, step) => sum + step.deltas.length, 0)
      return count <= apart
        ? run.flatMap(encode)
        : JoinedDelta.join(run).map((joined) => JoinedDelta.canonicalEvent(route.head, joined))
    })
  return (followed) => {
    const frames: Array<string> = []
    let steps: Array<Step> = []
    for (const item of followed) {
      if (item._tag === "Step") steps.push(item.step)
      else {
        frames.push(...framesOf(steps), gapFrame(route.head.responseId, item))
        steps = []
      }
    }
    frames.push(...framesOf(steps))
    return frames
  }
}
