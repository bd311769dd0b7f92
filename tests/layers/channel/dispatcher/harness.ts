/**
 * A dispatcher between an agent that does what a test says and a wire that writes down what it is given. Every frame
 * is read back with the platform's own decoder, and every reply is held to the laws.
 */
import { assert } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Account from "../../../../src/layers/channel/Account.ts"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import * as StreamingDispatcher from "../../../../src/layers/channel/StreamingDispatcher.ts"
import {
  AgentRuntime,
  type AgentError,
  type ReplyPart,
  type Turn
} from "../../../../src/services/channel/AgentRuntime.ts"
import { Connection, type ConnectionError, type ConnectionState } from "../../../../src/services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../../../src/services/channel/Dispatcher.ts"
import { Journal } from "../../../../src/services/channel/Journal.ts"
import { type AgentFrame, decodeAgentFrame } from "../../../../src/services/protocol/AgentFrame.ts"
import type { ReplyUpdate } from "../../../../src/services/protocol/Dialect.ts"
import type { Inbound, InboundRequest } from "../../../../src/services/protocol/Inbound.ts"
import { events, type ReplyHead, type Step } from "../../../../src/services/protocol/ReplyLog.ts"
import type { Failure } from "../../../../src/services/protocol/ResponseEvent.ts"
import { check } from "../../../../src/services/protocol/StreamLaws.ts"

export const text = (text: string): ReplyPart => ({ _tag: "Text", text })
export const activity: ReplyPart = { _tag: "Activity", label: "looking something up" }

export const request = (given: Partial<InboundRequest> = {}): Inbound => ({
  _tag: "Request",
  request: {
    dialect: "envelope",
    messageId: "m1",
    sessionId: "s1",
    parts: [{ type: "input_text", text: "hello" }],
    skippedParts: 0,
    stream: true,
    model: undefined,
    previousResponseId: undefined,
    metadata: {},
    ...given
  }
})

// ---- the wire ----

const disconnected: ConnectionState = {
  phase: "connected",
  attempt: 0,
  generation: 1,
  connectedAt: 0,
  lastPongAt: 0,
  lastFailure: undefined,
  retryAt: undefined,
  outboxBytes: 0
}

export interface Wire {
  readonly frames: Array<string>
  /** How many frames each call of `send` brought. */
  readonly sends: Array<number>
  /** Closed: sends wait, as they do while an outbox is full. */
  readonly room: Latch.Latch
  /** The error with which the wire refuses these frames. */
  refuse: (frames: ReadonlyArray<string>) => ConnectionError | undefined
  renewed: number
  /** Calls of `send` under way at once: now, and at most so far. */
  sending: number
  mostSending: number
  readonly arrive: (...frames: ReadonlyArray<string>) => void
  readonly close: () => void
}

const makeWire = Effect.gen(function* () {
  const inbound = yield* Queue.unbounded<string, Cause.Done>()
  const wire: Wire = {
    frames: [],
    sends: [],
    room: yield* Latch.make(true),
    refuse: () => undefined,
    renewed: 0,
    sending: 0,
    mostSending: 0,
    arrive: (...frames) => void Queue.offerAllUnsafe(inbound, frames),
    close: () => void Queue.endUnsafe(inbound)
  }
  const connection = Connection.of({
    state: yield* SubscriptionRef.make(disconnected),
    inbound: Stream.fromQueue(inbound),
    send: (frames) =>
      Effect.suspend(() => {
        wire.mostSending = Math.max(wire.mostSending, ++wire.sending)
        return wire.room.whenOpen(
          Effect.suspend(() => {
            const error = wire.refuse(frames)
            if (error !== undefined) return Effect.fail(error)
            wire.frames.push(...frames)
            wire.sends.push(frames.length)
            return Effect.void
          })
        )
      }).pipe(Effect.ensuring(Effect.sync(() => wire.sending--))),
    renew: Effect.sync(() => {
      wire.renewed++
    }),
    unblock: Effect.void
  })
  return { wire, connection }
})

// ---- the agent ----

