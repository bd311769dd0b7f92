/** Accounts whose every state the test sets: what the control page shows and steers, without a platform behind it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as View from "../../../../src/layers/channel/ControlView.ts"
import type { Account, Accounts, Line } from "../../../../src/services/channel/Accounts.ts"
import type { ConnectionState } from "../../../../src/services/channel/Connection.ts"
import { type Call, MethodError } from "../../../../src/services/channel/Control.ts"
import type { DispatcherStats, Ended, InFlight } from "../../../../src/services/channel/Dispatcher.ts"
import type { Profile } from "../../../../src/services/channel/ProfileStore.ts"
import type { RegistrationState } from "../../../../src/services/channel/Registration.ts"
import { check, type Proposal } from "../../../../src/services/protocol/ProfileFields.ts"

/** Must never be seen anywhere. */
export const canary = "canary-5f1d0a77c3-secret"

export const proposal: Proposal = {
  name: "文案助手",
  description: "整理、改写、校对中文长文;按项目合并会议纪要。",
  avatar: "",
  scene_tags: ["02001", "07001"],
  custom_tags: ["中文"],
  hourly_rate: 20,
  instance_type: 0
}

export const profileOf = (fields: Proposal): Profile => ({
  ...fields,
  app_key: "app_test",
  app_secret: Redacted.make(canary),
  claw_id: "claw_test",
  origin: "http://127.0.0.1:8787",
  extra: { note: canary }
})

export const noStats: DispatcherStats = {
  accepted: 0,
  repeated: 0,
  refused: 0,
  completed: 0,
  failed: {
    INVALID_REQUEST: 0,
    RATE_LIMIT: 0,
    SDK_ERROR: 0,
    CALLBACK_ERROR: 0,
    TIMEOUT: 0,
    CANCELLED: 0,
    INTERRUPTED: 0
  },
  firstDelta: { count: 0, totalMillis: 0, maxMillis: 0 },
  running: 0,
  waiting: 0
}

export const offLine: ConnectionState = {
  phase: "connecting",
  attempt: 0,
  generation: 1,
  connectedAt: undefined,
  lastPongAt: undefined,
  lastFailure: undefined,
  retryAt: undefined,
  outboxBytes: 0
}

const absent: RegistrationState = { _tag: "absent", setback: undefined, retryAt: undefined }

export interface Scripted {
  readonly account: Account
  readonly registration: SubscriptionRef.SubscriptionRef<RegistrationState>
  readonly connection: SubscriptionRef.SubscriptionRef<ConnectionState>
  readonly line: SubscriptionRef.SubscriptionRef<Option.Option<Line>>
  readonly fault: SubscriptionRef.SubscriptionRef<string | undefined>
  /** What the dispatcher answers; the test writes into it. */
  readonly replies: { inFlight: Array<InFlight>; recent: Array<Ended>; stats: DispatcherStats }
  /** On the line as this profile. */
  readonly goOnLine: (profile: Profile, at: number) => Effect.Effect<void>
  readonly retried: { count: number }
}

