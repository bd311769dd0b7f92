/**
 * The terminal repeats the whole text of its reply. Where that makes a frame larger than the platform takes, the end
 * goes without: the text has gone out in deltas, and an empty one after deltas stands for them.
 */
import type { ConnectionError } from "../../services/channel/Connection.ts"
import type { Encoder } from "../../services/protocol/Dialect.ts"
import { isTerminal, type Step } from "../../services/protocol/ReplyLog.ts"
import * as Failures from "./replyFailures.ts"

/** These steps with a short end; undefined where that is not what was wrong with them. */
export const shortEnd = (
  steps: ReadonlyArray<Step>,
  encode: Encoder,
  error: ConnectionError
): ReadonlyArray<Step> | undefined => {
  const last = steps.at(-1)
  if (error.reason._tag !== "FrameTooLarge" || last === undefined || !isTerminal(last) || last.text === "") {
    return undefined
  }
  // A reply that goes as one object has no deltas.
  const inDeltas = encode({ _tag: "Opened", sequence: 0 }).length > 0
  const { completedAt, sequence } = last
  const short: Step = inDeltas
    ? { ...last, text: "" }
    : { _tag: "Failed", sequence, text: "", completedAt, failure: Failures.tooLong }
  return [...steps.slice(0, -1), short]
}
