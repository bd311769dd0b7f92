/**
 * A `SubscriptionRef` for what there are a thousand of and hardly anybody looks at: its pubsub and its semaphore, two
 * kilobytes, are made when somebody first subscribes. Whoever has it as a `SubscriptionRef` sees no difference.
 *
 * Set it by `put`: `SubscriptionRef.set` does the same, but makes the pubsub first.
 */
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { Class } from "effect/Pipeable"
import * as PubSub from "effect/PubSub"
import * as Semaphore from "effect/Semaphore"
import type * as SubscriptionRef from "effect/SubscriptionRef"

const variance = { _A: identity }

/** A class because there are several for each of a thousand accounts: methods are shared, closures are not. */
export class QuietRef<A> extends Class implements SubscriptionRef.SubscriptionRef<A> {
  value: A
  #semaphore: Semaphore.Semaphore | undefined
  #pubsub: PubSub.PubSub<A> | undefined
  #listener: ((value: A) => void) | undefined

  constructor(value: A) {
    super()
    this.value = value
  }

  get "~effect/SubscriptionRef"(): SubscriptionRef.SubscriptionRef<A>["~effect/SubscriptionRef"] {
    return variance
  }

  get semaphore(): Semaphore.Semaphore {
    return (this.#semaphore ??= Semaphore.makeUnsafe(1))
  }

  get pubsub(): PubSub.PubSub<A> {
    if (this.#pubsub === undefined) {
      // Synchronous: it only puts its parts together.
      this.#pubsub = Effect.runSync(PubSub.unbounded<A>({ replay: 1 }))
      PubSub.publishUnsafe(this.#pubsub, this.value)
    }
    return this.#pubsub
  }

  /** At once, and whoever is woken may run before it returns. */
  put(value: A): void {
    this.value = value
    if (this.#pubsub !== undefined) PubSub.publishUnsafe(this.#pubsub, value)
    this.#listener?.(value)
  }

  set(value: A): Effect.Effect<void> {
    return Effect.sync(() => this.put(value))
  }

  /** One, who is told of what is `put` without a fiber that waits for it. Until the function returned is called. */
  listen(listener: (value: A) => void): () => void {
    this.#listener = listener
    return () => {
      if (this.#listener === listener) this.#listener = undefined
    }
  }
}
