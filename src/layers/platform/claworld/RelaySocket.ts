/**
 * `/ws`, the relay's socket (PROTOCOL B3): agents of Claworld with their app token in the first frame. Presence comes
 * from pongs and frames alone. What waits for an agent is pushed when it arrives and as it comes to be, by this process
 * or another one; what an agent says of it is confirmed once it is stored.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { IncomingMessage } from "node:http"
import { WebSocket } from "ws"
import { Neighbours } from "../../../services/platform/Neighbours.ts"
import { Talks } from "../../../services/platform/Talks.ts"
import { WorldAgents, type WorldFailure } from "../../../services/platform/Worlds.ts"
import {
  bridgeProtocol,
  type ClientFrame,
  closeCodes,
  decodeClient,
  encodeServer
} from "../../../services/protocol/RelayFrame.ts"
import type { Asker } from "../Limits.ts"
import * as SocketPeer from "../SocketPeer.ts"
import * as SocketRoom from "../SocketRoom.ts"
import type { Upgrade } from "../UpgradeDoor.ts"
import * as relayRounds from "./relayRounds.ts"
import { newSeat, push, refill, release, type Seat } from "./relaySeats.ts"

export type { Times } from "./relayRounds.ts"

export interface Options extends SocketRoom.Options {
  readonly askerOf: (request: IncomingMessage) => Asker
  /** A token was refused. */
  readonly refused: (asker: Asker) => Effect.Effect<void>
  readonly times?: Partial<relayRounds.Times> | undefined
}

export interface RelaySocket {
  readonly upgrade: Upgrade
  /** The agent's token is good no more: whoever is here with it goes. */
  readonly shut: (agentId: string) => void
  readonly stop: Effect.Effect<void>
  readonly counts: () => { readonly agents: number; readonly strangers: number }
}

/** What an agent may have on its way into the database at once. */
const mostRunning = 64
/** Frames that cannot be read, before the socket is closed as one that speaks something else. */
const mostFaults = 32
const otherLanguage = { code: 1002, reason: "too many frames that cannot be read" } as const

interface Peer {
  readonly asker: Asker
  /** By when it has to have said who it is. */
  readonly until: number
  isAuthenticating: boolean
  seat: Seat | undefined
  running: number
  faults: number
}

type Answer = Extract<ClientFrame, { readonly type: "accepted" | "reply" | "kept_silent" }>

const fault = (code: string, reason: string, deliveryId?: string): string =>
  encodeServer({ event: "error", data: { code, reason, ...(deliveryId === undefined ? {} : { deliveryId }) } })

const confirmations = {
  accepted: "delivery.accepted",
  reply: "reply.accepted",
  kept_silent: "kept_silent.accepted"
} as const
const confirm = ({ deliveryId, type }: Answer): string =>
  encodeServer({ event: confirmations[type], data: { deliveryId } })

const heartbeatOk = encodeServer({ event: "heartbeat.ok", data: {} })
const malformed = fault(
  "malformed_frame",
  "This frame cannot be read. Frames are JSON objects with a type: auth, heartbeat, accepted, reply or kept_silent."
)
const first = "Say who you are first: an auth frame with agentId and credential {type: agent_token, token}."

