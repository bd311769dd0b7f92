/** An account's place in the registry: what tools, gateway methods and the host's adapters reach of it. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Methods from "../../layers/channel/Methods.ts"
import * as PlatformLook from "../../layers/channel/PlatformLook.ts"
import type * as Accounts from "../../services/channel/Accounts.ts"
import type { OutreachError } from "../../services/channel/Outreach.ts"
import * as Toolbox from "../../services/channel/Toolbox.ts"
import * as page from "./page.ts"
import * as registry from "./registry.ts"
import type { Speaking } from "./speaking.ts"

export interface Options {
  readonly accountId: string
  readonly accounts: Accounts.Accounts["Service"]
  readonly account: Accounts.Account
  /** The platform, also while there is no line. */
  readonly url: URL
  /** What the operator's own agent may do. */
  readonly operators: Toolbox.Toolbox
  readonly speaking: Speaking
  /** What each turn of ours may do, by the session of the host it runs in. */
  readonly open: ReadonlyMap<string, Toolbox.Toolbox>
}

const probe = Effect.fnUntraced(function* ({ account, url }: Options, timeoutMs: number) {
  const line = Option.getOrUndefined(yield* SubscriptionRef.get(account.line))
  const looked = yield* PlatformLook.look({
    url: line?.url ?? url,
    keys: line === undefined ? undefined : { appKey: line.profile.app_key, appSecret: line.profile.app_secret },
    timeoutMs
  })
  if (line === undefined) return { ...looked, clawId: undefined, phase: "none", lastPongAt: undefined }
  const { lastPongAt, phase } = yield* SubscriptionRef.get(line.connection.state)
  return { ...looked, clawId: line.profile.claw_id, phase, lastPongAt }
})

/** The host shows an error with its name before it; here the sentence alone says everything. */
const inWords = <A>(self: Effect.Effect<A, OutreachError>): Effect.Effect<A, Error> =>
  Effect.mapError(self, ({ message, transient }) => Object.assign(new Error(message), { transient }))

/** Until the scope is closed. */
export const take = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<void, never, Scope.Scope> {
  const { accountId, accounts, open, operators, speaking } = options
  yield* page.join(options.account)
  const methods = Methods.make(accounts)
  const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const seat: registry.Seat = {
        accountId,
        call: (method, params) =>
          runPromise(
            Effect.match(methods.call(method, params), {
              onFailure: ({ code, fields, message }): registry.Called => ({ ok: false, code, message, fields }),
              onSuccess: (result): registry.Called => ({ ok: true, result })
            })
          ),
        tool: (name, input, session) =>
          runPromise((session === undefined ? operators : (open.get(session) ?? Toolbox.empty)).call(name, input)),
        has: (session) => open.get(session),
        probe: (timeoutMs) => runPromise(probe(options, timeoutMs).pipe(Effect.provide(NodeHttpClient.layerNodeHttp))),
        people: () => runPromise(inWords(speaking.people)),
        findPerson: (target) => runPromise(inWords(speaking.find(target))),
        say: (saying) => runPromise(inWords(speaking.say(saying)))
      }
      registry.seats.set(accountId, seat)
      return seat
    }),
    // A later one of the same account has its own seat by then: that one stays.
    (seat) =>
      Effect.sync(() => {
        if (registry.seats.get(accountId) === seat) registry.seats.delete(accountId)
      })
  )
})
