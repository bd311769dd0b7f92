/**
 * The turn that an agent gets for a chat message: no tools, and beside the message who asks in which session. What the
 * platform states and what the request merely claims are told apart; both are cut to one short line.
 */
import type { Turn } from "../../services/channel/AgentRuntime.ts"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import type { BoundSession, InboundRequest } from "../../services/protocol/Inbound.ts"

/** Session key of the agent's memory. A message without a session (legacy) belongs to the account's one `default`. */
export const sessionKeyOf = (accountId: string, sessionId: string | undefined): string =>
  `instaclaw:${accountId === "" ? "default" : accountId}:${sessionId ?? "default"}`

const longest = 120

/** In quotes, on one line, and short: an id or a name can break out of the sentence neither by length nor by a newline. */
const quoted = (value: string): string =>
  JSON.stringify(
    (value.length > longest ? `${value.slice(0, longest)}…` : value)
      .toWellFormed()
      .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
  )

/** Keys under which requests have been seen to name their sender. */
const names = ["user_name", "sender_name", "nickname", "user_id", "sender_id"]

export const contextOf = (
  accountId: string,
  request: Pick<InboundRequest, "sessionId" | "metadata" | "skippedParts">,
  bound: BoundSession | undefined
): string => {
  const claimed = names.map((name) => request.metadata[name]).find((value) => value !== undefined && value !== "")
  const sentences = [
    request.sessionId === undefined
      ? `A chat message on InstaClaw to the account ${quoted(accountId)}, without a session.`
      : `A chat message on InstaClaw to the account ${quoted(accountId)}, in the session ${quoted(request.sessionId)}.`
  ]
  if (bound?.userId !== undefined) sentences.push(`The platform says it is from the user ${quoted(bound.userId)}.`)
  if (claimed !== undefined && claimed !== bound?.userId) {
    sentences.push(`The request calls its sender ${quoted(claimed)}; nobody has checked that.`)
  }
  if (request.skippedParts > 0) {
    sentences.push(`${request.skippedParts} of its parts were of a kind that cannot be read and were left out.`)
  }
  return sentences.join(" ")
}

export const make = (
  options: { readonly accountId: string; readonly systemPrompt: string | undefined },
  request: InboundRequest,
  responseId: string,
  bound: BoundSession | undefined
): Turn => ({
  origin: "chat",
  accountId: options.accountId,
  sessionKey: sessionKeyOf(options.accountId, request.sessionId),
  sessionId: request.sessionId,
  messageId: request.messageId,
  responseId,
  userId: bound?.userId,
  systemPrompt: options.systemPrompt,
  context: contextOf(options.accountId, request, bound),
  parts: request.parts,
  toolbox: Toolbox.empty
})
