/** Our agent as it is, over a real socket, with a runtime that says what a test tells it to. */
import { assert } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Account from "../../src/layers/channel/Account.ts"
import * as MemoryJournal from "../../src/layers/channel/MemoryJournal.ts"
import * as WsConnection from "../../src/layers/channel/WsConnection.ts"
import { AgentRuntime, type ReplyPart, type Turn } from "../../src/services/channel/AgentRuntime.ts"
import { Connection } from "../../src/services/channel/Connection.ts"
import { Dispatcher } from "../../src/services/channel/Dispatcher.ts"
import { Journal } from "../../src/services/channel/Journal.ts"
import type { Dialect, Json, Keys, Line } from "../layers/platform/edge/harness.ts"

const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Piece by piece, a turn of the event loop between them. */
export const spoken = (pieces: ReadonlyArray<string>): Stream.Stream<ReplyPart> =>
  Stream.fromIterable(pieces).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((text) => Effect.as(nextTurn, { _tag: "Text", text } satisfies ReplyPart))
  )

export interface Agent {
  readonly connection: Connection["Service"]
  readonly dispatcher: Dispatcher["Service"]
}

export const agent = Effect.fnUntraced(function* (given: {
  readonly port: number
  readonly keys: Keys
  readonly dialect?: Dialect
  /** `false`: as an agent that knows nothing of them. */
  readonly features?: boolean
  readonly reply: (turn: Turn) => Stream.Stream<ReplyPart>
  readonly journal?: Journal["Service"]
  readonly scope?: Scope.Scope
}) {
  const outer = given.scope ?? (yield* Effect.scope)
  const connection = WsConnection.layer({
    url: `ws://127.0.0.1:${given.port}/ws/chat`,
    credentials: { appKey: given.keys.app_key, appSecret: Redacted.make(given.keys.app_secret) },
    headers: {
      "x-claw-dialect": given.dialect ?? "gateway",
      ...(given.features === false ? { "x-claw-features": "" } : {})
    },
    backoffBase: 2,
    backoffCap: 10,
    backoffJitter: 2,
    closeTimeout: 200
  })
  const journal = given.journal === undefined ? MemoryJournal.layer() : Layer.succeed(Journal, given.journal)
  const context = yield* Layer.buildWithScope(
    Layer.fresh(
      Account.layer({
        accountId: "default",
        maxConcurrent: 10,
        maxQueued: 100,
        requestTimeout: "12 hours",
        stallTimeout: "10 minutes",
        grace: 0,
        deltaSize: 50,
        dialect: undefined,
        systemPrompt: undefined
      }).pipe(
        Layer.provide(
          Layer.succeed(AgentRuntime, { description: "a test", model: "test", reply: (turn) => given.reply(turn) })
        ),
        Layer.provide(journal),
        Layer.provide(SecureRandom.layerWebCrypto),
        Layer.provideMerge(connection)
      )
    ),
    outer
  )
  return { connection: Context.get(context, Connection), dispatcher: Context.get(context, Dispatcher) } satisfies Agent
})

export const isEnd = (frame: Json): boolean =>
  frame["type"] === "response.completed" || frame["type"] === "response.failed"

/** What this reader has been shown of the reply, each number once and in order. */
export const shown = (frames: ReadonlyArray<Json>): { readonly text: string; readonly ends: ReadonlyArray<Json> } => {
  const deltas = frames.filter((frame) => frame["type"] === "response.output_text.delta")
  let next = 4
  for (const delta of deltas) {
    assert.strictEqual(delta["from"] ?? delta["sequence_number"], next, "each delta once and in order")
    next = delta["sequence_number"] + 1
  }
  return { text: deltas.map((delta) => delta["delta"]).join(""), ends: frames.filter(isEnd) }
}

export const ended = (line: Line): Effect.Effect<Json> => line.next(isEnd)