/** One turn that the agent has been given: the test plays the agent. */
export interface Playing {
  readonly turn: Turn
  readonly say: (...parts: ReadonlyArray<ReplyPart>) => void
  readonly end: () => void
  readonly fail: (error: AgentError) => void
  /** The stream was ended from outside before it was finished. */
  interrupted: boolean
}

export class Stage {
  readonly turns: Array<Playing> = []
  /** Turns under way at once: now, and at most so far. */
  running = 0
  most = 0
  /** Called with the turn in place of the play. */
  instead: ((turn: Turn) => Stream.Stream<ReplyPart, AgentError>) | undefined

  readonly reply = (turn: Turn): Stream.Stream<ReplyPart, AgentError> => {
    if (this.instead !== undefined) return this.instead(turn)
    return Stream.unwrap(
      Effect.gen({ self: this }, function* () {
        const queue = yield* Queue.unbounded<ReplyPart, AgentError | Cause.Done>()
        let over = false
        const playing: Playing = {
          turn,
          say: (...parts) => void Queue.offerAllUnsafe(queue, parts),
          end: () => {
            over = true
            Queue.endUnsafe(queue)
          },
          fail: (error) => {
            over = true
            Queue.failCauseUnsafe(queue, Cause.fail(error))
          },
          interrupted: false
        }
        this.turns.push(playing)
        this.most = Math.max(this.most, ++this.running)
        return Stream.fromQueue(queue).pipe(
          Stream.ensuring(
            Effect.sync(() => {
              this.running--
              playing.interrupted = !over
            })
          )
        )
      })
    )
  }

  /** The latest turn of this message. */
  of(messageId: string): Playing {
    const playing = this.turns.findLast(({ turn }) => turn.messageId === messageId)
    assert.isDefined(playing, `no turn for ${messageId}`)
    return playing
  }
}

// ---- what was seen ----

export interface Seen {
  readonly responseId: string
  readonly messageId: string | undefined
  readonly text: string
  readonly deltas: ReadonlyArray<string>
  /** "completed", a failure, or undefined while it goes on. */
  readonly end: "completed" | Failure | undefined
}

const readFrames = (frames: ReadonlyArray<string>): ReadonlyArray<ReplyUpdate> =>
  frames
    .map((frame): AgentFrame => decodeAgentFrame(frame))
    .flatMap((frame) => {
      assert.notStrictEqual(frame._tag, "Malformed")
      return frame._tag === "Update" ? frame.updates : []
    })

/** The steps that these updates of one reply tell of, with the numbers that travelled. */
const stepsOf = (updates: ReadonlyArray<ReplyUpdate>): ReadonlyArray<Step> => {
  let said = ""
  let joined = ""
  const steps: Array<Step> = []
  for (const update of updates) {
    switch (update._tag) {
      case "Opened":
        steps.push({ _tag: "Opened", sequence: 0 })
        break
      case "Delta":
        joined += update.delta
        steps.push({ _tag: "Deltas", sequence: update.sequence ?? -1, deltas: [update.delta] })
        break
      case "TextDone":
        said = update.text
        break
      case "Completed":
      case "Failed": {
        // The legacy dialect names the finished text nowhere: there the deltas are all there is.
        const dialectText = update.text ?? (said === "" ? joined : said)
        const sequence = (update.sequence ?? -1) - 3
        steps.push(
          update._tag === "Completed"
            ? { _tag: "Completed", sequence, text: dialectText, completedAt: 1, usage: undefined }
            : { _tag: "Failed", sequence, text: dialectText, completedAt: 1, failure: update.failure }
        )
        break
      }
      case "Progress":
        break
    }
  }
  return steps
}

const headOf = (responseId: string): ReplyHead => ({
  responseId,
  itemId: "msg",
  createdAt: 0,
  model: "test",
  metadata: {}
})

