/**
 * A dispatcher that is made when there is first something to do: of a thousand accounts most stand idle, and what an
 * idle one needs is a greeting to remember. What it says and does is what the dispatcher that it makes says and does.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Dispatcher, DispatcherOptions, DispatcherStats } from "../../services/channel/Dispatcher.ts"
import type { Journal } from "../../services/channel/Journal.ts"
import type { Inbound } from "../../services/protocol/Inbound.ts"
import { ReplyStats } from "./ReplyStats.ts"

type Service = Dispatcher["Service"]
type Greeting = Extract<Inbound, { readonly _tag: "AutoBound" }>

export interface Options extends Pick<DispatcherOptions, "accountId" | "staleAfter"> {
  readonly journal: Journal["Service"]
  /** Makes it, once. */
  readonly make: () => Effect.Effect<Service>
}

const nothing: DispatcherStats = new ReplyStats().snapshot({ running: 0, waiting: 0 })

const none: ReadonlyArray<Greeting> = []

/** A class because there is one for each of a thousand accounts: methods are shared, closures are not. */
export class LazyDispatcher implements Service {
  readonly #options: Options
  #made: Service | undefined
  #gate: Semaphore.Semaphore | undefined
  /** Of the socket that there is. */
  #greetings: ReadonlyArray<Greeting> = none

  constructor(options: Options) {
    this.#options = options
  }

  /** One makes it, the others wait, and go on in the order in which they came. */
  get #awake(): Effect.Effect<Service> {
    const gate = (this.#gate ??= Semaphore.makeUnsafe(1))
    return gate.withPermit(
      Effect.suspend(() => {
        if (this.#made !== undefined) return Effect.succeed(this.#made)
        return Effect.tap(
          this.#options.make(),
          Effect.fnUntraced({ self: this }, function* (made) {
            for (const greeting of this.#greetings) yield* made.handle(greeting)
            this.#greetings = none
            this.#made = made
          })
        )
      })
    )
  }

  handle(inbound: Inbound): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#made !== undefined) return this.#made.handle(inbound)
      if (inbound._tag === "Echo") return Effect.void
      if (inbound._tag !== "AutoBound" || this.#gate !== undefined) {
        return Effect.flatMap(this.#awake, (made) => made.handle(inbound))
      }
      // The greeting of a link names its features or its epoch and stands for all before it.
      const anew = inbound.epoch !== undefined || inbound.features.length > 0
      this.#greetings = anew ? [inbound] : [...this.#greetings, inbound]
      return Effect.void
    })
  }

  cancel(target: Parameters<Service["cancel"]>[0]): Effect.Effect<boolean> {
    return Effect.suspend(() => (this.#made === undefined ? Effect.succeed(false) : this.#made.cancel(target)))
  }

  get inFlight(): Service["inFlight"] {
    return Effect.suspend(() => this.#made?.inFlight ?? Effect.succeed([]))
  }

  get recent(): Service["recent"] {
    return Effect.suspend(() => this.#made?.recent ?? Effect.succeed([]))
  }

  get stats(): Service["stats"] {
    return Effect.suspend(() => this.#made?.stats ?? Effect.succeed(nothing))
  }

  /** Nothing was left behind, and nothing may have been lost on its way: then there is nothing to make it for. */
  get recover(): Service["recover"] {
    return Effect.gen({ self: this }, function* () {
      const { accountId, journal, staleAfter } = this.#options
      const now = yield* Clock.currentTimeMillis
      const stale = Duration.toMillis(staleAfter ?? "1 hour")
      const left = yield* journal.unfinished(accountId)
      if (left.length > 0) return true
      const ended = yield* journal.recent(accountId, 64)
      return ended.some(({ endedAt }) => endedAt !== undefined && now - endedAt <= stale)
    }).pipe(
      // A journal that cannot be read is the dispatcher's to tell of.
      Effect.orElseSucceed(() => true),
      Effect.flatMap((due) => (due ? Effect.flatMap(this.#awake, (made) => made.recover) : Effect.succeed(0)))
    )
  }

  get drain(): Service["drain"] {
    return Effect.suspend(() => this.#made?.drain ?? Effect.void)
  }
}
