/**
 * Every way a reply can fail, in words for the person who asked: what happened, what it means, what to do. And the one
 * place where what a run ended with is mapped to them.
 */
import * as Cause from "effect/Cause"
import * as Result from "effect/Result"
import { AgentError } from "../../services/channel/AgentRuntime.ts"
import { ConnectionError } from "../../services/channel/Connection.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"

const counted = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`

const inWords = (millis: number): string => {
  const seconds = Math.max(1, Math.round(millis / 1000))
  if (seconds % 3600 === 0) return counted(seconds / 3600, "hour")
  return seconds % 60 === 0 ? counted(seconds / 60, "minute") : counted(seconds, "second")
}

export const cancelled: Failure = { code: "CANCELLED", message: "The reply was stopped, as it was asked for." }

export const queueFull: Failure = {
  code: "RATE_LIMIT",
  message: "Too many messages wait for this agent, so this one was not taken. Send it again in a moment."
}

export const stopping: Failure = {
  code: "INTERRUPTED",
  message: "The agent is being stopped, so the reply ends here. Send the message again in a moment."
}

export const crashed: Failure = {
  code: "INTERRUPTED",
  message:
    "The agent's program stopped while it worked on this message, and how far it came is not known. Send it again if you still need the answer."
}

export const stalled = (millis: number): Failure => ({
  code: "TIMEOUT",
  message: `The agent gave no sign of life for ${inWords(millis)}, so the reply was ended. Send the message again to have it tried once more.`
})

export const tooLate = (millis: number): Failure => ({
  code: "TIMEOUT",
  message: `The reply was not finished within ${inWords(millis)}, so it was ended. Ask for less at once, or send the message again.`
})

export const notJournaled: Failure = {
  code: "SDK_ERROR",
  message:
    "The agent cannot take messages just now, and nothing was begun for this one. Send it again in a moment; if that does not help, its operator has to look."
}

export const notSent: Failure = {
  code: "CALLBACK_ERROR",
  message: "A part of the answer could not be sent, so the reply ends here. Send the message again."
}

export const tooLong: Failure = {
  code: "CALLBACK_ERROR",
  message:
    "The answer is longer than the platform takes in one message, so its end could not be sent. Ask for less at once."
}

const fault: Failure = {
  code: "SDK_ERROR",
  message:
    "The agent failed on this message through a fault of its program. Its operator can find the reason in the log."
}

/**
 * What a run that nobody ended from outside died of. A defect, and an interruption that came from inside the runtime,
 * are the runtime's fault; their cause is for the log alone.
 */
export const fromCause = (cause: Cause.Cause<AgentError | ConnectionError>): Failure => {
  const found = Cause.findError(cause)
  if (Result.isFailure(found)) return fault
  const error = found.success
  if (error instanceof ConnectionError) return error.reason._tag === "FrameTooLarge" ? tooLong : notSent
  return error instanceof AgentError
    ? { code: error.reason._tag === "RateLimited" ? "RATE_LIMIT" : "SDK_ERROR", message: error.publicMessage }
    : fault
}
