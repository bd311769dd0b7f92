/** Writes a turn into the transcript while its reply streams by. */
import * as Channel from "effect/Channel"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AgentError, ReplyPart, Turn } from "../../services/channel/AgentRuntime.ts"
import type { Transcripts } from "../../services/channel/Transcripts.ts"

/** The text of a message; attachments by name, so that "the picture from before" means something. */
export const textOf = (turn: Pick<Turn, "parts">): string =>
  turn.parts
    .map((part) => {
      if (part.type === "input_text") return part.text
      const kind = part.type === "input_image" ? "image" : "file"
      return part.filename === undefined ? `[${kind}]` : `[${kind}: ${part.filename}]`
    })
    .join("\n")

/**
 * Keeps what was asked and what was answered, also where the reply was stopped or broke off after some text. A turn
 * that gave no text at all leaves no trace: asking again is then not asking twice. A registration belongs to no
 * conversation and is not remembered.
 *
 * Written on the stream's channel, since this stands on the way of every batch: `Stream.onExit` and `Stream.mapArray`
 * do the same at several times the cost.
 */
export const remember =
  (transcripts: Transcripts["Service"], turn: Turn) =>
  (reply: Stream.Stream<ReplyPart, AgentError>): Stream.Stream<ReplyPart, AgentError> =>
    turn.origin === "registration"
      ? reply
      : Stream.fromChannel(
          Channel.fromTransform((upstream, scope) =>
            Effect.flatMap(Clock.currentTimeMillis, (askedAt) => {
              let answer = ""
              const save = Effect.suspend(() =>
                answer === ""
                  ? Effect.void
                  : Effect.flatMap(Clock.currentTimeMillis, (answeredAt) =>
                      transcripts.append(turn.sessionKey, [
                        { role: "user", text: textOf(turn), at: askedAt },
                        { role: "assistant", text: answer, at: answeredAt }
                      ])
                    )
              )
              return Scope.addFinalizer(scope, save).pipe(
                Effect.andThen(Channel.toTransform(Stream.toChannel(reply))(upstream, scope)),
                Effect.map(
                  Effect.map((parts) => {
                    for (const part of parts) if (part._tag === "Text") answer += part.text
                    return parts
                  })
                )
              )
            })
          )
        )
