/**
 * Ids of replies: 128 random bits each, so that nobody guesses the id of another's reply. Drawn by the kilobyte,
 * because a draw of 16 bytes costs as much as one of 1,024.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"

const bytesPerDraw = 1024
const charactersPerId = 32

/** Each run gives another id: 32 characters of lower-case hex. */
export const make: Effect.Effect<Effect.Effect<string>, never, SecureRandom.SecureRandom> = Effect.map(
  SecureRandom.SecureRandom,
  (random) => {
    let pool = ""
    let position = 0
    const take = (): string => pool.slice(position, (position += charactersPerId))
    const refill = Effect.map(random.randomBytes(bytesPerDraw), (bytes) => {
      pool = Hex.encode(bytes)
      position = 0
      return take()
    })
    return Effect.suspend(() => (position < pool.length ? Effect.succeed(take()) : refill))
  }
)