export const account = Effect.fnUntraced(function* (id = "default"): Effect.fn.Return<Scripted> {
  const registration = yield* SubscriptionRef.make<RegistrationState>(absent)
  const connection = yield* SubscriptionRef.make<ConnectionState>(offLine)
  const line = yield* SubscriptionRef.make(Option.none<Line>())
  const fault = yield* SubscriptionRef.make<string | undefined>(undefined)
  const replies: Scripted["replies"] = { inFlight: [], recent: [], stats: noStats }
  const retried = { count: 0 }
  const dispatcher: Line["dispatcher"] = {
    handle: () => Effect.void,
    cancel: ({ responseId }) =>
      Effect.sync(() => {
        const reply = replies.inFlight.find((other) => other.responseId === responseId)
        if (reply === undefined) return false
        replies.inFlight = replies.inFlight.filter((other) => other !== reply)
        replies.recent = [
          {
            ...reply,
            endedAt: reply.acceptedAt + 2_000,
            failure: { code: "CANCELLED", message: "The reply was stopped." }
          },
          ...replies.recent
        ]
        return true
      }),
    inFlight: Effect.sync(() => replies.inFlight),
    recent: Effect.sync(() => replies.recent),
    stats: Effect.sync(() => replies.stats),
    recover: Effect.succeed(0),
    drain: Effect.void
  }
  return {
    account: {
      id,
      registrar: {
        state: registration,
        profile: Stream.never,
        propose: () => Effect.succeed({ proposalId: "p" }),
        submit: () => Effect.die("not scripted"),
        cancel: () => Effect.void,
        look: Effect.void
      },
      line,
      fault,
      agent: { description: "offline agent", model: "offline" },
      retry: Effect.sync(() => void (retried.count += 1))
    },
    registration,
    connection,
    line,
    fault,
    replies,
    goOnLine: Effect.fnUntraced(function* (profile, at) {
      yield* SubscriptionRef.set(connection, {
        ...offLine,
        phase: "connected",
        connectedAt: at,
        lastPongAt: at
      })
      yield* SubscriptionRef.set(
        line,
        Option.some<Line>({
          profile,
          url: new URL(`ws://127.0.0.1:8787/ws/chat?token=${canary}`),
          connection: {
            state: connection,
            inbound: Stream.never,
            send: () => Effect.void,
            renew: Effect.void,
            unblock: Effect.void
          },
          dispatcher
        })
      )
      yield* SubscriptionRef.set(registration, {
        _tag: "registered",
        clawId: profile.claw_id,
        name: profile.name,
        since: at
      })
    }),
    retried
  }
})

export const accounts = Effect.fnUntraced(function* (
  all: ReadonlyArray<Scripted>
): Effect.fn.Return<Accounts["Service"]> {
  const ref = yield* SubscriptionRef.make<ReadonlyArray<Account>>(all.map(({ account }) => account))
  return {
    all: ref,
    get: (id) =>
      Effect.map(SubscriptionRef.get(ref), (all) => Option.fromUndefinedOr(all.find((account) => account.id === id)))
  }
})

const fail = (code: MethodError["code"], message: string, fields: MethodError["fields"] = []) =>
  Effect.fail(new MethodError({ code, message, fields }))

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {}

/** The methods over scripted accounts; a confirmation that holds goes on the line at once. */
export const methods =
  (all: ReadonlyArray<Scripted>, now: () => number): Call =>
  (method, input) => {
    const params = record(input)
    const one = all.find(({ account }) => account.id === (params["account_id"] ?? "default"))
    if (one === undefined) return fail("unknown_account", "There is no such account.")
    const view = Effect.map(SubscriptionRef.get(one.registration), (state) =>
      View.registrationView(one.account.id, state)
    )
    const state = SubscriptionRef.getUnsafe(one.registration)
    switch (method) {
      case "instaclaw.registration.get":
        return view
      case "instaclaw.registration.submit": {
        if (state._tag !== "pending") return fail("conflict", "There is nothing to confirm.")
        const checked = check(params["proposal"] ?? state.proposal)
        return Result.isFailure(checked)
          ? fail("invalid_params", "This cannot be registered.", checked.failure)
          : Effect.andThen(one.goOnLine(profileOf(checked.success), now()), view)
      }
      case "instaclaw.registration.cancel":
        return Effect.andThen(
          SubscriptionRef.set(one.registration, { _tag: "coolingDown", until: now() + 60_000 }),
          view
        )
      case "instaclaw.connection.retry":
        return Effect.as(one.account.retry, {})
      case "instaclaw.reply.stop":
        return Option.match(SubscriptionRef.getUnsafe(one.line), {
          onNone: () => fail("not_found", "There is no such reply."),
          onSome: ({ dispatcher }) =>
            Effect.map(dispatcher.cancel({ responseId: String(params["response_id"]) }), (stopped) => ({ stopped }))
        })
      default:
        return fail("unknown_method", "There is no such method.")
    }
  }
