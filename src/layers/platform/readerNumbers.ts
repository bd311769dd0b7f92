/**
 * Readers that go on by sequence number. Numbers belong to one telling of a reply: an agent that begins it a second time
 * at another process may cut it into other deltas, and what is stored has no deltas at all. Whoever comes with numbers
 * of another telling hears that there is a gap, and then nothing but the end, with the whole text.
 */
import type { Told } from "../../services/platform/Broker.ts"
import type { TerminalStep } from "../../services/protocol/ReplyLog.ts"
import { firstDelta } from "./LiveReply.ts"

/** Does `after` say what this reader has of what is told here? What comes before the first delta is always the same. */
export const hold = (told: Told | undefined, after: number): boolean =>
  after < firstDelta || (told !== undefined && !told.toldBefore)

/** How many events are missing is not known: one number stands for them. */
export const gapAfter = (after: number): { readonly from: number; readonly to: number } => ({
  from: after + 1,
  to: after + 1
})

/** The end of the reply as it follows that gap. */
export const endAfter = (end: TerminalStep, after: number): TerminalStep => ({ ...end, sequence: after + 2 })
