/**
 * `/ws/chat`, both sides: agents with their key headers, people with Bearer or ticket. Effects run where something is
 * stored or looked up.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocket } from "ws"
import * as Broker from "../../services/platform/Broker.ts"
import * as Identities from "../../services/platform/Identities.ts"
import type { AgentDialect, Identity } from "../../services/platform/Identities.ts"
import * as People from "../../services/platform/People.ts"
import type { Person } from "../../services/platform/People.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { type Feature, featuresHeader, readFeatures } from "../../services/protocol/Control.ts"
import { encodeErrorFrame } from "../../services/protocol/PlatformFrame.ts"
import * as AgentSocket from "./AgentSocket.ts"
import { standingCodes } from "./apiRefusals.ts"
import * as PersonFrames from "./PersonFrames.ts"
import * as PersonSocket from "./PersonSocket.ts"
import * as SlowReader from "./SlowReader.ts"
import * as SocketPeer from "./SocketPeer.ts"
import * as SocketRoom from "./SocketRoom.ts"
import { refuse } from "./UpgradeDoor.ts"

export interface Options extends SocketRoom.Options {
  /** `http://host:port` where the platform is reached from outside, if not under the `Host` an agent calls. */
  readonly publicUrl?: string | undefined
}

interface AgentPeer extends AgentSocket.Peer {
  readonly _tag: "Agent"
  readonly scope: Scope.Closeable
  /** Why its socket ended, if a frame was too large: ours for the agent, or one of the agent's. */
  tooLarge: "ours" | "theirs" | undefined
}

interface PersonPeer {
  readonly _tag: "Person"
  readonly person: Person
  stop: (() => void) | undefined
}

type Peer = AgentPeer | PersonPeer

export interface ChatSocket {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Takes no new socket and ends the present ones with 1001. */
  readonly stop: Effect.Effect<void>
  readonly counts: () => { readonly agents: number; readonly people: number; readonly framesIn: number }
}

const unauthorized =
  "Neither an agent's keys (x-app-key, x-app-secret) nor a person's token (Authorization: Bearer, or ?ticket=) came with this connection. Sign in, or register an agent, and connect again."

