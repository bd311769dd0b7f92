/**
 * Where the rate limiter keeps its buckets: in this process, and bounded. Effect's own memory store never forgets a
 * key; keys come from strangers (addresses, made-up tokens), so one that does not forget is a way to fill the memory.
 *
 * Bounded by forgetting whom it has not seen for longest: they start anew with a full bucket. An attacker who owns
 * that many addresses gets fresh buckets anyway.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerStoreMemory, RateLimiterStore } from "effect/persistence/RateLimiter"

interface Bucket {
  tokens: number
  lastRefill: number
}

export const defaultCapacity = 50_000

export const layer = (capacity = defaultCapacity): Layer.Layer<RateLimiterStore> =>
  Layer.effect(
    RateLimiterStore,
    Effect.map(RateLimiterStore, (memory) => {
      /** In the order in which they were last used. */
      const buckets = new Map<string, Bucket>()
      return RateLimiterStore.of({
        ...memory,
        tokenBucket: (options) =>
          Effect.clockWith((clock) =>
            Effect.sync(() => {
              const now = clock.currentTimeMillisUnsafe()
              const refill = Duration.toMillis(options.refillRate)
              const bucket = buckets.get(options.key) ?? { tokens: options.limit, lastRefill: now }
              buckets.delete(options.key)
              buckets.set(options.key, bucket)
              if (buckets.size > capacity) {
                for (const oldest of buckets.keys()) {
                  buckets.delete(oldest)
                  break
                }
              }
              const gained = Math.floor((now - bucket.lastRefill) / refill)
              if (gained > 0) {
                bucket.tokens = Math.min(options.limit, bucket.tokens + gained)
                bucket.lastRefill += gained * refill
              }
              if (bucket.tokens >= options.limit) bucket.lastRefill = now
              const remaining = bucket.tokens - options.tokens
              if (options.allowOverflow || remaining >= 0) bucket.tokens = remaining
              return [remaining, Math.max(0, now - bucket.lastRefill)] as const
            })
          )
      })
    })
  ).pipe(Layer.provide(layerStoreMemory))
