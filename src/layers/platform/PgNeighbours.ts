/** Postgres's own LISTEN and NOTIFY. One connection of the pool listens; when it is lost, another one does. */
import { PgClient } from "@effect/sql-pg/PgClient"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type EndedElsewhere, Neighbours } from "../../services/platform/Neighbours.ts"

const channel = "clawfiber_replies"

const make = Effect.gen(function* () {
  const sql = yield* PgClient
  // What a process says comes back to it.
  const self = yield* (yield* SecureRandom.SecureRandom).uuidV4()

  const read = (payload: string): ReadonlyArray<EndedElsewhere> => {
    const [from, userId, responseId] = payload.split(" ")
    return from === self || userId === undefined || responseId === undefined ? [] : [{ userId, responseId }]
  }

  const heard = Stream.unwrap(Effect.map(sql.listen(channel), (queue) => Stream.fromQueue(queue))).pipe(
    Stream.flatMap(({ payload }) => Stream.fromIterable(read(payload))),
    Stream.tapError((error) => Effect.logWarning("Other platform processes are not heard for a moment", error)),
    Stream.retry(Schedule.spaced("2 seconds")),
    Stream.orDie
  )

  return Neighbours.of({
    tell: ({ responseId, userId }) =>
      sql
        .notify(channel, `${self} ${userId} ${responseId}`)
        .pipe(Effect.catch((error) => Effect.logDebug("Other platform processes could not be told", error))),
    heard
  })
})

export const layer: Layer.Layer<Neighbours, never, PgClient | SecureRandom.SecureRandom> = Layer.effect(
  Neighbours,
  make
)