export const make = Effect.fnUntraced(function* (options: Options) {
  const agents = yield* WorldAgents
  const talks = yield* Talks
  const neighbours = yield* Effect.serviceOption(Neighbours)
  const clock = yield* Clock.Clock
  const times: relayRounds.Times = { ...relayRounds.defaultTimes, ...options.times }
  const seats = new Map<string, Seat>()
  const strangers = new Map<WebSocket, Peer>()
  const now = (): number => clock.currentTimeMillisUnsafe()

  const refuse = (ws: WebSocket, reason: string): void => {
    SocketPeer.write(ws, [fault("unauthorized", reason)])
    ws.close(closeCodes.unauthorized, "unauthorized")
  }

  const broken = (ws: WebSocket, peer: Peer): void => {
    peer.faults++
    if (peer.faults > mostFaults) ws.close(otherLanguage.code, otherLanguage.reason)
    else SocketPeer.write(ws, [malformed])
  }

  const pull = (seat: Seat): Effect.Effect<void> =>
    Effect.suspend(() => {
      const before = new Set(seat.inHand.keys())
      return talks.pending(seat.agentId).pipe(
        Effect.map((deliveries) => refill(seat, before, deliveries)),
        Effect.catch((error) => Effect.logDebug("Deliveries wait for now", error.detail))
      )
    })

  const stored = (frame: Answer, agentId: string): Effect.Effect<unknown, WorldFailure> => {
    switch (frame.type) {
      case "accepted":
        return talks.accepted(agentId, frame.deliveryId)
      case "reply":
        return talks.replied(agentId, frame.deliveryId, frame.payload.text)
      case "kept_silent":
        return talks.keptSilent(agentId, frame.deliveryId, frame.payload.reason)
    }
  }

  const settled = (seat: Seat, deliveryId: string): void => {
    if (release(seat, deliveryId)) fork(pull(seat))
  }

  const onAnswer = (ws: WebSocket, peer: Peer, seat: Seat, frame: Answer): void => {
    if (peer.running >= mostRunning) {
      const reason = `There are ${mostRunning} frames of this connection on their way already. Wait for their confirmations, then send this one again.`
      SocketPeer.write(ws, [fault("too_many_at_once", reason, frame.deliveryId)])
      return
    }
    peer.running++
    fork(
      stored(frame, seat.agentId).pipe(
        Effect.match({
          onSuccess: () => {
            SocketPeer.write(ws, [confirm(frame)])
            // What only tells something is done with when it was taken.
            if (frame.type !== "accepted" || seat.inHand.get(frame.deliveryId) === false)
              settled(seat, frame.deliveryId)
          },
          onFailure: (error) => {
            const code = error._tag === "WorldRefusal" ? error.code : "store_failed"
            SocketPeer.write(ws, [fault(code, error.message, frame.deliveryId)])
            if (code === "delivery_closed" || code === "delivery_not_found") settled(seat, frame.deliveryId)
          }
        }),
        Effect.ensuring(
          Effect.sync(() => {
            peer.running--
          })
        )
      )
    )
  }

  const authenticate = Effect.fnUntraced(function* (
    ws: WebSocket,
    peer: Peer,
    frame: Extract<ClientFrame, { readonly type: "auth" }>
  ) {
    if (frame.bridgeProtocol !== bridgeProtocol) {
      return refuse(ws, `This relay speaks ${bridgeProtocol}. Update the agent's connector.`)
    }
    const agent = yield* agents.authenticate(Redacted.make(frame.credential.token))
    if (agent.agentId !== frame.agentId) {
      yield* options.refused(peer.asker)
      return refuse(ws, "The token is of another agent than agentId says. Use the pair as it was activated.")
    }
    const { agentId } = agent
    const { epoch } = yield* agents.come(agentId, now() + times.lease)
    const older = seats.get(agentId)
    if (ws.readyState !== WebSocket.OPEN) return yield* agents.go(agentId, epoch)
    if (older !== undefined && older.epoch > epoch)
      return ws.close(closeCodes.replaced, "replaced by a newer connection")
    older?.ws.close(closeCodes.replaced, "replaced by a newer connection")
    const seat = newSeat(ws, agentId, epoch, now())
    peer.seat = seat
    strangers.delete(ws)
    seats.set(agentId, seat)
    SocketPeer.write(ws, [encodeServer({ event: "auth.ok", data: { agentId } })])
    yield* talks.came(agentId)
    yield* pull(seat)
  })

  const onAuth = (ws: WebSocket, peer: Peer, frame: Extract<ClientFrame, { readonly type: "auth" }>): void => {
    peer.isAuthenticating = true
    // What it says before it has its seat waits in the socket.
    ws.pause()
    fork(
      authenticate(ws, peer, frame).pipe(
        Effect.catchTags({
          WorldRefusal: (error) =>
            Effect.andThen(
              options.refused(peer.asker),
              Effect.sync(() => refuse(ws, error.message))
            ),
          StoreError: (error) =>
            Effect.andThen(
              Effect.logWarning("An agent of Claworld could not be seated", error.detail),
              Effect.sync(() => ws.close(1013, "the platform cannot reach its database; try again"))
            )
        }),
        Effect.ensuring(Effect.sync(() => ws.resume()))
      )
    )
  }

  const room: SocketRoom.SocketRoom<Peer> = yield* SocketRoom.make<Peer>(options, {
    words: (message) => fault("frame_too_large", message),
    onFrame: (ws, peer, text) => {
      const { seat } = peer
      if (seat !== undefined) seat.heardAt = now()
      const frame = text === undefined ? undefined : decodeClient(text)
      if (frame === undefined) {
        if (seat === undefined && !peer.isAuthenticating) return refuse(ws, first)
        return broken(ws, peer)
      }
      switch (frame.type) {
        case "auth":
          if (seat === undefined && !peer.isAuthenticating) onAuth(ws, peer, frame)
          else broken(ws, peer)
          return
        case "heartbeat":
          if (seat === undefined) refuse(ws, first)
          else SocketPeer.write(ws, [heartbeatOk])
          return
        case "accepted":
        case "reply":
        case "kept_silent":
          if (seat === undefined) refuse(ws, first)
          else onAnswer(ws, peer, seat, frame)
      }
    },
    onClose: (ws, peer) => {
      strangers.delete(ws)
      const { seat } = peer
      if (seat === undefined) return
      if (seats.get(seat.agentId) === seat) seats.delete(seat.agentId)
      fork(Effect.ignore(agents.go(seat.agentId, seat.epoch)))
    }
  })
  const fork = (effect: Effect.Effect<void>): void => void room.fork(effect)

  const onPong = function (this: WebSocket): void {
    const seat = room.peers.get(this)?.seat
    if (seat !== undefined) seat.heardAt = now()
  }

  const upgrade = room.upgrade((request, socket, head) =>
    Effect.sync(() => {
      const asker = options.askerOf(request)
      room.open(request, socket, head, (ws) => {
        const peer: Peer = {
          asker,
          until: now() + times.auth,
          isAuthenticating: false,
          seat: undefined,
          running: 0,
          faults: 0
        }
        strangers.set(ws, peer)
        room.admit(ws, peer)
        ws.on("pong", onPong)
      })
    })
  )

  const shut = (agentId: string): void => {
    const seat = seats.get(agentId)
    if (seat !== undefined) refuse(seat.ws, "The agent's token was renewed. Connect with the new one.")
  }

  const turnAway = Effect.sync(() => {
    for (const [ws, peer] of strangers) {
      if (peer.isAuthenticating || now() < peer.until) continue
      strangers.delete(ws)
      refuse(ws, first)
    }
  })

  const unwatch = talks.watch(({ agentId, delivery }) => {
    const seat = seats.get(agentId)
    if (seat === undefined) return false
    push(seat, delivery)
    return true
  })
  yield* Effect.addFinalizer(() => Effect.sync(unwatch))
  yield* Effect.forkScoped(Effect.repeat(turnAway, Schedule.spaced("1 second")))
  yield* relayRounds.run({ seats, agents, talks, times, now, pull })
  if (Option.isSome(neighbours)) {
    yield* neighbours.value.deliveries.pipe(
      Stream.runForEach((agentId) => {
        const seat = seats.get(agentId)
        return seat === undefined ? Effect.void : pull(seat)
      }),
      Effect.forkScoped
    )
  }

  return {
    upgrade,
    shut,
    stop: Effect.andThen(room.lock, room.clear(1_000)),
    counts: () => ({ agents: seats.size, strangers: strangers.size })
  } satisfies RelaySocket
})
