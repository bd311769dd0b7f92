/** Writes a turn into the transcript while its reply streams by. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
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
 * that gave no text at all leaves no trace: asking again is then not asking twice.
 */
export const remember =
  (transcripts: Transcripts["Service"], turn: Turn) =>
  (reply: Stream.Stream<ReplyPart, AgentError>): Stream.Stream<ReplyPart, AgentError> =>
    Stream.unwrap(
      Effect.map(Clock.currentTimeMillis, (askedAt) => {
        let answer = ""
        return reply.pipe(
          Stream.mapArray((parts) => {
            for (const part of parts) if (part._tag === "Text") answer += part.text
            return parts
          }),
          Stream.onExit(() =>
            answer === ""
              ? Effect.void
              : Effect.flatMap(Clock.currentTimeMillis, (answeredAt) =>
                  transcripts.append(turn.sessionKey, [
                    { role: "user", text: textOf(turn), at: askedAt },
                    { role: "assistant", text: answer, at: answeredAt }
                  ])
                )
          )
        )
      })
    )
