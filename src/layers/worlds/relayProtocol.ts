/**
 * What the supervisor has to know of Claworld's relay (PROTOCOL B3): an auth frame goes first, `auth.ok` greets, a
 * heartbeat frame goes beside each ping, and three close codes are terminal.
 */
import type * as Effect from "effect/Effect"
import { ConnectionError, CredentialsRefused, Replaced } from "../../services/channel/Connection.ts"
import { bridgeProtocol, closeCodes, decodeServer, encodeClient } from "../../services/protocol/RelayFrame.ts"
import * as Link from "../channel/Link.ts"
import type { FrameRole, LinkProtocol } from "../channel/LinkProtocol.ts"
import type { DialRequest, Socket, SocketEnd } from "../channel/SocketDriver.ts"

/** Auth frames and errors are small; nothing larger is parsed here a second time. */
const controlFrameLimit = 4096

const heartbeat = [encodeClient({ type: "heartbeat" })]

const roleOf = (frame: string, greeted: boolean): FrameRole => {
  if (frame.length > controlFrameLimit) return "data"
  if (!greeted && frame.includes('"auth.ok"')) return decodeServer(frame)?.event === "auth.ok" ? "greeting" : "data"
  if (frame.includes('"error"') && frame.includes('"unauthorized"')) {
    const said = decodeServer(frame)
    return said?.event === "error" && said.data.code === "unauthorized" ? "refusal" : "data"
  }
  return "data"
}

const replaced = new ConnectionError({ reason: new Replaced({ credential: "token" }) })

/**
 * In the words of an app token. Stale is terminal here: whoever holds this connection for stale has a newer one, or
 * wants none.
 */
const errorOf = (how: SocketEnd): ConnectionError => {
  if (how._tag === "Closed" && how.code === closeCodes.stale) return replaced
  const error = Link.errorOfEnd(how)
  const { reason } = error
  if (reason._tag === "Replaced") return replaced
  return reason._tag === "CredentialsRefused"
    ? new ConnectionError({ reason: new CredentialsRefused({ code: reason.code, credential: "token" }) })
    : error
}

export const relay = (request: Effect.Effect<DialRequest, ConnectionError>): LinkProtocol => ({
  request,
  roleOf,
  beat: (socket: Socket) => {
    socket.send(heartbeat)
    socket.ping()
  },
  pongGreets: false,
  ungreeted: "fail",
  errorOf
})

/** The first frame of each socket. */
export const authFrame = (agentId: string, token: string, clientVersion: string): string =>
  encodeClient({ type: "auth", agentId, credential: { type: "agent_token", token }, clientVersion, bridgeProtocol })
