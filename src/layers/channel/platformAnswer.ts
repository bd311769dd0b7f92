/**
 * How an answer of a platform over HTTP is read, whichever of its doors gave it: bounded, and with a stranger's words
 * made fit for a person's eyes.
 */
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import { line } from "../../services/protocol/StrangersWords.ts"
import { isRecord } from "../../services/protocol/Wire.ts"

/** Words of a stranger for a person's eyes: one line, bounded. */
export const tame = (text: string): string => line(text, 300)

/** What a body says for people, under the first of the names that it has; within `error` where that is an object. */
export const wordsOf = (body: unknown, names: ReadonlyArray<string>): string | undefined => {
  const holder = isRecord(body) && isRecord(body["error"]) ? body["error"] : body
  if (!isRecord(holder)) return undefined
  const message = names.map((name) => holder[name]).find((value) => value !== undefined && value !== null)
  return typeof message === "string" && message.trim() !== "" ? tame(message) : undefined
}

/** Whether the same call may go through later. */
export const mayPass = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429

/** The whole text of an answer; whoever sends more than `limit` bytes is not listened to any longer. */
export const textOf = <E>(
  response: HttpClientResponse.HttpClientResponse,
  limit: number,
  tooLong: () => E
): Effect.Effect<string, HttpClientError.HttpClientError | E> =>
  response.stream.pipe(
    Stream.catchIf(
      (error) => error.reason._tag === "EmptyBodyError",
      () => Stream.empty
    ),
    Stream.runFoldEffect(
      () => ({ size: 0, chunks: new Array<Uint8Array>() }),
      ({ chunks, size }, chunk) => {
        if (size + chunk.length > limit) return Effect.fail(tooLong())
        chunks.push(chunk)
        return Effect.succeed({ size: size + chunk.length, chunks })
      }
    ),
    Effect.map(({ chunks }) => new TextDecoder().decode(Buffer.concat(chunks)))
  )
