/** Who is on the line at the relay, and what each of them has in hand. Plain data: the relay's callbacks change it. */
import type { WebSocket } from "ws"
import type { Outgoing } from "../../../services/platform/Talks.ts"
import { encodeServer } from "../../../services/protocol/RelayFrame.ts"
import * as SocketPeer from "../SocketPeer.ts"

/** Deliveries that an agent has and has not answered. Those beyond wait in the database until it has. */
const window = 64

export interface Seat {
  readonly ws: WebSocket
  readonly agentId: string
  /** Which of the agent's connections this is. */
  readonly epoch: number
  /** Milliseconds since the epoch: when something came from it last, a pong or a frame. */
  heardAt: number
  /** When it was last said to be online. */
  saidAt: number
  /** Pushed, and not answered: by id, whether an answer is waited for. */
  readonly inHand: Map<string, boolean>
  /** Something waits beyond the window. */
  hasMore: boolean
}

export const newSeat = (ws: WebSocket, agentId: string, epoch: number, heardAt: number): Seat => ({
  ws,
  agentId,
  epoch,
  heardAt,
  saidAt: heardAt,
  inHand: new Map(),
  hasMore: false
})

/** Writes a delivery, unless the agent has it already or has enough for now. */
export const push = (seat: Seat, delivery: Outgoing["delivery"]): void => {
  if (seat.inHand.has(delivery.deliveryId)) return
  if (seat.inHand.size >= window) {
    seat.hasMore = true
    return
  }
  seat.inHand.set(delivery.deliveryId, delivery.metadata.allowReply)
  SocketPeer.write(seat.ws, [encodeServer({ event: "delivery", data: delivery })])
}

/** It is answered, or nothing is to be answered any more. `true`: there is room for what waits. */
export const release = (seat: Seat, deliveryId: string): boolean => {
  seat.inHand.delete(deliveryId)
  return seat.hasMore && seat.inHand.size <= window / 2
}

/** All that waits for the agent, as it was a moment ago: pushed, and what is not among it is no longer in hand. */
export const refill = (
  seat: Seat,
  before: ReadonlySet<string>,
  deliveries: ReadonlyArray<Outgoing["delivery"]>
): void => {
  const open = new Set(deliveries.map(({ deliveryId }) => deliveryId))
  for (const id of before) if (!open.has(id)) seat.inHand.delete(id)
  seat.hasMore = false
  for (const delivery of deliveries) push(seat, delivery)
}
