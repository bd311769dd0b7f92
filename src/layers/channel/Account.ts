/**
 * One account at work: what its connection receives goes, understood, to its dispatcher. Frames are taken as many as
 * there are, in order. When it is stopped it takes nothing new and lets the replies under way end first; the
 * connection, which comes from outside, is still there for their last words.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import { Connection } from "../../services/channel/Connection.ts"
import { Dispatcher, type DispatcherOptions } from "../../services/channel/Dispatcher.ts"
import type { Journal } from "../../services/channel/Journal.ts"
import { decodeInbound } from "../../services/protocol/Inbound.ts"
import * as StreamingDispatcher from "./StreamingDispatcher.ts"

/**
 * Serves until the connection is closed or the effect is interrupted; drains the dispatcher either way. Begins by
 * ending what an earlier process left unfinished.
 */
export const run: Effect.Effect<void, never, Connection | Dispatcher> = Effect.gen(function* () {
  const connection = yield* Connection
  const dispatcher = yield* Dispatcher
  yield* dispatcher.recover.pipe(
    Effect.andThen(
      Stream.runForEachArray(connection.inbound, (frames) =>
        Effect.forEach(frames, (frame) => dispatcher.handle(decodeInbound(frame)), { discard: true })
      )
    ),
    Effect.ensuring(dispatcher.drain)
  )
})

/** The dispatcher of an account that is served as long as the layer lives. */
export const layer = (
  options: DispatcherOptions
): Layer.Layer<Dispatcher, never, Connection | Journal | AgentRuntime | SecureRandom.SecureRandom> =>
  Layer.effectDiscard(Effect.forkScoped(run)).pipe(Layer.provideMerge(StreamingDispatcher.layer(options)))
