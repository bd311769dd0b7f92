/**
 * Answers that no agent gives: a refusal, a repeat out of the journal, the end of what an earlier process left behind.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { Connection, type ConnectionError } from "../../services/channel/Connection.ts"
import type { DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import { Journal, type Entry } from "../../services/channel/Journal.ts"
import { dialects, type DialectName, type Encoder } from "../../services/protocol/Dialect.ts"
import { ReplyLog, type Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure } from "../../services/protocol/ResponseEvent.ts"
import * as Failures from "./replyFailures.ts"
import { shortEnd } from "./shortEnd.ts"

/** What an answer needs to know of the message it answers. */
export interface Addressed {
  readonly dialect: DialectName
  readonly sessionId: string | undefined
  readonly messageId: string | undefined
  readonly stream: boolean
  readonly metadata: Readonly<Record<string, string>>
  readonly previousResponseId: string | undefined
}

const seconds = (millis: number): number => Math.floor(millis / 1000)

const isStep = (step: Step | undefined): step is Step => step !== undefined

export const make = Effect.fnUntraced(function* (
  options: Pick<DispatcherOptions, "dialect" | "deltaSize">,
  nextId: Effect.Effect<string>
) {
  const connection = yield* Connection
  const journal = yield* Journal
  const runtime = yield* AgentRuntime
  const clock = yield* Clock.Clock

  const encoderFor = (
    asked: Addressed,
    ids: { readonly responseId: string; readonly itemId: string },
    createdAt: number
  ): Encoder =>
    dialects[options.dialect ?? asked.dialect].encoder({
      head: {
        responseId: ids.responseId,
        itemId: ids.itemId,
        createdAt: seconds(createdAt),
        model: runtime.model,
        metadata: asked.metadata,
        previousResponseId: asked.previousResponseId
      },
      sessionId: asked.sessionId,
      messageId: asked.messageId,
      stream: asked.stream
    })

  /** For what is not a running reply. Where the platform cannot be told, the log is. */
  const say = (
    frames: ReadonlyArray<string>,
    instead: (error: ConnectionError) => ReadonlyArray<string> | undefined = () => undefined
  ): Effect.Effect<void> =>
    frames.length === 0
      ? Effect.void
      : connection.send(frames).pipe(
          Effect.catch((error) => {
            const other = instead(error)
            return other === undefined ? Effect.fail(error) : connection.send(other)
          }),
          Effect.catch((error) => Effect.logWarning("An answer could not be sent", error))
        )

  /** A failure for a message that the journal does not hold: nothing was begun for it. */
  const refuse = Effect.fnUntraced(function* (asked: Addressed, failure: Failure) {
    const id = yield* nextId
    const at = clock.currentTimeMillisUnsafe()
    const encode = encoderFor(asked, { responseId: `resp_${id}`, itemId: `msg_${id}` }, at)
    yield* say(new ReplyLog().fail(seconds(at), failure).flatMap(encode))
  })

  /** The whole reply again, in the dialect asked for now, with the ids and the words of the first time. */
  const repeat = (asked: Addressed, entry: Entry): Effect.Effect<void> => {
    const { outcome } = entry
    if (outcome === undefined) return Effect.void
    const encode = encoderFor(asked, entry, entry.acceptedAt)
    const log = new ReplyLog({ maxDelta: options.deltaSize })
    const at = seconds(entry.endedAt ?? entry.acceptedAt)
    const begun = [log.open(), log.push(outcome.text)].filter(isStep)
    const end = outcome._tag === "Completed" ? log.complete(at) : log.fail(at, outcome.failure)
    const steps = [...begun, ...end]
    return say(steps.flatMap(encode), (error) => shortEnd(steps, encode, error)?.flatMap(encode))
  }

  /**
   * What an earlier process left behind: ended once, in the journal first, so that no two starts say it twice.
   * `silently`: in the journal alone.
   */
  const abandon = Effect.fnUntraced(function* (asked: Addressed, entry: Entry, silently = false) {
    const first = yield* journal.end(entry.responseId, { _tag: "Failed", text: "", failure: Failures.crashed })
    if (!first || silently) return first
    const at = seconds(clock.currentTimeMillisUnsafe())
    // Goes on from what the other side has; what it had shown beyond that is not known any more.
    const confirmed = entry.confirmedSequence
    const steps: ReadonlyArray<Step> =
      confirmed === undefined
        ? new ReplyLog().fail(at, Failures.crashed)
        : [{ _tag: "Failed", sequence: confirmed + 1, text: "", completedAt: at, failure: Failures.crashed }]
    yield* say(steps.flatMap(encoderFor(asked, entry, entry.acceptedAt)))
    return true
  })

  return { encoderFor, say, refuse, repeat, abandon }
})
