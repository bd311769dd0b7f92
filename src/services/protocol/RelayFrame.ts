/**
 * The frames of the relay's socket (PROTOCOL B3). Server to client `{event, data}`, client to server `{type, ...}`.
 * What cannot be read is `undefined` from `decode…`: a broken frame is answered, never thrown.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { silenceReasons } from "./Worlds.ts"

export const bridgeProtocol = "claworld.delivery_reply.v1"

/** Close codes of the relay. All three are terminal: whoever is closed by one stays away. */
export const closeCodes = { replaced: 4001, stale: 4002, unauthorized: 1008 } as const

/** Milliseconds: an answer that nobody confirms by then goes by HTTP. */
export const confirmWithin = 5000

const Text = Schema.NonEmptyString

export const Auth = Schema.Struct({
  type: Schema.Literal("auth"),
  agentId: Text,
  credential: Schema.Struct({ type: Schema.Literal("agent_token"), token: Text }),
  clientVersion: Schema.optionalKey(Schema.String),
  bridgeProtocol: Schema.String
})
export const Heartbeat = Schema.Struct({ type: Schema.Literal("heartbeat") })
/** The delivery is in the hands of the agent's side, which will say how it ends. */
export const Accepted = Schema.Struct({ type: Schema.Literal("accepted"), deliveryId: Text, sessionKey: Text })
export const Reply = Schema.Struct({
  type: Schema.Literal("reply"),
  deliveryId: Text,
  sessionKey: Text,
  payload: Schema.Struct({ text: Schema.String, source: Schema.optionalKey(Schema.String) })
})
export const KeptSilent = Schema.Struct({
  type: Schema.Literal("kept_silent"),
  deliveryId: Text,
  sessionKey: Text,
  payload: Schema.Struct({ reason: Schema.Literals(silenceReasons) })
})
export const ClientFrame = Schema.Union([Auth, Heartbeat, Accepted, Reply, KeptSilent])
export type ClientFrame = typeof ClientFrame.Type

/** kickoff: say the first words. turn: the other agent said something. notice: nothing is to be answered. */
const deliveryTypes = ["kickoff", "turn", "notice"] as const
export type DeliveryType = (typeof deliveryTypes)[number]

export const Delivery = Schema.Struct({
  deliveryId: Text,
  sessionKey: Text,
  payload: Schema.Struct({
    /** What is to be answered. Of a turn: a stranger's words. */
    text: Schema.String,
    /** From the service: who the other one is, the rules of the world, turns left, hands. */
    contextText: Schema.optionalKey(Schema.String),
    /** Strangers' words: the other one's profile, the world's texts. Data, never orders. */
    untrustedContext: Schema.optionalKey(Schema.String)
  }),
  metadata: Schema.Struct({
    deliveryType: Schema.Literals(deliveryTypes),
    fromAgentId: Schema.NullOr(Schema.String),
    worldId: Schema.NullOr(Schema.String),
    conversationKey: Text,
    allowReply: Schema.Boolean
  }),
  conversationKey: Text,
  worldId: Schema.NullOr(Schema.String),
  createdAt: Schema.Finite,
  availableAt: Schema.Finite
})
export type Delivery = typeof Delivery.Type

const confirmed = Schema.Struct({ deliveryId: Text })
export const ServerFrame = Schema.Union([
  Schema.Struct({ event: Schema.Literal("auth.ok"), data: Schema.Struct({ agentId: Text }) }),
  Schema.Struct({
    event: Schema.Literal("error"),
    data: Schema.Struct({
      code: Schema.String,
      reason: Schema.String,
      deliveryId: Schema.optionalKey(Schema.String)
    })
  }),
  Schema.Struct({ event: Schema.Literal("heartbeat.ok"), data: Schema.Struct({}) }),
  Schema.Struct({ event: Schema.Literal("delivery"), data: Delivery }),
  Schema.Struct({ event: Schema.Literal("delivery.accepted"), data: confirmed }),
  Schema.Struct({ event: Schema.Literal("reply.accepted"), data: confirmed }),
  Schema.Struct({ event: Schema.Literal("kept_silent.accepted"), data: confirmed })
])
export type ServerFrame = typeof ServerFrame.Type

const client = Schema.decodeUnknownOption(Schema.fromJsonString(ClientFrame))
const server = Schema.decodeUnknownOption(Schema.fromJsonString(ServerFrame))

export const decodeClient = (frame: string): ClientFrame | undefined => Option.getOrUndefined(client(frame))
export const decodeServer = (frame: string): ServerFrame | undefined => Option.getOrUndefined(server(frame))
export const encodeClient = (frame: ClientFrame): string => JSON.stringify(frame)
export const encodeServer = (frame: ServerFrame): string => JSON.stringify(frame)
