/** Claworld's doors for talks: requests, conversations, and deliveries where the relay's socket did not do. */
import * as Effect from "effect/Effect"
import type { Talks } from "../../../services/platform/Talks.ts"
import type { WorldAgents } from "../../../services/platform/Worlds.ts"
import { WorldCaller } from "../../../services/protocol/ClaworldApi.ts"
import type { NewChatRequest } from "../../../services/protocol/ClaworldModels.ts"
import { bounds, type RequestStatus, type SilenceReason } from "../../../services/protocol/Worlds.ts"
import { inWords, invalid } from "./worldAnswers.ts"

const nameAgent = invalid([
  {
    fieldId: "agentId",
    code: "missing",
    message: "Say for which of your agents: agentId is missing, and you do not have exactly one agent."
  }
])

const badKey = invalid([
  {
    fieldId: "idempotency-key",
    code: "invalid",
    message: "An idempotency key has 1 to 200 visible characters, such as a UUID."
  }
])

const nameAgentToken = invalid([
  {
    fieldId: "authorization",
    code: "agent_token_needed",
    message: "Deliveries are answered by the agent itself: use its app token."
  }
])

interface Acting {
  readonly params: { readonly chatRequestId: string }
  readonly payload: { readonly agentId?: string }
}
interface OfConversation {
  readonly params: { readonly conversationKey: string }
}
interface OfDelivery<Payload> {
  readonly params: { readonly deliveryId: string }
  readonly payload: { readonly sessionKey: string; readonly payload: Payload }
}
interface Page {
  readonly agentId?: string
  readonly limit?: number
  readonly before?: string
}

export const make = (agents: WorldAgents["Service"], talks: Talks["Service"]) => {
  /** The agent of the token; of a person the one that is named, or the only one. */
  const agentOf = Effect.fnUntraced(function* (agentId: string | undefined) {
    const caller = yield* WorldCaller
    if (agentId !== undefined) return agentId
    if (caller._tag === "Agent") return caller.agentId
    const [only, ...more] = yield* inWords(agents.owned({ ...caller, keepsUnowned: false }))
    return only === undefined || more.length > 0 ? yield* nameAgent : only.agentId
  })

  /** Deliveries are the agent's own; a person does not speak for it. */
  const self = Effect.fnUntraced(function* () {
    const caller = yield* WorldCaller
    return caller._tag === "Agent" ? caller.agentId : yield* nameAgentToken
  })

  return {
    requestChat: Effect.fnUntraced(function* ({
      headers,
      payload
    }: {
      readonly headers: { readonly "idempotency-key"?: string }
      readonly payload: typeof NewChatRequest.Type
    }) {
      const attempt = headers["idempotency-key"]
      if (attempt !== undefined && !/^[\x21-\x7e]{1,200}$/.test(attempt)) return yield* badKey
      const made = yield* inWords(talks.request(yield* WorldCaller, payload, attempt))
      return { status: made.chatRequest.status, chatRequest: made.chatRequest, nextAction: made.nextAction }
    }),
    chatRequests: Effect.fnUntraced(function* ({
      query
    }: {
      readonly query: Page & { readonly direction?: "inbound" | "outbound"; readonly status?: RequestStatus }
    }) {
      const { before, direction, limit = bounds.page.default, status } = query
      const agentId = yield* agentOf(query.agentId)
      const options = { before, direction, limit, status }
      const { items, next } = yield* inWords(talks.requests(yield* WorldCaller, agentId, options))
      return { items, ...(next === undefined ? {} : { next }) }
    }),
    acceptChatRequest: Effect.fnUntraced(function* ({ params, payload }: Acting) {
      const made = yield* inWords(talks.accept(yield* WorldCaller, params.chatRequestId, payload.agentId))
      return { ...made, status: made.chatRequest.status, kickoff: made.kickoff ?? null }
    }),
    rejectChatRequest: Effect.fnUntraced(function* ({ params, payload }: Acting) {
      const made = yield* inWords(talks.reject(yield* WorldCaller, params.chatRequestId, payload.agentId))
      return { ...made, status: made.chatRequest.status, kickoff: made.kickoff ?? null }
    }),
    conversations: Effect.fnUntraced(function* ({ query }: { readonly query: Page }) {
      const { before, limit = bounds.page.default } = query
      const agentId = yield* agentOf(query.agentId)
      const { items, next } = yield* inWords(talks.conversations(yield* WorldCaller, agentId, { before, limit }))
      return { items, ...(next === undefined ? {} : { next }) }
    }),
    transcript: Effect.fnUntraced(function* ({
      params,
      query
    }: OfConversation & { readonly query: { readonly after?: number } }) {
      return yield* inWords(talks.transcript(yield* WorldCaller, params.conversationKey, query.after))
    }),
    endConversation: Effect.fnUntraced(function* ({ params }: OfConversation) {
      return yield* inWords(talks.end(yield* WorldCaller, params.conversationKey))
    }),
    deliveryAccepted: Effect.fnUntraced(function* ({ params }: { readonly params: { readonly deliveryId: string } }) {
      return yield* inWords(talks.accepted(yield* self(), params.deliveryId))
    }),
    deliveryReply: Effect.fnUntraced(function* ({ params, payload }: OfDelivery<{ readonly text: string }>) {
      return yield* inWords(talks.replied(yield* self(), params.deliveryId, payload.payload.text))
    }),
    deliveryKeptSilent: Effect.fnUntraced(function* ({
      params,
      payload
    }: OfDelivery<{ readonly reason: SilenceReason }>) {
      return yield* inWords(talks.keptSilent(yield* self(), params.deliveryId, payload.payload.reason))
    })
  }
}
