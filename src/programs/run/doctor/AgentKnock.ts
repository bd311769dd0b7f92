/**
 * One socket as an agent opens it, for `doctor`: whether it is taken, how long a ping takes, and an answer to the one
 * test message. Whatever else arrives is left alone: it goes back to where it waits.
 */
import { WebSocket } from "ws"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Redacted from "effect/Redacted"
import type { Profile } from "../../../services/channel/ProfileStore.ts"
import { dialects } from "../../../services/protocol/Dialect.ts"
import { decodeInbound } from "../../../services/protocol/Inbound.ts"
import { ReplyLog } from "../../../services/protocol/ReplyLog.ts"

export type Knock =
  /** The upgrade was answered with an HTTP status. */
  | { readonly _tag: "Refused"; readonly status: number }
  | { readonly _tag: "Failed" }
  | {
      readonly _tag: "Open"
      /** Milliseconds. `undefined`: none came in time. */
      readonly ping: Effect.Effect<number | undefined>
      /** From now on messages of this session are answered with this text. */
      readonly answer: (sessionId: string, text: string) => void
    }

/** Never fails; the socket is gone with the scope. Without a profile the door is only knocked at. */
export const dial = Effect.fnUntraced(function* (
  url: URL,
  profile: Profile | undefined
): Effect.fn.Return<Knock, never, Scope.Scope> {
  const headers: Record<string, string> =
    profile === undefined ? {} : { "x-app-key": profile.app_key, "x-app-secret": Redacted.value(profile.app_secret) }
  const outcome = yield* Deferred.make<Knock>()
  const end = (knock: Knock) => Deferred.doneUnsafe(outcome, Effect.succeed(knock))
  let answered: { readonly sessionId: string; readonly text: string } | undefined
  let sentAt = 0
  let pong: ((millis: number) => void) | undefined

  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const socket = new WebSocket(url, { headers, handshakeTimeout: 10_000, followRedirects: false })
      socket.on("unexpected-response", (request, response) => {
        request.destroy()
        end({ _tag: "Refused", status: response.statusCode ?? 0 })
      })
      socket.on("error", () => end({ _tag: "Failed" }))
      socket.on("close", () => end({ _tag: "Failed" }))
      return socket
    }),
    (socket) => Effect.sync(() => (socket.readyState === WebSocket.OPEN ? socket.close(1000) : socket.terminate()))
  )

  const ping = Effect.callback<number>((resume) => {
    pong = (millis) => resume(Effect.succeed(millis))
    sentAt = performance.now()
    socket.ping()
  }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.undefined }))

  const reply = (raw: string): void => {
    const inbound = decodeInbound(raw)
    if (inbound._tag !== "Request" || answered === undefined) return
    const { request } = inbound
    if (request.sessionId !== answered.sessionId) return
    const at = Math.floor(Date.now() / 1000)
    const encode = dialects[request.dialect].encoder({
      head: {
        responseId: `resp_doctor_${request.messageId ?? ""}`,
        itemId: `msg_doctor_${request.messageId ?? ""}`,
        createdAt: at,
        model: "doctor",
        metadata: {}
      },
      sessionId: request.sessionId,
      messageId: request.messageId,
      stream: true
    })
    const log = new ReplyLog()
    const steps = [log.open(), log.push(answered.text), ...log.complete(at)]
    for (const step of steps) if (step !== undefined) for (const frame of encode(step)) socket.send(frame)
  }

  socket.on("open", () =>
    end({
      _tag: "Open",
      ping,
      answer: (sessionId, text) => {
        answered = { sessionId, text }
      }
    })
  )
  socket.on("pong", () => pong?.(performance.now() - sentAt))
  socket.on("message", (data) => reply(String(data)))

  return yield* Deferred.await(outcome).pipe(
    Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => Effect.succeed<Knock>({ _tag: "Failed" }) })
  )
})
