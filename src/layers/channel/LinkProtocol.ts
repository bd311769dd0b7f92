/**
 * What differs between the protocols that the supervisor can keep alive: where to dial, how a socket is greeted, what
 * a heartbeat is. InstaClaw's is here; that of Claworld's relay, with an auth frame, is `worlds/relayProtocol`.
 */
import type * as Effect from "effect/Effect"
import type { ConnectionError } from "../../services/channel/Connection.ts"
import { isRecord, type Json, parse } from "../../services/protocol/Wire.ts"
import type { DialRequest, Socket, SocketEnd } from "./SocketDriver.ts"

/**
 * What the supervisor has to know of a frame:
 * - `data`: nothing, it goes on.
 * - `greeting`: the other side is ready for us; goes on.
 * - `refusal`: it will not have us (blocked); goes on, and the link ends.
 * - `renew`: it will close soon: make before break; goes on.
 * - `pong`: the answer to a heartbeat that is a frame; kept here.
 */
export type FrameRole = "data" | "greeting" | "refusal" | "renew" | "pong"

export interface LinkProtocol {
  /** Asked before each dial, so that a changed profile or address is used by the next one. */
  readonly request: Effect.Effect<DialRequest, ConnectionError>
  /** Called once per frame: look cheaply. `greeted`: the greeting of this socket has been seen. */
  readonly roleOf: (frame: string, greeted: boolean) => FrameRole
  readonly beat: (socket: Socket) => void
  /** The answer to a heartbeat sent at open stands for a greeting, where the platform sends none. */
  readonly pongGreets: boolean
  /** No greeting in time: `write` all the same, as suspect, or `fail` the attempt. */
  readonly ungreeted: "write" | "fail"
  /** Ends that mean something else here than elsewhere; undefined for all others. */
  readonly errorOf?: ((how: SocketEnd) => ConnectionError | undefined) | undefined
}

const recordOf = (frame: string): Json | undefined => {
  const value = parse(frame)
  return isRecord(value) ? value : undefined
}

/** Control frames are small; nothing larger is parsed here a second time. */
const controlFrameLimit = 64 * 1024

/** The role of a frame of InstaClaw: `session.auto_bound` greets, a SYSTEM notice on topic `disconnect` renews. */
export const instaclawRoleOf = (frame: string, greeted: boolean): FrameRole => {
  if (frame.length > controlFrameLimit) return "data"
  if (!greeted && frame.includes('"session.auto_bound"')) {
    return recordOf(frame)?.["type"] === "session.auto_bound" ? "greeting" : "data"
  }
  if (frame.includes('"SYSTEM"') && frame.includes('"disconnect"')) {
    const body = recordOf(frame)
    const headers = body?.["headers"]
    return body?.["type"] === "SYSTEM" && isRecord(headers) && headers["topic"] === "disconnect" ? "renew" : "data"
  }
  return "data"
}

/** InstaClaw: upgrade headers authenticate, `session.auto_bound` or a first pong greets, native pings keep alive. */
export const instaclaw = (request: LinkProtocol["request"]): LinkProtocol => ({ ...shared, request })

const shared = {
  roleOf: instaclawRoleOf,
  beat: (socket: Socket) => socket.ping(),
  pongGreets: true,
  ungreeted: "write"
} as const
