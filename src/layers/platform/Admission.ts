/**
 * What stands before every door of the platform: who asks (address, key), whether it asks too often, and what is open
 * under its key, so that it can be ended. For calls and for sockets alike.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import type { RawData, WebSocket } from "ws"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as Credential from "./Credential.ts"
import * as Limits from "./Limits.ts"
import * as OpenAccess from "./OpenAccess.ts"
import * as OpenAiError from "./OpenAiError.ts"
import * as PersonFrames from "./PersonFrames.ts"
import * as responsesSocketFrames from "./responsesSocketFrames.ts"
import * as SocketPeer from "./SocketPeer.ts"
import * as UpgradeDoor from "./UpgradeDoor.ts"

export interface Options {
  /** How many proxies of ours add to `X-Forwarded-For` before the platform. 0 = none: the header counts for nothing. */
  readonly hops: number
  readonly limits: Limits.Limits
  readonly access: OpenAccess.OpenAccess
  /** Sockets open at once under one key. */
  readonly maxSocketsPerKey?: number | undefined
  /** Largest frame in bytes. 1 MiB by default. */
  readonly maxPayload?: number | undefined
}

export const defaultMaxSocketsPerKey = 64

/** The close code of a socket whose key is no longer good: policy. Agents read it as "a person has to look". */
export const revokedCode = 1008
const revokedReason = "the key of this connection was revoked"
/**
 * The close code of a socket whose agent was switched off: none that ends the trying, so that the next attempt is told
 * why in words (403).
 */
export const shutCode = 4003
const shutReason = "this agent was switched off, or its keys ended"

/** From this moment on nothing that it says is heard; a peer that does not hang up by itself is hung up on. */
const cut = (ws: WebSocket, why: OpenAccess.Why): void => {
  ws.removeAllListeners("message")
  ws.on("error", () => {})
  if (why === "revoked") ws.close(revokedCode, revokedReason)
  else ws.close(shutCode, shutReason)
  // The edge to Node: no fiber waits for a socket that is over.
  setTimeout(() => ws.terminate(), 1_000).unref()
}

export const askerOf = (
  hops: number,
  peer: string | undefined,
  headers: IncomingMessage["headers"],
  url: string | undefined
): Limits.Asker => ({
  address: ClientAddress.of(hops, peer, headers["x-forwarded-for"]),
  key: Credential.of(headers, url)?.hash
})

/**
 * Ends requests under way when their key is revoked: replies streamed under `/v1`, uploads, downloads. Not the calls of
 * the keys themselves: the one that revokes wants its answer.
 */
export const watchRequests = (server: Server, access: OpenAccess.OpenAccess): void => {
  server.on("request", (request, response) => {
    const credential = Credential.of(request.headers, undefined)
    if (credential === undefined || !/^\/(?:v1|files|api\/files|artifacts?|bots)(?:\/|\?|$)/.test(request.url ?? ""))
      return
    // One whose key has ended already goes on to be told so.
    let isKnown = false
    const close = access.open(credential, () => {
      if (isKnown) request.socket.destroy()
    })
    isKnown = true
    response.once("close", close)
  })
}

const wordsOfChat = (message: string): string =>
  PersonFrames.errorFrame({ type: "limit_reached", code: "rate_limited", param: null, message })

const wordsOfV1 = (message: string): string => responsesSocketFrames.error(OpenAiError.tooOften(message), undefined)

/** `upgrade` behind the limits, and the handshake it is to use. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { access, hops, limits } = options
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context<never>())
  const fork = (effect: Effect.Effect<void>): void => {
    Fiber.runIn(runFork(effect), scope)
  }
  const most = options.maxSocketsPerKey ?? defaultMaxSocketsPerKey
  const server = SocketPeer.makeServer(options.maxPayload)

  /** A person's frames are rationed; an agent's are not: they are the answer, and have bounds of their own. */
  const ration = (ws: WebSocket, asker: Limits.Asker, words: (message: string) => string): void => {
    const emit = ws.emit.bind(ws)
    ws.emit = (event: string | symbol, ...args: Array<unknown>): boolean => {
      if (event !== "message") return emit(event, ...args)
      fork(
        limits.take("messages", asker).pipe(
          Effect.match({
            onSuccess: () => void emit("message", ...(args as [RawData, boolean])),
            onFailure: (error) => void SocketPeer.write(ws, [words(error.message)])
          })
        )
      )
      return true
    }
  }

  /**
   * Ends the socket when its key is revoked. `false`: it was. Here, where nothing of the request is in reach: an idle
   * socket must not keep it alive.
   */
  const hold = (ws: WebSocket, credential: Credential.Credential): boolean => {
    let isCut = false
    const close = access.open(credential, (why) => {
      isCut = true
      cut(ws, why)
    })
    if (!isCut) ws.once("close", close)
    return !isCut
  }

  const handshake = (request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void): void => {
    const credential = Credential.of(request.headers, request.url)
    if (credential !== undefined && access.count(access.holderOf(credential)) >= most) {
      UpgradeDoor.refuse(
        socket,
        429,
        `There are ${most} connections open under this key, which is the limit. Close one that is no longer needed.`,
        5
      )
      return
    }
    server.handleUpgrade(request, socket, head, (ws) => {
      UpgradeDoor.admitted(socket)
      if (credential !== undefined) {
        if (!hold(ws, credential)) return
        if (request.headers["x-app-key"] === undefined && request.headers["x-app-secret"] === undefined) {
          ration(
            ws,
            {
              address: ClientAddress.of(hops, request.socket.remoteAddress, request.headers["x-forwarded-for"]),
              key: access.holderOf(credential)
            },
            request.url?.startsWith("/v1/") === true ? wordsOfV1 : wordsOfChat
          )
        }
      }
      opened(ws)
    })
  }

  /** For a door whose callers say on the socket who they are: no header opens, counts or ends anything here. */
  const plain = (request: IncomingMessage, socket: Duplex, head: Buffer, opened: (ws: WebSocket) => void): void =>
    server.handleUpgrade(request, socket, head, (ws) => {
      UpgradeDoor.admitted(socket)
      opened(ws)
    })

  const guard =
    (upgrade: UpgradeDoor.Upgrade): UpgradeDoor.Upgrade =>
    (request, socket, head) => {
      const asker = askerOf(hops, request.socket.remoteAddress, request.headers, request.url)
      UpgradeDoor.onUnauthorized(socket, () => fork(limits.refused(asker)))
      fork(
        limits.take("sockets", asker).pipe(
          Effect.match({
            onSuccess: () => upgrade(request, socket, head),
            onFailure: (error) => UpgradeDoor.refuse(socket, 429, error.message, error.retryAfter)
          })
        )
      )
    }

  return { handshake, plain, guard }
})
