/**
 * `/v1/responses` as a WebSocket: one connection, many responses, the way OpenAI's clients speak it. A `response.create`
 * is answered with the canonical events, each a text frame. Requests of one lane (`stream_id`, or none) are answered
 * one after the other, lanes beside each other. A socket that says nothing costs itself and a small record; fibers
 * exist only while a response is under way.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { WebSocket } from "ws"
import * as Broker from "../../services/platform/Broker.ts"
import type * as Identities from "../../services/platform/Identities.ts"
import type * as People from "../../services/platform/People.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import type * as Sessions from "../../services/platform/Sessions.ts"
import * as canonicalFrames from "./canonicalFrames.ts"
import * as LiveReply from "./LiveReply.ts"
import * as OpenAiError from "./OpenAiError.ts"
import * as responsesIntake from "./responsesIntake.ts"
import * as Frames from "./responsesSocketFrames.ts"
import * as SlowReader from "./SlowReader.ts"
import * as SocketPeer from "./SocketPeer.ts"
import * as SocketRoom from "./SocketRoom.ts"
import { refuse, type Upgrade } from "./UpgradeDoor.ts"

export type Options = SocketRoom.Options

/** Requests of one socket that are being answered or wait for their turn. */
export const mostAtOnce = 32

interface Request {
  readonly create: Frames.Create
  /** Known once it has begun. */
  exchange: Exchange | undefined
  /** The client does not want it any more. */
  cancelled: boolean
}

interface Peer {
  readonly userId: string
  /** By lane; the first of each is the one that is being answered. Made with the first request. */
  lanes: Map<string | undefined, Array<Request>> | undefined
  count: number
}

export interface ResponsesSocket {
  readonly upgrade: Upgrade
  /** Takes no new socket and ends the present ones with 1001. */
  readonly stop: Effect.Effect<void>
  readonly count: () => number
}

export const make: (
  options: Options
) => Effect.Effect<
  ResponsesSocket,
  never,
  Broker.Broker | Identities.Identities | People.People | Sessions.Sessions | SecureRandom.SecureRandom | Scope.Scope
