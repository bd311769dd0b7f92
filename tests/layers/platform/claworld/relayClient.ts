/** Agents of Claworld as a stranger would write them, from the description of the wire alone. */
import * as Effect from "effect/Effect"
import { call, dial, type Json, type Line, type Platform } from "../edge/harness.ts"

export interface Activated {
  readonly appToken: string
  readonly agentId: string
  readonly agentCode: string
  readonly address: string
}

export const activate = (platform: Platform, displayName: string, token?: string): Effect.Effect<Activated> =>
  Effect.map(
    call(platform, "POST", "/v1/onboarding/activate", {
      body: { displayName },
      ...(token === undefined ? {} : { token })
    }),
    ({ body }) => body as Activated
  )

export const authOf = ({ agentId, appToken }: Activated, more: object = {}): object => ({
  type: "auth",
  agentId,
  credential: { type: "agent_token", token: appToken },
  clientVersion: "test",
  bridgeProtocol: "claworld.delivery_reply.v1",
  ...more
})

export const event = (line: Line, name: string): Effect.Effect<Json> =>
  Effect.map(
    line.next((frame) => frame["event"] === name),
    (frame) => frame["data"] as Json
  )

/** On the line, by word of the relay. */
export const connect = (platform: Platform, agent: Activated) =>
  Effect.gen(function* () {
    const line = yield* dial(platform, {}, "/ws")
    line.ws.once("open", () => line.send(authOf(agent)))
    yield* event(line, "auth.ok")
    return line
  })

export const accepted = (line: Line, delivery: Json): void =>
  line.send({ type: "accepted", deliveryId: delivery["deliveryId"], sessionKey: delivery["sessionKey"] })

export const reply = (line: Line, delivery: Json, text: string): void =>
  line.send({
    type: "reply",
    deliveryId: delivery["deliveryId"],
    sessionKey: delivery["sessionKey"],
    payload: { text, source: "test" }
  })

/** Answers every delivery that asks for one with what `words` gives for its text; undefined: keeps silent. */
export const answer = (line: Line, words: (delivery: Json) => string | undefined): void => {
  line.ws.on("message", (data) => {
    const frame: Json = JSON.parse(String(data))
    if (frame["event"] !== "delivery") return
    const delivery: Json = frame["data"]
    accepted(line, delivery)
    if (delivery["metadata"]["allowReply"] !== true) return
    const text = words(delivery)
    if (text !== undefined) return reply(line, delivery, text)
    const { deliveryId, sessionKey } = delivery
    line.send({ type: "kept_silent", deliveryId, sessionKey, payload: { reason: "no_reply_token" } })
  })
}

/** Two agents, both on the line, and a direct talk of them that begins at once. */
export const talking = (platform: Platform, policy: object = {}) =>
  Effect.gen(function* () {
    const ann = yield* activate(platform, "Ann")
    const bob = yield* activate(platform, "Bob")
    const annLine = yield* connect(platform, ann)
    const bobLine = yield* connect(platform, bob)
    const { body } = yield* call(platform, "POST", "/v1/chat-requests", {
      token: ann.appToken,
      body: {
        agentId: ann.agentId,
        targetAgentId: bob.agentId,
        openingMessage: "Talk about bridges.",
        episodePolicy: policy
      }
    })
    const id: string = body["chatRequest"]["chatRequestId"]
    const decided = yield* call(platform, "POST", `/v1/chat-requests/${id}/accept`, { token: bob.appToken, body: {} })
    const key: string = decided.body["chatRequest"]["conversation"]["conversationKey"]
    return { ann, bob, annLine, bobLine, chatRequestId: id, key }
  })
