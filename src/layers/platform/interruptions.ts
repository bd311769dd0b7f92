/** Why the platform itself ends a reply, in words for the person who asked. */
import type { Failure } from "../../services/protocol/ResponseEvent.ts"

const interrupted = (message: string): Failure => ({ code: "INTERRUPTED", message })

export const agentLeft = interrupted(
  "The agent lost its connection in the middle of the answer and did not come back. Ask again."
)
export const agentAway = interrupted(
  "The agent left before it began to answer and has not come back. Ask again when it is on the line."
)
export const platformStopped = interrupted("The platform was restarted in the middle of the answer. Ask again.")
export const replaced = interrupted(
  "The agent's connection was replaced by a newer one in the middle of the answer. Ask again."
)
export const notStored = interrupted("The answer could not be stored on the platform. Ask again in a moment.")
export const linkBroke: Failure = {
  code: "INVALID_REQUEST",
  message:
    "Three times the agent's connection ended of this message or its answer, which is larger than one of them takes at once. Send less, or send it as a file."
}
export const cancelled: Failure = { code: "CANCELLED", message: "The answer was stopped on request." }
