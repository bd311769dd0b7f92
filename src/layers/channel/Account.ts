/**
 * One account at work: what its connection receives goes, understood, to its dispatcher. Frames are taken as many as
 * there are, in order. When it is stopped it takes nothing new and lets the replies under way end first; the
 * connection, which comes from outside, is still there for their last words.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { Connection } from "../../services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import type { Journal } from "../../services/channel/Journal.ts"
import { decodeInbound, type Inbound } from "../../services/protocol/Inbound.ts"
import * as StreamingDispatcher from "./StreamingDispatcher.ts"

/**
 * In the order of arrival. Requests that arrived together are handed over together, so that the journal writes them
 * down together; it answers in the order in which it was asked. Anything else waits for those before it: a cancel must
 * find what it is about.
 */
const handleAll = (dispatcher: Dispatcher["Service"], frames: ReadonlyArray<string>): Effect.Effect<void> => {
  const [only] = frames
  if (frames.length === 1 && only !== undefined) return dispatcher.handle(decodeInbound(only))
  const runs: Array<Array<Inbound>> = []
  for (const frame of frames) {
    const inbound = decodeInbound(frame)
    const run = runs.at(-1)
    if (inbound._tag === "Request" && run?.[0]?._tag === "Request") run.push(inbound)
    else runs.push([inbound])
  }
  return Effect.forEach(
    runs,
    (run) => Effect.forEach(run, (inbound) => dispatcher.handle(inbound), { discard: true, concurrency: 64 }),
    {
      discard: true
    }
  )
}

/**
 * Serves until the connection is closed or the effect is interrupted; drains the dispatcher either way. Begins by
 * ending what an earlier process left unfinished.
 */
export const serve = (connection: Connection["Service"], dispatcher: Dispatcher["Service"]): Effect.Effect<void> =>
  dispatcher.recover.pipe(
    Effect.andThen(Stream.runForEachArray(connection.inbound, (frames) => handleAll(dispatcher, frames))),
    Effect.ensuring(Effect.suspend(() => dispatcher.drain))
  )

/** Serves as long as the scope lives, and stands by without a fiber while nothing comes. */
export const attend = Effect.fnUntraced(function* (
  connection: Connection["Service"],
  dispatcher: Dispatcher["Service"]
): Effect.fn.Return<void, never, Scope.Scope> {
  const scope = yield* Effect.scope
  if (connection.consume === undefined) {
    yield* Effect.forkIn(serve(connection, dispatcher), scope)
    return
  }
  yield* Scope.addFinalizer(
    scope,
    Effect.suspend(() => dispatcher.drain)
  )
  const frames = connection.consume((frames) => handleAll(dispatcher, frames))
  yield* Effect.forkIn(Effect.andThen(dispatcher.recover, Scope.provide(frames, scope)), scope)
})

export const run: Effect.Effect<void, never, Connection | Dispatcher> = Effect.gen(function* () {
  yield* serve(yield* Connection, yield* Dispatcher)
})

/** The dispatcher of an account that is served as long as the layer lives. */
export const layer = (
  options: DispatcherOptions
): Layer.Layer<Dispatcher, never, Connection | Journal | AgentRuntime | SecureRandom.SecureRandom> =>
  Layer.effectDiscard(Effect.forkScoped(run)).pipe(Layer.provideMerge(StreamingDispatcher.layer(options)))
