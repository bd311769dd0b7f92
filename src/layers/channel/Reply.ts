/** One reply from acceptance to its end: data, and the questions one asks of it. What happens to it is in Replies. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Turn } from "../../services/channel/AgentRuntime.ts"
import type { Ended, InFlight } from "../../services/channel/Dispatcher.ts"
import type { Outcome } from "../../services/channel/Journal.ts"
import type { Encoder } from "../../services/protocol/Dialect.ts"
import type { ReplyLog, Step } from "../../services/protocol/ReplyLog.ts"
import type { Failure, Usage } from "../../services/protocol/ResponseEvent.ts"

export class Reply {
  readonly responseId: string
  readonly turn: Turn
  readonly log: ReplyLog
  readonly encode: Encoder
  readonly acceptedAt: number
  /** When it got a place. */
  startedAt: number | undefined
  firstDeltaAt: number | undefined
  endedAt: number | undefined
  /** Monotonic milliseconds, as all that time limits are reckoned by. */
  readonly bornAt: number
  lastActivityAt: number
  characters = 0
  usage: Usage | undefined
  /** It is its session's front: the one behind it goes on when it is released. */
  front = false
  /** Waits for a place and then runs the agent. Undefined while the reply waits behind another of its session. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  /** Batches of frames handed over that are not all taken yet. The end waits for them. */
  sending = 0
  /** How it shall end, decided from outside (cancel, timeout, stop). The first decision stays. */
  verdict: Failure | undefined
  /** The terminal has been built: nothing can change it any more. */
  concluded = false
  /** The terminal has been handed to the connection, or never will be. */
  told = false
  failure: Failure | undefined
  /** All that was built of it, in order: what a reconnect may have to send again. */
  readonly steps: Array<Step> = []
  /** The last number that the platform confirmed on any link. */
  confirmed = -1
  /** When the journal was last told of it: monotonic milliseconds. */
  confirmedAt = -Infinity
  /**
   * Nothing is sent until the platform has said how far it has it, or until the message has come again; or nothing
   * more is wanted, because it has ended there.
   */
  awaiting: "answer" | "message" | "nothing" | undefined
  /** Questions how far the platform has it: all so far, and those on this link that have no answer yet. */
  asked = 0
  unanswered = 0
  /** The last steps, where the connection would not take them: a person has to help it first. */
  refused: ReadonlyArray<Step> | undefined

  constructor(given: {
    readonly turn: Turn
    readonly log: ReplyLog
    readonly encode: Encoder
    readonly acceptedAt: number
    readonly bornAt: number
  }) {
    this.responseId = given.turn.responseId
    this.turn = given.turn
    this.log = given.log
    this.encode = given.encode
    this.acceptedAt = given.acceptedAt
    this.bornAt = given.bornAt
    this.lastActivityAt = given.bornAt
  }

  /** A batch of frames that was handed over is taken, or never will be. */
  readonly sent = Effect.sync(() => {
    this.sending--
  })

  readonly tell = (): void => {
    this.told = true
  }

  readonly logged = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.annotateLogs(effect, { account: this.turn.accountId, responseId: this.responseId })

  /** Still open to a decision from outside. */
  get undecided(): boolean {
    return this.verdict === undefined && !this.concluded
  }

  /** After the end. */
  get outcome(): Outcome {
    const text = this.log.text
    return this.failure === undefined ? { _tag: "Completed", text } : { _tag: "Failed", text, failure: this.failure }
  }

  get inFlight(): InFlight {
    return {
      responseId: this.responseId,
      sessionId: this.turn.sessionId,
      messageId: this.turn.messageId,
      acceptedAt: this.acceptedAt,
      startedAt: this.startedAt,
      firstDeltaAt: this.firstDeltaAt,
      characters: this.characters
    }
  }

  get ended(): Ended {
    return { ...this.inFlight, endedAt: this.endedAt ?? this.acceptedAt, failure: this.failure }
  }
}
