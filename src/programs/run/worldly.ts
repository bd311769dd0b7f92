/** The accounts of a program in Claworld: each that has an identity there is on the line there too. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as AccountFolders from "../../layers/channel/AccountFolders.ts"
import { systemPromptOf } from "../../layers/channel/AccountLine.ts"
import * as FileTranscripts from "../../layers/channel/FileTranscripts.ts"
import * as perAccount from "../../layers/channel/perAccount.ts"
import * as PlatformAddress from "../../layers/channel/PlatformAddress.ts"
import * as PlatformAttachments from "../../layers/channel/PlatformAttachments.ts"
import { version } from "../../layers/version.ts"
import * as activation from "../../layers/worlds/activation.ts"
import * as FileWorldIdentities from "../../layers/worlds/FileWorldIdentities.ts"
import * as Mingle from "../../layers/worlds/Mingle.ts"
import type * as WorldHandlers from "../../layers/worlds/WorldHandlers.ts"
import * as WorldLine from "../../layers/worlds/WorldLine.ts"
import type { Account, Accounts } from "../../services/channel/Accounts.ts"
import { AgentRuntime } from "../../services/channel/AgentRuntime.ts"
import type { Profile } from "../../services/channel/ProfileStore.ts"
import type { Settings } from "../../services/channel/Settings.ts"
import type { EntryProfile } from "../../services/protocol/EntryProfile.ts"
import { WorldIdentities } from "../../services/worlds/Identity.ts"
import type { Runtime } from "./agents.ts"
import * as proposals from "./proposals.ts"

export interface Options {
  /** `.insta`, or where else the accounts are. */
  readonly root: string
  readonly runtime: Runtime
  readonly settings: Settings
  /**
   * Where an account without an identity gets one by itself: a service on this machine. Elsewhere a person does that
   * (`clawfiber worlds activate`).
   */
  readonly serverUrl: URL | undefined
  /** Accounts that go among people by themselves: what they say of themselves, and want to talk about. */
  readonly mingle?:
    | ((id: string) => { readonly answers: EntryProfile; readonly opening: string } | undefined)
    | undefined
}

/** What an account has in Claworld at a moment. */
export interface Seat {
  readonly accountId: string
  readonly line: SubscriptionRef.SubscriptionRef<Option.Option<WorldLine.WorldLine>>
  /** Why there is no line, in a sentence. */
  readonly reason: SubscriptionRef.SubscriptionRef<string>
}

/** An identity that somebody made while this program runs is taken up after so long. */
const lookEvery = "10 seconds"

const registered = (account: Account): Effect.Effect<Profile> =>
  SubscriptionRef.changes(account.line).pipe(
    Stream.filter(Option.isSome),
    Stream.runHead,
    Effect.flatMap(Option.match({ onNone: () => Effect.never, onSome: ({ value }) => Effect.succeed(value.profile) }))
  )

/** The identity as it is on disk, or a new one where this machine's own service gives one to anybody. */
const identityOf = Effect.fnUntraced(function* (account: Account, options: Options, seat: Seat) {
  const identities = yield* WorldIdentities
  const own = options.serverUrl
  for (;;) {
    const found = yield* identities
      .load(account.id)
      .pipe(Effect.catch((error) => Effect.as(SubscriptionRef.set(seat.reason, error.message), Option.none())))
    if (Option.isSome(found)) return found.value
    if (own !== undefined && PlatformAddress.isLoopback(own)) {
      const { name } = yield* registered(account)
      const made = yield* activation.activate({ serverUrl: own, displayName: name === "" ? account.id : name }).pipe(
        Effect.tap((identity) => identities.save(account.id, identity)),
        Effect.asSome,
        Effect.catch((error) => Effect.as(SubscriptionRef.set(seat.reason, error.message), Option.none()))
      )
      if (Option.isSome(made)) return made.value
    }
    yield* Effect.sleep(lookEvery)
  }
})

/** The agent with a memory of its talks, apart from that of its chats. */
const agentOf = ({ root, runtime }: Options, id: string) =>
  Effect.map(
    Layer.build(
      Layer.fresh(runtime).pipe(
        Layer.provide([
          FileTranscripts.layer({ folder: `${AccountFolders.rootOf(root, id)}/worlds` }),
          PlatformAttachments.layerWithoutPlatform
        ])
      )
    ),
    Context.get(AgentRuntime)
  )

/** From an identity to the line, and to people where the operator wants that. Ends with the account. */
const serve = Effect.fnUntraced(function* (account: Account, options: Options, seat: Seat) {
  const identity = yield* identityOf(account, options, seat)
  const profile = Option.getOrUndefined(yield* SubscriptionRef.get(account.line))?.profile
  const runtime = yield* agentOf(options, account.id)
  const line = yield* WorldLine.open({
    accountId: account.id,
    identity,
    runtime,
    systemPrompt: systemPromptOf(options.settings, profile ?? proposals.named(identity.displayName)),
    version
  })
  yield* SubscriptionRef.set(seat.line, Option.some(line))
  yield* Effect.logInfo(`${identity.displayName} is in Claworld as ${identity.address}.`)
  const mingle = options.mingle?.(account.id)
  if (mingle === undefined) return yield* Effect.never
  return yield* Mingle.run({ agentId: identity.agentId, api: line.api, every: "3 seconds", most: 20, ...mingle })
})

/** Begins in the background; an account whose seat fails is told of in its log, and the others go on. */
export const make = (accounts: Accounts["Service"], options: Options) =>
  perAccount
    .make(
      accounts,
      Effect.fnUntraced(function* (account) {
        const seat: Seat = {
          accountId: account.id,
          line: yield* SubscriptionRef.make<Option.Option<WorldLine.WorldLine>>(Option.none()),
          reason: yield* SubscriptionRef.make(
            "This account has no identity in Claworld yet. Its operator makes one with: clawfiber worlds activate"
          )
        }
        yield* serve(account, options, seat).pipe(
          Effect.annotateLogs({ account: account.id }),
          Effect.catchCause((cause) => Effect.logError("The account has no seat in Claworld.", cause)),
          Effect.forkScoped
        )
        return seat
      })
    )
    .pipe(
      Effect.provide([
        FileWorldIdentities.layer({ root: options.root }).pipe(Layer.provide(NodeFileSystem.layer)),
        FetchHttpClient.layer,
        SecureRandom.layerWebCrypto,
        NodeFileSystem.layer,
        NodePath.layer
      ])
    )

/** What the tools of Claworld see of these accounts. */
export const desks = (seats: perAccount.PerAccount<Seat>): Effect.Effect<ReadonlyArray<WorldHandlers.Desk>> =>
  Effect.map(seats.all, (all) =>
    all.map(([accountId, { line, reason }]) => ({
      accountId,
      bound: Effect.map(
        SubscriptionRef.get(line),
        Option.map(({ api, identity: { address, agentCode, agentId, displayName } }) => ({
          api,
          source: "verified_app_token" as const,
          address,
          agentCode,
          agentId,
          displayName
        }))
      ),
      unbound: Effect.map(SubscriptionRef.get(reason), (text) => ({ isPending: false, reason: text }))
    }))
  )
