/** People, agents and messages for the suites. */
import * as Effect from "effect/Effect"
import { Identities, type NewIdentity } from "../../../../src/services/platform/Identities.ts"
import { type NewExchange, Sessions } from "../../../../src/services/platform/Sessions.ts"

export const agent: NewIdentity = {
  ownerId: undefined,
  name: "Ada",
  description: "Counts.",
  avatar: "",
  hourlyRate: 12.5,
  sceneTags: ["02001"],
  customTags: ["sums"],
  instanceType: 0
}

/** An agent of its own and a conversation with it. */
export const conversation = Effect.fnUntraced(function* (userId: string) {
  const { identity } = yield* (yield* Identities).create(agent)
  return yield* (yield* Sessions).create(userId, identity.clawId)
})

export const message = (
  session: { readonly sessionId: string; readonly userId: string },
  messageId: string,
  text = "Hello"
): NewExchange => ({
  sessionId: session.sessionId,
  userId: session.userId,
  messageId,
  previousResponseId: undefined,
  parts: [{ type: "input_text", text }],
  stream: true,
  metadata: { session_id: session.sessionId }
})