const single = (header: string | Array<string> | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header

export const make = Effect.fnUntraced(function* (options: Options) {
  const broker = yield* Broker.Broker
  const identities = yield* Identities.Identities
  const people = yield* People.People
  const sessions = yield* Sessions.Sessions
  let framesIn = 0

  const onPerson = yield* PersonSocket.make

  const room: SocketRoom.SocketRoom<Peer> = yield* SocketRoom.make<Peer>(options, {
    words: (message) => encodeErrorFrame({ code: "frame_too_large", message }),
    onFrame: (ws, peer, text) => {
      framesIn++
      if (text === undefined) {
        const message = "Frames are JSON as text; this one was binary."
        SocketPeer.write(ws, [encodeErrorFrame({ code: "binary_frame", message })])
      } else if (peer._tag === "Agent") AgentSocket.onFrame(ws, peer, text, fork)
      else onPerson(ws, peer.person, text, fork)
    },
    onClose: (ws, peer, code) => {
      if (peer._tag === "Person") return peer.stop?.()
      if (SocketPeer.refusedFrame(ws)) peer.tooLarge = "theirs"
      else if (code === 1009) peer.tooLarge = "ours"
      fork(Scope.close(peer.scope, Exit.void))
    }
  })
  const { admit, peers } = room
  const fork = (effect: Effect.Effect<void>): void => void room.fork(effect)

  const seatAgent = Effect.fnUntraced(function* (
    ws: WebSocket,
    identity: Identity,
    dialect: AgentDialect,
    features: ReadonlySet<Feature>,
    origin: string
  ) {
    const peer: AgentPeer = {
      _tag: "Agent",
      scope: yield* Scope.make(),
      seat: undefined,
      complaints: undefined,
      tooLarge: undefined
    }
    // What the agent writes before it has its seat waits in the socket.
    ws.pause()
    admit(ws, peer)
    peer.seat = yield* broker
      .attach({
        identity,
        dialect,
        features,
        origin,
        send: (frames) => SocketPeer.write(ws, frames),
        tooLarge: () => peer.tooLarge,
        close: (code, reason) => ws.close(code, reason)
      })
      .pipe(Scope.provide(peer.scope), Effect.ensuring(Effect.sync(() => ws.resume())))
  })

  const seatPerson = Effect.fnUntraced(function* (ws: WebSocket, person: Person) {
    const peer: PersonPeer = { _tag: "Person", person, stop: undefined }
    ws.pause()
    admit(ws, peer)
    const own = yield* sessions.list(person.userId).pipe(Effect.tapError(() => Effect.sync(() => ws.resume())))
    SlowReader.write(ws, [PersonFrames.greeting(person.userId, own)])
    if (ws.readyState !== WebSocket.OPEN) return
    peer.stop = broker.watch(person.userId, (item) => SlowReader.tell(ws, item))
    ws.resume()
  })

  const handshake = (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    seat: (ws: WebSocket) => Effect.Effect<void, { readonly message: string }>
  ): Effect.Effect<void> =>
    Effect.sync(() =>
      room.open(request, socket, head, (ws) =>
        fork(
          seat(ws).pipe(
            Effect.catch((error) =>
              Effect.andThen(
                Effect.logWarning("A socket could not be seated", error.message),
                Effect.sync(() => ws.close(1013, "the platform cannot reach its database; try again"))
              )
            )
          )
        )
      )
    )

  const welcome = Effect.fnUntraced(function* (request: IncomingMessage, socket: Duplex, head: Buffer) {
    const { headers } = request
    const query = new URLSearchParams((request.url ?? "").split("?", 2)[1] ?? "")
    const appKey = single(headers["x-app-key"])
    const appSecret = single(headers["x-app-secret"])
    if (appKey !== undefined || appSecret !== undefined) {
      const identity = yield* identities.authenticate(appKey ?? "", Redacted.make(appSecret ?? ""))
      const asked = single(headers["x-claw-dialect"])?.trim().toLowerCase()
      if (asked !== undefined && !AgentSocket.isDialect(asked)) {
        refuse(socket, 400, "The header x-claw-dialect names none of envelope, gateway, legacy.")
        return
      }
      const origin = options.publicUrl ?? `http://${headers.host ?? "localhost"}`
      const features = new Set(readFeatures(single(headers[featuresHeader])))
      const dialect = asked ?? identity.dialect ?? "envelope"
      return yield* handshake(request, socket, head, (ws) => seatAgent(ws, identity, dialect, features, origin))
    }
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1]
    const ticket = query.get("ticket")
    if (bearer === undefined && ticket === null) {
      refuse(socket, 401, unauthorized)
      return
    }
    const person =
      bearer === undefined
        ? yield* people.redeemTicket(Redacted.make(ticket ?? ""))
        : yield* people.authenticate(Redacted.make(bearer))
    return yield* handshake(request, socket, head, (ws) => seatPerson(ws, person))
  })

  const upgrade = room.upgrade((request, socket, head) =>
    welcome(request, socket, head).pipe(
      Effect.catchTags({
        Unauthorized: (error) => Effect.sync(() => refuse(socket, 401, error.message)),
        NotAdmitted: (error) =>
          Effect.sync(() => refuse(socket, 403, error.message, undefined, standingCodes[error.standing])),
        StoreError: (error) => Effect.sync(() => refuse(socket, 503, error.message))
      })
    )
  )

  const counts: ChatSocket["counts"] = () => {
    let agents = 0
    for (const peer of peers.values()) if (peer._tag === "Agent") agents++
    return { agents, people: peers.size - agents, framesIn }
  }

  const stop = Effect.andThen(room.lock, room.clear(1_000))

  return { upgrade, stop, counts } satisfies ChatSocket
})
