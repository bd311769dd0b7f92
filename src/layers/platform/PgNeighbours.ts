/** Postgres's own LISTEN and NOTIFY. One connection of the pool listens; when it is lost, another one does. */
import { PgClient } from "@effect/sql-pg/PgClient"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type EndedElsewhere, Neighbours } from "../../services/platform/Neighbours.ts"

const channel = "clawfiber_replies"

type Word =
  | { readonly _tag: "Ended"; readonly ended: EndedElsewhere }
  | { readonly _tag: "Waits"; readonly agentId: string }

const make = Effect.gen(function* () {
  const sql = yield* PgClient
  // What a process says comes back to it.
  const self = yield* (yield* SecureRandom.SecureRandom).uuidV4()

  const read = (payload: string): ReadonlyArray<Word> => {
    const [from, first, second] = payload.split(" ")
    if (from === self || first === undefined || second === undefined) return []
    return first === "waits"
      ? [{ _tag: "Waits", agentId: second }]
      : [{ _tag: "Ended", ended: { userId: first, responseId: second } }]
  }

  // One for all who listen: each LISTEN takes a connection.
  const words = yield* PubSub.sliding<Word>(4096)
  yield* Stream.unwrap(Effect.map(sql.listen(channel), (queue) => Stream.fromQueue(queue))).pipe(
    Stream.runForEach(({ payload }) => PubSub.publishAll(words, read(payload))),
    Effect.tapError((error) => Effect.logWarning("Other platform processes are not heard for a moment", error)),
    Effect.retry(Schedule.spaced("2 seconds")),
    Effect.forkScoped
  )

  const tell = (said: string) =>
    sql
      .notify(channel, `${self} ${said}`)
      .pipe(Effect.catch((error) => Effect.logDebug("Other platform processes could not be told", error)))
  const heard = Stream.fromPubSub(words)

  return Neighbours.of({
    tell: ({ responseId, userId }) => tell(`${userId} ${responseId}`),
    heard: heard.pipe(Stream.flatMap((word) => (word._tag === "Ended" ? Stream.succeed(word.ended) : Stream.empty))),
    tellDelivery: (agentId) => tell(`waits ${agentId}`),
    deliveries: heard.pipe(
      Stream.flatMap((word) => (word._tag === "Waits" ? Stream.succeed(word.agentId) : Stream.empty))
    )
  })
})

export const layer: Layer.Layer<Neighbours, never, PgClient | SecureRandom.SecureRandom> = Layer.effect(
  Neighbours,
  make
)
