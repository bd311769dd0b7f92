/**
 * What the operator's doors share: the accounts they show (none until the program has them), what they record, and the
 * snapshot of this moment. Made before the accounts, because a server may have to listen before they can be.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import {
  type AccountView,
  type Call,
  MethodError,
  type SettingView,
  type Snapshot
} from "../../services/channel/Control.ts"
import { isEnded } from "../../services/channel/Work.ts"
import type { Working } from "../../services/channel/Working.ts"
import type { InWorlds } from "../../services/worlds/InWorlds.ts"
import * as Recorder from "./ControlRecorder.ts"
import * as View from "./ControlView.ts"

export interface Options {
  readonly version: string
  /** Settings in force, secrets only as `set` or `not set`. */
  readonly settings: ReadonlyArray<SettingView>
}

export interface ControlDesk {
  /**
   * From now on these accounts are shown, and `call` carries out what the operator wants of them. `working`: their paid
   * work, where they do any. `worlds`: what they are at in Claworld.
   */
  readonly attach: (
    accounts: Accounts["Service"],
    call: Call,
    working?: Working["Service"],
    worlds?: InWorlds["Service"]
  ) => void
  readonly accounts: Effect.Effect<ReadonlyArray<Account>>
  /** `detailed`: with the last replies, the last hour and inline pictures. */
  readonly view: (account: Account, detailed: boolean) => Effect.Effect<AccountView>
  /** `chosen`: the account whose details are wanted; the first one where there is none such. */
  readonly snapshot: (chosen: string | undefined) => Effect.Effect<Snapshot>
  readonly call: Call
}

/** Which account is shown in detail. */
export const chosenOf = (all: ReadonlyArray<Account>, wanted: string | undefined): string | undefined =>
  (all.find(({ id }) => id === wanted) ?? all[0])?.id

/** A picture within a profile has up to 64 KiB: a thousand of them are too many for one who looks at one account. */
const withoutPicture = <A extends { readonly avatar: string } | null>(profile: A): A =>
  profile === null || !profile.avatar.startsWith("data:") ? profile : { ...profile, avatar: "" }

const withoutPictures = (view: AccountView): AccountView => ({
  ...view,
  profile: withoutPicture(view.profile),
  registration: { ...view.registration, proposal: withoutPicture(view.registration.proposal) }
})

export const make = Effect.fn("ControlDesk.make")(function* (
  options: Options
): Effect.fn.Return<ControlDesk, never, Scope.Scope> {
  const startedAt = yield* Clock.currentTimeMillis
  const attached: {
    accounts: Accounts["Service"] | undefined
    call: Call | undefined
    working: Working["Service"] | undefined
    worlds: InWorlds["Service"] | undefined
  } = { accounts: undefined, call: undefined, working: undefined, worlds: undefined }
  const recorder = yield* Recorder.make(Effect.sync(() => Option.fromUndefinedOr(attached.accounts)))
  const accounts = Effect.sync(() =>
    attached.accounts === undefined ? [] : SubscriptionRef.getUnsafe(attached.accounts.all)
  )

  const view = Effect.fnUntraced(function* (account: Account, detailed: boolean) {
    yield* recorder.look(account)
    const { id } = account
    const registration = SubscriptionRef.getUnsafe(account.registrar.state)
    const line = Option.getOrUndefined(SubscriptionRef.getUnsafe(account.line))
    const worker = attached.working === undefined ? undefined : yield* attached.working.of(id)
    const work = worker === undefined ? undefined : yield* worker.state
    const seat = attached.worlds === undefined ? undefined : yield* attached.worlds.of(id)
    const described: AccountView = {
      id,
      agent: { description: account.agent.description, model: account.agent.model },
      profile:
        line === undefined
          ? null
          : {
              ...View.profileView(line.profile),
              claw_id: line.profile.claw_id,
              origin: line.profile.origin ?? null
            },
      registration: View.registrationView(id, registration),
      fault: SubscriptionRef.getUnsafe(account.fault) ?? null,
      connection:
        line === undefined
          ? null
          : View.connectionView(line.url, SubscriptionRef.getUnsafe(line.connection.state), {
              since: recorder.since(id),
              failedAt: recorder.failedAt(id)
            }),
      in_flight: [],
      recent: [],
      counts: View.countsView(line === undefined ? undefined : yield* line.dispatcher.stats),
      samples: [],
      claworld: seat === undefined ? null : View.inWorldsView(yield* seat.state),
      work: work === undefined ? null : View.workView(work),
      jobs: [],
      ended_jobs: []
    }
    if (!detailed) return withoutPictures(described)
    return {
      ...described,
      in_flight: line === undefined ? [] : (yield* line.dispatcher.inFlight).map(View.replyView),
      recent: line === undefined ? [] : (yield* line.dispatcher.recent).map(View.endedView),
      samples: recorder.samples(id),
      jobs: (work?.jobs ?? []).filter(({ job }) => !isEnded(job)).map(View.jobView),
      ended_jobs: (work?.jobs ?? []).filter(({ job }) => isEnded(job)).map(View.jobView)
    }
  })

  const snapshot = Effect.fnUntraced(function* (wanted: string | undefined) {
    const all = yield* accounts
    const chosen = chosenOf(all, wanted)
    return {
      version: options.version,
      at: yield* Clock.currentTimeMillis,
      started_at: startedAt,
      accounts: yield* Effect.forEach(all, (account) => view(account, account.id === chosen)),
      settings: options.settings
    } satisfies Snapshot
  })

  return {
    attach: (accounts, call, working, worlds) => {
      attached.accounts = accounts
      attached.call = call
      attached.working = working
      attached.worlds = worlds
    },
    accounts,
    view,
    snapshot,
    call: (method, params) =>
      attached.call === undefined
        ? Effect.fail(
            new MethodError({
              code: "unavailable",
              message: "The program is still starting, or it runs no agent. Try again in a moment.",
              fields: []
            })
          )
        : attached.call(method, params)
  }
})