/** One entry per response id, in the order of their opening. */
export const seen = (frames: ReadonlyArray<string>): ReadonlyArray<Seen> =>
  Object.entries(Arr.groupBy(readFrames(frames), (update) => update.ref.responseId ?? "none")).map(
    ([responseId, updates]) => {
      const deltas = updates.flatMap((update) => (update._tag === "Delta" ? [update.delta] : []))
      const last = updates.at(-1)
      return {
        responseId,
        messageId: updates.find((update) => update.ref.messageId !== undefined)?.ref.messageId,
        text: deltas.join(""),
        deltas,
        end: last?._tag === "Completed" ? "completed" : last?._tag === "Failed" ? last.failure : undefined
      }
    }
  )

/** Every finished reply on the wire keeps the laws stream and one-terminal; unfinished ones are named. */
export const assertLaws = (frames: ReadonlyArray<string>): void => {
  for (const [responseId, updates] of Object.entries(
    Arr.groupBy(readFrames(frames), (update) => update.ref.responseId ?? "none")
  )) {
    const head = headOf(responseId)
    assert.deepStrictEqual(check(stepsOf(updates).flatMap((step) => events(head, step))), [], responseId)
  }
}

// ---- all together ----

export const options: DispatcherOptions = {
  accountId: "acc",
  maxConcurrent: 10,
  maxQueued: 100,
  requestTimeout: "12 hours",
  stallTimeout: "10 minutes",
  // None: the test's clock stands still while its scope closes.
  grace: 0,
  deltaSize: 50,
  dialect: undefined,
  systemPrompt: "be kind"
}

/** Bytes that differ by draw and are the same in each run. */
const countingRandom = (): SecureRandom.SecureRandom["Service"] => {
  let next = 0
  return SecureRandom.make((size) =>
    Uint8Array.from({ length: size }, () => (next = (Math.imul(next, 1_664_525) + 1_013_904_223) | 0) >>> 24)
  )
}

export interface Harness {
  readonly dispatcher: Dispatcher["Service"]
  readonly journal: Journal["Service"]
  readonly wire: Wire
  readonly stage: Stage
  /** Closes the dispatcher's layer. The wire stays. */
  readonly close: Effect.Effect<void>
  readonly seen: () => ReadonlyArray<Seen>
  readonly of: (messageId: string) => Seen
}

export interface Setup extends Partial<DispatcherOptions> {
  readonly journal?: Journal["Service"] | undefined
  /** With the loop that feeds it from the wire. */
  readonly serve?: boolean
}

/** Gives every fiber that can go on the chance to. */
export const settle: Effect.Effect<void> = Effect.forEach(Arr.range(1, 40), () => Effect.yieldNow, { discard: true })

export const make = Effect.fnUntraced(function* ({ journal: given, serve, ...overrides }: Setup = {}) {
  const { connection, wire } = yield* makeWire
  const stage = new Stage()
  const journal = given ?? (yield* MemoryJournal.make())
  const outer = yield* Scope.Scope
  const scope = yield* Scope.fork(outer)
  const chosen = { ...options, ...overrides }
  const context = yield* Layer.buildWithScope(
    Layer.fresh(serve === true ? Account.layer(chosen) : StreamingDispatcher.layer(chosen)).pipe(
      Layer.provide(
        Layer.mergeAll(
          Layer.succeed(Connection, connection),
          Layer.succeed(Journal, journal),
          Layer.succeed(AgentRuntime, {
            description: "a test",
            model: "test",
            stops: ([part]) => part?.type === "input_text" && part.text === "/stop",
            reply: stage.reply
          }),
          Layer.succeed(SecureRandom.SecureRandom, countingRandom())
        )
      )
    ),
    scope
  )
  const harness: Harness = {
    dispatcher: Context.get(context, Dispatcher),
    journal,
    wire,
    stage,
    close: Scope.close(scope, Exit.void),
    seen: () => seen(wire.frames),
    of: (messageId) => {
      const found = seen(wire.frames).find((reply) => reply.messageId === messageId)
      assert.isDefined(found, `no reply to ${messageId}`)
      return found
    }
  }
  return harness
})

export const codeOf = (reply: Seen): string | undefined =>
  reply.end === "completed" || reply.end === undefined ? reply.end : reply.end.code
