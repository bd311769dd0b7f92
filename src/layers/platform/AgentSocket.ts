/** What an agent's socket says: events of replies, and control. And how it wants to be spoken to. */
import * as Effect from "effect/Effect"
import type { WebSocket } from "ws"
import type { AgentSeat } from "../../services/platform/Broker.ts"
import type { AgentDialect } from "../../services/platform/Identities.ts"
import { decodeAgentFrame } from "../../services/protocol/AgentFrame.ts"
import { readAck, readAgentResume } from "../../services/protocol/Control.ts"
import { encodeAutoBound, encodeErrorFrame } from "../../services/protocol/PlatformFrame.ts"
import * as SocketPeer from "./SocketPeer.ts"

/** How many different strange replies an agent's socket is told of; after that they are passed over. */
const complaintBound = 32

export interface Peer {
  /** Undefined until it has been greeted. */
  seat: AgentSeat | undefined
  /** What this socket was already told to be unknown. */
  complaints: Set<string> | undefined
}

const dialects: ReadonlySet<string> = new Set<AgentDialect>(["envelope", "gateway", "legacy"])
export const isDialect = (name: string): name is AgentDialect => dialects.has(name)

export const onFrame = (ws: WebSocket, peer: Peer, raw: string, fork: (effect: Effect.Effect<void>) => void): void => {
  const seat = peer.seat
  if (seat === undefined) return
  const frame = decodeAgentFrame(raw)
  switch (frame._tag) {
    case "Update":
      for (const update of frame.updates) {
        const taken = seat.update(update)
        // That a newer connection has come was said when this one was closed.
        if (taken === "stale") return
        if (taken !== "unknown") continue
        const { messageId, responseId, sessionId } = update.ref
        const key = responseId ?? messageId ?? sessionId ?? ""
        peer.complaints ??= new Set()
        if (peer.complaints.size >= complaintBound || peer.complaints.has(key)) return
        peer.complaints.add(key)
        SocketPeer.write(ws, [
          encodeErrorFrame({
            type: "not_found",
            code: "unknown_reply",
            message:
              "No message of yours fits this reply, so it is not passed on. Name the message it answers, by its message id and session.",
            param: responseId === undefined ? "message_id" : "response_id"
          })
        ])
      }
      return
    case "Bind":
      fork(
        seat.bind(frame.sessionId).pipe(
          Effect.map((session) =>
            encodeAutoBound({
              sessions: [{ sessionId: session.sessionId, userId: session.userId, assistantId: session.clawId }],
              senderType: "assistant",
              senderId: session.clawId
            })
          ),
          Effect.catchTags({
            NotFound: (error) =>
              Effect.succeed(
                encodeErrorFrame({
                  type: "not_found",
                  code: "session_not_found",
                  param: "session_id",
                  message: error.message
                })
              ),
            StoreError: (error) =>
              Effect.succeed(encodeErrorFrame({ type: "server_error", code: "unavailable", message: error.message }))
          }),
          Effect.map((answer) => void SocketPeer.write(ws, [answer]))
        )
      )
      return
    case "Malformed":
      SocketPeer.write(ws, [encodeErrorFrame({ code: frame.reason, message: frame.message })])
      return
    case "Control": {
      const ack = frame.type === "session.ack" ? readAck(frame.frame) : undefined
      const resume = frame.type === "response.resume" ? readAgentResume(frame.frame) : undefined
      if (ack !== undefined) seat.acknowledge(ack)
      else if (resume !== undefined) seat.resume(resume)
      return
    }
    case "PeerError":
      return
  }
}
