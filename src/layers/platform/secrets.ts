/**
 * Secrets that this platform gives out: 32 random bytes, kept as their SHA-256. A slow hash (scrypt) protects secrets
 * that people think up and others can guess; 256 random bits cannot be guessed however fast the hash, and ten
 * thousand sockets that come back at once must not wait for one.
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { createHash, timingSafeEqual } from "node:crypto"

type Random = SecureRandom.SecureRandom["Service"]

export const draw = (random: Random, prefix: string): Effect.Effect<string> =>
  Effect.map(random.randomBytes(32), (bytes) => prefix + Buffer.from(bytes).toString("base64url"))

/** An id: 128 random bits, so that knowing one says nothing of another. */
export const drawId = (random: Random, prefix: string): Effect.Effect<string> =>
  Effect.map(random.randomBytes(16), (bytes) => prefix + Buffer.from(bytes).toString("hex"))

export const hash = (secret: string): string => createHash("sha256").update(secret).digest("hex")

/** In constant time. */
export const matches = (secret: string, hashed: string): boolean => {
  const left = Buffer.from(hash(secret), "hex")
  const right = Buffer.from(hashed, "hex")
  return left.length === right.length && timingSafeEqual(left, right)
}
