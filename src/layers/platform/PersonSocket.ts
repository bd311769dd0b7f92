/** What a person's socket says: messages, cancel, resume. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { WebSocket } from "ws"
import * as Broker from "../../services/platform/Broker.ts"
import type { Person } from "../../services/platform/People.ts"
import { type Invalid, type LimitReached, NotFound, type StoreError } from "../../services/platform/PlatformError.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import { encodeGap } from "../../services/protocol/Control.ts"
import type { ErrorFrame } from "../../services/protocol/ApiFrames.ts"
import type { Inbound, InboundRequest } from "../../services/protocol/Inbound.ts"
import type { ReplyRoute } from "../../services/protocol/Dialect.ts"
import { isTerminal, type Step, stepsAfter } from "../../services/protocol/ReplyLog.ts"
import { decodeUserFrame } from "../../services/protocol/UserFrame.ts"
import * as LiveReply from "./LiveReply.ts"
import * as PersonFrames from "./PersonFrames.ts"
import * as readerNumbers from "./readerNumbers.ts"
import * as SlowReader from "./SlowReader.ts"

type Cancel = Omit<Extract<Inbound, { readonly _tag: "Cancel" }>, "_tag">
type Ids = { readonly sessionId: string | undefined; readonly messageId: string | undefined }

const longestId = 200

const errorOf = (error: Invalid | NotFound | LimitReached | StoreError, param: string): ErrorFrame["error"] => {
  switch (error._tag) {
    case "Invalid":
      return { type: "invalid_request", code: "invalid_parameter", param: error.param ?? param, message: error.message }
    case "NotFound":
      return {
        type: "not_found",
        code: `${error.what.replaceAll(" ", "_")}_not_found`,
        param,
        message: error.message
      }
    case "LimitReached":
      return { type: "limit_reached", code: "limit_reached", param: null, message: error.message }
    case "StoreError":
      return { type: "server_error", code: "unavailable", param: null, message: error.message }
  }
}

const framesAfter = (route: ReplyRoute, steps: ReadonlyArray<Step>, startingAfter: number): ReadonlyArray<string> =>
  stepsAfter(steps, startingAfter).flatMap((step) => PersonFrames.encodeStep(route, step))

export const make = Effect.gen(function* () {
  const broker = yield* Broker.Broker
  const sessions = yield* Sessions.Sessions
  const random = yield* SecureRandom.SecureRandom

  const turns = new WeakMap<WebSocket, Semaphore.Semaphore>()

  /** A database that is asked twice at once may answer the second first: messages of a socket are taken one by one. */
  const inTurn = (ws: WebSocket): Semaphore.Semaphore => {
    let turn = turns.get(ws)
    if (turn === undefined) turns.set(ws, (turn = Semaphore.makeUnsafe(1)))
    return turn
  }

  const say = (ws: WebSocket, frames: ReadonlyArray<string>): void => SlowReader.write(ws, frames)

  const refuse =
    (ws: WebSocket, param: string, ids?: Ids) =>
    (error: Invalid | NotFound | LimitReached | StoreError): Effect.Effect<void> =>
      Effect.sync(() => say(ws, [PersonFrames.errorFrame(errorOf(error, param), ids)]))

  const message = Effect.fnUntraced(function* (
    ws: WebSocket,
    person: Person,
    request: InboundRequest & { readonly sessionId: string }
  ) {
    const messageId = request.messageId ?? `msg_${yield* random.uuidV4()}`
    const { exchange, fresh, agentAway } = yield* broker.submit({
      sessionId: request.sessionId,
      userId: person.userId,
      messageId,
      previousResponseId: request.previousResponseId,
      parts: request.parts,
      stream: request.stream,
      metadata: request.metadata
    })
    // A fresh one came to this socket, as to all others, through the broker.
    if (!fresh) say(ws, [PersonFrames.accepted(exchange, false, agentAway && exchange.status === "waiting")])
  })

  const cancel = Effect.fnUntraced(function* (person: Person, target: Cancel) {
    if (target.responseId !== undefined) {
      yield* broker.cancel(person.userId, target.responseId)
      return
    }
    if (target.messageId === undefined || target.sessionId === undefined) {
      return yield* new NotFound({ what: "reply" })
    }
    yield* sessions.find(person.userId, target.sessionId)
    const exchange = yield* sessions.findByMessage(target.sessionId, target.messageId)
    yield* broker.cancel(person.userId, exchange.responseId)
  })

  const resume = Effect.fnUntraced(function* (
    ws: WebSocket,
    person: Person,
    responseId: string,
    startingAfter: number | undefined
  ) {
    const after = startingAfter ?? -1
    const gap = readerNumbers.gapAfter(after)
    const live = broker.peek(responseId)
    if (live !== undefined && live.exchange.userId === person.userId) {
      if (!readerNumbers.hold(live, after)) {
        say(ws, [encodeGap({ responseId, ...gap })])
        return SlowReader.endOnly(ws, responseId, after)
      }
      SlowReader.goOn(ws, live.route)
      return say(ws, framesAfter(live.route, live.steps, after))
    }
    const exchange = yield* sessions.findExchange(responseId)
    if (exchange.userId !== person.userId) return yield* new NotFound({ what: "reply" })
    const told = broker.told(responseId)
    const route = LiveReply.routeOf(exchange)
    const hasEnded = exchange.status === "completed" || exchange.status === "failed"
    if (!readerNumbers.hold(told, after)) {
      say(ws, [encodeGap({ responseId, ...gap })])
      if (!hasEnded) return SlowReader.endOnly(ws, responseId, after)
      const ends = LiveReply.stored(exchange).flatMap((step) =>
        isTerminal(step) ? [readerNumbers.endAfter(step, after)] : []
      )
      return say(
        ws,
        ends.flatMap((end) => PersonFrames.encodeWhole(route, end))
      )
    }
    SlowReader.goOn(ws, route)
    if (told !== undefined) return say(ws, framesAfter(told.route, told.steps, after))
    // Of one that has not begun, the first step comes by itself.
    if (hasEnded) say(ws, framesAfter(route, LiveReply.stored(exchange), after))
  })

  return (ws: WebSocket, person: Person, raw: string, fork: (effect: Effect.Effect<void>) => void): void => {
    const frame = decodeUserFrame(raw)
    switch (frame._tag) {
      case "Request": {
        const { messageId, parts, sessionId } = frame.request
        const ids = { sessionId, messageId }
        if (messageId !== undefined && messageId.length > longestId) {
          const error = {
            type: "invalid_request",
            code: "invalid_parameter",
            param: "metadata.message_id",
            message: `metadata.message_id is longer than ${longestId} characters.`
          } as const
          return say(ws, [PersonFrames.errorFrame(error, { sessionId, messageId: undefined })])
        }
        if (parts.length === 0) {
          const error = {
            type: "invalid_request",
            code: "missing_required_parameter",
            param: "input",
            message: "input has no part that is understood: send text, a file or an image."
          } as const
          return say(ws, [PersonFrames.errorFrame(error, ids)])
        }
        return fork(
          inTurn(ws)
            .withPermit(message(ws, person, frame.request))
            .pipe(Effect.catch(refuse(ws, "metadata.session_id", ids)))
        )
      }
      case "Cancel":
        return fork(cancel(person, frame).pipe(Effect.catch(refuse(ws, "response_id"))))
      case "Resume":
        return fork(
          resume(ws, person, frame.responseId, frame.startingAfter).pipe(Effect.catch(refuse(ws, "response_id")))
        )
      case "Bind":
        return fork(
          sessions.find(person.userId, frame.sessionId).pipe(
            Effect.map((session) => say(ws, [PersonFrames.greeting(person.userId, [session])])),
            Effect.catch(refuse(ws, "session_id"))
          )
        )
      case "Malformed":
        return say(ws, [
          PersonFrames.errorFrame(
            { type: "invalid_request", code: frame.code, param: frame.param ?? null, message: frame.message },
            frame
          )
        ])
      case "Control":
        return say(ws, [
          PersonFrames.errorFrame({
            type: "invalid_request",
            code: "unknown_type",
            param: "type",
            message: "This platform knows no frame of that type."
          })
        ])
    }
  }
})
