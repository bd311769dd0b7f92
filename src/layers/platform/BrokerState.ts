/**
 * What the parts of one broker share: the desks of its agents, the replies under way, and how a step of one gets to its
 * readers. No part keeps any of it twice.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { AgentLink, Presence } from "../../services/platform/Broker.ts"
import { type EndedElsewhere, Neighbours } from "../../services/platform/Neighbours.ts"
import type { Exchange } from "../../services/platform/Sessions.ts"
import * as Sessions from "../../services/platform/Sessions.ts"
import * as Identities from "../../services/platform/Identities.ts"
import { encodeCancel } from "../../services/protocol/PlatformFrame.ts"
import type { Step } from "../../services/protocol/ReplyLog.ts"
import * as AgentDesk from "./AgentDesk.ts"
import * as EndedReplies from "./EndedReplies.ts"
import * as LiveReply from "./LiveReply.ts"
import * as Readers from "./Readers.ts"
import * as ReplyAcks from "./ReplyAcks.ts"

export type Desk = AgentDesk.AgentDesk
export type Reply = LiveReply.LiveReply

export interface Options {
  /** How long a reply stays open after its agent's link ended. 60 seconds by default. */
  readonly grace?: Duration.Input | undefined
  /** How many messages an agent has at once, delivered or answering; the rest waits in its mailbox. 100 by default. */
  readonly window?: number | undefined
  /** The largest frame of an agent, in bytes: a message that makes a larger one ends as INVALID_REQUEST. 1 MiB by default. */
  readonly maxFrameBytes?: number | undefined
  /** The longest reply in characters; what is longer is stopped and ends as CALLBACK_ERROR. 32 Mi by default. */
  readonly maxReplyCharacters?: number | undefined
}

/** A message that somebody holds a line open for. */
interface Awaited {
  readonly exchange: Exchange
  /** When it is given up unless it is under way. Monotonic milliseconds. */
  deadline: number | undefined
}

export interface BrokerState {
  readonly sessions: Sessions.Sessions["Service"]
  readonly identities: Identities.Identities["Service"]
  /** Milliseconds. */
  readonly grace: number
  readonly window: number
  readonly maxFrameBytes: number
  readonly maxReplyCharacters: number
  readonly desks: Map<string, Desk>
  readonly readers: Readers.Readers
  /** Where a running reply is: response id → its desk. */
  readonly underWay: Map<string, { readonly desk: Desk; readonly reply: Reply }>
  /** Desks whose mailbox could not be read. */
  readonly stuck: Set<Desk>
  readonly awaited: Map<string, Awaited>
  readonly endedReplies: EndedReplies.EndedReplies
  readonly acks: ReplyAcks.ReplyAcks
  readonly counts: {
    accepted: number
    delivered: number
    completed: number
    failed: number
    deltas: number
    onLine: number
  }
  stopping: boolean
  /** Runs what a synchronous door set off, for as long as the broker lives. */
  readonly fork: (effect: Effect.Effect<void>) => void
  /** Until all that was set off is done. */
  readonly settled: Effect.Effect<void>
  readonly deskOf: (clawId: string) => Desk
  /** Monotonic milliseconds: no correction of the wall clock shortens or lengthens a wait. */
  readonly elapsed: () => number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly publish: (reply: Reply, step: Step, exchange?: Exchange) => void
  /** The first step of a reply goes out, unless it did before. */
  readonly openReply: (reply: Reply) => void
  readonly flush: (reply: Reply) => void
  /** All deltas that come in one turn of the event loop go on as one step; the first one waits for nothing. */
  readonly flushSoon: (reply: Reply) => void
  /** Its end is stored: other processes over the same database are told. */
  readonly tellNeighbours: (exchange: Exchange) => void
  /** What other processes tell. */
  readonly heard: Stream.Stream<EndedElsewhere>
  /** What waited to be flushed waits no more. */
  readonly forgetPending: (reply: Reply) => void
}

export const resumes = (link: AgentLink | undefined): link is AgentLink => link?.features?.has("resume") === true

export const presenceOf = (desk: Desk | undefined): Presence =>
  desk?.link !== undefined && desk.since !== undefined
    ? { _tag: "OnLine", since: desk.since }
    : { _tag: "Away", since: desk?.since }

export const tellCancelled = (desk: Desk, { agentResponseId, exchange }: Reply): void => {
  desk.link?.send([
    encodeCancel({
      responseId: agentResponseId ?? exchange.responseId,
      messageId: exchange.messageId,
      sessionId: exchange.sessionId
    })
  ])
}

export const make = Effect.fnUntraced(function* (options: Options) {
  const sessions = yield* Sessions.Sessions
  const identities = yield* Identities.Identities
  const neighbours = Option.getOrUndefined(yield* Effect.serviceOption(Neighbours))
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const runFork = Effect.runForkWith(yield* Effect.context<never>())

  const desks = new Map<string, Desk>()
  const readers = Readers.make()
  const dirty = new Set<Reply>()
  const background = new Set<Fiber.Fiber<void>>()
  const counts = { accepted: 0, delivered: 0, completed: 0, failed: 0, deltas: 0, onLine: 0 }

  const fork: BrokerState["fork"] = (effect) => {
    const fiber = Fiber.runIn(runFork(effect), scope)
    background.add(fiber)
    fiber.addObserver(() => background.delete(fiber))
  }

  const publish: BrokerState["publish"] = (reply, step, exchange = reply.exchange) => {
    if (readers.has(exchange.userId)) {
      readers.tell(exchange.userId, { _tag: "Step", exchange, route: reply.route, step })
    }
  }

  const flush: BrokerState["flush"] = (reply) => {
    const step = LiveReply.takePending(reply)
    if (step === undefined) return
    counts.deltas += step._tag === "Deltas" ? step.deltas.length : 0
    publish(reply, step)
  }

  const flushAll = (): void => {
    for (const reply of dirty) flush(reply)
    dirty.clear()
  }

  const state: BrokerState = {
    sessions,
    identities,
    grace: Duration.toMillis(options.grace ?? "60 seconds"),
    window: options.window ?? 100,
    maxFrameBytes: options.maxFrameBytes ?? 1024 * 1024,
    maxReplyCharacters: options.maxReplyCharacters ?? 32 * 1024 * 1024,
    desks,
    readers,
    underWay: new Map(),
    stuck: new Set(),
    awaited: new Map(),
    endedReplies: EndedReplies.make(),
    acks: ReplyAcks.make((effect) => void Fiber.runIn(runFork(effect), scope)),
    counts,
    stopping: false,
    fork,
    settled: Effect.asVoid(Effect.suspend(() => Fiber.awaitAll(background))),
    deskOf: (clawId) => {
      let desk = desks.get(clawId)
      if (desk === undefined) desks.set(clawId, (desk = AgentDesk.make(clawId)))
      return desk
    },
    elapsed: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    now: () => clock.currentTimeMillisUnsafe(),
    publish,
    openReply: (reply) => {
      const step = LiveReply.open(reply)
      if (step !== undefined) publish(reply, step)
    },
    flush,
    flushSoon: (reply) => {
      if (dirty.size === 0) queueMicrotask(flushAll)
      dirty.add(reply)
    },
    tellNeighbours: ({ responseId, userId }) => {
      if (neighbours !== undefined) fork(neighbours.tell({ responseId, userId }))
    },
    heard: neighbours?.heard ?? Stream.never,
    forgetPending: (reply) => void dirty.delete(reply)
  }
  return state
})
