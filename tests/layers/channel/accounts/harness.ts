/** Accounts over memory: a registrar that a test turns by hand, and sockets whose other end a test holds. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as ChannelAccount from "../../../../src/layers/channel/Account.ts"
import * as LinkProtocol from "../../../../src/layers/channel/LinkProtocol.ts"
import * as LiveAccounts from "../../../../src/layers/channel/LiveAccounts.ts"
import * as MemoryJournal from "../../../../src/layers/channel/MemoryJournal.ts"
import * as SimAgent from "../../../../src/layers/channel/SimAgent.ts"
import * as SimDriver from "../../../../src/layers/channel/SimDriver.ts"
import * as Supervisor from "../../../../src/layers/channel/Supervisor.ts"
import { type Account, Accounts, type LineFault } from "../../../../src/services/channel/Accounts.ts"
import { Connection, type Phase } from "../../../../src/services/channel/Connection.ts"
import { Dispatcher } from "../../../../src/services/channel/Dispatcher.ts"
import type { Profile } from "../../../../src/services/channel/ProfileStore.ts"
import { Registrar } from "../../../../src/services/channel/Registrar.ts"
import type { RegistrationState } from "../../../../src/services/channel/Registration.ts"

const url = new URL("ws://sim/ws/chat")

/** What a test decides of one account. */
export interface Desk {
  readonly profile: SubscriptionRef.SubscriptionRef<Option.Option<Profile>>
  looks: number
  /** The system prompt that the agent was given last. */
  prompt: string | undefined
}

export interface Stage {
  readonly peer: SimDriver.SimPeer["Service"]
  readonly desk: (id: string) => Desk
  readonly ids: Array<string>
  /** A fault for whoever claims or opens an account of this id. */
  readonly faults: { readonly claim: Map<string, LineFault>; readonly open: Map<string, LineFault> }
  readonly claims: Array<string>
  script: SimAgent.Script
}

const registrarOf = (desk: Desk) =>
  Effect.gen(function* () {
    return Registrar.of({
      state: yield* SubscriptionRef.make<RegistrationState>({
        _tag: "absent",
        setback: undefined,
        retryAt: undefined
      }),
      profile: SubscriptionRef.changes(desk.profile),
      propose: () => Effect.die(new Error("not asked for here")),
      submit: () => Effect.die(new Error("not asked for here")),
      cancel: () => Effect.void,
      look: Effect.sync(() => void desk.looks++)
    })
  })

export const make = Effect.gen(function* () {
  const runSync = Effect.runSyncWith(yield* Effect.context<never>())
  const peer = yield* SimDriver.make({ autoAccept: false })
  const desks = new Map<string, Desk>()
  const stage: Stage = {
    peer,
    desk: (id) => {
      const known = desks.get(id)
      if (known !== undefined) return known
      const desk: Desk = {
        profile: runSync(SubscriptionRef.make(Option.none<Profile>())),
        looks: 0,
        prompt: undefined
      }
      desks.set(id, desk)
      return desk
    },
    ids: [],
    faults: { claim: new Map(), open: new Map() },
    claims: [],
    script: [SimAgent.say("yes")]
  }
  const layer = LiveAccounts.layer({
    ids: Effect.sync(() => [...stage.ids]),
    agent: { description: "simulated agent", model: "sim-agent" },
    registrar: (id) => registrarOf(stage.desk(id)),
    claim: (id) =>
      Effect.suspend(() => {
        const fault = stage.faults.claim.get(id)
        if (fault !== undefined) return Effect.fail(fault)
        return Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => stage.claims.push(id)),
            () => Effect.sync(() => stage.claims.splice(stage.claims.indexOf(id), 1))
          )
        )
      }),
    open: (id, profile, latest) =>
      Effect.gen(function* () {
        const fault = stage.faults.open.get(id)
        if (fault !== undefined) return yield* fault
        const request = { url: url.href, headers: { "x-app-key": profile.app_key }, hello: [] }
        const connection = Layer.effect(
          Connection,
          Supervisor.make({
            driver: peer.driver,
            protocol: LinkProtocol.instaclaw(Effect.succeed(request)),
            backoffJitter: 0
          })
        )
        const runtime = SimAgent.layer({
          script: (turn) => {
            stage.desk(id).prompt = turn.systemPrompt
            return stage.script
          }
        })
        const context = yield* Layer.build(
          ChannelAccount.layer({
            accountId: profile.claw_id,
            maxConcurrent: 10,
            maxQueued: 100,
            requestTimeout: "1 hour",
            stallTimeout: "10 minutes",
            grace: "500 millis",
            deltaSize: 50,
            dialect: undefined,
            get systemPrompt() {
              return latest().description
            }
          }).pipe(Layer.provideMerge([connection, Layer.fresh(runtime)]))
        )
        return {
          profile,
          url,
          connection: Context.get(context, Connection),
          dispatcher: Context.get(context, Dispatcher)
        }
      })
  }).pipe(Layer.provide([MemoryJournal.layer(), SecureRandom.layerWebCrypto]))
  return { stage, layer }
})

export const accountOf = (id: string): Effect.Effect<Account, never, Accounts> =>
  Effect.flatMap(Accounts, (accounts) => Effect.map(accounts.get(id), Option.getOrThrow))

/** The first value that fits, the present one included. */
export const until = <A>(ref: SubscriptionRef.SubscriptionRef<A>, fits: (value: A) => boolean): Effect.Effect<A> =>
  Effect.map(SubscriptionRef.changes(ref).pipe(Stream.filter(fits), Stream.runHead), Option.getOrThrow)

export const lineOf = (account: Account) => Effect.map(until(account.line, Option.isSome), Option.getOrThrow)

export const phase = (account: Account, wanted: Phase) =>
  Effect.flatMap(lineOf(account), ({ connection }) => until(connection.state, (state) => state.phase === wanted))