> = Effect.fnUntraced(function* (options: Options) {
  const broker = yield* Broker.Broker
  const intake = yield* responsesIntake.make
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  /** One for each lane in which a response is under way. */
  const working = new Set<Fiber.Fiber<void>>()
  // Registered before the server's own, so run after it: `stop` still waits for what these have to say.
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll(working)))

  const say = (ws: WebSocket, frame: string): void => void SocketPeer.write(ws, [frame])

  /** Writes, and where the socket is full waits until it is not: what comes meanwhile is joined. */
  const write = (ws: WebSocket, frames: ReadonlyArray<string>): Effect.Effect<void> => {
    if (ws.bufferedAmount <= SlowReader.highWater) return Effect.sync(() => void SocketPeer.write(ws, frames))
    return Effect.callback<void>((resume) => {
      if (!SocketPeer.write(ws, frames, () => resume(Effect.void))) resume(Effect.void)
    })
  }

  /** One response, from its request to its last event. */
  const answer = (ws: WebSocket, peer: Peer, request: Request): Effect.Effect<void> => {
    const { body, streamId } = request.create
    return intake.read(body).pipe(
      Effect.flatMap((read) => intake.start(peer.userId, { ...read, background: false })),
      Effect.flatMap((exchange) => {
        request.exchange = exchange
        const { responseId } = exchange
        if (request.cancelled || ws.readyState !== WebSocket.OPEN) void fork(cancel(peer, responseId))
        const encode = canonicalFrames.encoder(LiveReply.routeOf(exchange), -1)
        return Stream.runForEachArray(broker.follow(responseId), (followed) =>
          write(ws, Frames.inLane(encode(followed), streamId))
        ).pipe(
          Effect.catch((error) =>
            // Nobody has hung up: the reply goes on, and the client reads the rest over HTTP or with its history.
            error._tag === "LimitReached"
              ? Effect.sync(() => ws.close(SocketPeer.tooSlow.code, SocketPeer.tooSlow.reason))
              : Effect.fail(OpenAiError.ofPlatform(error))
          )
        )
      }),
      Effect.catch((error) => Effect.sync(() => say(ws, Frames.error(error, streamId))))
    )
  }

  const cancel = (peer: Peer, responseId: string): Effect.Effect<void> =>
    Effect.ignore(broker.cancel(peer.userId, responseId))

  /** Answers what is in a lane, one after the other, until it is empty. */
  const work = (ws: WebSocket, peer: Peer, lane: Array<Request>, streamId: string | undefined): Effect.Effect<void> =>
    Effect.suspend(() => {
      const request = lane[0]
      if (request === undefined) {
        peer.lanes?.delete(streamId)
        return Effect.void
      }
      if (room.isStopping()) {
        for (const { create } of lane) say(ws, Frames.error(OpenAiError.stopping, create.streamId))
        return Effect.void
      }
      const run = request.cancelled ? Effect.void : answer(ws, peer, request)
      return Effect.flatMap(run, () => {
        lane.shift()
        peer.count--
        return work(ws, peer, lane, streamId)
      })
    })

  const create = (ws: WebSocket, peer: Peer, create: Frames.Create): void => {
    const { streamId } = create
    if (room.isStopping()) return say(ws, Frames.error(OpenAiError.stopping, streamId))
    if (peer.count >= mostAtOnce) return say(ws, Frames.error(OpenAiError.tooMany(mostAtOnce), streamId))
    peer.count++
    peer.lanes ??= new Map()
    const request: Request = { create, exchange: undefined, cancelled: false }
    const lane = peer.lanes.get(streamId)
    if (lane !== undefined) return void lane.push(request)
    const made = [request]
    peer.lanes.set(streamId, made)
    const fiber = runFork(work(ws, peer, made, streamId))
    working.add(fiber)
    fiber.addObserver(() => working.delete(fiber))
  }

  /** The one that is named; without a name the one that is being answered in this lane. */
  const cancelOf = (ws: WebSocket, peer: Peer, wanted: Frames.Cancel): void => {
    const { responseId, streamId } = wanted
    const found =
      responseId === undefined
        ? peer.lanes?.get(streamId)?.[0]
        : [...(peer.lanes?.values() ?? [])].flat().find((request) => request.exchange?.responseId === responseId)
    if (found === undefined) return say(ws, Frames.error(OpenAiError.noResponse, streamId))
    found.cancelled = true
    // One that has not begun is cancelled when it does.
    if (found.exchange !== undefined) fork(cancel(peer, found.exchange.responseId))
  }

  const onFrame: SocketRoom.Listener<Peer>["onFrame"] = (ws, peer, text) => {
    const frame = text === undefined ? Frames.binary : Frames.decode(text)
    switch (frame._tag) {
      case "Create":
        return create(ws, peer, frame)
      case "Cancel":
        return cancelOf(ws, peer, frame)
      case "Answer":
        return say(ws, frame.frame)
    }
  }

  /** Whoever asked has hung up: nobody waits for these answers. */
  const onClose: SocketRoom.Listener<Peer>["onClose"] = (_ws, peer, code) => {
    if (peer.lanes === undefined) return
    const tooSlow = code === SocketPeer.tooSlow.code
    // All are marked before the first one is ended: its end is what begins the next.
    const unwanted = [...peer.lanes.values()].flat().filter(({ exchange }) => !tooSlow || exchange === undefined)
    for (const request of unwanted) request.cancelled = true
    for (const { exchange } of unwanted) if (exchange !== undefined) fork(cancel(peer, exchange.responseId))
  }

  const room: SocketRoom.SocketRoom<Peer> = yield* SocketRoom.make<Peer>(options, {
    words: (message) => Frames.error(OpenAiError.frameTooLarge(message), undefined),
    onFrame,
    onClose
  })
  const { fork, peers } = room

  const upgrade = room.upgrade((request, socket, head) =>
    intake.personOf(request.headers.authorization).pipe(
      Effect.map(({ userId }) =>
        room.open(request, socket, head, (ws) => room.admit(ws, { userId, lanes: undefined, count: 0 }))
      ),
      Effect.catch((error) => Effect.sync(() => refuse(socket, error.status, error.message)))
    )
  )

  const stop = room.lock.pipe(
    // What the broker has just ended is on its way to the sockets.
    Effect.andThen(
      Effect.timeoutOption(Effect.interruptible(Effect.suspend(() => Fiber.awaitAll(working))), "200 millis")
    ),
    Effect.andThen(room.clear(800))
  )

  return { upgrade, stop, count: () => peers.size } satisfies ResponsesSocket
})
