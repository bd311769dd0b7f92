/**
 * `/v1/responses` as a WebSocket: one connection, many responses, the way OpenAI's clients speak it. A `response.create`
 * is answered with the canonical events, each a text frame. Requests of one lane (`stream_id`, or none) are answered
 * one after the other, lanes beside each other. A socket that says nothing costs itself and a small record; fibers
 * exist only while a response is under way.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { type RawData, WebSocket } from "ws"
import * as Broker from "../../services/platform/Broker.ts"
import type * as Identities from "../../services/platform/Identities.ts"
import type * as People from "../../services/platform/People.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import type * as Sessions from "../../services/platform/Sessions.ts"
import * as canonicalFrames from "./canonicalFrames.ts"
import * as HttpGuards from "./HttpGuards.ts"
import * as LiveReply from "./LiveReply.ts"
import * as OpenAiError from "./OpenAiError.ts"
import * as responsesIntake from "./responsesIntake.ts"
import * as Frames from "./responsesSocketFrames.ts"
import * as SlowReader from "./SlowReader.ts"
import * as SocketPeer from "./SocketPeer.ts"
import { refuse, type Upgrade } from "./UpgradeDoor.ts"

export interface Options {
  readonly guards: HttpGuards.Options
  /** Largest frame in bytes: a larger one ends the socket with 1009. 1 MiB by default. */
  readonly maxPayload?: number | undefined
  readonly handshake?:
    | ((request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void) => void)
    | undefined
}

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

const stopping = "The platform is stopping. Connect again in a moment."

export const make: (
  options: Options
) => Effect.Effect<
  ResponsesSocket,
  never,
  Broker.Broker | Identities.Identities | People.People | Sessions.Sessions | SecureRandom.SecureRandom | Scope.Scope
> = Effect.fnUntraced(function* (options: Options) {
  const broker = yield* Broker.Broker
  const intake = yield* responsesIntake.make
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const server = SocketPeer.makeServer(options.maxPayload)
  const shake: NonNullable<Options["handshake"]> = options.handshake ?? server.handleUpgrade.bind(server)
  const peers = new Map<WebSocket, Peer>()
  const pulse = SocketPeer.makePulse(30)
  /** One for each lane in which a response is under way. */
  const working = new Set<Fiber.Fiber<void>>()
  const state = { stopping: false }
  // Registered before the server's own, so run after it: `stop` still waits for what these have to say.
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll(working)))

  const fork = (effect: Effect.Effect<void>): Fiber.Fiber<void> => Fiber.runIn(runFork(effect), scope)

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
          write(ws, Frames.inLane(encode(followed.map(({ step }) => step)), streamId))
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
      if (state.stopping) {
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
    if (state.stopping) return say(ws, Frames.error(OpenAiError.stopping, streamId))
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

  const onMessage = function (this: WebSocket, data: RawData, isBinary: boolean): void {
    const peer = peers.get(this)
    if (peer === undefined) return
    pulse.alive(this)
    // One Buffer: `binaryType` is left at its default.
    const frame = isBinary ? Frames.binary : Frames.decode((data as Buffer).toString("utf8"))
    switch (frame._tag) {
      case "Create":
        return create(this, peer, frame)
      case "Cancel":
        return cancelOf(this, peer, frame)
      case "Answer":
        return say(this, frame.frame)
    }
  }

  const onPong = function (this: WebSocket): void {
    pulse.alive(this)
  }

  /** Whoever asked has hung up: nobody waits for these answers. */
  const onClose = function (this: WebSocket, code: number): void {
    const peer = peers.get(this)
    peers.delete(this)
    pulse.remove(this)
    if (peer?.lanes === undefined) return
    const tooSlow = code === SocketPeer.tooSlow.code
    // All are marked before the first one is ended: its end is what begins the next.
    const unwanted = [...peer.lanes.values()].flat().filter(({ exchange }) => !tooSlow || exchange === undefined)
    for (const request of unwanted) request.cancelled = true
    for (const { exchange } of unwanted) if (exchange !== undefined) fork(cancel(peer, exchange.responseId))
  }

  const onError = (): void => {}

  const admit = (ws: WebSocket, userId: string): void => {
    peers.set(ws, { userId, lanes: undefined, count: 0 })
    pulse.add(ws)
    ws.on("message", onMessage)
    ws.on("pong", onPong)
    ws.on("close", onClose)
    ws.on("error", onError)
  }

  const upgrade: Upgrade = (request, socket, head) => {
    const refused = HttpGuards.refusal(options.guards, request.headers)
    if (refused !== undefined) return refuse(socket, refused.status, refused.message)
    if (state.stopping) return refuse(socket, 503, stopping)
    fork(
      intake.personOf(request.headers.authorization).pipe(
        Effect.map(({ userId }) => {
          if (state.stopping || socket.destroyed) return refuse(socket, 503, stopping)
          shake(request, socket, head, (ws) => admit(ws, userId))
        }),
        Effect.catch((error) => Effect.sync(() => refuse(socket, error.status, error.message)))
      )
    )
  }

  yield* Effect.forkScoped(Effect.repeat(pulse.tick, Schedule.spaced("1 second")))

  const stop = Effect.suspend(() => {
    state.stopping = true
    // What the broker has just ended is on its way to the sockets.
    return Effect.timeoutOption(Effect.interruptible(Fiber.awaitAll(working)), "200 millis")
  }).pipe(
    Effect.andThen(Effect.suspend(() => SocketPeer.closeAll([...peers.keys()], 1001, "the platform is stopping", 800)))
  )

  return { upgrade, stop, count: () => peers.size } satisfies ResponsesSocket
})
