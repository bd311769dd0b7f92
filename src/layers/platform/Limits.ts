/**
 * How often somebody may ask: a token bucket for each key and each address, of Effect's RateLimiter. A bucket holds
 * what is allowed in a minute and fills evenly; what finds it empty is refused with how long to wait.
 *
 * A key is known here by its hash alone, before anybody has looked it up: made-up keys have buckets of their own, and
 * the bucket of their address stops them. What this very machine asks is not limited, unless that is wanted.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as Schema from "effect/Schema"
import * as ClientAddress from "../http/ClientAddress.ts"
import * as HttpGuards from "../http/HttpGuards.ts"
import * as limitStore from "./limitStore.ts"

/** Per minute. Those of `signIn` and `register` are per address, the others per key; an address has five times them. */
export interface Rates {
  /** Signing in by name. */
  readonly signIn: number
  /** Registering an agent. */
  readonly register: number
  /** Messages to agents, on sockets and under `/v1`. */
  readonly messages: number
  readonly uploads: number
  /** Sockets opened, tickets asked for. */
  readonly sockets: number
  /** Every other call. */
  readonly calls: number
  /** Calls and sockets refused for their key (401), per address: after so many, no key is looked up from there. */
  readonly refusals: number
}

export const defaultRates: Rates = {
  signIn: 20,
  register: 20,
  messages: 120,
  uploads: 60,
  sockets: 120,
  calls: 1_200,
  refusals: 60
}

export interface Options {
  readonly rates?: Partial<Rates> | undefined
  /** Also what comes from this machine, past no proxy. `false` by default. */
  readonly loopback?: boolean | undefined
  /** How many keys and addresses are kept apart. */
  readonly capacity?: number | undefined
}

export type Door = Exclude<keyof Rates, "refusals">

/** Who asks. `key` is a hash, never the key. */
export interface Asker {
  readonly address: string
  readonly key: string | undefined
}

/** Asked too often. Pass on `retryAfter` (whole seconds, 1 or more) and the sentence. */
export class TooOften extends Schema.TaggedError<TooOften>()("TooOften", {
  door: Schema.String,
  retryAfter: Schema.Finite
}) {
  override get message(): string {
    const wait = this.retryAfter === 1 ? "a second" : `${this.retryAfter} seconds`
    return `${sentences[this.door] ?? "Too many requests came from you."} Wait ${wait} and try again.`
  }
}

const sentences: Readonly<Record<string, string>> = {
  signIn: "Too many sign-ins came from your address.",
  register: "Too many registrations came from your address.",
  messages: "You send messages faster than this platform takes them.",
  uploads: "You send files faster than this platform takes them.",
  sockets: "Too many connections were opened from you.",
  refusals: "Too many keys that are not known here came from your address."
}

/** How much more an address may do than a key: several people stand behind one. */
const sharing = 5

export interface Limits {
  /** Takes one of what the asker may do, or says how long to wait. */
  readonly take: (door: Door, asker: Asker) => Effect.Effect<void, TooOften>
  /** A key was refused. */
  readonly refused: (asker: Asker) => Effect.Effect<void>
}

const isExempt = (address: string): boolean => HttpGuards.isLoopback(address)

const over = Effect.fnUntraced(function* (options: Options) {
  const limiter = yield* RateLimiter.make
  const rates: Rates = { ...defaultRates, ...options.rates }

  const consume = (door: keyof Rates, key: string, limit: number, tokens: number) =>
    limiter
      .consume({
        algorithm: "token-bucket",
        onExceeded: "fail",
        window: "1 minute",
        limit,
        tokens,
        key: `${door} ${key}`
      })
      .pipe(
        Effect.catch(({ reason }) =>
          // Anything but an empty bucket is a fault of the store, and shuts nobody out.
          reason._tag === "RateLimitExceeded"
            ? Effect.fail(
                new TooOften({ door, retryAfter: Math.max(1, Math.ceil(Duration.toSeconds(reason.retryAfter))) })
              )
            : Effect.undefined
        )
      )

  const take: Limits["take"] = Effect.fnUntraced(function* (door, asker) {
    const exempt = options.loopback !== true && isExempt(asker.address)
    if (exempt) return
    const network = ClientAddress.networkOf(asker.address)
    if (asker.key !== undefined) {
      const state = yield* consume("refusals", network, rates.refusals, 0)
      if (state !== undefined && state.remaining < 1) {
        return yield* new TooOften({ door: "refusals", retryAfter: Math.ceil(60 / rates.refusals) })
      }
    }
    // Whoever comes in has no key yet that means anything: the address alone counts.
    const alone = door === "signIn" || door === "register"
    if (asker.key !== undefined && !alone) yield* consume(door, asker.key, rates[door], 1)
    yield* consume(door, network, alone ? rates[door] : rates[door] * sharing, 1)
  })

  const refused: Limits["refused"] = ({ address }) =>
    options.loopback !== true && isExempt(address)
      ? Effect.void
      : Effect.ignore(consume("refusals", ClientAddress.networkOf(address), rates.refusals, 1))

  return { take, refused } satisfies Limits
})

export const make = (options: Options = {}): Effect.Effect<Limits> =>
  // The store's layer is this limiter's own: two platforms in one process do not share buckets.
  Effect.provide(over(options), Layer.fresh(limitStore.layer(options.capacity)))
